"""When the invented company works: its hours, public holidays, a day off of its own, and who is away."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.conf import settings

from crm.models import Absence, CalendarException, Team, User, WorkingCalendar, WorkingSpan

NINE, SIX, FOUR = dt.time(9), dt.time(18), dt.time(16)


def invent_calendars(people: Sequence[User], *, today: dt.date) -> None:
    """Give the organisation and its Russian team their working time, and two of `people` a holiday."""
    office = _calendar("Berlin", settings.TIME_ZONE, "DE", region="BE", is_default=True)
    east = _calendar("Москва", "Europe/Moscow", "RU")
    Team.objects.filter(name="Восток").update(working_calendar=east)
    summer = dt.date(today.year, 7, 10)
    christmas = dt.date(today.year, 12, 24)
    CalendarException.objects.bulk_create(
        [
            CalendarException(calendar=office, day=summer, name="Company outing"),
            CalendarException(calendar=east, day=summer, name="Выезд компании"),
            CalendarException(
                calendar=office, day=christmas, is_working=True, starts=NINE, ends=dt.time(13), name="Half day"
            ),
        ]
    )
    monday = today + dt.timedelta(days=7 - today.weekday())
    away, deputy = people[2], people[3]
    Absence.objects.create(
        user=away, starts_on=monday, ends_on=monday + dt.timedelta(days=4), substitute=deputy, note="Holiday"
    )


def _calendar(name: str, zone: str, country: str, *, region: str = "", is_default: bool = False) -> WorkingCalendar:
    """Monday to Friday from nine to six, on Friday to four."""
    calendar = WorkingCalendar.objects.create(
        name=name, time_zone=zone, country=country, region=region, is_default=is_default
    )
    WorkingSpan.objects.bulk_create(
        WorkingSpan(calendar=calendar, weekday=weekday, starts=NINE, ends=FOUR if weekday == 4 else SIX)
        for weekday in range(5)
    )
    return calendar
