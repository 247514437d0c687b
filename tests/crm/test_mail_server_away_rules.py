"""A mail server that does not answer: mail waits for it, everything else goes on, and its first answer wakes all."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from crm.models import OutboxRow, PausedKind, User
from crm.rules import outbox
from crm.rules.delivering import deliver_due
from crm.rules.operations import lanes, pulse
from crm.rules.outbox import Intent, Outcome, Sender, Sent
from crm.rules.sending import Postbox, ServerAway
from crm.rules.sweeping import sweep
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)


def queued(kind: str, key: str = "a", *, recipient_id: int | None = None) -> OutboxRow:
    outbox.queue([Intent(kind=kind, key=key, recipient_id=recipient_id)])
    return OutboxRow.objects.get(dedupe_key=key)


class Mailer:
    """Sends by the postbox it is given, as senders of mail do."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_there, self.asked = False, 0
        monkeypatch.setattr(Postbox, "_hand_over", self._take)

    def _take(self, _message: EmailMultiAlternatives) -> str:
        self.asked += 1
        if not self.is_there:
            raise ServerAway("nobody answers")
        return "250 ok"

    def send(self, _row: OutboxRow, postbox: Postbox) -> Outcome:
        return Sent(postbox.send(EmailMultiAlternatives()))


@pytest.fixture
def mailer(monkeypatch: pytest.MonkeyPatch) -> Mailer:
    """A mail server that is away; rows of the kind "mail" need it, those of the kind "other" do not."""
    monkeypatch.setattr(outbox, "_senders", dict(outbox._senders))
    mailer = Mailer(monkeypatch)
    outbox.register(Sender("mail", mailer.send, may_repeat=False))
    outbox.register(Sender("other", lambda _row, _postbox: Sent("done")))
    return mailer


def test_a_server_that_is_away_is_asked_once_and_holds_up_nothing_but_mail(mailer: Mailer) -> None:
    for key in "abc":
        queued("mail", key)
    other = queued("other", "no mail")

    assert deliver_due(seconds=5) == {"server away": 3, "sent": 1}
    queued("mail", "d")
    assert deliver_due(seconds=5) == {"server away": 1}

    assert mailer.asked == 1
    assert OutboxRow.objects.get(pk=other.pk).state == "sent"
    held = OutboxRow.objects.filter(kind="mail")
    assert set(held.values_list("state", "attempts")) == {("waiting", 0)}
    assert OutboxRow.objects.held().count() == 4


def test_each_sweep_asks_the_server_once_and_its_first_answer_sets_all_going(mailer: Mailer) -> None:
    for key in "abc":
        queued("mail", key)
    deliver_due(seconds=5)

    for _sweep in range(20):
        assert sweep() == 1
        assert deliver_due(seconds=5) == {"server away": 1}
    assert mailer.asked == 21
    assert deliver_due(seconds=5) == {}

    mailer.is_there = True
    sweep()
    assert deliver_due(seconds=5) == {"sent": 3}
    assert set(OutboxRow.objects.values_list("state", "attempts")) == {("sent", 1)}


def test_what_waits_for_the_server_is_late_and_raises_the_alarm(mailer: Mailer, admin: User) -> None:
    row = queued("mail")
    deliver_due(seconds=5)
    long_ago = timezone.now() - dt.timedelta(minutes=3)
    OutboxRow.objects.filter(pk=row.pk).update(away_since=long_ago, created_at=long_ago)

    sweep()

    assert OutboxRow.objects.get(kind="alarm").payload == {"late_since": long_ago.isoformat()}
    assert pulse(timezone.now()).oldest_due_at == long_ago
    assert next(lane for lane in lanes(timezone.now()) if lane.kind == "mail").late == 1


def test_a_run_that_found_nobody_ends_where_the_server_answers_another(
    mailer: Mailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection alone was refused (too many at once): it must not keep taking what the other sets going."""
    for key in "abc":
        queued("mail", key)

    def answered_by_another(row: OutboxRow, *, answer: str) -> bool:
        waits = wait_for_server(row, answer=answer)
        outbox.go_on_after_silence()
        return waits

    wait_for_server = outbox.wait_for_server
    monkeypatch.setattr(outbox, "wait_for_server", answered_by_another)

    assert deliver_due(seconds=5) == {"server away": 1}
    assert OutboxRow.objects.due().count() == 3


def test_paused_mail_asks_for_no_server(mailer: Mailer) -> None:
    queued("mail")
    deliver_due(seconds=5)
    PausedKind.objects.create(kind="mail")
    assert not outbox.server_is_away()
    assert outbox.ask_server_again() == 0


def test_stale_rows_that_a_silent_server_held_up_leave_in_one_digest(mailer: Mailer) -> None:
    person = UserFactory()
    outbox.register(Sender("mail", mailer.send, digest="merged"))
    outbox.register(Sender("merged", mailer.send))
    for key in "abc":
        queued("mail", key, recipient_id=person.pk)
    deliver_due(seconds=5)
    OutboxRow.objects.update(due_at=timezone.now() - HOUR)
    mailer.is_there = True

    sweep()
    became = deliver_due(seconds=5)

    # The one that asked has left by itself.
    assert became == {"sent": 2}
    assert sorted(OutboxRow.objects.values_list("kind", "state")) == [
        ("mail", "merged"), ("mail", "merged"), ("mail", "sent"), ("merged", "sent"),
    ]  # fmt: skip
