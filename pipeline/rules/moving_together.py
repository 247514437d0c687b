"""Several deals moved at once: each by the one rule of moving; those it refuses stay where they are, with the why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from crm.models import User
from crm.rules.answers import first_answer
from crm.rules.errors import RuleError
from pipeline.models import Deal, Stage
from pipeline.rules.moving import move_deal
from pipeline.rules.refusals import DealConflict

MOST = 200
"""So many are changed in one request."""


@dataclass(frozen=True)
class Seen:
    """A record and the version of it that the person saw."""

    record: Any
    version: int


@dataclass(frozen=True)
class Refused:
    """A record that stayed as it was, and why."""

    record: Any
    why: str


@dataclass(frozen=True)
class Together:
    """What became of deals changed together; `before` holds the stage each of the changed came from, by its id."""

    changed: list[Deal] = field(default_factory=list)
    before: dict[int, Stage] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)


def move_together(seen: Sequence[Seen], *, to: Stage, by: User, now: dt.datetime, key: str = "") -> Together:
    """Move each deal to the top of `to`, in the order given; those that are there already are left out of the answer.

    Each is a move of its own: what is refused to one keeps no other back. With `key` a retry gets the first answer.
    """
    outcome = Together()
    for one in reversed(seen):  # each goes on top, so the first goes last
        own_key = key and f"{key}-{one.record.pk}"
        is_there = one.record.stage_id == to.pk and one.record.outcome != Deal.Outcome.LOST
        try:
            if is_there and not _was_moved(one.record, by=by, key=own_key):
                continue
            moved = one.record if is_there else _move(one, to=to, by=by, now=now, key=own_key)
        except RuleError as refusal:
            outcome.refused.insert(0, Refused(one.record, refusal.message))
        else:
            outcome.changed.insert(0, moved)
            outcome.before[moved.pk] = _stage_before(moved) if is_there else one.record.stage
    return outcome


def _move(one: Seen, *, to: Stage, by: User, now: dt.datetime, key: str) -> Deal:
    try:
        return move_deal(one.record, to=to, seen_version=one.version, by=by, now=now, key=key)
    except DealConflict as conflict:
        if not _was_moved(one.record, by=by, key=key):
            raise
        return conflict.deal  # the first try of this very move won


def _was_moved(deal: Deal, *, by: User, key: str) -> bool:
    """Whether this is a retry of a move that was made, its answer lost on the way."""
    return first_answer(by=by, key=key, purpose=f"deal-{deal.pk}") is not None


def _stage_before(deal: Deal) -> Stage:
    ended = deal.visits.standing().filter(left_at__isnull=False).select_related("stage")
    last = ended.order_by("entered_at", "pk").last()
    return last.stage if last else deal.stage
