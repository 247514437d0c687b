"""When a step is done: letters in working hours or in the recipient's morning, waits in working days."""

from __future__ import annotations

import datetime as dt

from crm.models import Contact, Lead, Sequence, User, WorkingCalendar
from crm.rules.recipients import morning_of
from crm.rules.wall_clock import WallTime
from crm.rules.working_time import (
    DAY,
    NobodyWorks,
    WorkingHours,
    add_working_days,
    hours_of,
    next_working_moment,
)

MORNING_LASTS = dt.timedelta(hours=2)
FOLLOW_UP_AT = dt.time(10)


def hours_of_sender(sender: User) -> WorkingHours:
    """Return the working hours of who sends: their own calendar's, else their team's, else the organisation's."""
    return hours_of(WorkingCalendar.objects.of_user(sender))


def letter_moment(sequence: Sequence, person: Lead | Contact, hours: WorkingHours, at: dt.datetime) -> dt.datetime:
    """Return `at` where a letter may leave then, else when it may next; a calendar without working days holds none."""
    try:
        if sequence.sends_at == Sequence.SendsAt.MORNING:
            return next_morning(person, at)
        return next_working_moment(hours, at)
    except NobodyWorks:
        return at


def next_morning(person: Lead | Contact, at: dt.datetime) -> dt.datetime:
    """Return `at` within the first hours of a working day where the person is, else the next such morning."""
    return max(at, morning_of(person, now=at - MORNING_LASTS))


def days_later(hours: WorkingHours, at: dt.datetime, days: int) -> dt.datetime:
    """Return the same time of day so many working days after `at`."""
    here = WallTime.of(at, hours.zone)
    try:
        day = add_working_days(hours, here.local.date(), days) if days else here.local.date()
    except NobodyWorks:
        day = here.local.date() + days * DAY
    return WallTime(dt.datetime.combine(day, here.local.time()), hours.zone).utc


def follow_up_due(hours: WorkingHours, at: dt.datetime, days: int, zone: str) -> WallTime:
    """Return ten o'clock on the working day so many days after `at`; an hour from now where that has passed."""
    later = days_later(hours, at, days)
    try:
        day = add_working_days(hours, WallTime.of(later, zone).local.date(), 0)
    except NobodyWorks:
        day = WallTime.of(later, zone).local.date()
    due = WallTime(dt.datetime.combine(day, FOLLOW_UP_AT), zone)
    return due if due.utc > at else WallTime.of(at + dt.timedelta(hours=1), zone)
