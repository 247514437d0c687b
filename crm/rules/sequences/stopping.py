"""Ending, holding and resuming a person's way through a sequence; what has not left is withdrawn with it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import F, Q
from django.utils.translation import gettext as _

from crm.models import Email, Enrolment, OutboxRow, SequenceStep, StepRun, User
from crm.models.keys import folded_address
from crm.rules import outbox
from crm.rules.audit import acting
from crm.rules.errors import NotAllowed, RuleError
from crm.rules.sequences.circles import people_of
from crm.rules.sequences.queueing import cancel_next, queue_next
from crm.rules.sequences.reasons import ANSWERED, why_stop

CREDITED_FOR = dt.timedelta(days=60)
"""An answer so long after a sequence has ended is still its answer."""
MOST_AT_ONCE = 50


class EnrolmentEnded(RuleError):
    """The person has gone through, or was stopped, in the meantime (409)."""

    code = "ended"


# --- Of itself --------------------------------------------------------------------------------------------------------


def end_if_due(enrolment: Enrolment, *, now: dt.datetime) -> str:
    """End the enrolment where a reason holds; return its key, "" where it may go on.

    An answer that a branch further on asks about ends the letters only: the person goes on with that branch.
    """
    reason = why_stop(enrolment, now=now)
    if reason == ANSWERED:
        _note_answer(enrolment, now=now)
        if enrolment.state == Enrolment.State.FINISHED:
            return reason
        if branch := _branch_on_answer(enrolment):
            _go_to(enrolment, branch, now=now)
            return reason
    if reason and enrolment.is_alive:
        stop(enrolment, reason=reason, now=now)
    return reason


def reconsider(subject: Any, *, now: dt.datetime) -> int:
    """Ask anew about the people a record is about, since something was written about it; return how many ended."""
    found = Q(pk__in=())
    for person in people_of(subject):
        found |= Q(pk__in=Enrolment.objects.about(person).values("pk"))
        if person.email:
            found |= Q(address=folded_address(person.email))
    return _reconsider(found, now=now)


def reconsider_address(address: str, *, now: dt.datetime) -> int:
    """Ask anew about whoever has the address; return how many ended."""
    return _reconsider(Q(address=folded_address(address)), now=now)


def _reconsider(found: Q, *, now: dt.datetime) -> int:
    open_still = Q(state__in=(Enrolment.State.ACTIVE, Enrolment.State.PAUSED))
    unanswered = Q(state=Enrolment.State.FINISHED, ended_at__gt=now - CREDITED_FOR, answered_at=None)
    rows = Enrolment.objects.filter(found).filter(open_still | unanswered)
    if not (pks := list(rows.values_list("pk", flat=True)[:MOST_AT_ONCE])):
        return 0
    with acting(None, note="a sequence"):
        fresh = Enrolment.objects.select_for_update(of=("self",)).select_related("sequence", "sender", "step")
        return sum(bool(end_if_due(enrolment, now=now)) for enrolment in fresh.filter(pk__in=pks).order_by("pk"))


def stop(enrolment: Enrolment, *, reason: str, now: dt.datetime, detail: str = "") -> None:
    """End a living enrolment for `reason`, and withdraw what waits to leave; part of the caller's transaction."""
    cancel_next(enrolment, answer=f"stopped: {reason}")
    _cancel_letters(Email.objects.filter(step_run__enrolment=enrolment), answer=f"not sent: {reason}")
    enrolment.state, enrolment.reason, enrolment.detail = Enrolment.State.STOPPED, reason, detail[:500]
    enrolment.ended_at, enrolment.due_at = now, None
    enrolment.save(update_fields=["state", "reason", "detail", "ended_at", "due_at", "step", "serial"])


def hold(enrolment: Enrolment, *, reason: str, detail: str) -> None:
    """Let the enrolment wait, before the step it stands at, for somebody who mends what `detail` says."""
    enrolment.state, enrolment.reason, enrolment.detail = Enrolment.State.PAUSED, reason, detail[:500]
    enrolment.save(update_fields=["state", "reason", "detail", "step", "serial"])


def withdraw(run: StepRun, *, now: dt.datetime) -> None:
    """Let a step whose letter never left be done again: its person stands before it once more."""
    run.withdrawn_at = now
    run.save(update_fields=["withdrawn_at"])
    alive = Enrolment.objects.alive().filter(pk=run.enrolment_id)
    alive.update(step=run.step_id, due_at=now)


def withdraw_waiting(enrolments: Any, *, now: dt.datetime) -> None:
    """Withdraw the letters of `enrolments` that nobody has begun to send, to be written again when they go on."""
    runs = StepRun.objects.filter(enrolment__in=enrolments, withdrawn_at=None)
    for run in runs.filter(email__row__state=OutboxRow.State.WAITING).select_related("email"):
        if outbox.cancel(OutboxRow.objects.filter(email=run.email), answer="not sent: paused"):
            withdraw(run, now=now)


# --- By a person ------------------------------------------------------------------------------------------------------


def stop_enrolment(enrolment: Enrolment, *, by: User, now: dt.datetime) -> None:
    """Take a person out of a sequence; raises NotAllowed or EnrolmentEnded."""
    with acting(by):
        stop(_claimed(enrolment, by=by), reason="by_hand", now=now, detail=by.name)


def pause_enrolment(enrolment: Enrolment, *, by: User, now: dt.datetime) -> None:
    """Let a person wait where they stand; a letter that has not left is written again later."""
    with acting(by):
        fresh = _claimed(enrolment, by=by)
        cancel_next(fresh, answer="paused")
        withdraw_waiting([fresh.pk], now=now)
        Enrolment.objects.filter(pk=fresh.pk).update(state=Enrolment.State.PAUSED, reason="", detail=by.name)


def resume_enrolment(enrolment: Enrolment, *, by: User, now: dt.datetime) -> None:
    """Go on with a person who waits, at the time they would have, or at once where that has passed."""
    with acting(by):
        fresh = _claimed(enrolment, by=by)
        if fresh.state != Enrolment.State.PAUSED:
            return
        fresh.state, fresh.reason, fresh.detail = Enrolment.State.ACTIVE, "", ""
        fresh.serial, fresh.due_at = fresh.serial + 1, max(fresh.due_at or now, now)
        fresh.save(update_fields=["state", "reason", "detail", "serial", "due_at"])
        queue_next([fresh])


def stop_all(enrolments: Any, *, reason: str, now: dt.datetime) -> int:
    """End every living one of `enrolments` at once, however many; return how many."""
    alive = enrolments.alive()
    _cancel_letters(Email.objects.filter(step_run__enrolment__in=alive.values("pk")), answer=f"not sent: {reason}")
    return int(alive.update(state=Enrolment.State.STOPPED, reason=reason, ended_at=now, due_at=None))


def resume_all(enrolments: Any, *, now: dt.datetime) -> int:
    """Queue anew the next action of every one of `enrolments` under way, after a pause of all; return how many."""
    under_way = enrolments.filter(state=Enrolment.State.ACTIVE)
    under_way.filter(due_at__lt=now).update(due_at=now)
    under_way.update(serial=F("serial") + 1)
    rows = list(under_way.only("pk", "serial", "due_at"))
    queue_next(rows)
    return len(rows)


def _claimed(enrolment: Enrolment, *, by: User) -> Enrolment:
    if not Enrolment.objects.editable_by(by).filter(pk=enrolment.pk).exists():
        raise NotAllowed(_("You may see this person but not change them."))
    fresh = Enrolment.objects.select_for_update(of=("self",)).select_related("sequence", "sender").get(pk=enrolment.pk)
    if not fresh.is_alive:
        raise EnrolmentEnded(_("This person's way through the sequence has ended already."))
    return fresh


def _cancel_letters(emails: Any, *, answer: str) -> None:
    outbox.cancel(OutboxRow.objects.filter(email__in=emails), answer=answer)


def _note_answer(enrolment: Enrolment, *, now: dt.datetime) -> None:
    """Credit the letter that was answered, by its thread, or else the last one that left."""
    enrolment.answered_at = now
    enrolment.save(update_fields=["answered_at"])
    left = enrolment.runs.filter(email__at__isnull=False).order_by("-serial")
    answers = Email.objects.inbound().filter(nature=Email.Nature.PERSON, at__gte=enrolment.started_at)
    answered = left.filter(email__activity__in=answers.filter(answers__isnull=False).values("answers"))
    run = answered.first() or left.first()
    if run is not None:
        StepRun.objects.filter(pk=run.pk).update(answered_at=now)


def _branch_on_answer(enrolment: Enrolment) -> SequenceStep | None:
    """The first branch, from where the person stands, that asks whether they have answered."""
    if enrolment.step is None:
        return None
    ahead = enrolment.sequence.steps.present().filter(position__gte=enrolment.step.position)
    asks = Q(kind=SequenceStep.Kind.BRANCH, condition=SequenceStep.Condition.ANSWERED)
    branch: SequenceStep | None = ahead.filter(asks).order_by("position", "pk").first()
    return branch


def _go_to(enrolment: Enrolment, step: SequenceStep, *, now: dt.datetime) -> None:
    """Stand before `step` now, and withdraw what the former step had queued."""
    cancel_next(enrolment, answer="answered")
    _cancel_letters(Email.objects.filter(step_run__enrolment=enrolment), answer="not sent: answered")
    enrolment.step, enrolment.due_at, enrolment.serial = step, now, enrolment.serial + 1
    enrolment.save(update_fields=["step", "due_at", "serial"])
    if enrolment.state == Enrolment.State.ACTIVE:
        queue_next([enrolment])
