"""What people may be told of, each kind declared once: its words, its icon, and how it comes to who chose nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.utils.functional import Promise

from crm.models import NotificationChoice, User

Mail = NotificationChoice.Mail


@dataclass(frozen=True)
class NoticeKind:
    """One kind of notice; `in_page` and `by_mail` hold until a person chooses otherwise.

    `is_own`: its text says nothing of a customer's record (their import, their mailbox), or only what they wrote
    themselves, so that no right hides it.
    """

    key: str
    label: str | Promise
    icon: str = "bell"
    in_page: bool = True
    by_mail: str = Mail.AT_ONCE
    is_own: bool = False
    is_daily: bool = False
    """A state rather than an event: only the daily digest tells of it, to whoever did not switch that off."""


@dataclass(frozen=True)
class Channels:
    """How one person wants one kind."""

    in_page: bool
    by_mail: str


_kinds: dict[str, NoticeKind] = {}


def register(kind: NoticeKind) -> NoticeKind:
    """Make the kind known: to the settings page, to the list of notices, to `channels_of`."""
    _kinds[kind.key] = kind
    return kind


def all_kinds() -> Mapping[str, NoticeKind]:
    """Every kind by its key."""
    return _kinds


def channels_of(person: User, key: str) -> Channels:
    """Return how `person` wants notices of this kind."""
    chosen = NotificationChoice.objects.filter(user=person, kind=key).first()
    found = chosen or _kinds[key]
    return Channels(found.in_page, found.by_mail)


def channels_of_many(people: Collection[User], key: str) -> dict[int, Channels]:
    """Return how each of `people` wants notices of this kind, by their id; one query."""
    chosen = NotificationChoice.objects.filter(user__in=people, kind=key)
    by_person = {choice.user_id: Channels(choice.in_page, choice.by_mail) for choice in chosen}
    declared = Channels(_kinds[key].in_page, _kinds[key].by_mail)
    return {person.pk: by_person.get(person.pk, declared) for person in people}


def all_channels_of(person: User) -> dict[str, Channels]:
    """Return how `person` wants each kind, in one query."""
    chosen = {choice.kind: choice for choice in NotificationChoice.objects.filter(user=person)}
    found = {key: chosen.get(key, kind) for key, kind in _kinds.items()}
    return {key: Channels(each.in_page, each.by_mail) for key, each in found.items()}
