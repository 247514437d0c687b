"""Notices in the page: what of them their person may still read, reading them, and reading them all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from crm.models import FollowUp, Notification, User, subjects_seen_by
from crm.rules.notice_kinds import NoticeKind, all_kinds


@dataclass(frozen=True)
class Told:
    """A notice as its person may read it now.

    `text` is empty where it tells of a record that they can no longer see, `subject` None where there is no way to it;
    one of a kind that no longer exists has none.
    """

    notice: Notification
    kind: NoticeKind | None
    text: str
    subject: Any | None


def told_to(person: User, notices: Sequence[Notification]) -> list[Told]:
    """Return `notices` of `person` as they may read them by the rights of now: one query a kind of record, and one."""
    seen, theirs = subjects_seen_by(person, notices), _follow_ups_of(person, notices)

    def told(notice: Notification) -> Told:
        kind = all_kinds().get(notice.kind)
        subject = seen.get((notice.subject_type_id, notice.subject_id))
        # A next step is its assignee's to read, whatever record it is planned for.
        may_read = subject is not None or notice.follow_up_id in theirs or (kind is not None and kind.is_own)
        return Told(notice, kind, notice.text if may_read else "", subject)

    return [told(notice) for notice in notices]


def mark_read(user: User, *, now: dt.datetime, pk: int | None = None) -> int:
    """Mark one of the person's notices as read, or all of them; return how many were unread."""
    unread = Notification.objects.filter(user=user).unread()
    return (unread if pk is None else unread.filter(pk=pk)).update(read_at=now)


def _follow_ups_of(person: User, notices: Sequence[Notification]) -> set[int]:
    named = {notice.follow_up_id for notice in notices if notice.follow_up_id}
    if not named:
        return set()
    return set(FollowUp.objects.present().filter(assignee=person, pk__in=named).values_list("pk", flat=True))
