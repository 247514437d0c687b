"""Series of follow-ups: begun with a plan, asked for what comes next, ended. One occurrence at a time is planned."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import replace
from itertools import dropwhile, takewhile

from crm.models import FollowUp, FollowUpSeries, User
from crm.rules import recurring
from crm.rules.availability import availability_of
from crm.rules.recurring import Occurrence, Repeat
from crm.rules.wall_clock import WallTime
from crm.rules.working_time import WorkingHours

OCCURRENCES = uuid.UUID("5f1c7f0e-6c1c-4d55-9d4e-7d0b4a0f6a11")
"""The namespace of the names that occurrences have in calendars, known before they are planned."""


def begin_series(plan: FollowUp, *, repeat: Repeat) -> FollowUpSeries:
    """Save the series whose first occurrence the follow-up, not saved yet, is to be; raises BadRule.

    The follow-up moves to the rule's first day at or after its own.
    """
    rule = recurring.read_rule(repeat.rule)
    starts = _naive(plan.due_local)
    hours = _hours(plan.assignee) if repeat.skips_days_off else None
    first = recurring.first_occurrence(rule, starts, hours)
    series = FollowUpSeries(rule=rule, skips_days_off=repeat.skips_days_off, starts_local=_stored(first.nominal))
    for name in ("title", "kind", "note", "location", "duration_minutes", "assignee", "remind_before"):
        setattr(series, name, getattr(plan, name))
    series.save()
    plan.series, plan.occurrence_local = series, series.starts_local
    due = WallTime(first.due, plan.time_zone)
    plan.due_local, plan.due_at = due.as_stored, due.utc
    return series


def end_series(series: FollowUpSeries, *, now: dt.datetime) -> None:
    """Let nothing of the series come any more; what is planned or done of it stays."""
    FollowUpSeries.objects.filter(pk=series.pk, ended_at=None).update(ended_at=now)
    series.ended_at = now


def resume_series(series: FollowUpSeries) -> None:
    """Let the series go on: its end is taken back."""
    FollowUpSeries.objects.filter(pk=series.pk).update(ended_at=None)
    series.ended_at = None


def repeat_of(follow_up: FollowUp) -> Repeat | None:
    """Return how the follow-up repeats; None where it does not, or no longer."""
    series = follow_up.series
    return None if series is None or series.ended_at else Repeat(series.rule, series.skips_days_off)


def rest_of(follow_up: FollowUp) -> Repeat | None:
    """Return how the follow-up repeats from itself on: of so many times, those that are left."""
    repeat, series, since = repeat_of(follow_up), follow_up.series, follow_up.occurrence_local
    if repeat is None or series is None or since is None:
        return repeat
    return replace(repeat, rule=recurring.left_from(repeat.rule, _naive(series.starts_local), _naive(since)))


def next_of(follow_up: FollowUp, *, now: dt.datetime) -> FollowUp | None:
    """Return the occurrence that follows, as a row that is not saved; None where nothing does."""
    series, after = follow_up.series, follow_up.occurrence_local
    if series is None or series.ended_at or after is None:
        return None
    person = series.assignee if series.assignee.is_active else follow_up.assignee
    hours = _hours(person) if series.skips_days_off else None
    clock = WallTime.of(now, person.time_zone).local
    found = recurring.next_occurrence(series.rule, _naive(series.starts_local), hours, after=_naive(after), now=clock)
    return None if found is None else _planned(series, found, person)


def ahead_of(
    follow_up: FollowUp, *, until: dt.datetime, hours: WorkingHours | None, now: dt.datetime
) -> Iterator[FollowUp]:
    """Yield what would follow an open occurrence, due before `until`, as rows that are not saved: for calendars.

    `hours` are the assignee's, read by the caller for many at once.
    """
    series, after = follow_up.series, follow_up.occurrence_local
    if series is None or series.ended_at or after is None:
        return
    clock = WallTime.of(now, series.assignee.time_zone).local
    end = WallTime.of(until, series.assignee.time_zone).local
    every = recurring.occurrences(series.rule, _naive(series.starts_local), hours if series.skips_days_off else None)
    later = dropwhile(lambda one: one.nominal <= _naive(after) or one.due <= clock, every)
    for one in takewhile(lambda one: one.due < end, later):
        yield _planned(series, one, series.assignee, subject=follow_up)


def _planned(
    series: FollowUpSeries, occurrence: Occurrence, person: User, *, subject: FollowUp | None = None
) -> FollowUp:
    due = WallTime(occurrence.due, person.time_zone)
    row = FollowUp(
        series=series,
        occurrence_local=_stored(occurrence.nominal),
        uid=uuid.uuid5(OCCURRENCES, f"{series.pk}:{occurrence.nominal.isoformat()}"),
        assignee=person,
        time_zone=due.zone,
        due_local=due.as_stored,
        due_at=due.utc,
    )
    if subject is not None:
        row.subject_type_id, row.subject_id = subject.subject_type_id, subject.subject_id
        row.updated_at = subject.updated_at
    for name in ("title", "kind", "note", "location", "duration_minutes", "remind_before"):
        setattr(row, name, getattr(series, name))
    return row


def _hours(person: User) -> WorkingHours:
    return availability_of([person])[person.pk].hours


def _naive(column: dt.datetime) -> dt.datetime:
    return column.astimezone(dt.UTC).replace(tzinfo=None)


def _stored(local: dt.datetime) -> dt.datetime:
    return local.replace(tzinfo=dt.UTC)
