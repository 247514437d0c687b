"""Pausing and editing a sequence with people under way in it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core import mail
from django.utils import timezone

from crm.models import (
    FollowUp,
    Lead,
    Sequence,
    StepRun,
    User,
)
from crm.rules.errors import NotAllowed, RecordConflict
from crm.rules.sequences import steps as step_rules
from crm.rules.sequences.advancing import go_on
from crm.rules.sequences.keeping import delete_sequence, pause_sequence, start_sequence
from crm.rules.sequences.stopping import pause_enrolment, resume_enrolment
from tests.crm.sequence_lives import FINISHED, PAUSED, Condition, deliver, enrol, let_pass, letters
from tests.factories import LeadFactory
from tests.factories.sequences import EmailTemplateFactory, SequenceFactory, branch, call, letter

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead(rep: User) -> Lead:
    return LeadFactory(owner=rep, name="Daria Kestrel", email="Daria@client.test")


def test_a_paused_person_waits_and_goes_on(sequence: Sequence, lead: Lead, rep: User) -> None:
    enrolment = enrol(sequence, lead, rep)
    go_on(enrolment.pk, serial=0, now=timezone.now())
    pause_enrolment(enrolment, by=rep, now=timezone.now())
    let_pass(enrolment, days=3)
    assert (letters(), enrolment.state) == (0, PAUSED)

    resume_enrolment(enrolment, by=rep, now=timezone.now())
    deliver()
    assert letters() == 1
    assert StepRun.objects.filter(withdrawn_at=None).count() == 1


def test_a_pause_in_the_moment_of_sending_withdraws_the_letter(sequence: Sequence, lead: Lead, rep: User) -> None:
    enrolment = enrol(sequence, lead, rep)
    go_on(enrolment.pk, serial=0, now=timezone.now())
    Sequence.objects.update(state=Sequence.State.PAUSED)
    deliver()
    assert letters() == 0
    sequence.refresh_from_db()
    start_sequence(sequence, seen_version=sequence.version, by=rep, now=timezone.now())
    deliver()
    assert letters() == 1


def test_a_paused_sequence_holds_everybody_and_goes_on_with_all(sequence: Sequence, rep: User) -> None:
    people = [LeadFactory(owner=rep, email=f"p{number}@client.test") for number in range(4)]
    for person in people:
        enrol(sequence, person, rep)
    pause_sequence(sequence, seen_version=1, by=rep, now=timezone.now())
    deliver()
    assert letters() == 0
    start_sequence(sequence, seen_version=2, by=rep, now=timezone.now())
    deliver()
    deliver()
    assert letters() == 4


def test_a_deleted_sequence_ends_for_everybody(sequence: Sequence, lead: Lead, rep: User) -> None:
    enrolment = enrol(sequence, lead, rep)
    go_on(enrolment.pk, serial=0, now=timezone.now())
    assert delete_sequence(sequence, seen_version=1, by=rep, now=timezone.now()) == 1
    deliver()
    enrolment.refresh_from_db()
    assert (letters(), enrolment.reason) == (0, "sequence_deleted")


def test_taking_out_the_step_somebody_stands_before_moves_them_on(sequence: Sequence, lead: Lead, rep: User) -> None:
    enrolment = enrol(sequence, lead, rep)
    third = sequence.steps.get(position=3)
    deliver()
    let_pass(enrolment, minutes=2)
    assert enrolment.step == third

    assert step_rules.remove_step(third, seen_version=1, by=rep, now=timezone.now()) == 1
    enrolment.refresh_from_db()
    assert enrolment.step is not None
    assert enrolment.step.position == 4
    let_pass(enrolment, days=2)
    assert letters() == 1


def test_nothing_is_sent_twice_wherever_its_step_is_put(sequence: Sequence, lead: Lead, rep: User) -> None:
    enrolment = enrol(sequence, lead, rep)
    first = sequence.steps.get(position=1)
    deliver()
    step_rules.move_step(first, by_places=4, seen_version=1, by=rep)
    step_rules.edit_step(first, fields={"template": EmailTemplateFactory(owner=rep)}, seen_version=2, by=rep)
    for _day in range(8):
        let_pass(enrolment, days=2)
    assert enrolment.state == FINISHED
    assert letters() == 2, "the first, and what was the second"


def test_who_comes_second_to_a_step_is_told(sequence: Sequence, rep: User) -> None:
    step = sequence.steps.get(position=2)
    step_rules.edit_step(step, fields={"days": 5}, seen_version=1, by=rep)
    with pytest.raises(RecordConflict):
        step_rules.edit_step(step, fields={"days": 7}, seen_version=1, by=rep)


def test_a_branch_never_leads_back(sequence: Sequence, rep: User) -> None:
    fork = branch(sequence, Condition.OPENED)
    with pytest.raises(step_rules.WrongWay):
        step_rules.edit_step(fork, fields={"goes_to": sequence.steps.get(position=1)}, seen_version=1, by=rep)


def test_only_who_may_change_a_sequence_changes_it(sequence: Sequence, colleague: User) -> None:
    with pytest.raises(NotAllowed):
        step_rules.add_step(sequence, kind="wait", fields={"days": 1}, seen_version=1, by=colleague)


def test_a_missing_value_holds_the_person_until_it_is_there(lead: Lead, rep: User) -> None:
    sequence = SequenceFactory(owner=rep)
    template = EmailTemplateFactory(owner=rep)
    letter(sequence, template=template)
    enrolment = enrol(sequence, lead, rep)
    template.body = "<p>{{ company.name }}</p>"
    template.save()
    deliver()
    enrolment.refresh_from_db()
    assert (enrolment.state, enrolment.reason, letters()) == (PAUSED, "missing_value", 0)
    assert "Company" in enrolment.detail

    Lead.objects.filter(pk=lead.pk).update(company_name="Firm")
    resume_enrolment(enrolment, by=rep, now=timezone.now())
    deliver()
    assert letters() == 1


def test_a_corrected_address_is_followed(sequence: Sequence, lead: Lead, rep: User) -> None:
    enrolment = enrol(sequence, lead, rep)
    Lead.objects.filter(pk=lead.pk).update(email="right@client.test")
    deliver()
    enrolment.refresh_from_db()
    assert enrolment.address == "right@client.test"
    assert mail.outbox[0].to == ["Daria Kestrel <right@client.test>"]


def test_follow_ups_are_planned_once(lead: Lead, rep: User) -> None:
    sequence = SequenceFactory(owner=rep)
    call(sequence, days=2)
    enrolment = enrol(sequence, lead, rep)
    go_on(enrolment.pk, serial=0, now=timezone.now())
    go_on(enrolment.pk, serial=0, now=timezone.now())
    follow_up = FollowUp.objects.get()
    assert follow_up.assignee == rep
    assert follow_up.due_at > timezone.now() + dt.timedelta(days=1)
