"""The outbox: claimed by one, counted before the work, finished under a lease, set aside when nobody may repeat it."""

from __future__ import annotations

import datetime as dt
import smtplib
import time
from collections.abc import Sequence
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.db.models import F
from django.utils import timezone

from crm.models import OutboxAttempt, OutboxRow, PausedKind
from crm.rules import outbox
from crm.rules.delivering import _deliver_some, deliver, deliver_due
from crm.rules.digests import merge_stale
from crm.rules.outbox import Intent, Later, NotNeeded, Outcome, Send, Sender, Sent
from crm.rules.sending import NotSent, PerhapsSent, Postbox, Refused, ServerAway, _verdict
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)


class Probe:
    """A sender that does as it is told."""

    def __init__(self) -> None:
        self.outcome: Outcome | Exception = Sent("250")
        self.sent: list[str] = []

    def send(self, row: OutboxRow, _postbox: Postbox) -> Outcome:
        self.sent.append(row.dedupe_key)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> Probe:
    probe = Probe()
    monkeypatch.setattr(outbox, "_senders", dict(outbox._senders))
    outbox.register(Sender("ours", probe.send, digest="ours_digest"))
    outbox.register(Sender("ours_digest", probe.send))
    outbox.register(Sender("customer", probe.send, may_repeat=False))
    return probe


def queued(kind: str = "ours", key: str = "a", **fields: object) -> OutboxRow:
    outbox.queue([Intent(kind=kind, key=key, recipient_id=fields.pop("recipient_id", None))])
    OutboxRow.objects.filter(dedupe_key=key).update(**fields)
    return OutboxRow.objects.get(dedupe_key=key)


def lease_ran_out(row: OutboxRow) -> None:
    OutboxRow.objects.filter(pk=row.pk).update(lease_until=timezone.now() - HOUR)


def claimed() -> OutboxRow:
    row = outbox.claim()
    assert row is not None
    return row


def test_key_is_queued_once(probe: Probe) -> None:
    queued()
    queued()

    assert OutboxRow.objects.count() == 1


def test_claim_counts_the_attempt_and_keeps_others_out(probe: Probe) -> None:
    queued()

    row = claimed()

    assert (row.attempts, OutboxRow.objects.get().attempts) == (1, 1)
    assert outbox.claim() is None


def test_not_yet_due_is_left(probe: Probe) -> None:
    queued(available_at=timezone.now() + HOUR)

    assert outbox.claim() is None


def test_revived_sender_overwrites_nothing(probe: Probe) -> None:
    queued()
    slow = claimed()
    lease_ran_out(slow)
    quick = claimed()
    assert outbox.finish(quick, state=OutboxRow.State.SENT, answer="by the second")

    assert not outbox.finish(slow, state=OutboxRow.State.DEAD, answer="by the first")
    assert not outbox.try_again(slow, answer="by the first")

    row = OutboxRow.objects.get()
    assert (row.state, row.answer, row.attempts) == ("sent", "by the second", 2)


def test_dead_sender_of_a_reminder_is_followed_by_another_with_the_same_message_id(probe: Probe) -> None:
    queued()
    first = claimed()
    lease_ran_out(first)

    assert claimed().message_id == first.message_id


def test_dead_sender_of_a_customers_mail_leaves_it_unclear(probe: Probe) -> None:
    queued("customer")
    lease_ran_out(claimed())

    assert outbox.claim() is None
    assert OutboxRow.objects.get().state == "unclear"


def test_row_that_kills_its_senders_is_given_up(probe: Probe) -> None:
    queued()
    for _attempt in range(outbox.MAX_ATTEMPTS):
        lease_ran_out(claimed())

    assert outbox.claim() is None
    row = OutboxRow.objects.get()
    assert row.state == "dead"
    assert list(OutboxRow.objects.for_a_person()) == [row]


def test_person_lets_a_dead_row_be_sent_after_all(probe: Probe) -> None:
    row = queued(state=OutboxRow.State.DEAD, attempts=12)

    assert outbox.retry(row)
    assert claimed() == row
    assert not outbox.retry(row)


@pytest.mark.parametrize(
    ("kind", "outcome", "state", "attempts"),
    [
        ("ours", Sent("250 ok"), "sent", 1),
        ("ours", NotNeeded("done"), "cancelled", 1),
        ("ours", Refused("550 no such user"), "dead", 1),
        ("ours", NotSent("451 later"), "waiting", 1),
        ("ours", ServerAway("refused"), "waiting", 0),
        ("ours", PerhapsSent("gone"), "in_flight", 1),
        ("customer", PerhapsSent("gone"), "unclear", 1),
        ("ours", ValueError("a bug"), "waiting", 1),
    ],
)
def test_what_becomes_of_a_row(
    probe: Probe, kind: str, outcome: Outcome | Exception, state: str, attempts: int
) -> None:
    queued(kind)
    probe.outcome = outcome

    deliver(claimed(), Postbox())

    row = OutboxRow.objects.get()
    assert (row.state, row.attempts) == (state, attempts)
    if state == "waiting":
        assert row.available_at > timezone.now()
    if state == "in_flight":
        assert row.lease_until is not None
        assert row.lease_until < timezone.now() + outbox.LONGEST_WAIT


def test_quiet_hours_cost_no_attempt(probe: Probe) -> None:
    queued()
    probe.outcome = Later(timezone.now() + HOUR)

    deliver_due(seconds=5)

    row = OutboxRow.objects.get()
    assert (row.state, row.attempts) == ("waiting", 0)
    assert row.available_at > timezone.now()


def test_last_attempt_that_fails_is_the_end(probe: Probe) -> None:
    queued(attempts=outbox.MAX_ATTEMPTS - 1)
    probe.outcome = NotSent("451 later")

    deliver_due(seconds=5)

    assert OutboxRow.objects.get().state == "dead"


def test_one_bad_row_keeps_nobody(probe: Probe) -> None:
    queued("kind-of-tomorrow", key="unknown")
    queued(key="good")

    deliver_due(seconds=5)

    states = dict(OutboxRow.objects.values_list("dedupe_key", "state"))
    assert states == {"unknown": "waiting", "good": "sent"}


def test_wait_grows_to_an_hour() -> None:
    assert [outbox.wait_after(attempts).total_seconds() for attempts in (1, 2, 3, 12)] == [15, 30, 60, 3600]


def test_stale_rows_of_one_person_become_one_digest(probe: Probe) -> None:
    ann, bob = UserFactory(), UserFactory()
    past = timezone.now() - HOUR
    for key, person in (("a", ann), ("b", ann), ("c", ann), ("d", bob)):
        queued(key=key, recipient_id=person.pk, due_at=past)
    queued(key="fresh", recipient_id=ann.pk)

    assert merge_stale() == 3
    assert merge_stale() == 0

    digest = OutboxRow.objects.get(kind="ours_digest")
    assert digest.recipient == ann
    assert set(digest.merged.values_list("dedupe_key", flat=True)) == {"a", "b", "c"}
    deliver_due(seconds=5)
    assert sorted(probe.sent) == ["d", "fresh", digest.dedupe_key]


def test_a_paused_kind_leaves_in_no_digest_either(probe: Probe) -> None:
    person = UserFactory()
    for key in "ab":
        queued("ours", key, recipient_id=person.pk, due_at=timezone.now() - HOUR)
    paused = PausedKind.objects.create(kind="ours")
    assert merge_stale() == 0
    paused.delete()
    assert merge_stale() == 2


def test_rows_that_were_perhaps_sent_are_not_merged(probe: Probe) -> None:
    ann = UserFactory()
    past = timezone.now() - HOUR
    for key in "ab":
        queued(key=key, recipient_id=ann.pk, due_at=past)
    probe.outcome = PerhapsSent("gone")
    deliver(claimed(), Postbox())

    assert merge_stale() == 0


def test_cancel_withdraws_only_what_waits(probe: Probe) -> None:
    queued(key="waits")
    queued(key="sent", state=OutboxRow.State.SENT)

    assert outbox.cancel(OutboxRow.objects.all(), answer="no longer") == 1
    assert OutboxRow.objects.get(dedupe_key="sent").state == "sent"


class Socketless:
    """A mail backend whose server says `error`."""

    error: Exception | None = None
    opens: Exception | None = None
    closed = 0

    def __init__(self, **_options: object) -> None: ...

    def open(self) -> None:
        if Socketless.opens:
            raise Socketless.opens

    def close(self) -> None:
        Socketless.closed += 1

    def send_messages(self, _messages: list[EmailMultiAlternatives]) -> int:
        if Socketless.error:
            raise Socketless.error
        return 1


@pytest.mark.parametrize(
    ("opens", "error", "verdict"),
    [
        (None, smtplib.SMTPRecipientsRefused({"a@b.test": (550, b"no such user")}), Refused),
        (None, smtplib.SMTPRecipientsRefused({"a@b.test": (450, b"greylisted")}), NotSent),
        (None, smtplib.SMTPDataError(554, b"spam"), Refused),
        (None, smtplib.SMTPDataError(451, b"later"), NotSent),
        (None, smtplib.SMTPServerDisconnected("gone"), PerhapsSent),
        (None, TimeoutError("slow"), PerhapsSent),
        (ConnectionRefusedError("nobody"), None, ServerAway),
        (smtplib.SMTPConnectError(421, b"busy"), None, ServerAway),
    ],
)
def test_verdicts_of_a_mail_server(
    settings: object,
    monkeypatch: pytest.MonkeyPatch,
    opens: Exception | None,
    error: Exception | None,
    verdict: type[Exception],
) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.Socketless"  # type: ignore[attr-defined]
    monkeypatch.setattr(Socketless, "opens", opens)
    monkeypatch.setattr(Socketless, "error", error)

    with Postbox() as postbox, pytest.raises(verdict) as refusal:
        postbox.send(EmailMultiAlternatives(to=["a@b.test"]))
    assert type(refusal.value) is verdict


def test_verdict_carries_the_servers_words() -> None:
    assert str(_verdict(550, b"5.1.1 no such user")) == "550 5.1.1 no such user"


def test_attempts_rise_in_the_database(probe: Probe) -> None:
    row = queued()
    OutboxRow.objects.filter(pk=row.pk).update(attempts=F("attempts") + 4)

    assert claimed().attempts == 5


# --- Several at once --------------------------------------------------------------------------------------------------


def many(probe: Probe, monkeypatch: pytest.MonkeyPatch, *, may_repeat: bool = True) -> list[OutboxRow]:
    """Five rows of a kind that is claimed four at once, read together by `prepare`."""

    def prepare(rows: Sequence[OutboxRow]) -> Send:
        probe.sent.append(f"read {len(rows)}")
        return probe.send

    outbox.register(Sender("many", probe.send, may_repeat=may_repeat, at_once=4, prepare=prepare))
    return [queued("many", key) for key in "abcde"]


def test_several_are_claimed_read_and_sent_together(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    many(probe, monkeypatch)

    assert deliver_due(seconds=5) == {"sent": 5}

    assert probe.sent == ["read 4", "a", "b", "c", "d", "e"]
    assert set(OutboxRow.objects.values_list("state", "attempts")) == {("sent", 1)}
    assert OutboxAttempt.objects.count() == 5


def test_what_may_not_be_repeated_is_claimed_alone(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    many(probe, monkeypatch, may_repeat=False)
    assert len(outbox.claim_some()) == 1


def test_what_a_slow_server_leaves_over_is_put_back_in_time(
    probe: Probe, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    many(probe, monkeypatch)
    settings.OUTBOX_LEASE_SECONDS = 0.02
    slow = probe.send

    def send(row: OutboxRow, postbox: Postbox) -> Outcome:
        time.sleep(0.02)
        return slow(row, postbox)

    outbox.register(Sender("many", send, at_once=4))
    rows = outbox.claim_some()
    assert _deliver_some(rows, Postbox()) == ["sent"]
    assert OutboxRow.objects.filter(state="waiting", attempts=0).count() == 4


def test_rows_that_cannot_be_read_together_are_asked_one_by_one(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_rows: Sequence[OutboxRow]) -> Send:
        raise RuntimeError("a bad row")

    many(probe, monkeypatch)
    outbox.register(Sender("many", probe.send, at_once=4, prepare=broken))
    assert deliver_due(seconds=5) == {"sent": 5}
