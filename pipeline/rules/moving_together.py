"""Several deals moved at once: each by the one rule of moving; those it refuses stay where they are, with the why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from crm.models import User
from crm.rules.answers import first_answer
from crm.rules.errors import RuleError
from pipeline.models import Deal, Stage
from pipeline.rules.moving import move_deal
from pipeline.rules.refusals import DealConflict

MOST = 200
"""So many are moved in one request."""


@dataclass(frozen=True)
class Seen:
    """A deal and the version of it that the mover saw."""

    deal: Deal
    version: int


@dataclass(frozen=True)
class Refused:
    """A deal that stayed as it was, and why."""

    deal: Deal
    why: str


@dataclass(frozen=True)
class Together:
    """What became of deals changed together."""

    changed: list[Deal] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


def move_together(seen: Sequence[Seen], *, to: Stage, by: User, now: dt.datetime, key: str = "") -> Together:
    """Move each deal to the top of `to`, in the order given; those that are there already are left out of the answer.

    Each is a move of its own: what is refused to one keeps no other back. With `key` a retry gets the first answer.
    """
    outcome = Together()
    for one in reversed(seen):  # each goes on top, so the first goes last
        if one.deal.stage_id == to.pk and one.deal.outcome != Deal.Outcome.LOST:
            continue
        try:
            outcome.changed.insert(0, _move(one, to=to, by=by, now=now, key=key and f"{key}-{one.deal.pk}"))
        except RuleError as refusal:
            outcome.refused.insert(0, Refused(one.deal, refusal.message))
    return outcome


def _move(one: Seen, *, to: Stage, by: User, now: dt.datetime, key: str) -> Deal:
    try:
        return move_deal(one.deal, to=to, seen_version=one.version, by=by, now=now, key=key)
    except DealConflict as conflict:
        if first_answer(by=by, key=key, purpose=f"deal-{one.deal.pk}") is None:
            raise
        return conflict.deal  # the first try of this very move won
