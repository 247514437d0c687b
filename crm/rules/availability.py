"""Who is at work: a person's hours, their days away, and who stands in for them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from crm.models import Absence, User, WorkingCalendar
from crm.rules.wall_clock import WallTime
from crm.rules.working_time import NobodyWorks, WorkingHours, hours_of, is_working, next_working_moment


@dataclass(frozen=True)
class Availability:
    """When one person works, and the days on which they are away: first, last, who stands in (an id)."""

    hours: WorkingHours
    away: tuple[tuple[dt.date, dt.date, int | None], ...] = ()

    def is_away_on(self, day: dt.date) -> bool:
        """Whether the person is away on `day`."""
        return any(first <= day <= last for first, last, _substitute in self.away)

    def is_at_work(self, at: dt.datetime) -> bool:
        """Whether the person works at that instant and is not away."""
        return not self.is_away_on(self._day(at)) and is_working(self.hours, at)

    def next_shift(self, at: dt.datetime) -> dt.datetime | None:
        """Return when the person's working hours begin next (`at` itself within them); None if they are away then."""
        try:
            moment = next_working_moment(self.hours, at)
        except NobodyWorks:
            return None
        return None if self.is_away_on(self._day(moment)) else moment

    def _day(self, at: dt.datetime) -> dt.date:
        return WallTime.of(at, self.hours.zone).local.date()


def availability_of(people: Iterable[User]) -> dict[int, Availability]:
    """Return when each of `people` works, by their id; a handful of statements however many they are."""
    people = list(people)
    calendars = {calendar.pk: calendar for calendar in WorkingCalendar.objects.whole()}
    default = next((calendar for calendar in calendars.values() if calendar.is_default), None)
    away: dict[int, list[tuple[dt.date, dt.date, int | None]]] = {}
    absences = Absence.objects.filter(user__in=[person.pk for person in people])
    for absence in absences:
        leave = (absence.starts_on, absence.ends_on, absence.substitute_id)
        away.setdefault(absence.user_id, []).append(leave)
    hours = {key: hours_of(calendar) for key, calendar in [*calendars.items(), (None, default)]}
    return {person.pk: Availability(hours[_calendar_id(person)], tuple(away.get(person.pk, ()))) for person in people}


def substitute_for(person: User, *, on: dt.date) -> User | None:
    """Return who stands in for somebody away on a day: the first in the chain of substitutes who is there themselves.

    None when the person is there, or nobody in the chain is.
    """
    seen: set[int] = set()
    present = person
    while absence := _absence_of(present, on):
        seen.add(present.pk)
        substitute = absence.substitute
        if substitute is None or not substitute.is_active or substitute.pk in seen:
            return None
        present = substitute
    return None if present is person else present


def _absence_of(person: User, day: dt.date) -> Absence | None:
    # Two absences of a day: that which names a substitute.
    absences = person.absences.on(day).select_related("substitute")
    return absences.order_by("substitute_id").first()  # PostgreSQL puts nulls last


def _calendar_id(person: User) -> int | None:
    return person.working_calendar_id or (person.team.working_calendar_id if person.team else None)
