"""Reading mailboxes from a real IMAP server: nothing twice, nothing lost, trouble told once."""

from __future__ import annotations

import datetime as dt
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from crm.models import Activity, Email, EmailAttachment, Lead, Mailbox, MailFolder, OutboxRow, Receipt, User
from crm.rules.mailboxes import try_mailbox
from crm.rules.receiving import taking
from crm.rules.receiving.connecting import LoginRefused
from crm.rules.receiving.reaching import Deadline, MailboxTrouble, addresses_of
from crm.rules.receiving.reading import due_mailboxes, read_mailbox
from crm.rules.sealing import is_sealed_with_present_key
from tests.factories import ContactFactory, LeadFactory
from tests.factories.mail import MailboxFactory, message
from tests.imap_server import ImapServer

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def dovecot_server() -> Iterator[ImapServer]:
    """One dovecot for all tests of this module."""
    with tempfile.TemporaryDirectory(prefix="vr-") as path:
        server = ImapServer(Path(path)).start()
        yield server
        server.stop()


@pytest.fixture
def server(dovecot_server: ImapServer, settings: Any) -> ImapServer:
    """A running dovecot with an empty mailbox."""
    settings.MAILBOX_HOSTS_INSIDE = frozenset({"127.0.0.1"})
    dovecot_server.for_another(uuid.uuid4().hex)
    return dovecot_server


@pytest.fixture
def mailbox(server: ImapServer, rep: User) -> Mailbox:
    """The rep's mailbox on it."""
    return MailboxFactory(
        owner=rep, port=server.port, address=rep.email, username=server.user, password=server.password
    )


def read(mailbox: Mailbox, *, seconds: float = 20) -> dict[str, int]:
    """Read once."""
    return dict(read_mailbox(mailbox.pk, seconds=seconds, now=timezone.now()))


def test_message_is_put_on_the_lead_who_wrote_it_once(server: ImapServer, mailbox: Mailbox, rep: User) -> None:
    lead = LeadFactory(owner=rep, email="anna@customer.test")
    server.put(message(sender="Anna <Anna@Customer.test>", text="Yes, let's talk.\n\n-- \nAnna"))

    assert read(mailbox) == {"kept": 1}
    assert read(mailbox) == {}
    email = Email.objects.get()
    assert email.subject == lead
    assert email.new_text == "Yes, let's talk."
    assert (email.suggested, email.suggested_for) == ("positive", "let's talk")
    lead.refresh_from_db()
    assert lead.last_touch_at == email.at
    assert OutboxRow.objects.get(kind="email_arrived").recipient == rep


def test_new_uidvalidity_reads_nothing_twice(server: ImapServer, mailbox: Mailbox, rep: User) -> None:
    ContactFactory(owner=rep, email="anna@customer.test")
    Mailbox.objects.update(folder="Sent")
    server.put(message(sender="anna@customer.test", message_id="<one@customer.test>"), folder="Sent")
    assert read(mailbox) == {"kept": 1}
    before = MailFolder.objects.get()

    server.begin_anew()
    server.put(message(sender="anna@customer.test", message_id="<one@customer.test>"), folder="Sent")
    server.put(message(sender="anna@customer.test", message_id="<two@customer.test>"), folder="Sent")

    assert read(mailbox) == {"known": 1, "kept": 1}
    assert MailFolder.objects.get().uid_validity != before.uid_validity
    assert Email.objects.count() == 2


def test_reader_stops_in_time_and_goes_on_where_it_stopped(server: ImapServer, mailbox: Mailbox) -> None:
    for number in range(3):
        server.put(message(sender=f"person{number}@customer.test"))

    assert read(mailbox, seconds=-1) == {"more": 3}
    assert read(mailbox) == {"kept": 3}


def test_two_readers_do_not_read_at_once(server: ImapServer, mailbox: Mailbox) -> None:
    server.put(message(sender="anna@customer.test"))
    Mailbox.objects.update(lease_until=timezone.now() + dt.timedelta(minutes=1), lease_owner="another")

    assert due_mailboxes(now=timezone.now()) == []
    assert read(mailbox) == {}


def test_reader_whose_lease_is_lost_keeps_nothing(
    server: ImapServer, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put(message(sender="anna@customer.test"))
    parse = taking.parse

    def slowly(content: bytes, *, is_cut: bool) -> object:
        Mailbox.objects.update(lease_owner="another")
        return parse(content, is_cut=is_cut)

    monkeypatch.setattr(taking, "parse", slowly)
    assert read(mailbox) == {}
    assert not Email.objects.exists()
    assert Mailbox.objects.get().lease_owner == "another"


def test_message_that_cannot_be_kept_is_shown_and_holds_up_no_other(
    server: ImapServer, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put(message(sender="anna@customer.test", subject="Bad"))
    server.put(message(sender="bert@customer.test", subject="Good"))
    keep = taking.keep

    def fails(arrival: object) -> object:
        if arrival.mail.subject_line == "Bad":  # type: ignore[attr-defined]
            raise ValueError("a mail nobody thought of")
        return keep(arrival)  # type: ignore[arg-type]

    monkeypatch.setattr(taking, "keep", fails)
    assert read(mailbox) == {"broken": 1, "kept": 1}
    assert {email.subject_line for email in Email.objects.unsorted()} == {"Bad", "Good"}
    original = EmailAttachment.objects.get(email__subject_line="Bad")
    assert b"Subject: Bad" in bytes(original.content)


def test_poison_stops_no_mailbox(server: ImapServer, mailbox: Mailbox) -> None:
    server.put(b"From: x@y.test\r\nSubject: =?undefined?q?x?=\r\n\r\nhi")
    server.put(b"From: " + b"(" * 9_000 + b"\r\nSubject: s\r\n\r\nx")
    server.put(message(sender="anna@customer.test", subject="Good"))

    assert read(mailbox) == {"kept": 3}
    assert "Good" in Email.objects.values_list("subject_line", flat=True)


def test_large_message_is_cut(server: ImapServer, mailbox: Mailbox, settings: Any) -> None:
    settings.MAILBOX_MESSAGE_MAX_BYTES = 2_000
    server.put(message(sender="anna@customer.test", text="word " * 2_000))

    assert read(mailbox) == {"kept": 1}
    email = Email.objects.get()
    assert email.is_cut
    assert len(email.text) < 2_000


def test_wrong_password_is_shown_and_told_once(server: ImapServer, mailbox: Mailbox, rep: User) -> None:
    Mailbox.objects.update(secret=MailboxFactory.build(password="wrong").secret)

    for _round in range(2):
        assert read(mailbox) == {"trouble": 1}
    mailbox.refresh_from_db()
    assert "password" in mailbox.trouble
    assert [row.recipient for row in OutboxRow.objects.filter(kind="mailbox_trouble")] == [rep]
    assert due_mailboxes(now=timezone.now()) == []
    assert due_mailboxes(now=timezone.now() + dt.timedelta(minutes=11)) == [mailbox.pk]


def test_server_that_is_away_for_a_moment_is_told_nobody(server: ImapServer, mailbox: Mailbox) -> None:
    server.stop()
    assert read(mailbox) == {"trouble": 1}
    assert not OutboxRow.objects.filter(kind="mailbox_trouble").exists()
    Mailbox.objects.update(trouble_since=timezone.now() - dt.timedelta(minutes=11))
    assert read(mailbox) == {"trouble": 1}
    assert OutboxRow.objects.filter(kind="mailbox_trouble").count() == 1

    server.start()
    assert read(mailbox) == {}
    mailbox.refresh_from_db()
    assert (mailbox.trouble, mailbox.trouble_since) == ("", None)


def test_nothing_is_marked_in_the_mailbox(server: ImapServer, mailbox: Mailbox) -> None:
    server.put(message(sender="anna@customer.test"))
    read(mailbox)
    client = server.client()
    client.select("INBOX", readonly=True)
    _said, unseen = client.search(None, "UNSEEN")
    client.logout()
    assert unseen[0].split() == [b"1"]


def test_password_is_sealed_anew_after_the_key_has_changed(server: ImapServer, mailbox: Mailbox, settings: Any) -> None:
    assert server.password not in mailbox.secret
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key " * 6
    assert not is_sealed_with_present_key(mailbox.secret)

    assert read(mailbox) == {}
    mailbox.refresh_from_db()
    assert is_sealed_with_present_key(mailbox.secret)


def test_key_that_is_gone_is_told(server: ImapServer, mailbox: Mailbox, settings: Any) -> None:
    settings.SECRET_KEY = "another key " * 6
    assert read(mailbox) == {"trouble": 1}
    assert OutboxRow.objects.filter(kind="mailbox_trouble").exists()


def test_trying_counts_what_waits_and_says_what_is_wrong(server: ImapServer, mailbox: Mailbox) -> None:
    mailbox.sent_folder = "Sent"
    server.put(message(sender="anna@customer.test"))
    assert try_mailbox(mailbox).waiting == {"INBOX": 1, "Sent": 0}

    mailbox.folder = "Nowhere"
    with pytest.raises(MailboxTrouble, match="Nowhere"):
        try_mailbox(mailbox)
    mailbox.secret = MailboxFactory.build(password="wrong").secret
    with pytest.raises(LoginRefused):
        try_mailbox(mailbox)
    assert not Receipt.objects.exists()


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "10.0.0.1", "169.254.169.254", "::1", "0.0.0.0", "64:ff9b::a00:1"]
)
def test_hosts_inside_are_not_knocked_at(host: str, settings: Any) -> None:
    settings.MAILBOX_HOSTS_INSIDE = frozenset()
    with pytest.raises(MailboxTrouble):
        addresses_of(host, 993, Deadline(5))


def test_own_sent_mail_is_an_outbound_touch_that_stops_the_clock(
    server: ImapServer, mailbox: Mailbox, rep: User
) -> None:
    Mailbox.objects.update(sent_folder="Sent")
    lead = LeadFactory(owner=rep, email="anna@customer.test")
    server.put(message(sender=rep.email, to="Anna <anna@customer.test>, other@nobody.test"), folder="Sent")

    assert read(mailbox) == {"kept": 1}
    activity = Activity.objects.get()
    assert (activity.subject, activity.direction, activity.author) == (lead, "out", rep)
    lead.refresh_from_db()
    assert lead.first_response_at is not None
    assert lead.status == Lead.Status.WORKING
