"""Arithmetic of working time: is it worked now, when next, what time is so many hours of work away.

A `WorkingCalendar` of the database is read once into `WorkingHours`; everything else is pure. Hours are those of the
clocks in the calendar's zone: work that spring skips is not done, and what autumn repeats is worked once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import holidays
from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crm.models import CalendarException, WorkingCalendar
from crm.rules.errors import RuleError
from crm.rules.wall_clock import WallTime

Span = tuple[dt.time, dt.time]
"""From when to when; an end of 00:00 is the end of the day."""
Week = tuple[tuple[Span, ...], ...]
"""The spans of Monday to Sunday."""

DAY = dt.timedelta(days=1)
WHOLE_DAY: Span = (dt.time(0), dt.time(0))
LOOKED_AHEAD = dt.timedelta(days=3 * 366)
"""Further no next working moment is looked for."""


class NobodyWorks(RuleError):
    """A calendar has no working day within three years: its exceptions take them all (422)."""

    code = "nobody_works"

    def __init__(self) -> None:
        super().__init__(_("This working calendar has no working day in the next three years."))


@dataclass(frozen=True)
class WorkingHours:
    """A working calendar, read: the week on the clocks of `zone`, and the days that are unlike it.

    `exceptions` holds the spans of a day (none: a day off) and outweighs the public holidays of `country`.
    """

    zone: str = settings.TIME_ZONE
    week: Week = ((WHOLE_DAY,),) * 7
    country: str = ""
    region: str = ""
    exceptions: Mapping[dt.date, tuple[Span, ...]] = field(default_factory=dict)

    def spans_on(self, day: dt.date) -> tuple[Span, ...]:
        """From when to when people work on `day`; nothing on a day off."""
        if day in self.exceptions:
            return self.exceptions[day]
        if self.country:
            off, made_up = _public_days(self.country, self.region, day.year)
            if day in off:
                return ()
            if day in made_up and not self.week[day.weekday()]:
                return _usual_spans(self.week)
        return self.week[day.weekday()]


AROUND_THE_CLOCK = WorkingHours()
"""Where an organisation has not said when it works."""


def hours_of(calendar: WorkingCalendar | None) -> WorkingHours:
    """Read a calendar (`.whole()` for many at once); None and one without hours work around the clock."""
    if calendar is None:
        return AROUND_THE_CLOCK
    spans: list[list[Span]] = [[] for _weekday in range(7)]
    for span in calendar.spans.all():
        spans[span.weekday].append((span.starts, span.ends))
    week = tuple(tuple(sorted(of_day)) for of_day in spans) if any(spans) else AROUND_THE_CLOCK.week
    return WorkingHours(
        zone=calendar.time_zone,
        week=week,
        country=calendar.country,
        region=calendar.region,
        exceptions={exception.day: _spans_of(exception, week) for exception in calendar.exceptions.all()},
    )


# --- Moments --------------------------------------------------------------------------------------------------------


def is_working(hours: WorkingHours, at: dt.datetime) -> bool:
    """Say whether people work at that instant; the end of working hours is no longer one."""
    return any(begin == at for begin, _until in _stretches(hours, at, until=at + DAY))


def next_working_moment(hours: WorkingHours, at: dt.datetime) -> dt.datetime:
    """Return `at` if people work then, else the instant at which they begin; raises NobodyWorks."""
    begin, _until = next(_stretches(hours, at))
    return begin


def add_working_time(hours: WorkingHours, start: dt.datetime, duration: dt.timedelta) -> dt.datetime:
    """Return the instant by which `duration` has been worked since `start`; raises NobodyWorks.

    What fills a day ends on that day, not on the next morning. No time at all ends when people next work.
    """
    left = duration
    stretches = _stretches(hours, start)
    begin, end = next(stretches)
    while end - begin < left:
        left -= end - begin
        begin, end = next(stretches)
    return begin + left


def working_time_between(hours: WorkingHours, start: dt.datetime, end: dt.datetime) -> dt.timedelta:
    """Return how much of the time from `start` to `end` was worked; nothing when `end` is not later."""
    worked = (min(until, end) - begin for begin, until in _stretches(hours, start, until=end))
    return sum(worked, dt.timedelta(0))


# --- Days -----------------------------------------------------------------------------------------------------------


def is_working_day(hours: WorkingHours, day: dt.date) -> bool:
    """Say whether people work at all on `day`."""
    return bool(hours.spans_on(day))


def add_working_days(hours: WorkingHours, day: dt.date, days: int) -> dt.date:
    """Return the day that lies so many working days after `day` (before it, if negative); raises NobodyWorks.

    Nought returns `day` itself when people work on it, else the next day on which they do.
    """
    step = dt.timedelta(days=-1 if days < 0 else 1)
    left, reached, looked = abs(days), day, 0
    if not left and not is_working_day(hours, day):
        left = 1
    while left:
        reached += step
        looked = 0 if is_working_day(hours, reached) else looked + 1
        left -= looked == 0
        if looked > LOOKED_AHEAD.days:
            raise NobodyWorks
    return reached


def public_holidays(country: str, region: str, year: int) -> dict[dt.date, str]:
    """Return the public holidays of a country or region in a year, named in the language being spoken if possible."""
    language = "ru" if (get_language() or "").startswith("ru") else "en_US"
    named = holidays.country_holidays(country, subdiv=region or None, years=year, language=language)
    return dict(sorted(named.items()))


# --- How the days of a calendar lie on the line of time -------------------------------------------------------------


def _stretches(
    hours: WorkingHours, start: dt.datetime, until: dt.datetime | None = None
) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """Yield the worked stretches from `start` on that begin before `until`, in order, apart and none of them empty.

    Without an `until` there is no last one; raises NobodyWorks when none comes for three years.
    """
    day = WallTime.of(start, hours.zone).local.date() - DAY  # a zone may skip or repeat its midnight
    last = None if until is None else WallTime.of(until, hours.zone).local.date() + DAY
    reached, found_on = start, day
    while last is None or day <= last:
        for begins, end in _instants(hours, day):
            begin = max(begins, reached)
            if begin < end and (until is None or begin < until):
                yield begin, end
                reached, found_on = end, day
        if last is None and day - found_on > LOOKED_AHEAD:
            raise NobodyWorks
        day += DAY


def _instants(hours: WorkingHours, day: dt.date) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    for starts, ends in hours.spans_on(day):
        last_day = day if ends > starts else day + DAY
        begin = WallTime(dt.datetime.combine(day, starts), hours.zone)
        yield begin.utc, WallTime(dt.datetime.combine(last_day, ends), hours.zone).utc


def _spans_of(exception: CalendarException, week: Week) -> tuple[Span, ...]:
    if not exception.is_working:
        return ()
    if exception.starts is None or exception.ends is None:
        return week[exception.day.weekday()] or _usual_spans(week)
    return ((exception.starts, exception.ends),)


def _usual_spans(week: Week) -> tuple[Span, ...]:
    """Return the hours of the first working day of the week."""
    return next(spans for spans in week if spans)


@lru_cache(maxsize=512)
def _public_days(country: str, region: str, year: int) -> tuple[frozenset[dt.date], frozenset[dt.date]]:
    """Return the public holidays of a year, and the weekends that were declared working days to make up for some."""
    known = holidays.country_holidays(country, subdiv=region or None, years=year)
    made_up: set[dt.date] = getattr(known, "weekend_workdays", set())
    return frozenset(known), frozenset(day for day in made_up if day.year == year)
