"""Mail made to do harm: it stops no mailbox, hides nobody's mail, shows nobody's to others, and ends no clock."""

from __future__ import annotations

import random
import time
from itertools import count
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm.models import Activity, Contact, Email, EmailAttachment, Lead, Mailbox, MailFolder, Receipt, User
from crm.rules.leads import create_lead
from crm.rules.mailboxes import AddressRefused, create_mailbox, edit_mailbox
from crm.rules.receiving import taking
from crm.rules.receiving.connecting import Fetched
from crm.rules.receiving.leases import take_lease
from crm.rules.receiving.messages import MOST_HEADERS, MOST_PARTS_MADE
from crm.rules.receiving.parsing import parse
from crm.rules.receiving.taking import Piece, take
from crm.rules.receiving.whose import drop_address_of, renew_drop_address
from tests.factories import ContactFactory, LeadFactory
from tests.factories.mail import MailboxFactory, message

pytestmark = pytest.mark.django_db
uids = count(1)


@pytest.fixture
def mailbox(rep: User) -> Mailbox:
    """The rep's mailbox."""
    return MailboxFactory(owner=rep, address=rep.email)


@pytest.fixture
def contact(rep: User) -> Contact:
    """Somebody the rep knows."""
    return ContactFactory(name="Anna", email="anna@customer.test", owner=rep)


def piece_of(mailbox: Mailbox, raw: bytes, *, is_sent: bool = False, uid: int = 0) -> Piece:
    folder = MailFolder.objects.get_or_create(mailbox=mailbox, name="Sent" if is_sent else "INBOX")[0]
    now = timezone.now()
    Mailbox.objects.filter(pk=mailbox.pk).update(lease_until=None)
    leased = take_lease(mailbox.pk, now=now)
    assert leased is not None
    return Piece(leased, folder, is_sent, 1, uid or next(uids), Fetched(raw, is_cut=False), now)


def receive(mailbox: Mailbox, raw: bytes, *, is_sent: bool = False) -> tuple[str, Email | None]:
    """Take one message, as the reader would; return what became of it, and the e-mail it became."""
    outcome = take(piece_of(mailbox, raw, is_sent=is_sent))
    receipt = Receipt.objects.filter(mailbox=mailbox).order_by("-pk").first()
    return outcome, receipt.email if receipt else None


# --- What cannot be understood or kept --------------------------------------------------------------------------------


POISON = {
    "encoding": b"From: x@y.test\r\nMessage-ID: <1@y>\r\nSubject: =?undefined?q?x?=\r\n\r\nhi",
    "charset": b"From: x@y.test\r\nContent-Type: text/plain; charset=undefined\r\n\r\nh\xe9",
    "brackets": b"From: " + b"(" * 9_000 + b" x@y.test\r\nSubject: s\r\n\r\nx",
    "parts": b"From: x@y.test\r\n" + b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (depth, depth) for depth in range(3_000)
    ),
    "zero": b'From: x@y.test\r\nContent-Type: text/plain; charset="\x00"\r\n\r\nh\xe9',
    "nothing": b"",
    "zeros": b"\x00" * 5_000,
    "date": b"From: x@y.test\r\nDate: Mon, 99 Foo 99999999999999999999 25:61:61 +99999999999\r\n\r\nx",
    "surrogates": b"From: \xed\xa0\x80@y.test\r\nMessage-ID: <\xed\xa0\x80@y>\r\nSubject: \xed\xa0\x80\r\n\r\nx",
    "base64": b"From: x@y.test\r\nSubject: =?utf-8?b?a?=\r\n\r\nx",
}  # fmt: skip


@pytest.mark.parametrize("raw", POISON.values(), ids=POISON)
def test_poison_is_understood_as_far_as_can_be(raw: bytes, mailbox: Mailbox) -> None:
    parse(raw)
    assert take(piece_of(mailbox, raw)) in {"kept", "unknown"}


def test_what_the_parser_dies_of_is_shown_with_its_original(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_args: object, **_options: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(taking, "parse", fails)
    outcome, email = receive(mailbox, b"From: Anna <Anna@Customer.test>\r\nSubject: Bad\x00\r\n\r\nwords")
    assert outcome == "broken"
    assert email is not None
    assert (email.from_address, email.subject_line, email.is_cut) == ("anna@customer.test", "Bad", True)
    assert bytes(EmailAttachment.objects.get(email=email).content).endswith(b"words")
    assert list(Email.objects.unsorted()) == [email]


def test_what_cannot_even_be_shown_is_noted_and_passed(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_args: object, **_options: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(taking, "arrival_of", fails)
    assert receive(mailbox, message()) == ("broken", None)
    assert Receipt.objects.get().person == mailbox.owner
    assert MailFolder.objects.get().last_uid


def test_message_of_which_readers_die_is_kept_unread_in_the_end(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """As by kill -9: nothing after it runs."""

    def dies(*_args: object, **_options: object) -> None:
        raise Killed

    uid = next(uids)
    with monkeypatch.context() as deadly:
        deadly.setattr(taking, "parse", dies)
        for _try in range(taking.MOST_TRIES):
            with pytest.raises(Killed):
                take(piece_of(mailbox, message(subject="Deadly"), uid=uid))
        assert take(piece_of(mailbox, message(subject="Deadly"), uid=uid)) == "broken"
    assert Email.objects.get().subject_line == "Deadly"
    assert take(piece_of(mailbox, message(subject="Next"))) == "kept"


def test_costly_headers_are_cut_before_they_cost() -> None:
    names = b'Content-Disposition: attachment; filename="' + b';\\"' * 400_000
    began = time.process_time()
    mail = parse(b"From: x@y.test\r\nContent-Type: text/plain; " + b"a*0=b;" * 200_000 + b"\r\n" + names + b"\r\n\r\nx")
    assert mail.sender == ("", "x@y.test")
    assert time.process_time() - began < 10  # the square of their length takes minutes


def test_of_parts_and_headers_no_more_are_made_than_anybody_writes() -> None:
    head = b"From: x@y.test\r\nContent-Type: multipart/mixed; boundary=b\r\n"
    mail = parse(head + b"\r\n" + b"--b\r\n\r\nx\r\n" * (MOST_PARTS_MADE + 1))
    assert mail.sender == ("", "x@y.test")
    assert mail.text.startswith("--b")
    assert len(list(mail.message.walk())) == 1
    assert len(parse(head + b"a: b\r\n" * 2 * MOST_HEADERS + b"\r\nx").message.items()) == MOST_HEADERS


def mutated(raw: bytes, chance: random.Random) -> bytes:
    """A mail with some of its bytes changed, doubled, left out or put elsewhere."""
    content = bytearray(raw)
    for _change in range(chance.randint(1, 12)):
        at, length = chance.randrange(len(content) + 1), chance.choice([1, 1, 4, 40, 400])
        piece = bytes(content[at : at + length])
        match chance.randrange(5):
            case 0:
                content[at : at + length] = bytes(chance.randrange(256) for _byte in piece)
            case 1:
                content[at:at] = piece * chance.choice([1, 3, 200])
            case 2:
                del content[at : at + length]
            case 3:
                content[at:at] = chance.choice(TRICKS)
            case _:
                elsewhere = chance.randrange(len(content) + 1)
                content[elsewhere:elsewhere] = piece
    return bytes(content[:60_000])


TRICKS = (
    b"=?undefined?q?x?=", b"=?utf-8?b?=====?=", b"=?idna?q?=FF?=", b'; charset="\x00"', b"filename*=utf-8''%00%ff",
    b"(" * 3_000, b'"' * 99, b"<" * 3_000, b"<div>" * 2_000, b"\r\n> " * 500, b"\xff\xfe", b"\x00", b"\r\n\r\n",
    b"\r\nContent-Type: multipart/mixed; boundary=\r\n\r\n", b"\r\nContent-Type: message/rfc822\r\n\r\n",
    b"\r\nContent-Transfer-Encoding: base64\r\n", b"\r\nContent-Type: text/html; charset=utf-7\r\n\r\n",
    b"\r\nDate: 1 Jan 0000 00:00:00 -9999\r\n", b"\r\nFrom: @,;:<>\r\n",
)  # fmt: skip
REPORT = (
    "From: MAILER-DAEMON@mx.test\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
    "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.test\r\n\r\n"
    "Final-Recipient: rfc822; a@b.test\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
    "--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <o@v>\r\n\r\n"
)


def samples() -> list[bytes]:
    """Mail of several kinds: plain, with HTML, reported by a mail server, encoded."""
    html = "<p>Hello</p><blockquote>On Monday Rita wrote:<p>An offer</p></blockquote>"
    answer = "Да, давайте\n\nOn Mon, Jun 1, 2026 at 9:00 Rita wrote:\n> An offer\n-- \nAnna"
    encoded = b"Subject: =?koi8-r?B?8NLJ18XU?=\r\n\r\n\xf0\xd2"
    return [message(text=answer, References="<a@b> <c@d>"), message(subject="Да", html=html), REPORT.encode(), encoded]


def test_no_mutated_mail_stops_a_mailbox(mailbox: Mailbox, contact: Contact) -> None:
    chance, whole = random.Random(20261122), samples()
    for _round in range(400):
        parse(mutated(chance.choice(whole), chance))  # what it holds is not for `take` to save
    outcomes = [take(piece_of(mailbox, mutated(chance.choice(whole), chance))) for _round in range(40)]
    assert len(outcomes) == 40
    assert "kept" in outcomes
    assert "broken" not in outcomes


# --- Who claims to be whom --------------------------------------------------------------------------------------------


def fields_of_mailbox(address: str) -> dict[str, Any]:
    said = {"host": "imap.evil.test", "port": 993, "security": "tls", "username": address, "folder": "INBOX"}
    return {"name": "mine", "address": address, "reads_from": timezone.localdate(), **said}


def test_mailbox_of_a_customers_address_hides_nobodys_mail(mailbox: Mailbox, contact: Contact, outsider: User) -> None:
    MailboxFactory(owner=outsider, address="anna@customer.test")  # however it came to be there
    outcome, email = receive(mailbox, message())
    assert outcome == "kept"
    assert email is not None
    assert (email.subject, email.direction) == (contact, "in")


def test_foreign_addresses_are_for_admins_to_add(outsider: User, admin: User, contact: Contact, rep: User) -> None:
    for address in ("anna@customer.test", "Nobody@elsewhere.test", rep.email.upper()):
        with pytest.raises(AddressRefused):
            create_mailbox(fields=fields_of_mailbox(address), password="x", by=outsider)
    with pytest.raises(AddressRefused, match="lead or contact"):
        create_mailbox(fields=fields_of_mailbox("Anna@customer.test"), password="x", by=admin)
    create_mailbox(fields=fields_of_mailbox("office@elsewhere.test"), password="x", by=admin)
    home = outsider.email.rpartition("@")[2]
    box = create_mailbox(fields=fields_of_mailbox(f"sales@{home}"), password="x", by=outsider)
    with pytest.raises(AddressRefused):
        edit_mailbox(box, fields={"address": "anna@customer.test"}, password="x", seen_version=1, by=outsider)


def test_at_a_free_provider_only_ones_own_address_is_ones_own(rep: User) -> None:
    User.objects.filter(pk=rep.pk).update(email="rita@gmail.com")
    rep.refresh_from_db()
    create_mailbox(fields=fields_of_mailbox("rita@gmail.com"), password="x", by=rep)
    with pytest.raises(AddressRefused):
        create_mailbox(fields=fields_of_mailbox("anna@gmail.com"), password="x", by=rep)


def test_refused_address_is_told_at_its_field(client: Client, rep: User) -> None:
    client.force_login(rep)
    fields = {**fields_of_mailbox("anna@customer.test"), "password": "x"}
    answer = client.post(reverse("mailbox_create"), fields)
    assert answer.status_code == 422
    assert "address" in answer.context["form"].errors
    assert not Mailbox.objects.exists()


def test_from_with_our_address_stops_no_clock(mailbox: Mailbox, rep: User) -> None:
    lead = create_lead(fields={"name": "L", "email": "anna@customer.test", "owner": rep}, by=rep, now=timezone.now())
    spoofed = message(sender=rep.email, to=f"{rep.email}, anna@customer.test", message_id="<one@example.test>")
    assert receive(mailbox, spoofed)[0] == "internal"
    lead.refresh_from_db()
    assert lead.first_response_at is None
    assert not Activity.objects.filter(kind="email").exists()

    # The same letter among those that were sent is a proof, though a copy of it came in before.
    assert receive(mailbox, spoofed, is_sent=True)[0] == "kept"
    assert receive(mailbox, spoofed, is_sent=True)[0] == "known"
    lead.refresh_from_db()
    assert lead.first_response_at is not None
    assert lead.status == Lead.Status.WORKING
    assert Activity.objects.get(kind="email").author == rep


def test_address_for_copies_proves_nothing_for_others(admin: User, rep: User) -> None:
    drop_box = MailboxFactory(owner=admin, address="crm@example.test", takes_copies=True)
    renew_drop_address(rep, now=timezone.now())
    lead = LeadFactory(owner=rep, email="anna@customer.test")
    receive(drop_box, message(sender=admin.email, to=lead.email, Delivered_To=drop_address_of(rep)))
    assert not Activity.objects.filter(direction="out").exists()


def test_sent_mail_is_written_by_whose_mailbox_it_lies_in(mailbox: Mailbox, contact: Contact, colleague: User) -> None:
    receive(mailbox, message(sender=colleague.email, to=contact.email), is_sent=True)
    assert Activity.objects.get().author == mailbox.owner


def test_message_id_of_anothers_mail_does_not_open_it(mailbox: Mailbox, rep: User, outsider: User) -> None:
    known = {"sender": "x@unknown.test", "message_id": "<known@unknown.test>"}
    private = receive(mailbox, message(text="private words", **known))[1]
    evil = MailboxFactory(owner=outsider, address=outsider.email)
    outcome, email = receive(evil, message(text="fake", **known))
    assert outcome == "kept"
    assert list(Email.objects.visible_to(outsider)) == [email]
    assert list(Email.objects.visible_to(rep)) == [private]


def test_words_alone_do_not_open_anothers_files(mailbox: Mailbox, outsider: User) -> None:
    boundary = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nSee there\r\n--b\r\n"
    file = 'Content-Disposition: attachment; filename="a.txt"\r\n\r\n{}\r\n--b--\r\n'
    raw = "From: x@unknown.test\r\nMessage-ID: <known@unknown.test>\r\n" + boundary + file
    receive(mailbox, raw.format("secret").encode())
    evil = MailboxFactory(owner=outsider, address=outsider.email)
    assert receive(evil, raw.format("guessed").encode())[0] == "kept"
    assert receive(MailboxFactory(owner=outsider), raw.format("secret").encode())[0] == "known"


@pytest.mark.parametrize("name", ["Message-ID", "In-Reply-To", "References"])
def test_message_ids_are_names_and_not_decoded(name: str) -> None:
    mail = parse(f"From: a@b.test\r\n{name}: <=?utf-8?q?ours?=@voronka.test>\r\n\r\nx".encode())
    found = {"Message-ID": [mail.message_id], "In-Reply-To": mail.in_reply_to, "References": mail.references}
    assert found[name] == ["<=?utf-8?q?ours?=@voronka.test>"]
