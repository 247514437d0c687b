"""Calendars."""

from __future__ import annotations

import datetime as dt

from crm.models import WorkingCalendar, WorkingSpan


def office_hours(time_zone: str = "UTC", **fields: object) -> WorkingCalendar:
    """Monday to Friday from nine to six."""
    calendar = WorkingCalendar.objects.create(**{"name": "Office", "time_zone": time_zone, **fields})
    WorkingSpan.objects.bulk_create(
        WorkingSpan(calendar=calendar, weekday=day, starts=dt.time(9), ends=dt.time(18)) for day in range(5)
    )
    return calendar
