"""Reminders while everything around them breaks: none lost, none marked twice, doubled only as trust.md allows."""

from __future__ import annotations

import datetime as dt
import os
import random
import time
from collections.abc import Iterator

import pytest
from django.db import connection
from django.utils import timezone

from crm.models import Heartbeat, Notification, User
from crm.rules.follow_ups import Plan, plan_follow_up
from crm.rules.wall_clock import WallTime
from tests.factories import LeadFactory, UserFactory
from tests.processes import wait_until
from tests.reliability.conftest import Broker, Crew, MailServer
from tests.reliability.faults import flushed_every, kill_again_and_again, open_rows, rows

pytestmark = [pytest.mark.reliability, pytest.mark.django_db(transaction=True)]

# Small enough for every change; larger by hand: RELIABILITY_REMINDERS=10000 RELIABILITY_KILLS=100.
REMINDERS = int(os.environ.get("RELIABILITY_REMINDERS", "300"))
KILLS = int(os.environ.get("RELIABILITY_KILLS", "10"))
PEOPLE = 10


@pytest.fixture
def marks(transactional_db: None) -> Iterator[None]:
    """PostgreSQL counts how often each row is marked as sent, whoever marks it."""
    with connection.cursor() as cursor:
        cursor.execute("""
            CREATE TABLE marked_as_sent (row_id bigint, was text);
            CREATE FUNCTION count_mark() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN INSERT INTO marked_as_sent VALUES (NEW.id, OLD.state); RETURN NULL; END $$;
            CREATE TRIGGER count_marks AFTER UPDATE ON crm_outboxrow FOR EACH ROW
                WHEN (NEW.state = 'sent') EXECUTE FUNCTION count_mark();
        """)
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER count_marks ON crm_outboxrow")
        cursor.execute("DROP FUNCTION count_mark")
        cursor.execute("DROP TABLE marked_as_sent")


def marked_twice() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM (SELECT 1 FROM marked_as_sent GROUP BY row_id HAVING count(*) > 1) AS t")
        return int(cursor.fetchone()[0])


def due_reminders(person: User, count: int, *, at: dt.datetime | None = None) -> None:
    """Reminders of `person` that came due just now, or will `at` a time."""
    now = timezone.now()
    lead = LeadFactory(owner=person)
    for number in range(count):
        plan = Plan(f"Call {number}", WallTime.of(at or now, "UTC"), person, remind_before=(0,))
        plan_follow_up(lead, plan=plan, by=None, now=now - dt.timedelta(days=1))


def states() -> dict[str, int]:
    found: dict[str, int] = {}
    for state in rows().values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found


def test_killed_workers_a_flushed_broker_and_two_beats_lose_nothing(
    crew: Crew, broker: Broker, mail_server: MailServer, marks: None
) -> None:
    """All due at once; again and again a worker is killed in the middle of its work."""
    for person in UserFactory.create_batch(PEOPLE):
        due_reminders(person, REMINDERS // PEOPLE)
    beats = [crew.beat(), crew.beat()]
    workers = [crew.worker(), crew.worker()]
    chance, began = random.Random(7), time.monotonic()
    with flushed_every(broker) as flushes:
        kills = kill_again_and_again(KILLS // 2, workers, beats, mail_server, chance)
        broker.kill()  # with all it knew; the beats may go with it, as their supervisor knows
        broker.start()
        kills += kill_again_and_again(KILLS - KILLS // 2, workers, beats, mail_server, chance)
    assert wait_until(lambda: not open_rows(), 60 + REMINDERS / 10), f"{states()}\n{crew.log()}"

    sent = mail_server.message_ids()
    doubled = {message_id for message_id, count in sent.items() if count > 1}
    retried = set(rows().filter(attempts__gt=1).values_list("message_id", flat=True))
    lost = set(rows().values_list("message_id", flat=True)) - set(sent)
    print(
        f"\n{REMINDERS} reminders, {kills} kills, {len(flushes)} flushes, 1 broker restart, 2 beats: "
        f"{len(lost)} lost, {len(doubled)} doubled (same Message-ID), {marked_twice()} marked twice, "
        f"{len(retried)} retried, {Notification.objects.count()} notices, {time.monotonic() - began:.0f} s"
    )
    assert kills == KILLS
    assert states() == {"sent": REMINDERS}
    assert not lost
    assert doubled <= retried
    assert max(sent.values()) <= KILLS
    assert marked_twice() == 0
    assert Notification.objects.count() == REMINDERS


def test_mail_server_that_misbehaves_keeps_only_what_must_wait(
    crew: Crew, mail_server: MailServer, marks: None
) -> None:
    """One recipient in each way of going wrong, and one with nothing wrong, beside each other."""
    people = {
        kind: UserFactory(email=f"{kind}@example.test") for kind in ("good", "refused", "later", "spam", "drop", "slow")
    }
    for person in people.values():
        due_reminders(person, 1)
    crew.environment["OUTBOX_LEASE_SECONDS"] = "40"  # longer than the slowest, as the real one is
    crew.beat()
    crew.worker(concurrency=4)

    def state_of(kind: str) -> tuple[str, int]:
        return rows().values_list("state", "attempts").get(recipient=people[kind])

    assert wait_until(lambda: state_of("good")[0] == "sent", 30), crew.log()
    assert wait_until(lambda: state_of("refused") == ("dead", 1) and state_of("spam") == ("dead", 1), 90), states()
    assert wait_until(lambda: state_of("later") == ("sent", 2), 90), states()
    assert wait_until(lambda: state_of("drop") == ("sent", 2), 90), states()
    assert wait_until(lambda: state_of("slow")[0] == "sent", 40), states()
    accepted = [entry["to"].split("@")[0] for entry in mail_server.accepted()]
    ids = mail_server.message_ids()
    print(f"\naccepted: {accepted}; marked twice: {marked_twice()}")
    assert accepted.count("good") == accepted.count("later") == accepted.count("slow") == 1
    assert accepted.count("drop") == 2
    assert ids[rows().get(recipient=people["drop"]).message_id] == 2
    assert {"refused", "spam"}.isdisjoint(accepted)
    assert "550" in rows().get(recipient=people["refused"]).answer
    assert marked_twice() == 0


def test_what_falls_due_between_two_sweeps_does_not_wait_for_the_second(crew: Crew) -> None:
    """The sweep before knows of it, and asks for a worker at that moment."""
    crew.environment["SWEEP_SECONDS"] = "20"
    due_reminders(UserFactory(), 1, at=timezone.now() + dt.timedelta(hours=1))
    crew.worker()
    assert wait_until(Heartbeat.objects.exists, 30), crew.log()  # a worker sweeps as it starts
    started_at = Heartbeat.objects.get().at
    crew.beat()
    assert wait_until(lambda: Heartbeat.objects.get().at > started_at, 90), crew.log()
    due_at = Heartbeat.objects.get().at + dt.timedelta(seconds=22)
    rows().update(due_at=due_at, available_at=due_at)

    assert wait_until(lambda: states() == {"sent": 1}, 90), crew.log()
    late = rows().get().finished_at - due_at
    print(f"\nleft {late.total_seconds():.1f} s after it was due")
    assert dt.timedelta() < late < dt.timedelta(seconds=15)  # the next sweep comes 18 seconds after it


def test_two_beats_leave_one_sweeper_whose_heart_beats(crew: Crew) -> None:
    """The heartbeat goes on with two beats, and stops with the last worker."""
    crew.beat()
    crew.beat()
    worker = crew.worker()
    assert wait_until(Heartbeat.objects.exists, 30), crew.log()
    first = Heartbeat.objects.get().at
    assert wait_until(lambda: Heartbeat.objects.get().at > first, 90)

    worker.kill()
    time.sleep(1)  # PostgreSQL ends what the killed one had begun
    last = Heartbeat.objects.get().at
    time.sleep(2.5)
    assert Heartbeat.objects.get().at == last
