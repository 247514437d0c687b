"""Sequences through real servers and killed workers: an answer by IMAP stops one, nobody gets a step twice."""

from __future__ import annotations

import datetime as dt
import os
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count
from django.db.models.functions import Now
from django.utils import timezone

from crm.models import Email, Enrolment, OutboxRow, Segment, Sequence, StepRun, User
from crm.rules.outbox import Sent
from crm.rules.receiving.reading import read_mailbox
from crm.rules.sequences.advancing import go_on
from crm.rules.sequences.enrolling import Terms, enrol_person
from crm.rules.sequences.intake import enrol_segment, take_in
from tests.factories import LeadFactory, UserFactory
from tests.factories.mail import MailboxFactory
from tests.factories.segments import SegmentFactory
from tests.factories.sequences import SequenceFactory, call, letter, wait
from tests.imap_server import ImapServer
from tests.processes import wait_until
from tests.reliability.conftest import Broker, Crew, MailServer
from tests.reliability.faults import flushed_every, kill_again_and_again

pytestmark = [pytest.mark.reliability, pytest.mark.django_db(transaction=True)]

# Small enough for every change; larger by hand: RELIABILITY_ENROLMENTS=5000 RELIABILITY_KILLS=100.
ENROLMENTS = int(os.environ.get("RELIABILITY_ENROLMENTS", "20"))
KILLS = int(os.environ.get("RELIABILITY_KILLS", "3"))


@pytest.fixture
def imap_server(settings: Any) -> Iterator[ImapServer]:
    """A dovecot of this test's own."""
    settings.MAILBOX_HOSTS_INSIDE = frozenset({"127.0.0.1"})
    with tempfile.TemporaryDirectory(prefix="vr-") as path:
        server = ImapServer(Path(path)).start()
        yield server
        server.stop()


@pytest.fixture
def writer(transactional_db: None) -> User:
    return UserFactory(name="Rita Rep", email="rita@example.test")


@pytest.fixture
def sequence(writer: User) -> Sequence:
    """Two letters with two days between, then a call."""
    sequence = SequenceFactory(owner=writer)
    letter(sequence)
    wait(sequence, 2)
    letter(sequence)
    call(sequence)
    return sequence


def enrol(sequence: Sequence, name: str, by: User) -> Enrolment:
    lead = LeadFactory(owner=by, name=name, email=f"{name.split(maxsplit=1)[0].lower()}@client.test")
    return enrol_person(sequence, person=lead, terms=Terms(by, by, "en"), now=timezone.now())


def bring_forward() -> None:
    """What waits for a later time comes now, behind what is due already: letters must not wait for it."""
    later = OutboxRow.objects.filter(kind="sequence", state="waiting", available_at__gt=Now() + dt.timedelta(seconds=5))
    later.update(available_at=Now())


@contextmanager
def time_flies() -> Iterator[None]:
    """Whatever a sequence waits for comes at once."""
    is_over = threading.Event()

    def fly() -> None:
        while not is_over.wait(1):
            bring_forward()
        connection.close()

    thread = threading.Thread(target=fly)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def test_an_answer_by_imap_stops_what_smtp_began(
    crew: Crew, mail_server: MailServer, imap_server: ImapServer, sequence: Sequence, writer: User
) -> None:
    anna, bert = enrol(sequence, "Anna Answers", writer), enrol(sequence, "Bert Silent", writer)
    mailbox = MailboxFactory(
        owner=writer,
        port=imap_server.port,
        address=writer.email,
        username=imap_server.user,
        password=imap_server.password,
    )
    crew.beat()
    crew.worker()
    assert wait_until(lambda: mail_server.count() >= 2, 60), crew.log()

    first = Email.objects.get(step_run__enrolment=anna)
    answer = EmailMessage()
    answer["From"], answer["To"] = "Anna Answers <anna@client.test>", writer.email
    answer["Subject"], answer["Message-ID"] = f"Re: {first.subject_line}", "<answer@client.test>"
    answer["In-Reply-To"] = answer["References"] = first.message_id
    answer.set_content("Yes, that sounds good.\n\nOn Monday Rita wrote:\n> Dear Anna")
    imap_server.put(bytes(answer))
    assert read_mailbox(mailbox.pk, seconds=20, now=timezone.now()) == {"kept": 1}
    anna.refresh_from_db()
    assert (anna.state, anna.reason) == (Enrolment.State.STOPPED, "answered")
    assert anna.runs.get(email=first).answered_at, "the letter of the thread has the credit"

    with time_flies():
        assert wait_until(lambda: Enrolment.objects.get(pk=bert.pk).state == "finished", 60), crew.log()
    got = Counter(entry["to"] for entry in mail_server.accepted() if entry["to"].endswith("@client.test"))
    print(f"\nletters: {dict(got)}")
    assert got == {"anna@client.test": 1, "bert@client.test": 2}


def test_killed_workers_send_nobody_a_step_twice(
    crew: Crew, broker: Broker, mail_server: MailServer, sequence: Sequence, writer: User
) -> None:
    """Each person gets each step once; only a letter in the hands of a killed sender is unclear, and listed."""
    crew.environment |= {"MAIL_PER_SENDER_A_DAY": "1000000", "MAIL_PER_DOMAIN_A_DAY": "1000000"}
    for number in range(ENROLMENTS):
        enrol(sequence, f"p{number} Person", writer)
    began = time.monotonic()
    beats, workers = [crew.beat()], [crew.worker(), crew.worker()]
    with time_flies(), flushed_every(broker):
        kill_again_and_again(KILLS, workers, beats, mail_server, random.Random(7))
        done = wait_until(lambda: not Enrolment.objects.alive().exists(), 90 + ENROLMENTS)
    assert done, crew.log()

    ids = set(Email.objects.values_list("message_id", flat=True))
    accepted = Counter({key: count for key, count in mail_server.message_ids().items() if key in ids})
    unclear = Email.objects.filter(row__state="unclear").count()
    print(
        f"\n{ENROLMENTS} people, {KILLS} kills: {len(ids)} letters, {sum(accepted.values())} accepted, "
        f"{sum(count > 1 for count in accepted.values())} doubled, {unclear} unclear, {time.monotonic() - began:.0f} s"
    )
    runs = StepRun.objects.filter(withdrawn_at=None).values("enrolment", "step").annotate(count=Count("pk"))
    assert {row["count"] for row in runs} == {1}
    assert runs.count() == ENROLMENTS * 4
    assert len(ids) == ENROLMENTS * 2
    assert set(accepted.values()) == {1}
    assert len(ids - set(accepted)) <= unclear


def test_of_many_who_go_on_with_one_person_one_does(sequence: Sequence, writer: User) -> None:
    enrolment = enrol(sequence, "Anna Wanted", writer)
    became: list[Any] = []
    gate = threading.Barrier(4)

    def one() -> None:
        gate.wait()
        became.append(go_on(enrolment.pk, serial=0, now=timezone.now()))
        connection.close()

    threads = [threading.Thread(target=one) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(outcome, Sent) for outcome in became) == 1
    assert Email.objects.count() == 1


def test_a_large_segment_is_taken_in_and_goes_on_in_steps(sequence: Sequence, writer: User) -> None:
    """No transaction grows with the number of people; prints how long each stretch and each person took."""
    for number in range(ENROLMENTS):
        LeadFactory(owner=writer, email=f"p{number}@client.test")
    segment: Segment = SegmentFactory(owner=writer)
    intake = enrol_segment(sequence, segment=segment, terms=Terms(writer, writer), now=timezone.now())
    began = time.monotonic()
    while intake.finished_at is None:
        take_in(intake.pk, reached=intake.reached, now=timezone.now())
        intake.refresh_from_db()
    taken_in = time.monotonic() - began
    assert intake.enrolled == ENROLMENTS
    began = time.monotonic()
    for pk in Enrolment.objects.values_list("pk", flat=True):
        go_on(pk, serial=0, now=timezone.now())
    went_on = time.monotonic() - began
    assert Email.objects.count() == ENROLMENTS
    print(f"\n{ENROLMENTS} people: taken in in {taken_in:.1f} s, first letters written in {went_on:.1f} s")
