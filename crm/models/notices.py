"""What one person is told: notices in the page and for the daily mail, and by which channel they want which."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.models.personal import holds_personal
from crm.models.subjects import AboutSubject

if TYPE_CHECKING:
    from crm.models.accounts import User
    from crm.models.follow_ups import FollowUp


@dataclass(frozen=True)
class Unread:
    """How many notices are unread, and the newest of them: told apart by its text, "3-17"."""

    count: int = 0
    newest: int = 0

    def __str__(self) -> str:
        return f"{self.count}-{self.newest}"


class NotificationQuerySet(models.QuerySet["Notification"]):
    """Notices in the page."""

    def in_page(self) -> Self:
        """Those that the page shows; the others only wait for a mail."""
        return self.filter(is_in_page=True)

    def unread(self) -> Self:
        """Not yet looked at."""
        return self.in_page().filter(read_at__isnull=True)

    def count_unread(self) -> Unread:
        """Count the unread ones, in one query."""
        found = self.unread().aggregate(count=models.Count("pk"), newest=models.Max("pk"))
        return Unread(found["count"], found["newest"] or 0)

    def unread_of(self, user_ids: Collection[int]) -> dict[int, Unread]:
        """Count the unread ones of several people, in one query; who has none is left out."""
        of_each = self.unread().filter(user_id__in=user_ids).order_by().values("user_id")
        found = of_each.annotate(count=models.Count("pk"), newest=models.Max("pk"))
        return {each["user_id"]: Unread(each["count"], each["newest"]) for each in found}


@holds_personal(is_deleted=True, strikes=("text",))
class Notification(AboutSubject):
    """A notice for one person: shown in the page, kept for their daily mail, or both. `kind` is a NoticeKind's key."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=30)
    dedupe_key = models.CharField(max_length=200, unique=True)
    follow_up = models.ForeignKey("crm.FollowUp", models.CASCADE, null=True, blank=True, related_name="+")
    text = models.CharField(max_length=300)
    at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True, blank=True)
    is_in_page = models.BooleanField(default=True)
    awaits_digest = models.BooleanField(default=False)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ("-at", "-pk")
        indexes = (
            # The list: one person's notices.
            models.Index(fields=("user", "-at"), name="crm_notification_bell"),
            # The bell, asked for every second by config/live.py.
            models.Index(fields=("user", "id"), name="crm_notification_unread", condition=Q(read_at=None)),
            # The daily mail: what is kept for it.
            models.Index(fields=("user", "at"), name="crm_notification_kept", condition=Q(awaits_digest=True)),
        )

    def __str__(self) -> str:
        return self.text

    @classmethod
    def of_step(cls, follow_up: FollowUp, *, user: User, kind: str, dedupe_key: str, text: str) -> Notification:
        """Return an unsaved notice about a follow-up, which stands at the follow-up's record without reading that."""
        return cls(
            user=user,
            kind=kind,
            dedupe_key=dedupe_key,
            follow_up=follow_up,
            subject_type_id=follow_up.subject_type_id,
            subject_id=follow_up.subject_id,
            text=text[:300],
        )


class NotificationChoice(models.Model):
    """By which channels one person wants one kind of notice; where there is no row, as the kind declares."""

    class Mail(models.TextChoices):
        """When it comes by e-mail."""

        AT_ONCE = "at_once", pgettext_lazy("e-mail comes", "At once")
        DAILY = "daily", pgettext_lazy("e-mail comes", "In the daily digest")
        NEVER = "never", pgettext_lazy("e-mail comes", "Never")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notification_choices")
    kind = models.CharField(max_length=30)
    in_page = models.BooleanField(_("in the page"), default=True)
    by_mail = models.CharField(_("by e-mail"), max_length=7, choices=Mail.choices, default=Mail.AT_ONCE)

    class Meta:
        verbose_name = _("choice of channels")
        verbose_name_plural = _("choices of channels")
        constraints = (models.UniqueConstraint(fields=("user", "kind"), name="crm_notificationchoice_one"),)

    def __str__(self) -> str:
        return f"{self.user_id} {self.kind}"
