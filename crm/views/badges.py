"""The numbers beside the places in the top bar, each counted only where a page shows it."""

from functools import cached_property
from typing import Any

from django.utils import timezone

from crm.models import FollowUp, Lead, Notification
from crm.models.notices import Unread
from crm.rules.sweeping import sweeper_is_silent
from crm.views.requests import PersonRequest


class Badges:
    """What waits for the person who looks: nothing where nobody is logged in."""

    def __init__(self, user: Any) -> None:
        self._user = user

    @cached_property
    def my_day(self) -> int:
        """Their overdue follow-ups."""
        if not self._user.is_authenticated:
            return 0
        return FollowUp.objects.filter(assignee=self._user).overdue(timezone.now()).count()

    @cached_property
    def leads(self) -> int:
        """Leads they may see that wait for a first answer."""
        return Lead.objects.visible_to(self._user).waiting().count() if self._user.is_authenticated else 0

    @property
    def notifications(self) -> int:
        """Notices in the page they have not read."""
        return self._unread.count

    @property
    def bell(self) -> str:
        """What the bell knows, for it to say when it asks whether anything is new."""
        return str(self._unread)

    @cached_property
    def _unread(self) -> Unread:
        return Notification.objects.filter(user=self._user).count_unread() if self._user.is_authenticated else Unread()

    @cached_property
    def sweeper_is_silent(self) -> bool:
        """To admins: whether reminders do not leave, because nothing has swept for two minutes."""
        return bool(self._user.is_authenticated and self._user.is_staff and sweeper_is_silent())


def badges(request: PersonRequest) -> dict[str, Badges]:
    """Context processor: ``badges``."""
    return {"badges": Badges(getattr(request, "user", None))}
