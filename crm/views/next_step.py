"""What is next for a record: the panel on the pages of leads, deals, contacts and companies."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.models import FollowUp, Lead, Subject, User, kind_of
from crm.views.authorising import may_edit

SHOWN = 5


@dataclass(frozen=True)
class Verb:
    """The one thing to do about a follow-up now: call, write, or open its record; `log_url` asks what came of it."""

    icon: str
    label: Any
    url: str
    log_url: str = ""


@dataclass(frozen=True)
class NextStep:
    """The open follow-ups of a record, the first due first; `state` is that of the first (see components/mark.html)."""

    subject: Subject
    subject_kind: str
    reader: User
    follow_ups: Sequence[FollowUp]
    state: str
    verb: Verb | None
    may_change: bool
    now: dt.datetime

    @property
    def first(self) -> FollowUp | None:
        """What is to be done next."""
        return self.follow_ups[0] if self.follow_ups else None

    @property
    def reminds_at(self) -> dt.datetime | None:
        """When the assignee is reminded of it first, if that is still ahead."""
        if self.first is None or not self.first.remind_before:
            return None
        at = self.first.due_at - dt.timedelta(minutes=max(self.first.remind_before))
        return at if at > self.now else None

    @property
    def is_over(self) -> bool:
        """Whether nothing can come next: a closed lead's story goes on with its deal, or nowhere."""
        return isinstance(self.subject, Lead) and not self.subject.is_open

    @property
    def person(self) -> str:
        """The number or address that the step wants."""
        phone, email = reach(self.subject, self.reader)
        wanted = {FollowUp.Kind.CALL: phone, FollowUp.Kind.EMAIL: email}
        return wanted.get(FollowUp.Kind(self.first.kind), "") if self.first else ""

    @property
    def later(self) -> Sequence[FollowUp]:
        """What comes after it."""
        return self.follow_ups[1:]


def next_step_of(subject: Subject, user: User, *, now: dt.datetime | None = None) -> NextStep:
    """Return what templates/crm/_next_step.html shows of `subject`, which `user` is known to see."""
    now = now or timezone.now()
    follow_ups = list(
        FollowUp.objects.open().about(subject).select_related("assignee").order_by("due_at", "pk")[:SHOWN]
    )
    return NextStep(
        subject=subject,
        subject_kind=kind_of(subject),
        reader=user,
        follow_ups=follow_ups,
        state=state_of(follow_ups[0].due_at if follow_ups else None, now, is_closed=is_closed(subject)),
        verb=verb_for(follow_ups[0], subject, user) if follow_ups else None,
        may_change=may_edit(subject, user),
        now=now,
    )


def is_closed(subject: Any) -> bool:
    """Whether nothing needs to be planned for a record any more: a deal won or lost, a closed lead."""
    return not getattr(subject, "is_open", True)


def state_of(next_step_at: dt.datetime | None, now: dt.datetime, *, is_closed: bool = False) -> str:
    """Return the next-activity state: overdue, today, planned or unplanned, by the day on the reader's clock.

    Where nothing is planned for a closed record, that is as it should be: "closed".
    """
    if next_step_at is None:
        return "closed" if is_closed else "unplanned"
    if next_step_at < now:
        return "overdue"
    is_today = timezone.localtime(next_step_at).date() == timezone.localtime(now).date()
    return "today" if is_today else "planned"


def verb_for(follow_up: FollowUp, subject: Any, user: User, *, may_act: bool = True) -> Verb:
    """Return what one click does: dial or write where there is a number or an address, else open the record.

    The work of others, which one may not do, is only opened.
    """
    phone, email = reach(subject, user) if may_act else ("", "")
    log_url = reverse("follow_up_next", args=[follow_up.pk])
    if follow_up.kind == FollowUp.Kind.CALL and phone:
        return Verb("phone", _("Call"), phone_url(phone), log_url)
    if follow_up.kind == FollowUp.Kind.EMAIL and email:
        return Verb("mail", _("Write"), f"mailto:{email}", log_url)
    return Verb("calendar-event", _("Open"), subject.get_absolute_url())


def reach(subject: Any, user: User) -> tuple[str, str]:
    """Return phone and e-mail of the person `user` would talk to about `subject`; empty where unknown.

    A contact whom they do not see is named by the record, but not reached.
    """
    contact = getattr(subject, "contact", None)
    person = contact if contact is not None and contact.is_seen_by(user) else subject
    return getattr(person, "phone", ""), getattr(person, "email", "")


def phone_url(phone: str) -> str:
    """Return what a telephone dials."""
    return "tel:" + "".join(sign for sign in phone if sign.isdecimal() or sign == "+")
