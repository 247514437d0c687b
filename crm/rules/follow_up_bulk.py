"""Many follow-ups at once: each by the same rule as one alone, those that cannot be changed counted and left."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from django.db import transaction

from crm.models import FollowUp, User
from crm.rules import follow_ups as rules
from crm.rules.errors import NotAllowed
from crm.rules.giving import tell_of_given
from crm.rules.proposing import working_morning
from crm.rules.wall_clock import WallTime

MOST = 500
"""So many are changed in one request."""


@dataclass(frozen=True)
class Changed:
    """How many were changed, and how many could not be: done meanwhile, or not this person's to change."""

    count: int
    left: int


def complete_all(follow_ups: Iterable[FollowUp], *, by: User, now: dt.datetime) -> Changed:
    """Mark all as done."""
    return _each(follow_ups, lambda row: rules.complete_follow_up(row, by=by, now=now))


def hand_over_all(follow_ups: Iterable[FollowUp], *, to: User, by: User, now: dt.datetime) -> Changed:
    """Give all to another person, due when they were; they are told once of all."""
    given: list[FollowUp] = []

    def give(row: FollowUp) -> None:
        rules.reassign_follow_up(row, to=to, by=by, now=now, tells=False)
        given.append(row)

    changed = _each(follow_ups, give)
    tell_of_given(given, to=to, by=by, now=now)
    return changed


def move_all(follow_ups: Iterable[FollowUp], *, to: dt.date, by: User, now: dt.datetime) -> Changed:
    """Move all to a day, each at its own time; on a day off of the assignee to the next that is worked."""

    def move(row: FollowUp) -> object:
        local = WallTime.stored(row.due_local, row.time_zone).local
        day = working_morning(row.assignee, on=to).local.date()
        due = replace(WallTime.stored(row.due_local, row.time_zone), local=dt.datetime.combine(day, local.time()))
        return rules.reschedule_follow_up(row, due=due, by=by, now=now)

    return _each(follow_ups, move)


def _each(follow_ups: Iterable[FollowUp], act: Callable[[FollowUp], object]) -> Changed:
    changed = left = 0
    for row in sorted(follow_ups, key=lambda row: (row.subject_type_id, row.subject_id, row.pk)):  # the order of locks
        try:
            with transaction.atomic():
                act(row)
        except (rules.FollowUpClosed, rules.NotAssignable, NotAllowed):
            left += 1
        else:
            changed += 1
    return Changed(changed, left)
