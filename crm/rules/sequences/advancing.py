"""Going on: a person's next action is claimed from the outbox, done in one transaction, and followed by the next row.

The enrolment's serial decides who goes on: a row that is repeated, or one of before a pause, finds that it has passed.
A letter is a row of its own kind, which is never repeated; before it leaves, everything is asked again.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy

from crm.models import Email, Enrolment, OutboxRow, SequenceStep, StepRun, Subject
from crm.models.keys import folded_address
from crm.rules import mailing, outbox
from crm.rules.audit import acting
from crm.rules.outbox import Later, NotNeeded, Outcome, Sender, Sent
from crm.rules.sending import Postbox
from crm.rules.sequences import listening
from crm.rules.sequences.performing import Doing, Held, NotYet, Stopped, last_letter, perform
from crm.rules.sequences.queueing import SEQUENCE, queue_next
from crm.rules.sequences.stopping import end_if_due, hold, stop, withdraw

LOOKS_AGAIN = dt.timedelta(minutes=10)
"""While a letter waits (for an allowance, for a mail server) its successor looks so often whether it has left."""
LOOKS_AFTER_LETTER = dt.timedelta(minutes=1)
MOST_STEPS = 100
"""In one transaction; more the next row does."""


def send_sequence(row: OutboxRow, _postbox: Postbox) -> Outcome:
    """Go on with the person of `row`."""
    return go_on(row.payload["enrolment"], serial=row.payload["serial"], now=timezone.now())


def go_on(pk: int, *, serial: int, now: dt.datetime) -> Outcome:
    """Do what is due for an enrolment, if `serial` is still its own: all of it or, after an error, none."""
    with acting(None, note="a sequence"):
        enrolment = _claimed(pk, serial)
        if enrolment is None:
            return NotNeeded("done already, or no longer under way")
        if reason := _no_reason_to_go_on(enrolment, now):
            return NotNeeded(reason)
        if until := _letter_waits(last_letter(enrolment), now):
            return Later(until)
        return _advance(enrolment, now)


def _no_reason_to_go_on(enrolment: Enrolment, now: dt.datetime) -> str:
    """End the enrolment where it must end; say why nothing is done, "" where it goes on."""
    if not enrolment.sequence.is_running:
        return "the sequence is paused"
    if not _has_followed_address(enrolment, now):
        return "stopped: elsewhere"
    if reason := end_if_due(enrolment, now=now):
        return f"stopped: {reason}"
    letter = last_letter(enrolment)
    if letter is None or letter.row is None or letter.row.state != OutboxRow.State.DEAD:
        return ""
    stop(enrolment, reason="undeliverable", now=now, detail=letter.row.answer)
    return "stopped: undeliverable"


def object_to(email: Email) -> str:
    """Say why a letter of a sequence must not leave after all, and write down what follows from that."""
    run = StepRun.objects.filter(email=email).first()
    if run is None:
        return ""
    now = timezone.now()
    with acting(None, note="a sequence"):
        rows = Enrolment.objects.select_for_update(of=("self",)).select_related("sequence", "sender", "step")
        enrolment = rows.get(pk=run.enrolment_id)
        if enrolment.state == Enrolment.State.STOPPED or enrolment.answered_at is not None:
            return f"not sent: {enrolment.reason or 'answered'}"
        if reason := end_if_due(enrolment, now=now):
            return f"not sent: {reason}"
        if enrolment.state == Enrolment.State.PAUSED or not enrolment.sequence.is_running:
            withdraw(run, now=now)
            return "not sent: paused"
    return ""


def _claimed(pk: int, serial: int) -> Enrolment | None:
    """The enrolment, locked after its person: in the order of whoever writes about a person and asks anew."""
    seen = Enrolment.objects.filter(pk=pk, serial=serial).first()
    if seen is not None and isinstance(person := seen.subject, Subject):
        type(person)._default_manager.select_for_update(of=("self",)).filter(pk=person.pk).values_list("pk").first()
    rows = Enrolment.objects.select_for_update(of=("self",)).select_related("sequence", "sender__team", "step")
    return rows.filter(pk=pk, serial=serial, state=Enrolment.State.ACTIVE).first()


def _has_followed_address(enrolment: Enrolment, now: dt.datetime) -> bool:
    """Take over an address that was corrected meanwhile; False where that one is in another sequence."""
    person = enrolment.subject
    address = folded_address(person.email) if person is not None else ""
    if not address or address == enrolment.address:
        return True
    try:
        with transaction.atomic():
            Enrolment.objects.filter(pk=enrolment.pk).update(address=address)
    except IntegrityError:
        stop(enrolment, reason="elsewhere", now=now)
        return False
    enrolment.address = address
    return True


def _letter_waits(letter: Email | None, now: dt.datetime) -> dt.datetime | None:
    """When to look again whether the last letter has left; None once it has, or never will."""
    row = letter.row if letter else None
    if row is None or row.state not in {OutboxRow.State.WAITING, OutboxRow.State.IN_FLIGHT}:
        return None
    return max(row.available_at, now) + LOOKS_AGAIN


def _advance(enrolment: Enrolment, now: dt.datetime) -> Outcome:
    """Do steps until one is due later, or none is left."""
    steps = list(enrolment.sequence.steps.present().select_related("template", "template_b", "goes_to"))
    enrolment.step = _still_there(enrolment.step, steps)
    try:
        due_at = _do_what_is_due(enrolment, steps, now)
    except NotYet as wait:
        due_at = wait.until
    except Stopped as end:
        stop(enrolment, reason=end.reason, now=now, detail=end.detail)
        return NotNeeded(f"stopped: {end.reason}")
    except Held as trouble:
        hold(enrolment, reason=trouble.reason, detail=trouble.detail)
        return NotNeeded(f"waits: {trouble.detail}")
    return _leave_at(enrolment, due_at, now)


def _do_what_is_due(enrolment: Enrolment, steps: list[SequenceStep], now: dt.datetime) -> dt.datetime | None:
    """Return when to go on; None where nothing is left. After a letter soon, to see whether it has left."""
    person: Any = enrolment.subject
    for _count in range(MOST_STEPS):
        if enrolment.step is None:
            return None
        done = perform(Doing(enrolment, person, enrolment.step, steps, now))
        if done.run is not None:
            done.run.save(force_insert=True)
        enrolment.step, enrolment.serial = done.next, enrolment.serial + 1
        if done.run is not None and done.run.email_id:
            return now + LOOKS_AFTER_LETTER
        if done.due_at > now:
            return done.due_at
    return now


def _leave_at(enrolment: Enrolment, due_at: dt.datetime | None, now: dt.datetime) -> Outcome:
    enrolment.due_at = due_at
    if due_at is None:
        enrolment.state, enrolment.ended_at = Enrolment.State.FINISHED, now
        enrolment.save(update_fields=["state", "ended_at", "step", "due_at", "serial"])
        return Sent("went through")
    enrolment.serial += 1
    enrolment.save(update_fields=["step", "due_at", "serial"])
    queue_next([enrolment])
    return Sent(f"goes on at {due_at:%Y-%m-%d %H:%M} UTC")


def _still_there(step: SequenceStep | None, steps: list[SequenceStep]) -> SequenceStep | None:
    """The step a person stands before, as it is now; the next one left where it was taken out."""
    if step is None:
        return None
    return next((other for other in steps if (other.position, other.pk) >= (step.position, step.pk)), None)


outbox.register(Sender(SEQUENCE, send_sequence, label=gettext_lazy("Next steps of sequences")))
mailing.objections.append(object_to)
assert listening.__name__  # imported for what it listens to
