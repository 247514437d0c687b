"""Where a message is put, and what follows: threads, addresses, copies, forwarded mail, bounces, marks."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from django.utils import timezone

from crm.models import Activity, Contact, Email, Lead, Mailbox, MailFolder, OutboxRow, Receipt, Suppression, User
from crm.rules.audit import acting
from crm.rules.delivering import deliver_due
from crm.rules.receiving.arriving import arrived
from crm.rules.receiving.keeping import arrival_of, keep
from crm.rules.receiving.parsing import parse
from crm.rules.receiving.whose import drop_address_of, renew_drop_address
from crm.rules.triage import lead_from_email, mark_response, place_email, set_aside, suggested_places
from pipeline.models import Pipeline
from tests.factories import ActivityFactory, ContactFactory, DealFactory, LeadFactory
from tests.factories.mail import MailboxFactory, message

pytestmark = pytest.mark.django_db


@pytest.fixture
def mailbox(rep: User) -> Mailbox:
    """The rep's mailbox."""
    return MailboxFactory(owner=rep, address=rep.email)


@pytest.fixture
def contact(rep: User) -> Contact:
    """Somebody the rep knows."""
    return ContactFactory(name="Anna", email="anna@customer.test", owner=rep)


def receive(mailbox: Mailbox, raw: bytes) -> tuple[str, Email | None]:
    """Keep one message, as the reader would."""
    folder = MailFolder.objects.get_or_create(mailbox=mailbox, name="INBOX")[0]
    with acting(None):
        arrival = arrival_of(parse(raw), mailbox, now=timezone.now())
        outcome, email = keep(arrival)
        uid = {"uid": Receipt.objects.count() + 1, "uid_validity": 1, "key": uuid.uuid4().hex}
        Receipt.objects.create(
            mailbox=mailbox, folder=folder, outcome=outcome, email=email, person=arrival.person, **uid
        )
    return outcome, email


def letter_to(contact: Contact, *, by: User) -> Email:
    """A letter of ours that was sent."""
    touch = ActivityFactory(subject=contact, kind="email", author=by, at=timezone.now() - dt.timedelta(days=1))
    row = OutboxRow.objects.create(kind="email", dedupe_key=f"email:{contact.pk}", state="sent")
    return Email.objects.create(
        direction="out",
        subject=contact,
        author=by,
        activity=touch,
        row=row,
        to_address=contact.email,
        subject_line="Our offer",
        message_id="<ours@voronka.test>",
        at=touch.at,
    )


# --- Places -----------------------------------------------------------------------------------------------------------


def test_answer_is_placed_by_its_thread_whoever_writes(mailbox: Mailbox, contact: Contact, rep: User) -> None:
    letter = letter_to(contact, by=rep)
    outcome, email = receive(
        mailbox, message(sender="secretary@customer.test", References="<a@b> <ours@voronka.test>", text="Yes, please")
    )
    assert outcome == "kept"
    assert email is not None
    assert (email.subject, email.answers) == (contact, letter.activity)


def test_contacts_mail_belongs_to_their_one_open_deal(
    mailbox: Mailbox, contact: Contact, rep: User, sales: Pipeline
) -> None:
    deal = DealFactory(owner=rep, contact=contact)
    assert receive(mailbox, message())[1].subject == deal  # type: ignore[union-attr]
    DealFactory(owner=rep, contact=contact)
    assert receive(mailbox, message())[1].subject == contact  # type: ignore[union-attr]


def test_two_people_with_one_address_are_a_question(mailbox: Mailbox, contact: Contact, rep: User) -> None:
    twin = ContactFactory(name="Anna too", email=contact.email, owner=rep)
    email = receive(mailbox, message())[1]
    assert email is not None
    assert email.subject is None
    assert list(Email.objects.unsorted()) == [email]
    assert set(suggested_places([email], by=rep)[email]) == {contact, twin}


def test_records_the_addressee_does_not_see_are_not_found(mailbox: Mailbox, outsider: User) -> None:
    LeadFactory(owner=outsider, email="anna@customer.test")
    assert receive(mailbox, message())[1].subject is None  # type: ignore[union-attr]


def test_who_sees_what_waits(mailbox: Mailbox, rep: User, colleague: User, manager: User, outsider: User) -> None:
    receive(mailbox, message())
    seen = {user.name: Email.objects.visible_to(user).exists() for user in (rep, colleague, manager, outsider)}
    assert seen == {rep.name: True, colleague.name: False, manager.name: True, outsider.name: False}
    Mailbox.objects.update(team=rep.team)
    receive(Mailbox.objects.get(), message())
    assert Email.objects.visible_to(colleague).count() == 1


def test_strangers_and_lists_are_kept_only_where_asked_for(mailbox: Mailbox) -> None:
    assert receive(mailbox, message(List_Unsubscribe="<mailto:x@y.test>"))[0] == "unknown"
    assert receive(mailbox, message(Auto_Submitted="auto-replied"))[0] == "unknown"
    mailbox.keeps_unknown = False
    assert receive(mailbox, message())[0] == "unknown"


def test_colleagues_mail_is_nobodys_business(mailbox: Mailbox, rep: User, colleague: User) -> None:
    assert receive(mailbox, message(sender=colleague.email, to=rep.email))[0] == "internal"


def test_one_message_to_two_of_us_stands_once(mailbox: Mailbox, contact: Contact, colleague: User) -> None:
    raw = message(message_id="<same@customer.test>")
    first = receive(mailbox, raw)
    second = receive(MailboxFactory(owner=colleague, address=colleague.email), raw)
    assert (first[0], second[0]) == ("kept", "known")
    assert first[1] == second[1]


# --- Machines ---------------------------------------------------------------------------------------------------------


def test_automatic_reply_is_no_answer_and_no_touch(mailbox: Mailbox, contact: Contact, rep: User) -> None:
    letter_to(contact, by=rep)
    heard: list[Email] = []
    arrived.append(heard.append)
    try:
        email = receive(mailbox, message(subject="Автоответ: Our offer", In_Reply_To="<ours@voronka.test>"))[1]
    finally:
        arrived.remove(heard.append)
    assert email is not None
    assert (email.nature, email.answers) == ("auto_reply", None)
    assert not contact.activities.touches().filter(direction="in").exists()
    contact.refresh_from_db()
    assert contact.last_touch_at == email.subject.activities.get(direction="out").at
    assert heard == [email]
    assert not OutboxRow.objects.filter(kind="email_arrived").exists()


BOUNCE = (
    "From: MAILER-DAEMON@mx.test\r\nTo: rita@example.test\r\nSubject: Undelivered Mail Returned to Sender\r\n"
    "Message-ID: <bounce@mx.test>\r\nMIME-Version: 1.0\r\n"
    'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
    "--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
    "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.test\r\n\r\n"
    "Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: {status}\r\n"
    "Diagnostic-Code: smtp; 550 {status} no such user\r\n\r\n"
    "--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <ours@voronka.test>\r\nSubject: Our offer\r\n\r\n"
    "--b--\r\n"
)


def test_hard_bounce_ends_mail_to_the_address(mailbox: Mailbox, contact: Contact, rep: User) -> None:
    letter = letter_to(contact, by=rep)
    raw = BOUNCE.format(recipient=contact.email, status="5.1.1").encode()
    assert receive(mailbox, raw)[0] == "kept"
    letter.refresh_from_db()
    assert letter.bounced_at is not None
    assert Suppression.objects.get().address == contact.email
    assert not contact.activities.filter(direction="in").exists()
    assert OutboxRow.objects.filter(kind="email_trouble", recipient=rep).count() == 1


def test_full_mailbox_is_a_soft_bounce(mailbox: Mailbox, contact: Contact, rep: User) -> None:
    letter_to(contact, by=rep)
    receive(mailbox, BOUNCE.format(recipient=contact.email, status="5.2.2").encode())
    assert not Suppression.objects.exists()


def test_nobody_ends_mail_to_somebody_else_by_a_report(mailbox: Mailbox, contact: Contact, rep: User) -> None:
    raw = BOUNCE.format(recipient="ceo@customer.test", status="5.1.1").encode()
    assert receive(mailbox, raw)[0] == "unknown"
    letter_to(contact, by=rep)
    receive(mailbox, raw)
    assert [each.address for each in Suppression.objects.all()] == [contact.email]


def test_complaint_ends_mail_to_who_complained(mailbox: Mailbox, contact: Contact, rep: User) -> None:
    letter_to(contact, by=rep)
    raw = BOUNCE.replace("delivery-status", "feedback-report", 1).format(recipient=contact.email, status="5.1.1")
    receive(mailbox, raw.encode())
    assert Suppression.objects.get().reason == "complained"


# --- Copies and forwarded mail ----------------------------------------------------------------------------------------


@pytest.fixture
def drop_box(admin: User) -> Mailbox:
    """The mailbox that takes copies."""
    return MailboxFactory(owner=admin, address="crm@example.test", takes_copies=True)


@pytest.fixture
def drop(drop_box: Mailbox, rep: User) -> str:
    """The rep's address for copies."""
    renew_drop_address(rep, now=timezone.now())
    return drop_address_of(rep)


def test_blind_copy_is_an_outbound_touch(drop_box: Mailbox, drop: str, rep: User) -> None:
    lead = LeadFactory(owner=rep, email="anna@customer.test")
    receive(drop_box, message(sender=f"Rita <{rep.email}>", to=lead.email, Delivered_To=drop))
    activity = Activity.objects.get()
    assert (activity.subject, activity.direction, activity.author) == (lead, "out", rep)
    lead.refresh_from_db()
    assert lead.status == Lead.Status.WORKING


def test_forwarded_mail_is_its_writers(drop_box: Mailbox, drop: str, rep: User, contact: Contact) -> None:
    text = (
        "Смотри\n\n-------- Пересылаемое сообщение --------\nОт: Анна <anna@customer.test>\nДата: 1 июня 2026\n"
        "Кому: rita@example.test\nТема: Вопрос\n\nПришлите договор"
    )
    email = receive(drop_box, message(sender=rep.email, to=drop, subject="Fwd: Вопрос", text=text))[1]
    assert email is not None
    assert (email.subject, email.direction, email.from_address) == (contact, "in", contact.email)
    assert (email.subject_line, email.new_text) == ("Вопрос", "Пришлите договор")


def test_copy_to_nobody_known_is_asked_about(drop_box: Mailbox, drop: str, rep: User) -> None:
    email = receive(drop_box, message(sender=rep.email, to="new@customer.test", Delivered_To=drop))[1]
    assert list(Email.objects.unsorted()) == [email]
    lead = lead_from_email(email, by=rep, now=timezone.now())  # type: ignore[arg-type]
    assert (lead.email, lead.owner) == ("new@customer.test", rep)
    assert lead.activities.get().direction == "out"


def test_old_address_for_copies_ends(drop_box: Mailbox, drop: str, rep: User) -> None:
    renew_drop_address(rep, now=timezone.now())
    email = receive(drop_box, message(sender=rep.email, to="new@customer.test", Delivered_To=drop))[1]
    assert email is None
    assert drop_address_of(rep) != drop


# --- Marks and places by hand -----------------------------------------------------------------------------------------


def test_mark_counts_for_the_touch_that_is_answered(mailbox: Mailbox, contact: Contact, rep: User) -> None:
    letter = letter_to(contact, by=rep)
    first = receive(mailbox, message(In_Reply_To="<ours@voronka.test>", text="Not interested"))[1]
    assert first is not None
    assert (first.suggested, first.suggested_for) == ("negative", "Not interested")
    mark_response(first, response="negative", by=rep)
    assert Activity.objects.get(pk=letter.activity_id).response == "negative"

    second = receive(mailbox, message(In_Reply_To="<ours@voronka.test>", text="On second thought, let's talk"))[1]
    mark_response(second, response="positive", by=rep)  # type: ignore[arg-type]
    assert Activity.objects.get(pk=letter.activity_id).response == "positive"
    mark_response(second, response="none", by=rep)  # type: ignore[arg-type]
    assert Activity.objects.get(pk=letter.activity_id).response == "negative"


def test_wrong_place_is_corrected_with_all_that_followed(mailbox: Mailbox, contact: Contact, rep: User) -> None:
    letter = letter_to(contact, by=rep)
    email = receive(mailbox, message(text="Yes, let's talk"))[1]
    mark_response(email, response="positive", by=rep)  # type: ignore[arg-type]
    lead = LeadFactory(owner=rep)

    moved = place_email(email, subject=lead, by=rep, now=timezone.now())  # type: ignore[arg-type]

    assert moved.subject == lead
    assert moved.activity.response == "positive"
    assert Activity.objects.get(pk=letter.activity_id).response == "none"
    contact.refresh_from_db()
    assert contact.last_touch_at == letter.at
    assert not contact.activities.filter(direction="in").exists()


def test_set_aside_leaves_the_list(mailbox: Mailbox, rep: User) -> None:
    email = receive(mailbox, message())[1]
    set_aside(email, by=rep)  # type: ignore[arg-type]
    assert not Email.objects.unsorted().exists()


def test_owner_is_told_in_the_page(mailbox: Mailbox, contact: Contact, rep: User) -> None:
    receive(mailbox, message(subject="Ваш договор"))
    deliver_due(seconds=5)
    notice = rep.notifications.get()
    assert "Ваш договор" in notice.text
    assert notice.subject == contact


def test_who_hears_of_it_is_called_in_the_same_transaction(mailbox: Mailbox, contact: Contact) -> None:
    def fails(_email: Email) -> Any:
        raise RuntimeError

    arrived.append(fails)
    try:
        with pytest.raises(RuntimeError):
            receive(mailbox, message())
    finally:
        arrived.remove(fails)
    assert not Email.objects.exists()
