"""What ends a sequence: at once, before the next step, and in the moment of sending."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from crm.models import (
    Activity,
    Email,
    Lead,
    OutboxRow,
    Sequence,
    Suppression,
    User,
)
from crm.rules.activities import log_activity
from crm.rules.bounces import Report, note_bounce, note_complaint
from crm.rules.follow_ups import Plan, plan_follow_up
from crm.rules.sending import Postbox, Refused
from crm.rules.sequences.advancing import go_on
from crm.rules.suppression import suppress
from crm.rules.wall_clock import WallTime
from pipeline.models import Deal, LossReason, Stage
from pipeline.rules.moving import Loss, MoveDetails, lose_deal, move_deal
from tests.crm.sequence_lives import ACTIVE, FINISHED, STOPPED, deliver, enrol, let_pass, letters
from tests.factories import ContactFactory, DealFactory, LeadFactory, UserFactory
from tests.factories.sequences import SequenceFactory, call, letter, wait

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead(rep: User) -> Lead:
    return LeadFactory(owner=rep, name="Daria Kestrel", email="Daria@client.test")


Event = Callable[[Lead, User], object]


def answers(lead: Lead, rep: User) -> None:
    log_activity(lead, fields={"kind": "call", "direction": "in"}, by=rep, now=timezone.now())


def reacts(lead: Lead, rep: User) -> None:
    log_activity(lead, fields={"kind": "call", "direction": "out", "response": "negative"}, by=rep, now=timezone.now())


def meets(lead: Lead, rep: User) -> None:
    log_activity(lead, fields={"kind": "meeting", "direction": "out"}, by=rep, now=timezone.now())


def plans_to_meet(lead: Lead, rep: User) -> None:
    due = WallTime.of(timezone.now() + dt.timedelta(days=9), "UTC")
    plan_follow_up(lead, plan=Plan("Meet", due, rep, kind="meeting"), by=rep, now=timezone.now())


def unsubscribes(lead: Lead, _rep: User) -> None:
    suppress(lead.email, reason=Suppression.Reason.UNSUBSCRIBED, by=None, now=timezone.now())


def complains(lead: Lead, _rep: User) -> None:
    note_complaint(Report(lead.email, "c"), now=timezone.now())


def comes_back(lead: Lead, _rep: User) -> None:
    email = Email.objects.outbound().first()
    note_bounce(Report(lead.email, "b", email=email), is_hard=False, now=timezone.now())


def is_unknown(lead: Lead, _rep: User) -> None:
    note_bounce(Report(lead.email, "b"), is_hard=True, now=timezone.now())


def deal_of(lead: Lead, rep: User) -> Deal:
    stage = Stage.objects.filter(pipeline__slug="sales").order_by("position")[0]
    return DealFactory(owner=rep, lead=lead, stage=stage)


def wins(lead: Lead, rep: User) -> None:
    deal = deal_of(lead, rep)
    to = Stage.objects.get(pipeline=deal.pipeline, kind="won")
    move_deal(deal, to=to, seen_version=deal.version, by=rep, now=timezone.now(), details=MoveDetails(is_forced=True))


def loses(lead: Lead, rep: User) -> None:
    deal = deal_of(lead, rep)
    reason = LossReason.objects.get_or_create(name="Price")[0]
    lose_deal(deal, loss=Loss(reason), seen_version=deal.version, by=rep, now=timezone.now())


PROMPTLY: dict[Event, str] = {
    answers: "answered", reacts: "answered", meets: "meeting", plans_to_meet: "meeting", unsubscribes: "unsubscribed",
    complains: "complained", comes_back: "bounced", is_unknown: "bounced", wins: "won", loses: "lost",
}  # fmt: skip


@pytest.mark.parametrize("event", PROMPTLY)
def test_it_ends_at_once(event: Event, sequence: Sequence, lead: Lead, rep: User, sales: Any) -> None:
    enrolment = enrol(sequence, lead, rep)
    deliver()

    event(lead, rep)

    enrolment.refresh_from_db()
    assert (enrolment.state, enrolment.reason) == (STOPPED, PROMPTLY[event])
    assert enrolment.ended_at is not None
    let_pass(enrolment, days=9)
    assert letters() == 1


def _writes_in(lead: Lead, _rep: User) -> None:
    Activity.objects.create(subject=lead, kind="email", direction="in")


def _mails_in(lead: Lead, _rep: User) -> None:
    Email.objects.create(direction="in", from_address=lead.email.upper(), at=timezone.now())


def _met(lead: Lead, rep: User) -> None:
    Activity.objects.create(subject=lead, kind="meeting", direction="out", author=rep)


def _suppressed(lead: Lead, _rep: User) -> None:
    Suppression.objects.create(address=lead.email.lower(), reason="by_hand")


def _closed(lead: Lead, rep: User) -> None:
    deal = deal_of(lead, rep)
    Deal.objects.filter(pk=deal.pk).update(outcome="lost", lost_at=timezone.now())


def _disqualified(lead: Lead, _rep: User) -> None:
    Lead.objects.filter(pk=lead.pk).update(status="disqualified", disqualified_at=timezone.now())


def _deleted(lead: Lead, _rep: User) -> None:
    Lead.objects.filter(pk=lead.pk).update(deleted_at=timezone.now())


def _erased(lead: Lead, _rep: User) -> None:
    Lead.objects.filter(pk=lead.pk).update(erased_at=timezone.now())


def _given_away(lead: Lead, _rep: User) -> None:
    Lead.objects.filter(pk=lead.pk).update(owner=UserFactory())


def _shut_out(_lead: Lead, rep: User) -> None:
    User.objects.filter(pk=rep.pk).update(is_active=False)


QUIETLY: dict[Event, str] = {
    _writes_in: "answered", _mails_in: "answered", _met: "meeting", _suppressed: "suppressed",
    _disqualified: "disqualified", _deleted: "gone", _erased: "gone", _given_away: "sender_gone",
}  # fmt: skip


@pytest.mark.parametrize("event", QUIETLY)
def test_it_is_asked_again_before_the_next_step(event: Event, sequence: Sequence, lead: Lead, rep: User) -> None:
    enrolment = enrol(sequence, lead, rep)
    event(lead, rep)
    deliver()
    enrolment.refresh_from_db()
    assert (enrolment.state, enrolment.reason, letters()) == (STOPPED, QUIETLY[event], 0)


@pytest.mark.parametrize("event", [*QUIETLY, _shut_out])
def test_it_is_asked_again_in_the_moment_of_sending(event: Event, sequence: Sequence, lead: Lead, rep: User) -> None:
    enrolment = enrol(sequence, lead, rep)
    go_on(enrolment.pk, serial=0, now=timezone.now())
    row = Email.objects.get().row
    assert row is not None
    assert row.state == OutboxRow.State.WAITING

    event(lead, rep)
    deliver()

    row.refresh_from_db()
    assert (letters(), row.state) == (0, OutboxRow.State.CANCELLED)
    if event is not _shut_out and event is not _suppressed:
        enrolment.refresh_from_db()
        assert (enrolment.state, enrolment.reason) == (STOPPED, QUIETLY[event])


def test_an_automatic_reply_is_no_answer(sequence: Sequence, lead: Lead, rep: User) -> None:
    enrolment = enrol(sequence, lead, rep)
    fields = {"kind": "email", "direction": "in", "is_automatic": True}
    log_activity(lead, fields=fields, by=rep, now=timezone.now())
    Email.objects.create(direction="in", nature="auto_reply", from_address=lead.email, at=timezone.now())
    deliver()
    enrolment.refresh_from_db()
    assert (enrolment.state, letters()) == (ACTIVE, 1)


def test_what_happened_before_ends_nothing(sequence: Sequence, lead: Lead, rep: User, sales: Any) -> None:
    for event in (answers, meets, plans_to_meet, loses):
        event(lead, rep)
    enrolment = enrol(sequence, lead, rep)
    deliver()
    enrolment.refresh_from_db()
    assert (enrolment.state, letters()) == (ACTIVE, 1)


def test_a_meeting_that_the_sequence_itself_plans_does_not_end_it(lead: Lead, rep: User) -> None:
    sequence = SequenceFactory(owner=rep)
    call(sequence, follow_up_kind="meeting")
    wait(sequence, 1)
    letter(sequence)
    enrolment = enrol(sequence, lead, rep)
    deliver()
    let_pass(enrolment, days=1)
    assert letters() == 1


def test_touches_of_a_contacts_deal_are_the_contacts(sequence: Sequence, rep: User, sales: Any) -> None:
    contact = ContactFactory(owner=rep, email="c@client.test")
    enrolment = enrol(sequence, contact, rep)
    deal = DealFactory(owner=rep, contact=contact)
    log_activity(deal, fields={"kind": "message", "direction": "in"}, by=rep, now=timezone.now())
    enrolment.refresh_from_db()
    assert enrolment.reason == "answered"


def test_the_last_letter_has_the_credit_for_an_answer_and_a_deal(
    sequence: Sequence, lead: Lead, rep: User, sales: Any
) -> None:
    enrolment = enrol(sequence, lead, rep)
    deliver()
    answers(lead, rep)
    wins(lead, rep)
    run = enrolment.runs.get(email__isnull=False)
    assert run.answered_at
    assert run.won_at


def test_an_answer_after_the_end_is_still_credited(lead: Lead, rep: User) -> None:
    sequence = SequenceFactory(owner=rep)
    letter(sequence)
    enrolment = enrol(sequence, lead, rep)
    deliver()
    assert let_pass(enrolment, minutes=2).state == FINISHED
    answers(lead, rep)
    enrolment.refresh_from_db()
    assert enrolment.state == FINISHED
    assert enrolment.runs.get().answered_at


def test_a_letter_the_server_refuses_for_good_ends_it(
    sequence: Sequence, lead: Lead, rep: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: Postbox, _message: EmailMultiAlternatives) -> str:
        raise Refused("554 5.7.1 no")

    monkeypatch.setattr(Postbox, "send", refuse)
    enrolment = enrol(sequence, lead, rep)
    deliver()
    assert let_pass(enrolment, minutes=2).reason == "undeliverable"
    assert "554" in enrolment.detail
