"""Mailboxes read from a real IMAP server by workers that are killed, and beside a server that hangs."""

from __future__ import annotations

import os
import random
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone

from crm.models import Activity, Email, Mailbox, MailFolder, OutboxRow, Receipt, User
from tests.factories import ContactFactory, UserFactory
from tests.factories.mail import MailboxFactory, message
from tests.imap_server import ImapServer
from tests.processes import wait_until
from tests.reliability.conftest import Crew

pytestmark = [pytest.mark.reliability, pytest.mark.django_db(transaction=True)]

# Small enough for every change; larger by hand: RELIABILITY_MAILS=300 RELIABILITY_MAIL_KILLS=10.
MAILS = int(os.environ.get("RELIABILITY_MAILS", "60"))
KILLS = int(os.environ.get("RELIABILITY_MAIL_KILLS", "2"))
MAILBOXES = 50


@pytest.fixture
def imap_server() -> Iterator[ImapServer]:
    """A dovecot of this test's own."""
    with tempfile.TemporaryDirectory(prefix="vr-") as path:
        server = ImapServer(Path(path)).start()
        yield server
        server.stop()


@pytest.fixture
def reader(crew: Crew) -> Crew:
    """Workers that may knock at servers on this machine."""
    crew.environment["MAILBOX_HOSTS_INSIDE"] = "127.0.0.1"
    return crew


@pytest.fixture
def owner(transactional_db: None) -> User:
    """Whose mail it is."""
    return UserFactory(email="rita@example.test")


def fill(server: ImapServer, count: int) -> None:
    """Deliver so many messages of different people whom we know."""
    client = server.client()
    for number in range(count):
        raw = message(sender=f"person{number}@customer.test", subject=f"Message {number}", text="Hello\n" * 50)
        said, _answer = client.append("INBOX", "", "", raw.replace(b"\n", b"\r\n"))
        assert said == "OK"
    client.logout()


def of_dovecot(server: ImapServer, owner: User, user: str) -> Mailbox:
    return MailboxFactory(owner=owner, port=server.port, address=owner.email, username=user, password=server.password)


def test_killed_reader_loses_nothing_and_reads_nothing_twice(
    reader: Crew, imap_server: ImapServer, owner: User
) -> None:
    for number in range(MAILS):
        ContactFactory(owner=owner, email=f"person{number}@customer.test")
    fill(imap_server, MAILS)
    mailbox = of_dovecot(imap_server, owner, imap_server.user)
    chance, began = random.Random(4), time.monotonic()
    worker, kills, stopped_at = reader.worker(concurrency=1), 0, []

    def go_on_until(count: int) -> None:
        reader.tell("crm.jobs.read_mailboxes")
        assert wait_until(lambda: Receipt.objects.count() >= count, 60, every=0.01), reader.log()

    for kill in range(KILLS):
        go_on_until(1 + kill * (MAILS - 10) // KILLS)
        time.sleep(chance.random() / 50)
        worker.kill()
        kills += 1
        stopped_at.append(Receipt.objects.count())
        Mailbox.objects.update(lease_until=None)  # its reader is dead: two minutes are not waited for
        worker.start()
    go_on_until(MAILS)
    assert wait_until(lambda: not Mailbox.objects.exclude(lease_until=None).exists(), 60), reader.log()

    subjects = Counter(Email.objects.values_list("subject_line", flat=True))
    folder = MailFolder.objects.get()
    outcomes = dict(Counter(Receipt.objects.values_list("outcome", flat=True)))
    told = OutboxRow.objects.filter(kind="email_arrived").count()
    print(
        f"\n{MAILS} messages, {kills} kills at {stopped_at}: {outcomes}, {subjects.total()} e-mails, "
        f"{sum(1 for count in subjects.values() if count > 1)} twice, {MAILS - len(subjects)} lost, "
        f"{told} told, {time.monotonic() - began:.0f} s"
    )
    assert kills == KILLS
    assert subjects == Counter(f"Message {number}" for number in range(MAILS))
    assert outcomes == {"kept": MAILS}
    assert Activity.objects.filter(kind="email", direction="in").count() == MAILS
    assert told == MAILS
    assert Mailbox.objects.get(pk=mailbox.pk).trouble == ""
    assert folder.last_uid == MAILS


def test_server_that_hangs_starves_nobody(reader: Crew, imap_server: ImapServer, owner: User) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        MailboxFactory(owner=owner, port=hanging.getsockname()[1])  # the first in line
        for number in range(MAILBOXES):
            imap_server.for_another(f"person{number}")
            fill(imap_server, 1)
            of_dovecot(imap_server, owner, imap_server.user)
        reader.worker(concurrency=2)
        began = time.monotonic()
        reader.tell("crm.jobs.read_mailboxes")
        read = Mailbox.objects.exclude(last_read_at=None)
        assert wait_until(lambda: read.count() == MAILBOXES, 120), f"{read.count()} read\n{reader.log()}"
        print(f"\n{MAILBOXES} mailboxes beside one that hangs: read after {time.monotonic() - began:.1f} s")
        assert Receipt.objects.count() == MAILBOXES
        assert Mailbox.objects.get(last_read_at=None).tried_at is not None
        assert Mailbox.objects.filter(tried_at__lte=timezone.now(), trouble="").count() >= MAILBOXES
