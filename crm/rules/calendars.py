"""Calendars as other programs read them: RFC 5545, with the zones they need, folded and escaped by `icalendar`."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from collections.abc import Iterable, Iterator

from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from icalendar import Calendar, Event, Timezone, TimezoneDaylight, TimezoneStandard

from crm.models import FollowUp
from crm.rules.wall_clock import zone_of

PRODUCT = "-//Voronka//Voronka//EN"
ZONES_AHEAD = dt.timedelta(days=366 * 2)
"""So far after the last event the clock changes of a zone are told."""
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
"""Control characters: no text value of a calendar may hold them."""


def calendar_of(events: Iterable[Event], *, method: str = "") -> Calendar:
    """Return a calendar of `events`, with a VTIMEZONE for each zone they name."""
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    if method:
        calendar.add("method", method)
    events = list(events)
    for zone in _zones_of(events):
        calendar.add_component(zone)
    for event in events:
        calendar.add_component(event)
    return calendar


def event_of(follow_up: FollowUp, *, about: str = "", url: str = "") -> Event:
    """Return the event that a follow-up is in a calendar: at its time on the assignee's clock, named by its `uid`.

    It ends by its length, not by an hour: in the night of autumn an hour on the clock may be one of two.
    """
    event = Event()
    event.add("uid", uid_of(follow_up))
    event.add("dtstamp", follow_up.updated_at.replace(microsecond=0))
    event.add("last-modified", follow_up.updated_at.replace(microsecond=0))
    event.add("sequence", follow_up.calendar_sequence)
    event.add("dtstart", starts_at(follow_up))
    event.add("duration", dt.timedelta(minutes=max(follow_up.duration_minutes, 1)))
    event.add("summary", _seen(f"✓ {follow_up.title}" if follow_up.done_at else follow_up.title))
    if words := "\n".join(filter(None, (about, follow_up.note, follow_up.outcome, url))):
        event.add("description", _seen(words))
    if follow_up.location:
        event.add("location", _seen(follow_up.location))
    if url:
        event.add("url", url)
    event.add("status", "CONFIRMED")
    is_free = follow_up.done_at is not None or follow_up.kind in {FollowUp.Kind.TASK, FollowUp.Kind.EMAIL}
    event.add("transp", "TRANSPARENT" if is_free else "OPAQUE")
    return event


def uid_of(follow_up: FollowUp) -> str:
    """Return the name of a follow-up in calendars; it never changes."""
    host = settings.PUBLIC_BASE_URL.split("://")[-1].split("/")[0].split(":")[0]
    return f"{follow_up.uid}@{host}"


def starts_at(follow_up: FollowUp) -> dt.datetime:
    """Return when it is due, on the assignee's clock as that shows it: never a time that spring skips."""
    return follow_up.due_at.astimezone(zone_of(follow_up.time_zone))


def named(calendar: Calendar, name: str) -> Calendar:
    """Say what the calendar is called, and how often to look for what is new."""
    calendar.add("x-wr-calname", _seen(name))
    calendar.add("name", _seen(name))
    calendar.add("refresh-interval", dt.timedelta(hours=1), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    return calendar


def when_in_words(follow_up: FollowUp, *, at: dt.datetime | None = None) -> str:
    """Return day, time and zone of a meeting (or of `at` instead, on its clock), in the language being spoken."""
    at = at.astimezone(zone_of(follow_up.time_zone)) if at else starts_at(follow_up)
    day, time, zone = date_format(at, "l, j E Y"), date_format(at, "H:i"), follow_up.time_zone.replace("_", " ")
    return _("%(day)s at %(time)s (%(zone)s)") % {"day": day, "time": time, "zone": zone}


def _seen(text: str) -> str:
    return _UNSEEN.sub("", text.replace("\r\n", "\n"))


# --- Zones ----------------------------------------------------------------------------------------------------------


def _zones_of(events: list[Event]) -> Iterator[Timezone]:
    """Yield the definition of each zone, from before the first event to two years after the last."""
    starts = [event.decoded("dtstart") for event in events]
    zones = {start.tzinfo.key: start.tzinfo for start in starts if isinstance(start.tzinfo, zoneinfo.ZoneInfo)}
    for key, zone in sorted(zones.items()):
        yield _zone(key, zone, min(starts) - dt.timedelta(days=366), max(starts) + ZONES_AHEAD)


def _zone(key: str, zone: zoneinfo.ZoneInfo, since: dt.datetime, until: dt.datetime) -> Timezone:
    """Define a zone by what its clocks showed at first, and every change since.

    By hand: icalendar 7 tells spring's changes an hour late, at the time after the jump; RFC 5545 wants the one before.
    """
    component = Timezone()
    component.add("tzid", key)
    component.add_component(_observance(zone, since, since))
    for before, after in clock_changes(zone, since, until):
        component.add_component(_observance(zone, before, after))
    return component


def _observance(
    zone: zoneinfo.ZoneInfo, before: dt.datetime, after: dt.datetime
) -> TimezoneStandard | TimezoneDaylight:
    was, becomes = before.astimezone(zone), after.astimezone(zone)
    part = TimezoneDaylight() if becomes.dst() else TimezoneStandard()
    offset = was.utcoffset() or dt.timedelta(0)
    part.add("dtstart", (after.astimezone(dt.UTC) + offset).replace(tzinfo=None, microsecond=0))
    part.add("tzoffsetfrom", offset)
    part.add("tzoffsetto", becomes.utcoffset())
    part.add("tzname", becomes.tzname())
    return part


def clock_changes(
    zone: zoneinfo.ZoneInfo, since: dt.datetime, until: dt.datetime
) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """Yield the last instant before and the first after each change of the zone's offset, to the second."""
    step, at = dt.timedelta(days=7), since.astimezone(dt.UTC).replace(microsecond=0)
    while at < until:
        if _offset(zone, at) != _offset(zone, at + step):
            before, after = at, at + step
            while after - before > dt.timedelta(seconds=1):
                middle = before + (after - before) // 2
                middle = middle.replace(microsecond=0)
                before, after = (middle, after) if _offset(zone, middle) == _offset(zone, before) else (before, middle)
            yield before, after
        at += step


def _offset(zone: zoneinfo.ZoneInfo, at: dt.datetime) -> tuple[dt.timedelta | None, dt.timedelta | None]:
    local = at.astimezone(zone)
    return local.utcoffset(), local.dst()
