"""Several deals of a board moved, handed over or re-dated at once: each by the rule of one alone.

Those it refuses stay where they are, with the why.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm.models import User
from crm.rules.answers import first_answer
from crm.rules.errors import RuleError
from pipeline.models import Deal, Stage
from pipeline.rules.closing_months import day_in, month_key
from pipeline.rules.moving import move_deal
from pipeline.rules.refusals import DealConflict
from pipeline.rules.regrouping import day_before, hand_over_deal, owner_before, redate_deal

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
    """What became of deals changed together; `before` holds the stage, owner or day each of the changed had, by id."""

    changed: list[Deal] = field(default_factory=list)
    before: dict[int, Any] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)


@dataclass(frozen=True)
class Act:
    """What is done to each deal: `write` gets it with the version seen and a key of its own.

    `is_so` says whether it is so already, `was` what it has before, `was_once` what it had before a first try.
    """

    write: Callable[[Deal, int, str], Deal]
    is_so: Callable[[Deal], bool]
    was: Callable[[Deal], Any]
    was_once: Callable[[Deal], Any]


def move_together(seen: Sequence[Seen], *, to: Stage, by: User, now: dt.datetime, key: str = "") -> Together:
    """Move each deal to the top of `to`, in the order given; those that are there already are left out of the answer.

    Each is a move of its own: what is refused to one keeps no other back. With `key` a retry gets the first answer.
    """
    act = Act(
        write=lambda deal, version, own: move_deal(deal, to=to, seen_version=version, by=by, now=now, key=own),
        is_so=lambda deal: deal.stage_id == to.pk and deal.outcome != Deal.Outcome.LOST,
        was=lambda deal: deal.stage,
        was_once=_stage_before,
    )
    return _change(seen, act, by=by, key=key)


def hand_over_together(seen: Sequence[Seen], *, to: User, by: User, key: str = "") -> Together:
    """Give each deal to `to`, each by itself as `move_together` moves them."""
    act = Act(
        write=lambda deal, version, own: hand_over_deal(deal, to=to, seen_version=version, by=by, key=own),
        is_so=lambda deal: deal.owner_id == to.pk,
        was=lambda deal: deal.owner,
        was_once=owner_before,
    )
    return _change(seen, act, by=by, key=key)


def redate_together(seen: Sequence[Seen], *, to: dt.date | None, by: User, today: dt.date, key: str = "") -> Together:
    """Expect each deal to close in the month that begins on `to`, on the day of it that it has now; None: no day."""

    def day_of(deal: Deal) -> dt.date | None:
        return day_in(to, was=deal.expected_close_on, today=today) if to else None

    act = Act(
        write=lambda deal, version, own: redate_deal(deal, to=day_of(deal), seen_version=version, by=by, key=own),
        is_so=lambda deal: month_key(deal.expected_close_on, today) == month_key(to, today),
        was=lambda deal: deal.expected_close_on,
        was_once=day_before,
    )
    return _change(seen, act, by=by, key=key)


def _change(seen: Sequence[Seen], act: Act, *, by: User, key: str) -> Together:
    outcome = Together()
    for one in reversed(seen):  # each goes on top, so the first goes last
        deal, own_key = one.record, key and f"{key}-{one.record.pk}"
        is_so, was = act.is_so(deal), act.was(deal)
        try:
            if is_so and not _was_changed(deal, by=by, key=own_key):
                continue
            changed = deal if is_so else _write(one, act, by=by, key=own_key)
        except RuleError as refusal:
            outcome.refused.insert(0, Refused(deal, refusal.message))
        else:
            outcome.changed.insert(0, changed)
            outcome.before[changed.pk] = act.was_once(changed) if is_so else was
    return outcome


def _write(one: Seen, act: Act, *, by: User, key: str) -> Deal:
    try:
        return act.write(one.record, one.version, key)
    except DealConflict as conflict:
        if not _was_changed(one.record, by=by, key=key):
            raise
        return conflict.deal  # the first try of this very change won


def _was_changed(deal: Deal, *, by: User, key: str) -> bool:
    """Whether this is a retry of a change that was made, its answer lost on the way."""
    return first_answer(by=by, key=key, purpose=f"deal-{deal.pk}") is not None


def _stage_before(deal: Deal) -> Stage:
    ended = deal.visits.standing().filter(left_at__isnull=False).select_related("stage")
    last = ended.order_by("entered_at", "pk").last()
    return last.stage if last else deal.stage
