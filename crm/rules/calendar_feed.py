"""A person's follow-ups as a calendar that other programs subscribe to, by an address that is its own key."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from itertools import chain

from django.conf import settings
from django.db.models import Max, Q
from django.utils import translation
from django.utils.translation import gettext as _
from icalendar import Event

from crm.models import FollowUp, Token, User, subjects_seen_by
from crm.rules.audit import acting
from crm.rules.availability import availability_of
from crm.rules.calendars import calendar_of, event_of, named
from crm.rules.repeating import ahead_of
from crm.rules.tokens import issue_token, revoke_tokens

FEED = "calendar_feed"
DONE_SHOWN = dt.timedelta(days=30)
AHEAD_SHOWN = dt.timedelta(days=90)
"""So far ahead the occurrences of a series are told that are not planned yet."""
MOST = 2_000


@dataclass(frozen=True)
class Feed:
    """What a calendar program gets, with the marks by which it asks whether anything is new."""

    body: bytes
    etag: str
    last_modified: dt.datetime | None


def issue_feed(person: User, *, by: User, now: dt.datetime) -> str:
    """Return the secret of a new address of the person's feed: the only time it is known; the one before ends."""
    with acting(by):
        revoke_feed(person, by=by, now=now)
        return issue_token(act=FEED, opens=person, expires_at=None, by=by, now=now)


def revoke_feed(person: User, *, by: User, now: dt.datetime) -> int:
    """End the address of the person's feed; return how many there were."""
    return revoke_tokens(person, act=FEED, by=by, now=now)


def feed_token_of(person: User, *, now: dt.datetime) -> Token | None:
    """Return the living token of the person's feed, without its secret."""
    found: Token | None = Token.objects.opening(person, FEED).alive(now).order_by("-pk").first()
    return found


def feed_of(person: User, *, now: dt.datetime) -> Feed:
    """Write the feed: what is open, what was done lately, and what a series will bring; as the person reads it.

    Occurrences are told one by one, not by their rule: the next working day after a holiday is in no rule, and each
    keeps its name when it is planned. The same follow-ups give the same bytes until the day is over.
    """
    mine = FollowUp.objects.filter(assignee=person)
    shown = mine.present().filter(Q(done_at=None) | Q(done_at__gte=now - DONE_SHOWN))
    related = ("series__assignee", "assignee")
    rows = list(shown.select_related(*related).order_by("due_at", "pk")[:MOST])
    with translation.override(person.language):
        calendar = named(calendar_of(_events(rows, person, now)), _("Voronka: %(person)s") % {"person": person})
    body = calendar.to_ical()
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    return Feed(body, etag, mine.aggregate(latest=Max("updated_at"))["latest"])


def _events(rows: list[FollowUp], person: User, now: dt.datetime) -> list[Event]:
    seen = subjects_seen_by(person, rows)
    hours = availability_of([person])[person.pk].hours
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    coming = (ahead_of(row, until=midnight + AHEAD_SHOWN, hours=hours, now=now) for row in rows if row.is_open)
    ahead = (row for row in chain.from_iterable(coming) if row.assignee_id == person.pk)
    events = []
    for row in chain(rows, ahead):
        subject = seen.get((row.subject_type_id, row.subject_id))
        url = settings.PUBLIC_BASE_URL + subject.get_absolute_url() if subject else ""
        events.append(event_of(row, about=str(subject) if subject else "", url=url))
    return events
