"""What tests of sequences share: enrolling somebody, and letting time pass."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core import mail
from django.utils import timezone

from crm.models import (
    Email,
    Enrolment,
    OutboxRow,
    Sequence,
    SequenceStep,
    StepRun,
    User,
)
from crm.rules.delivering import deliver_due
from crm.rules.sequences.enrolling import Terms, enrol_person

ACTIVE, PAUSED, FINISHED, STOPPED = Enrolment.State.values
Condition = SequenceStep.Condition


def enrol(sequence: Sequence, person: Any, by: User) -> Enrolment:
    return enrol_person(sequence, person=person, terms=Terms(by, by, "en"), now=timezone.now())


def deliver() -> None:
    deliver_due(seconds=10)


def let_pass(enrolment: Enrolment, **length: float) -> Enrolment:
    """As if so much time had passed: everything of the past lies further back, what was due later is nearer."""
    by = dt.timedelta(**length)
    enrolment.refresh_from_db()
    rows = OutboxRow.objects.filter(state=OutboxRow.State.WAITING)
    for row in rows:
        row.available_at -= by
        row.save()
    for run in StepRun.objects.filter(enrolment=enrolment):
        StepRun.objects.filter(pk=run.pk).update(at=run.at - by)
        if run.email and run.email.at:
            Email.objects.filter(pk=run.email.pk).update(at=run.email.at - by)
    Enrolment.objects.filter(pk=enrolment.pk).update(started_at=enrolment.started_at - by)
    deliver()
    enrolment.refresh_from_db()
    return enrolment


def letters() -> int:
    """How many customers got; reminders go to ourselves."""
    return sum("client.test" in message.to[0] for message in mail.outbox)
