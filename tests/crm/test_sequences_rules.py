"""Sequences: a person is taken through step by step, never twice."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from crm.models import (
    Email,
    EmailLink,
    Enrolment,
    Lead,
    Sequence,
    SequenceStep,
    StepRun,
    Suppression,
    User,
)
from crm.rules.activities import log_activity
from crm.rules.delivering import deliver_due
from crm.rules.errors import NotAllowed
from crm.rules.sequences.advancing import go_on
from crm.rules.sequences.enrolling import LeftOut, NotRunning
from crm.rules.sequences.stopping import stop_enrolment
from tests.crm.sequence_lives import ACTIVE, FINISHED, Condition, deliver, enrol, let_pass, letters
from tests.factories import ContactFactory, LeadFactory, office_hours
from tests.factories.sequences import EmailTemplateFactory, SequenceFactory, branch, call, letter, wait

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead(rep: User) -> Lead:
    return LeadFactory(owner=rep, name="Daria Kestrel", email="Daria@client.test")


# --- Going through ----------------------------------------------------------------------------------------------------


def test_a_silent_person_gets_everything_once_and_is_through(sequence: Sequence, lead: Lead, rep: User) -> None:
    enrolment = enrol(sequence, lead, rep)
    deliver()
    assert letters() == 1
    assert let_pass(enrolment, minutes=2).state == ACTIVE
    assert letters() == 1, "two days are not over"

    let_pass(enrolment, days=2)
    assert letters() == 2
    let_pass(enrolment, minutes=2)
    let_pass(enrolment, days=2)

    assert enrolment.state == FINISHED
    assert letters() == 2
    assert lead.follow_ups.get().title == "Call them"
    assert lead.activities.filter(kind="email", direction="out").count() == 2


def test_letters_offer_to_unsubscribe_and_are_addressed_to_one(sequence: Sequence, lead: Lead, rep: User) -> None:
    enrol(sequence, lead, rep)
    deliver()
    (message,) = mail.outbox
    assert message.to == ["Daria Kestrel <Daria@client.test>"]
    assert "List-Unsubscribe" in message.extra_headers


def test_a_wait_is_counted_from_when_the_letter_left(sequence: Sequence, lead: Lead, rep: User, settings: Any) -> None:
    settings.MAIL_PER_SENDER_A_DAY = 0
    enrolment = enrol(sequence, lead, rep)
    deliver()
    assert letters() == 0
    for _day in range(3):
        let_pass(enrolment, days=1)
    assert letters() == 0
    settings.MAIL_PER_SENDER_A_DAY = 10

    let_pass(enrolment, days=1)
    assert letters() == 1
    let_pass(enrolment, hours=1)
    assert letters() == 1
    assert enrolment.due_at is not None
    assert enrolment.due_at > timezone.now() + dt.timedelta(days=1, hours=12)


def test_letters_leave_in_the_working_hours_of_the_sender(sequence: Sequence, lead: Lead, rep: User) -> None:
    rep.working_calendar = office_hours()
    rep.save()
    enrolment = enrol(sequence, lead, rep)
    sunday = dt.datetime(2031, 6, 1, 12, 0, tzinfo=dt.UTC)

    go_on(enrolment.pk, serial=enrolment.serial, now=sunday)

    enrolment.refresh_from_db()
    assert enrolment.due_at is not None
    assert enrolment.due_at.date() == dt.date(2031, 6, 2)
    assert not Email.objects.exists()


def test_repeating_an_action_does_nothing(sequence: Sequence, lead: Lead, rep: User) -> None:
    enrolment = enrol(sequence, lead, rep)
    for _time in range(3):
        go_on(enrolment.pk, serial=0, now=timezone.now())
    assert Email.objects.count() == 1
    assert StepRun.objects.count() == 1


def test_the_two_templates_are_drawn_by_lot_and_noted(rep: User) -> None:
    sequence = SequenceFactory(owner=rep)
    step = letter(sequence, template_b=EmailTemplateFactory(owner=rep, subject="The other"), share_b=50)
    for number in range(30):
        enrol(sequence, LeadFactory(owner=rep, email=f"p{number}@client.test"), rep)
    deliver_due(seconds=30)
    lots = list(step.runs.values_list("variant", flat=True))
    assert len(lots) == 30
    assert 3 < lots.count("B") < 27
    assert sum(message.subject == "The other" for message in mail.outbox) == lots.count("B")


# --- Branches ---------------------------------------------------------------------------------------------------------


def opening(rep: User) -> tuple[Sequence, SequenceStep]:
    """A letter; after two days, a call for who opened its link, another letter for who did not."""
    sequence = SequenceFactory(owner=rep)
    letter(sequence)
    wait(sequence, 2)
    fork = branch(sequence, Condition.OPENED)
    letter(sequence)
    branch(sequence, Condition.ALWAYS)
    fork.goes_to = call(sequence)
    fork.save()
    return sequence, fork


def test_who_opened_a_link_takes_the_other_way(lead: Lead, rep: User, client: Client) -> None:
    sequence, _fork = opening(rep)
    enrolment = enrol(sequence, lead, rep)
    deliver()
    let_pass(enrolment, minutes=2)
    link = str(mail.outbox[0].body).split("(")[1].split(")")[0]
    answer = client.get(link.removeprefix("http://127.0.0.1:8000"))
    assert answer.status_code == 302
    assert answer["Location"] == "https://example.test/price?a=1&b=2"
    assert answer["Referrer-Policy"] == "no-referrer"

    let_pass(enrolment, days=2)
    assert (letters(), lead.follow_ups.count(), enrolment.state) == (1, 1, FINISHED)


def test_who_did_not_stays_on_the_way(lead: Lead, rep: User) -> None:
    sequence, _fork = opening(rep)
    enrolment = enrol(sequence, lead, rep)
    deliver()
    let_pass(enrolment, minutes=2)
    let_pass(enrolment, days=2)
    let_pass(enrolment, minutes=2)
    assert (letters(), lead.follow_ups.count(), enrolment.state) == (2, 0, FINISHED)


def test_link_checkers_open_nothing(lead: Lead, rep: User, client: Client) -> None:
    sequence, _fork = opening(rep)
    enrol(sequence, lead, rep)
    deliver()
    link = str(mail.outbox[0].body).split("(")[1].split(")")[0].removeprefix("http://127.0.0.1:8000")
    assert client.get(link).status_code == 302, "within seconds of arriving: a scanner"
    Email.objects.update(at=timezone.now() - dt.timedelta(minutes=5))
    assert client.head(link).status_code == 302
    assert EmailLink.objects.get().opened_at is None
    assert client.get("/l/nonsense/").status_code == 404
    client.get(link)
    assert EmailLink.objects.get().clicks == 1


def test_an_answer_that_a_branch_asks_about_ends_the_letters_only(lead: Lead, rep: User) -> None:
    sequence = SequenceFactory(owner=rep)
    letter(sequence)
    wait(sequence, 3)
    letter(sequence)
    fork = branch(sequence, Condition.ANSWERED)
    branch(sequence, Condition.ALWAYS)
    fork.goes_to = letter(sequence)
    call(sequence)
    fork.save()
    enrolment = enrol(sequence, lead, rep)
    deliver()
    let_pass(enrolment, minutes=2)

    log_activity(lead, fields={"kind": "email", "direction": "in"}, by=rep, now=timezone.now())
    deliver()

    enrolment.refresh_from_db()
    assert (letters(), lead.follow_ups.count(), enrolment.state) == (1, 1, FINISHED)
    assert enrolment.answered_at is not None


# --- Who can be enrolled ----------------------------------------------------------------------------------------------


def test_a_person_is_in_one_sequence_at_a_time_by_address(sequence: Sequence, lead: Lead, rep: User) -> None:
    enrol(sequence, lead, rep)
    twin = ContactFactory(owner=rep, email=lead.email.upper())
    other = SequenceFactory(owner=rep)
    for target in (sequence, other):
        with pytest.raises(LeftOut, match="in a sequence already"):
            enrol(target, twin, rep)


def test_unless_both_allow_it(lead: Lead, rep: User) -> None:
    for name in ("One", "Two"):
        enrol(SequenceFactory(owner=rep, allows_others=True, name=name), lead, rep)
    with pytest.raises(LeftOut):
        enrol(SequenceFactory(owner=rep), lead, rep)


def test_a_sequence_that_one_does_not_see_is_not_named(
    sequence: Sequence, lead: Lead, rep: User, outsider: User
) -> None:
    theirs = SequenceFactory(owner=outsider, name="Debtors")
    letter(theirs)
    enrol(theirs, LeadFactory(owner=outsider, email=lead.email), outsider)
    for shared in (False, True):
        Sequence.objects.filter(pk=theirs.pk).update(is_shared=shared)
        with pytest.raises(LeftOut) as refusal:
            enrol(sequence, lead, rep)
        assert ("Debtors" in refusal.value.message, refusal.value.reason) == (shared, "enrolled")


def test_after_its_end_a_person_may_be_enrolled_again(sequence: Sequence, lead: Lead, rep: User) -> None:
    stop_enrolment(enrol(sequence, lead, rep), by=rep, now=timezone.now())
    assert enrol(sequence, lead, rep).is_alive


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"email": ""}, "no_address"),
        ({"email": "a@b@c"}, "no_address"),
        ({"status": "disqualified", "disqualified_at": timezone.now()}, "closed"),
        ({"email": "gone@client.test"}, "suppressed"),
        ({"company_name": ""}, "missing_value"),
    ],
)
def test_who_is_left_out_and_why(fields: dict[str, Any], reason: str, rep: User) -> None:
    sequence = SequenceFactory(owner=rep)
    letter(sequence, template=EmailTemplateFactory(owner=rep, body="<p>{{ company.name }}</p>"))
    Suppression.objects.create(address="gone@client.test", reason="bounced")
    lead = LeadFactory(**{"owner": rep, "email": "a@client.test", "company_name": "Firm", **fields})
    with pytest.raises(LeftOut) as refusal:
        enrol(sequence, lead, rep)
    assert refusal.value.reason == reason
    assert not Enrolment.objects.exists()


def test_nobody_enrols_what_is_not_theirs(sequence: Sequence, lead: Lead, colleague: User, viewer: User) -> None:
    with pytest.raises(LeftOut, match="not change"):
        enrol(sequence, lead, colleague)
    with pytest.raises(NotAllowed):
        enrol(sequence, lead, viewer)


def test_a_draft_takes_nobody(lead: Lead, rep: User) -> None:
    with pytest.raises(NotRunning):
        enrol(SequenceFactory(owner=rep, state="draft"), lead, rep)
