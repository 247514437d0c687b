"""The operator's hand: pausing, retrying, settling; the ledger of attempts; the alarm when nothing leaves."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from crm.models import Email, Lead, Notification, OutboxAttempt, OutboxRow, User
from crm.rules import operations, outbox
from crm.rules.alarms import ALARM
from crm.rules.delivering import deliver, deliver_due
from crm.rules.emails import Letter, write_email
from crm.rules.errors import NotAllowed
from crm.rules.operations import NotUnclear, lanes, pause_kind, pulse, resume_kind, retry_rows, rows_of, settle_unclear
from crm.rules.outbox import Intent, Outcome, Sender, Sent
from crm.rules.sending import NotSent, PerhapsSent, Postbox, Refused
from crm.rules.sweeping import sweep
from tests.factories import LeadFactory

pytestmark = pytest.mark.django_db

State = OutboxRow.State
PAST = dt.timedelta(minutes=5)


class Script:
    """Answers each attempt with the next of its outcomes, then with success."""

    def __init__(self) -> None:
        self.outcomes: list[Exception] = []

    def send(self, _row: OutboxRow, _postbox: Postbox) -> Outcome:
        if self.outcomes:
            raise self.outcomes.pop(0)
        return Sent("250 ok")


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Script:
    script = Script()
    monkeypatch.setattr(outbox, "_senders", dict(outbox._senders))
    outbox.register(Sender("test", script.send, label="Tests"))
    return script


@pytest.fixture
def lead(rep: User) -> Lead:
    return LeadFactory(owner=rep, name="Daria", email="daria@client.test")


def queued(key: str = "a", kind: str = "test", **fields: object) -> OutboxRow:
    outbox.queue([Intent(kind, key, None)])
    long_ago = timezone.now() - dt.timedelta(days=1)
    OutboxRow.objects.filter(dedupe_key=key).update(**{"created_at": long_ago, **fields})
    return OutboxRow.objects.get(dedupe_key=key)


def test_the_ledger_holds_every_attempt_with_its_answer(script: Script) -> None:
    script.outcomes = [NotSent("450 greylisted")]
    row = queued()
    deliver_due(seconds=5)
    OutboxRow.objects.update(available_at=timezone.now() - PAST)
    deliver_due(seconds=5)

    tries = list(row.tries.values_list("number", "answer"))

    assert tries == [(1, "450 greylisted"), (2, "250 ok")]
    assert not OutboxAttempt.objects.filter(finished_at=None).exists()


def test_a_paused_kind_waits_and_the_others_go_on(script: Script, admin: User) -> None:
    outbox.register(Sender("other", script.send))
    pause_kind("test", by=admin, now=timezone.now())
    pause_kind("test", by=admin, now=timezone.now())
    held, free = queued("a"), queued("b", "other")

    deliver_due(seconds=5)

    assert [OutboxRow.objects.get(pk=row.pk).state for row in (held, free)] == [State.WAITING, State.SENT]
    resume_kind("test", by=admin)
    deliver_due(seconds=5)
    assert OutboxRow.objects.get(pk=held.pk).state == State.SENT


def test_lanes_count_by_kind_and_state(script: Script) -> None:
    now = timezone.now()
    queued("a", available_at=now + PAST)
    queued("b", available_at=now - PAST)
    queued("c", state=State.DEAD)
    queued("d", state=State.SENT)

    (lane,) = [lane for lane in lanes(now) if lane.kind == "test"]

    assert (lane.label, lane.waiting, lane.late, lane.dead, lane.unclear) == ("Tests", 2, 1, 1, 0)


def test_an_operator_reads_every_kind_in_words() -> None:
    nameless = {kind for kind in outbox.known_kinds() if outbox.label_of(kind) == kind and kind != "test"}

    assert nameless == set()


def test_the_pulse_says_how_late_rows_left(script: Script) -> None:
    assert pulse(timezone.now()).median_late is None
    before = timezone.now() - dt.timedelta(seconds=20)
    queued("a", due_at=before)
    deliver_due(seconds=5)

    found = pulse(timezone.now())

    assert found.sent_last_hour == found.senders == 1
    assert found.median_late is not None
    assert 19 < found.median_late.total_seconds() < 30


def test_dead_rows_are_sent_again_and_nobody_but_an_admin_does_it(script: Script, admin: User, manager: User) -> None:
    row = queued(state=State.DEAD)
    with pytest.raises(NotAllowed):
        retry_rows(OutboxRow.objects.all(), by=manager)
    assert retry_rows(OutboxRow.objects.all(), by=admin) == 1
    deliver_due(seconds=5)
    assert OutboxRow.objects.get(pk=row.pk).state == State.SENT


def _deliver_one() -> None:
    row = outbox.claim()
    assert row is not None
    deliver(row, Postbox())


# --- Letters that may have left ---------------------------------------------------------------------------------------


@pytest.fixture
def unclear(lead: Lead, rep: User, monkeypatch: pytest.MonkeyPatch) -> Email:
    def break_off(_self: Postbox, _message: EmailMultiAlternatives) -> str:
        raise PerhapsSent("the connection broke")

    with monkeypatch.context() as broken:
        broken.setattr(Postbox, "send", break_off)
        email = write_email(Letter("Offer", "<p>x</p>"), about=lead, to=lead, by=rep, now=timezone.now())
        _deliver_one()
    email.refresh_from_db()
    return email


def test_an_unclear_letter_is_not_repeated_and_its_author_is_told(unclear: Email, rep: User) -> None:
    deliver_due(seconds=5)

    assert OutboxRow.objects.get(pk=unclear.row_id).state == State.UNCLEAR
    assert [row.addressee for row in rows_of(text="DARIA@", state=State.UNCLEAR)] == ["daria@client.test"]  # type: ignore[attr-defined]  # annotated
    assert [message.to for message in mail.outbox] == [[rep.email]]
    assert "Offer" in Notification.objects.get(user=rep).text


def test_it_was_sent_after_all_and_stands_on_the_timeline(unclear: Email, lead: Lead, admin: User) -> None:
    row = OutboxRow.objects.get(pk=unclear.row_id)
    settle_unclear(row, was_sent=True, by=admin)
    assert lead.activities.get().title == "Offer"
    with pytest.raises(NotUnclear):
        settle_unclear(row, was_sent=True, by=admin)
    assert lead.activities.count() == 1


def test_it_was_not_sent_and_goes_out_now(unclear: Email, lead: Lead, admin: User) -> None:
    settle_unclear(OutboxRow.objects.get(pk=unclear.row_id), was_sent=False, by=admin)
    deliver_due(seconds=5)
    assert ["daria@client.test" in str(message.to) for message in mail.outbox].count(True) == 1


def test_a_refused_letter_tells_its_author(lead: Lead, rep: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: Postbox, _message: EmailMultiAlternatives) -> str:
        raise Refused("554 5.7.1 spam")

    with monkeypatch.context() as broken:
        broken.setattr(Postbox, "send", refuse)
        write_email(Letter("Offer", "<p>x</p>"), about=lead, to=lead, by=rep, now=timezone.now())
        _deliver_one()
    deliver_due(seconds=5)
    assert "554 5.7.1 spam" in mail.outbox[0].body


# --- The alarm --------------------------------------------------------------------------------------------------------


def test_a_queue_that_stands_still_raises_the_alarm_once_an_hour(script: Script, admin: User) -> None:
    queued("a", available_at=timezone.now() - dt.timedelta(seconds=100))
    sweep()
    assert not OutboxRow.objects.filter(kind=ALARM).exists()

    OutboxRow.objects.update(available_at=timezone.now() - PAST)
    sweep()
    sweep()

    first = outbox.claim()
    assert OutboxRow.objects.filter(kind=ALARM).count() == 1
    assert first is not None
    assert (first.kind, first.recipient) == (ALARM, admin)


def test_what_was_due_before_anybody_knew_of_it_raises_no_alarm(script: Script, admin: User) -> None:
    """A deal is found to have rotted up to ten minutes later, a loaded one months later."""
    outbox.queue([Intent("test", "rotted", None, due_at=timezone.now() - dt.timedelta(days=40))])

    sweep()
    deliver_due(seconds=5)

    assert not OutboxRow.objects.filter(kind=ALARM).exists()
    late = pulse(timezone.now()).median_late
    assert late is not None
    assert late < dt.timedelta(minutes=1)


def test_a_paused_kind_raises_no_alarm(script: Script, admin: User) -> None:
    pause_kind("test", by=admin, now=timezone.now())
    queued("a", available_at=timezone.now() - PAST)
    sweep()
    assert not OutboxRow.objects.filter(kind=ALARM).exists()


def test_the_alarm_is_read_by_an_admin(script: Script, admin: User) -> None:
    queued("a", available_at=timezone.now() - PAST)
    sweep()
    deliver_due(seconds=5)
    assert "/operations/" in mail.outbox[0].body
    assert operations.rows_of(kinds=[ALARM], text=admin.email).count() == 1
