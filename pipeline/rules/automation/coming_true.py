"""When a rule comes true: a firing is written with the move that makes it so, or by the sweep when a stay has lasted.

Nothing happens within the time in which a move can be taken back: firings fall due after it. A stay that lasted no
longer than that did not happen, as far as rules are concerned: neither entering nor leaving it fires anything.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from crm.models import OutboxRow
from crm.rules import outbox
from pipeline.models import Deal, Pipeline, RuleFiring, StageRule, StageVisit
from pipeline.rules.automation.loops import tell_of_loop

UNDO_WITHIN = dt.timedelta(seconds=15)
"""The toast counts ten seconds; the rest is the way to the server."""
DUE_AFTER = UNDO_WITHIN + dt.timedelta(seconds=1)
"""A firing that moves the deal does so after a stay that lasted."""
MOST_DEPTH = 5
"""So many firings may lead to one another; the next is stopped."""
FIRING = "stage_rule"
PUT_OFF = ("undone", "moved_on", "brief")
"""Dropped for one of these reasons a firing is set again when its rule comes true for the same stay after all."""
AT_ONCE = 500
Trigger, State = StageRule.Trigger, RuleFiring.State

_cause: ContextVar[RuleFiring | None] = ContextVar("cause", default=None)


@contextmanager
def caused_by(firing: RuleFiring) -> Iterator[None]:
    """Whatever comes true inside was set off by `firing`."""
    token = _cause.set(firing)
    try:
        yield
    finally:
        _cause.reset(token)


def fire_on_move(deal: Deal, *, entered: StageVisit, now: dt.datetime) -> None:
    """Write the firings of a deal that has just entered a stage, and of leaving the one before; part of the move."""
    if not _concerns_rules(deal):
        return
    settled, brief = _stays_before(deal, entered)
    drop(RuleFiring.objects.filter(visit__in=[visit.pk for visit in brief]), why="brief", now=now)
    if settled is not None and settled.stage_id == entered.stage_id:
        left = RuleFiring.objects.filter(visit=settled, rule__trigger=Trigger.LEAVING)
        drop(left, why="undone", now=now)  # it was away for seconds
        return
    if settled is not None:
        _come_true(deal, settled, Trigger.LEAVING, now=now)
    _come_true(deal, entered, Trigger.ENTERING, now=now)


def forget_move(deal: Deal, *, undone: StageVisit, now: dt.datetime) -> None:
    """Drop what waits because of a move that is taken back; `deal` stands in its earlier stay again."""
    drop(RuleFiring.objects.filter(visit=undone), why="undone", now=now)
    left = RuleFiring.objects.filter(deal=deal, visit__left_at=undone.entered_at, rule__trigger=Trigger.LEAVING)
    drop(left, why="undone", now=now)


def drop(firings: Iterable[RuleFiring], *, why: str, now: dt.datetime) -> None:
    """Withdraw those of `firings` that nobody has begun to carry out."""
    for firing in [firing for firing in firings if firing.state == State.WAITING]:
        outbox.cancel(OutboxRow.objects.filter(dedupe_key=firing.outbox_key), answer=why)
        firing.state, firing.reason, firing.finished_at = State.DROPPED, why, now
        firing.save(update_fields=["state", "reason", "finished_at"])


def fire_on_staying(*, now: dt.datetime) -> int:
    """Write a firing for every stay that has lasted as long as a rule in force says; return how many there were.

    Stays that had lasted so long before the rule was switched on, or before an import brought them, fire nothing. Two
    sweeps at once leave each other's rules alone, and the key of a firing would refuse a second anyway.
    """
    due = StageRule.objects.in_force().filter(trigger=Trigger.STAYING).values_list("pk", flat=True)
    return sum(_fire_staying(pk, now=now) for pk in due)


def _fire_staying(pk: int, *, now: dt.datetime) -> int:
    with transaction.atomic():
        locked = StageRule.objects.in_force().select_for_update(of=("self",), skip_locked=True, no_key=True)
        rule = locked.filter(pk=pk).first()
        if rule is None or rule.days is None:
            return 0
        visits = list(_lasting(rule, now=now).select_related("deal", "opened_by_firing")[:AT_ONCE])
        for visit in visits:
            earlier = getattr(visit, "opened_by_firing", None)
            _set(rule, visit.deal, visit, depth=earlier.depth + 1 if earlier else 0, at=now, due_at=now)
    return len(visits)


def _lasting(rule: StageRule, *, now: dt.datetime) -> QuerySet[StageVisit]:
    length = dt.timedelta(days=rule.days or 0)
    fired = RuleFiring.objects.filter(rule=rule, visit=OuterRef("pk")).exclude(_put_off())
    deals = rule.meeting(Deal.objects.present().exclude(outcome=Deal.Outcome.LOST).filter(stage=rule.stage_id))
    visits = StageVisit.objects.present().filter(stage=rule.stage_id, deal__in=deals, entered_at__lte=now - length)
    since = rule.active_since or now
    visits = visits.filter(entered_at__gte=since - length)  # said apart, for the index of stays in a stage
    fresh = visits.filter(entered_at__gte=F("recorded_at") - length)
    return fresh.filter(~Exists(fired)).order_by("entered_at", "pk")


def _put_off() -> Q:
    return Q(state=State.DROPPED, reason__in=PUT_OFF)


def _concerns_rules(deal: Deal) -> bool:
    """Whether a move of the deal may fire anything, or withdraw what waits: one question instead of four."""
    rules = StageRule.objects.in_force().filter(stage__pipeline=OuterRef("pk")).exclude(trigger=Trigger.STAYING)
    waiting = RuleFiring.objects.filter(deal=deal, state=State.WAITING)
    return Pipeline.objects.filter(Exists(rules) | Exists(waiting), pk=deal.pipeline_id).exists()


def _stays_before(deal: Deal, entered: StageVisit) -> tuple[StageVisit | None, list[StageVisit]]:
    """The last stay that lasted longer than a move can be taken back, and the brief ones after it."""
    brief: list[StageVisit] = []
    later = entered
    for visit in deal.visits.standing().exclude(pk=entered.pk).order_by("-recorded_at", "-pk")[:20]:
        if later.recorded_at - visit.recorded_at >= UNDO_WITHIN:
            return visit, brief
        brief.append(visit)
        later = visit
    return None, brief


def _come_true(deal: Deal, visit: StageVisit, trigger: str, *, now: dt.datetime) -> None:
    rules = StageRule.objects.in_force().filter(stage=visit.stage_id, trigger=trigger)
    cause = _cause.get()
    for rule in rules:
        if rule.meeting(Deal.objects.filter(pk=deal.pk)).exists():
            depth = cause.depth + 1 if cause else 0
            _set(rule, deal, visit, depth=depth, at=now, due_at=now + DUE_AFTER)


def _set(rule: StageRule, deal: Deal, visit: StageVisit, *, depth: int, at: dt.datetime, due_at: dt.datetime) -> None:
    """Write the firing, or set again one that was put off, and queue it; one that goes round in circles is stopped."""
    is_circle = depth >= MOST_DEPTH
    state, reason = (State.STOPPED, "circle") if is_circle else (State.WAITING, "")
    fields = {"state": state, "reason": reason, "depth": depth, "at": at, "due_at": due_at}
    firing, is_new = RuleFiring.objects.get_or_create(rule=rule, deal=deal, visit=visit, defaults=fields)
    if not is_new:
        again = RuleFiring.objects.filter(_put_off(), pk=firing.pk)
        if not again.update(**fields, serial=F("serial") + 1, finished_at=None):
            return
        firing.refresh_from_db()
    if is_circle:
        tell_of_loop(firing, now=at)
        return
    key, payload = firing.outbox_key, {"firing": firing.pk}
    outbox.queue([outbox.Intent(FIRING, key, recipient_id=None, due_at=due_at, payload=payload)])
