"""Letters to customers while everything around them breaks: none twice, and whatever is not certain is listed."""

from __future__ import annotations

import os
import random
import time
from collections import Counter

import pytest
from django.utils import timezone

from crm.models import Activity, Email, OutboxRow, User
from crm.rules.emails import Letter, write_email
from tests.factories import LeadFactory, UserFactory
from tests.processes import wait_until
from tests.reliability.conftest import Broker, Crew, MailServer
from tests.reliability.faults import ENDED, flushed_every, kill_again_and_again, open_rows

pytestmark = [pytest.mark.reliability, pytest.mark.django_db(transaction=True)]

# Small enough for every change; larger by hand: RELIABILITY_LETTERS=10000 RELIABILITY_KILLS=100.
LETTERS = int(os.environ.get("RELIABILITY_LETTERS", "200"))
KILLS = int(os.environ.get("RELIABILITY_KILLS", "10"))
State = OutboxRow.State


def letters(count: int, *, by: User, address: str = "customer{}@example.test") -> None:
    """Letters that leave at once, each to somebody else."""
    for number in range(count):
        lead = LeadFactory(owner=by, name=f"Customer {number}", email=address.format(number))
        write_email(Letter(f"Offer {number}", "<p>Hello</p>"), about=lead, to=lead, by=by, now=timezone.now())


def letters_by_state() -> Counter[str]:
    return Counter(OutboxRow.objects.filter(kind="email").values_list("state", flat=True))


def unlimited(crew: Crew) -> None:
    """No day's allowance stands in the way."""
    crew.environment |= {"MAIL_PER_SENDER_A_DAY": "1000000", "MAIL_PER_DOMAIN_A_DAY": "1000000"}


def test_no_letter_is_doubled_though_its_senders_are_killed(
    crew: Crew, broker: Broker, mail_server: MailServer
) -> None:
    """What was in a killed sender's hands becomes unclear, and its author is told; the rest leaves once."""
    unlimited(crew)
    author = UserFactory()
    letters(LETTERS, by=author)
    began = time.monotonic()
    beats = [crew.beat(), crew.beat()]
    workers = [crew.worker(), crew.worker()]
    with flushed_every(broker) as flushes:
        kills = kill_again_and_again(KILLS, workers, beats, mail_server, random.Random(11))
    assert wait_until(lambda: not open_rows(), 60 + LETTERS / 10), f"{letters_by_state()}\n{crew.log()}"

    rows = {row.message_id: row.state for row in OutboxRow.objects.filter(kind="email")}
    accepted = Counter({key: count for key, count in mail_server.message_ids().items() if key in rows})
    unclear = {key for key, state in rows.items() if state == State.UNCLEAR}
    told = OutboxRow.objects.filter(kind="email_trouble", state=State.SENT)
    print(
        f"\n{LETTERS} letters, {kills} kills, {len(flushes)} flushes, 2 beats: "
        f"{sum(count > 1 for count in accepted.values())} doubled, {len(unclear)} unclear and listed "
        f"({len(unclear & set(accepted))} of them had left), {told.count()} notices of them, "
        f"{len(set(rows) - set(accepted) - unclear)} lost, {time.monotonic() - began:.0f} s"
    )
    assert kills == KILLS
    assert set(accepted.values()) == {1}
    assert set(rows.values()) <= {State.SENT, State.UNCLEAR}
    assert {key for key, state in rows.items() if state == State.SENT} <= set(accepted)
    assert len(unclear) <= KILLS * 2  # no more than were in the hands of the killed
    assert told.count() == len(unclear)
    assert Activity.objects.filter(kind="email").count() == len(rows) - len(unclear)


def test_one_refused_of_a_hundred_keeps_nobody_else(crew: Crew, mail_server: MailServer) -> None:
    """The 37th address does not exist: 99 leave, one is dead with the server's words, and nothing is tried twice."""
    unlimited(crew)
    author = UserFactory()
    letters(100, by=author)
    email = Email.objects.get(subject_line="Offer 36")
    Email.objects.filter(pk=email.pk).update(to_address="refused@example.test")
    crew.worker(concurrency=4)
    crew.beat()

    assert wait_until(lambda: not open_rows(), 90), f"{letters_by_state()}\n{crew.log()}"
    assert letters_by_state() == {State.SENT: 99, State.DEAD: 1}
    dead = OutboxRow.objects.get(state=State.DEAD)
    assert (dead.pk, dead.attempts) == (email.row_id, 1)
    assert dead.answer.startswith("550")
    assert set(OutboxRow.objects.filter(kind="email").values_list("attempts", flat=True)) == {1}


def test_a_line_cut_after_the_text_leaves_one_letter_unclear(crew: Crew, mail_server: MailServer) -> None:
    """Three are cut off after DATA and before the answer: not one of them is sent again, all others leave."""
    unlimited(crew)
    author = UserFactory()
    letters(17, by=author)
    letters(3, by=author, address="drop{}@example.test")
    crew.worker()
    crew.beat()

    assert wait_until(lambda: not open_rows(), 90), f"{letters_by_state()}\n{crew.log()}"
    assert letters_by_state() == {State.SENT: 17, State.UNCLEAR: 3}
    unclear = OutboxRow.objects.filter(kind="email", state=State.UNCLEAR)
    assert {row.message_id for row in unclear} <= set(mail_server.message_ids())
    assert set(mail_server.message_ids().values()) == {1}
    assert set(unclear.values_list("state", flat=True)) <= set(ENDED)
