"""Which times are offered for a next step: mornings on which its assignee works, in their hours, not on their leave."""

from __future__ import annotations

import datetime as dt

from crm.models import User
from crm.rules.availability import Availability, availability_of
from crm.rules.wall_clock import WallTime
from crm.rules.working_time import WHOLE_DAY

MORNING = dt.time(9)
"""When a day begins for whoever has no working hours."""
LOOKED_AHEAD = 366
DAY = dt.timedelta(days=1)


def working_morning(person: User, *, on: dt.date) -> WallTime:
    """Return when `person` begins to work on the day `on` or, were that a day off or of leave, on the next."""
    return _morning(availability_of([person])[person.pk], person, on)


def mornings(person: User, days: dict[str, dt.date]) -> dict[str, WallTime]:
    """Return the working morning at or after each of `days`, by its key; the calendars are read once."""
    found = availability_of([person])[person.pk]
    return {key: _morning(found, person, day) for key, day in days.items()}


def _morning(availability: Availability, person: User, day: dt.date) -> WallTime:
    for ahead in range(LOOKED_AHEAD):
        candidate = day + ahead * DAY
        spans = availability.hours.spans_on(candidate)
        if spans and not availability.is_away_on(candidate):
            starts = MORNING if spans[0] == WHOLE_DAY else spans[0][0]
            zone = person.time_zone if spans[0] == WHOLE_DAY else availability.hours.zone
            return WallTime(dt.datetime.combine(candidate, starts), zone).seen_from(person.time_zone)
    return WallTime(dt.datetime.combine(day, MORNING), person.time_zone)
