"""IMAP servers made to do harm: slow by the byte, endless, talking nonsense, or a way into our own network."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm.models import Mailbox, User
from crm.rules import mailboxes
from crm.rules.mailboxes import try_mailbox
from crm.rules.receiving.bounded import ROOM
from crm.rules.receiving.connecting import Fetched, connected
from crm.rules.receiving.reaching import SECONDS, Deadline, MailboxTrouble, addresses_of
from crm.rules.receiving.reading import MOST_IN_TROUBLE, RESTS_IN_TROUBLE, due_mailboxes, read_mailbox
from tests.factories.mail import MailboxFactory

pytestmark = pytest.mark.django_db

GREETING = b"* OK [CAPABILITY IMAP4rev1 STARTTLS] hello\r\n"
Answer = Callable[[bytes, bytes], bytes]
"""What a server says to a command's name and arguments, before its OK."""
PATIENCE = 30.0
"""So long a slow server goes on: who waits for its end has failed."""


def sane(name: bytes, arguments: bytes) -> bytes:
    """The answers of a mailbox with two messages."""
    match name:
        case b"CAPABILITY":
            return b"* CAPABILITY IMAP4rev1 STARTTLS\r\n"
        case b"EXAMINE":
            return b"* 2 EXISTS\r\n"
        case b"STATUS":
            return b"* STATUS INBOX (UIDVALIDITY 7)\r\n"
        case b"UID" if b"SEARCH" in arguments:
            return b"* SEARCH 1 2\r\n"
        case b"UID":
            return literal(b"Subject: small\r\n\r\n")
    return b""


def literal(content: bytes, *, claimed: int | None = None) -> bytes:
    return b"* 1 FETCH (UID 1 RFC822.SIZE 10 BODY[]<0> {%d}\r\n%b)\r\n" % (claimed or len(content), content)


class Stops(Exception):
    """The server answers no further."""


def sane_until(word: bytes) -> Answer:
    """The same answers, up to a command with this word."""

    def answer(name: bytes, arguments: bytes) -> bytes:
        if word in (name, *arguments.split()):
            raise Stops
        return sane(name, arguments)

    return answer


def talk(connection: socket.socket, answer: Answer) -> None:
    """Answer command after command."""
    for line in connection.makefile("rb"):
        tag, name, arguments = (*line.split(None, 2), b"")[:3]
        connection.sendall(answer(name.upper(), arguments) + tag + b" OK done\r\n")


def speaking(answer: Answer) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        connection.sendall(GREETING)
        talk(connection, answer)

    return behave


def dripping(connection: socket.socket) -> None:
    """Say something for ever, byte by byte."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        connection.sendall(b"*")
        time.sleep(0.05)


@contextmanager
def server(behave: Callable[[socket.socket], None]) -> Iterator[int]:
    """Run a server for one connection after another; yields its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _address = listener.accept()
                with connection, suppress(OSError, ValueError):
                    behave(connection)

    threading.Thread(target=serve, daemon=True).start()
    yield int(listener.getsockname()[1])
    listener.close()


@pytest.fixture(autouse=True)
def _inside(settings: Any) -> None:
    settings.MAILBOX_HOSTS_INSIDE = frozenset({"127.0.0.1"})


def box(rep: User, port: int, **fields: Any) -> Mailbox:
    return MailboxFactory(owner=rep, port=port, **fields)


def test_slow_server_holds_no_page(client: Client, rep: User, monkeypatch: pytest.MonkeyPatch) -> None:
    assert mailboxes.TRYING_SECONDS <= 6
    monkeypatch.setattr(mailboxes, "TRYING_SECONDS", 1)
    client.force_login(rep)
    with server(dripping) as port:
        began = time.monotonic()
        answer = client.post(reverse("mailbox_try", args=[box(rep, port).pk]), follow=True)
        took = time.monotonic() - began
    assert "The server does not answer." in answer.content.decode()
    assert took < PATIENCE / 2


def test_slow_server_is_trouble_and_rests(rep: User) -> None:
    with server(dripping) as port:
        mailbox = box(rep, port)
        found = read_mailbox(mailbox.pk, seconds=1 - SECONDS, now=timezone.now())
    assert dict(found) == {"trouble": 1}
    assert due_mailboxes(now=timezone.now()) == []


def test_those_in_trouble_come_last_and_few_at_a_time(rep: User) -> None:
    long_ago = timezone.now() - 2 * RESTS_IN_TROUBLE
    for number in range(MOST_IN_TROUBLE + 2):
        box(rep, 143, trouble="The server does not answer.", tried_at=long_ago - dt.timedelta(minutes=number))
    fresh, well = box(rep, 143), box(rep, 143, tried_at=timezone.now())
    due = due_mailboxes(now=timezone.now())
    assert due[:2] == [fresh.pk, well.pk]
    assert len(due) == 2 + MOST_IN_TROUBLE
    assert due[2:] == sorted(due[2:], reverse=True)


def test_slow_goodbye_holds_nobody(rep: User) -> None:
    def behave(connection: socket.socket) -> None:
        with suppress(Stops):
            speaking(sane_until(b"LOGOUT"))(connection)
        time.sleep(PATIENCE)

    with server(behave) as port:
        began = time.monotonic()
        assert try_mailbox(box(rep, port)).waiting == {"INBOX": 2}
        assert time.monotonic() - began < PATIENCE / 2


def test_server_that_gives_no_parts_fills_no_memory(rep: User, settings: Any) -> None:
    settings.MAILBOX_MESSAGE_MAX_BYTES = 100_000
    whole = [literal(b"x" * (ROOM + 3_000_000)), literal(b"Subject: small\r\n\r\n")]

    def answer(name: bytes, arguments: bytes) -> bytes:
        return whole.pop(0) if b"FETCH" in arguments else sane(name, arguments)

    with server(speaking(answer)) as port, connected(box(rep, port), seconds=20) as reading:
        reading.open_folder("INBOX")
        assert reading.fetch(1, most=100_000) == Fetched(b"x" * 100_000, is_cut=True)
        assert reading.fetch(2, most=100_000) == Fetched(b"Subject: small\r\n\r\n", is_cut=False)


def test_endless_message_ends_at_the_deadline(rep: User, settings: Any) -> None:
    settings.MAILBOX_MESSAGE_MAX_BYTES = 1_000

    def behave(connection: socket.socket) -> None:
        with suppress(Stops):
            speaking(sane_until(b"FETCH"))(connection)
        connection.sendall(literal(b"", claimed=10**12)[:-3])
        while True:
            connection.sendall(b"x" * 10_000)
            time.sleep(0.01)

    with server(behave) as port, connected(box(rep, port), seconds=2) as reading:
        reading.open_folder("INBOX")
        with pytest.raises(MailboxTrouble, match="does not answer"):
            reading.fetch(1, most=1_000)


NONSENSE: dict[str, tuple[bytes, bytes]] = {
    "a line without an end": (b"SEARCH", b"* SEARCH " + b"1" * (ROOM + 1_000_000)),
    "an answer without an end": (b"SEARCH", (b"* OK " + b"x" * 10_000 + b"\r\n") * (ROOM // 9_000)),
    "UIDs that are none": (b"SEARCH", b"* SEARCH 99999999999999999999\r\n"),
    "letters that are none": (b"SEARCH", b"* SEARCH \xff\xfe\r\n"),
    "a number too long for Python": (b"SEARCH", b"* SEARCH " + b"9" * 5_000 + b"\r\n"),
    "a UIDVALIDITY that is none": (b"UIDVALIDITY", b"* STATUS INBOX (UIDVALIDITY 99999999999999)\r\n"),
    "no STATUS at all": (b"UIDVALIDITY", b""),
    "brackets": (b"UIDVALIDITY", b"* STATUS ((((\r\n"),
    "no answer in its form": (b"SEARCH", b"hello\r\n"),
}


@pytest.mark.parametrize("what", NONSENSE)
def test_nonsense_is_trouble_of_the_mailbox(what: str, rep: User, settings: Any) -> None:
    settings.MAILBOX_MESSAGE_MAX_BYTES = 1_000
    where, said = NONSENSE[what]

    def answer(name: bytes, arguments: bytes) -> bytes:
        return said if where in arguments else sane(name, arguments)

    with server(speaking(answer)) as port:
        mailbox = box(rep, port)
        assert dict(read_mailbox(mailbox.pk, seconds=10, now=timezone.now())) == {"trouble": 1}
    mailbox.refresh_from_db()
    assert mailbox.trouble


# --- The way there ----------------------------------------------------------------------------------------------------


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> None:
    """Have each question for an address answered with the next list, the last one for ever."""
    waiting = list(answers)

    def found(_host: str, port: int, *_args: object, **_options: object) -> list[Any]:
        addresses = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", found)


def test_connection_goes_to_the_address_that_was_checked(rep: User, monkeypatch: pytest.MonkeyPatch) -> None:
    knocked: list[Any] = []

    def connect(_self: socket.socket, address: Any) -> None:
        knocked.append(address)
        raise ConnectionRefusedError

    mailbox = box(rep, 143, host="rebind.evil.test")
    resolving(monkeypatch, ["93.184.216.34", "93.184.216.35"], ["127.0.0.1"])
    with monkeypatch.context() as at_the_socket:
        at_the_socket.setattr(socket.socket, "connect", connect)
        with pytest.raises(MailboxTrouble, match="refuses the connection"):
            try_mailbox(mailbox)
    assert knocked == [("93.184.216.34", 143), ("93.184.216.35", 143)]


@pytest.mark.parametrize("inside", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "100.64.0.1", "224.0.1.1"])
def test_one_address_inside_is_enough(inside: str, monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, ["93.184.216.34", inside])
    with pytest.raises(MailboxTrouble, match="inside our own network"):
        addresses_of("mixed.evil.test", 143, Deadline(5))


def test_slow_names_hold_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    is_over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: is_over.wait(PATIENCE) and [])
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        addresses_of("slow.evil.test", 143, Deadline(0.2))
    assert time.monotonic() - began < PATIENCE / 2
    is_over.set()


@pytest.fixture
def certified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """What a server proves with that it is mail.customer.test, to us who trust it."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("mail.customer.test")]), critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path / "both.pem"
    path.write_bytes(certificate.public_bytes(pem) + key.private_bytes(pem, *plain))
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@pytest.mark.parametrize(("host", "is_trusted"), [("mail.customer.test", True), ("mail.evil.test", False)])
def test_certificate_is_of_the_name_and_not_of_the_address(
    host: str, *, is_trusted: bool, rep: User, certified: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.MAILBOX_HOSTS_INSIDE = frozenset({host})
    asked_for: list[str] = []
    certified.sni_callback = lambda _socket, name, _context: asked_for.append(name)

    def behave(connection: socket.socket) -> None:
        with certified.wrap_socket(connection, server_side=True) as encrypted:
            speaking(sane)(encrypted)

    with server(behave) as port:
        mailbox = box(rep, port, host=host, security=Mailbox.Security.TLS)
        resolving(monkeypatch, ["127.0.0.1"])
        if is_trusted:
            assert try_mailbox(mailbox).waiting == {"INBOX": 2}
        else:
            with pytest.raises(MailboxTrouble, match="certificate"):
                try_mailbox(mailbox)
    assert asked_for == [host]


def test_words_from_before_the_encryption_count_for_nothing(
    rep: User, certified: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.MAILBOX_HOSTS_INSIDE = frozenset({"mail.customer.test"})

    def behave(connection: socket.socket) -> None:
        connection.sendall(GREETING)
        lines = connection.makefile("rb", buffering=0)
        while b"STARTTLS" not in (line := lines.readline()):
            connection.sendall(sane(*line.split()[1:2], b"") + line.split()[0] + b" OK done\r\n")
        connection.sendall(line.split()[0] + b" OK begin\r\n* SEARCH 1 2 3 4 5\r\n")
        with certified.wrap_socket(connection, server_side=True) as encrypted:
            talk(encrypted, sane)

    with server(behave) as port:
        mailbox = box(rep, port, host="mail.customer.test", security=Mailbox.Security.STARTTLS)
        resolving(monkeypatch, ["127.0.0.1"])
        assert try_mailbox(mailbox).waiting == {"INBOX": 2}
