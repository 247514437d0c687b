"""Letters to customers: merged safely, frozen when queued, asked about again when sent, never sent twice."""

from __future__ import annotations

import datetime as dt
from email import message_from_bytes
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.utils import timezone

from crm.models import Activity, Email, EmailAttachment, EmailTemplate, Lead, OutboxRow, Suppression, User
from crm.rules import mailing, outbox
from crm.rules.attached_files import read_file
from crm.rules.delivering import deliver_due
from crm.rules.emails import (
    Letter,
    NoAddress,
    Suppressed,
    TooLarge,
    answering_line,
    cancel_email,
    preview_email,
    write_email,
)
from crm.rules.errors import NotAllowed
from crm.rules.leads import delete_lead
from crm.rules.mail_html import clean, plain
from crm.rules.merge_fields import MissingValue, UnknownField
from crm.rules.sending import Postbox, Refused
from crm.rules.suppression import suppress
from tests.factories import LeadFactory

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 6, 1, 12, 0, tzinfo=dt.UTC)
GREETING = Letter("Offer for {{ company.name }}", "<p>Dear {{ person.first_name }},</p><p>{{ sender.name }}</p>")


@pytest.fixture
def lead(rep: User) -> Lead:
    return LeadFactory(owner=rep, name="Daria Kestrel", email="daria@client.test", company_name="Kestrel & Co")


def write(lead: Lead, by: User, letter: Letter = GREETING) -> Email:
    return write_email(letter, about=lead, to=lead, by=by, now=timezone.now())


def sent() -> EmailMultiAlternatives:
    deliver_due(seconds=5)
    (message,) = mail.outbox
    assert isinstance(message, EmailMultiAlternatives)
    return message


# --- Merging ----------------------------------------------------------------------------------------------------------


def test_fields_are_replaced_and_escaped_in_html_only(lead: Lead, rep: User) -> None:
    preview = preview_email(GREETING, about=lead, to=lead, by=rep)

    assert preview.subject_line == "Offer for Kestrel & Co"
    assert preview.html == "<p>Dear Daria,</p><p>Rita Rep</p>"
    assert preview.text == "Dear Daria,\n\nRita Rep"


@pytest.mark.parametrize(
    "hostile", ["{{ sender.email }}", "{% now %}", "{0.__class__}", "<script>alert(1)</script>", "$& \\1 \\g<0>"]
)
def test_what_a_value_contains_stays_text(lead: Lead, rep: User, hostile: str) -> None:
    lead.company_name = hostile

    preview = preview_email(Letter("{{ company.name }}", "<p>{{ company.name }}</p>"), about=lead, to=lead, by=rep)

    assert preview.subject_line == hostile
    assert "<script" not in preview.html
    assert preview.text.replace("\\", "") == hostile.replace("\\", "")


def test_a_missing_value_stops_the_letter_and_names_the_field(lead: Lead, rep: User) -> None:
    lead.company_name = ""
    with pytest.raises(MissingValue, match="Company"):
        write(lead, rep)
    assert not OutboxRow.objects.exists()


def test_the_author_may_say_what_stands_in_for_a_missing_value(lead: Lead, rep: User) -> None:
    lead.company_name = ""
    letter = Letter("For {{ company.name | your company }}", "<p>x</p>")
    assert preview_email(letter, about=lead, to=lead, by=rep).subject_line == "For your company"


@pytest.mark.parametrize("text", ["{{ person.password }}", "{{ person.first_name", "{{ person.name.upper }}", "{{}}"])
def test_unknown_fields_and_broken_braces_are_named(lead: Lead, rep: User, text: str) -> None:
    with pytest.raises(UnknownField):
        preview_email(Letter("x", text), about=lead, to=lead, by=rep)


def test_a_merged_address_cannot_become_a_script(lead: Lead, rep: User) -> None:
    lead.company_name = "javascript:alert(1)"
    letter = Letter("x", '<p><a href="{{ company.name }}">link</a></p>')
    assert "javascript" not in preview_email(letter, about=lead, to=lead, by=rep).html


def test_html_loses_what_runs_and_keeps_what_shows() -> None:
    dirty = '<p onclick="x()">Hi <b>you</b><script>x</script><img src="data:x"><iframe src="//e.test"></iframe></p>'
    assert clean(dirty) == "<p>Hi <b>you</b><img></p>"


def test_plain_text_keeps_links_and_lists() -> None:
    html = '<p>See <a href="https://a.test/x">this</a></p><ul><li>one</li><li>two *2_3*</li></ul>'
    assert plain(html) == "See this (https://a.test/x)\n\n- one\n- two *2_3*"


# --- Writing ----------------------------------------------------------------------------------------------------------


def test_who_may_only_look_cannot_write(lead: Lead, colleague: User) -> None:
    with pytest.raises(NotAllowed):
        write(lead, colleague)


@pytest.mark.parametrize("address", ["", "nobody", "a@b@c.test"])
def test_without_an_address_there_is_no_letter(lead: Lead, rep: User, address: str) -> None:
    lead.email = address
    with pytest.raises(NoAddress):
        write(lead, rep)


def test_a_suppressed_address_is_refused_in_any_case(lead: Lead, rep: User) -> None:
    suppress("Daria@Client.test", reason=Suppression.Reason.UNSUBSCRIBED, by=None, now=NOW)
    with pytest.raises(Suppressed, match="unsubscribed"):
        write(lead, rep)


def test_files_of_the_template_go_along_and_too_many_are_refused(lead: Lead, rep: User) -> None:
    template = EmailTemplate.objects.create(name="Offer", owner=rep, subject="x", body="y")
    EmailAttachment.objects.create(
        template=template, name="price.pdf", content_type="application/pdf", content=b"%PDF", size=4
    )
    write(lead, rep, Letter("x", "<p>y</p>", template=template))
    assert sent().attachments[0][0] == "price.pdf"

    EmailAttachment.objects.update(content=b"x" * 11_000_000)
    with pytest.raises(TooLarge):
        write(lead, rep, Letter("x", "<p>y</p>", template=template))


# --- Sending ----------------------------------------------------------------------------------------------------------


def test_a_letter_leaves_once_and_stands_on_the_timeline(lead: Lead, rep: User) -> None:
    email = write(lead, rep)

    message = sent()
    deliver_due(seconds=5)

    assert len(mail.outbox) == 1
    assert message.to == ["Daria Kestrel <daria@client.test>"]
    assert message.extra_headers["Message-ID"] == email.message_id
    assert "List-Unsubscribe" not in message.extra_headers
    (activity,) = lead.activities.all()
    assert (activity.kind, activity.direction, activity.author) == ("email", "out", rep)
    lead.refresh_from_db()
    assert (lead.status, lead.first_response_at) == (Lead.Status.WORKING, activity.at)


def test_an_answer_stays_in_its_thread(lead: Lead, rep: User) -> None:
    theirs = Email.objects.create(
        direction="in", subject=lead, message_id="<two@client.test>", references="<one@ours.test>"
    )
    write(lead, rep, Letter("Re", "<p>x</p>", answers=theirs))

    headers = sent().extra_headers

    assert headers["In-Reply-To"] == "<two@client.test>"
    assert headers["References"] == "<one@ours.test> <two@client.test>"


@pytest.mark.parametrize("theirs", ["{{ sender.email }}", "Re: {{ person.phone }} {{", "{% now %}  {0.__class__}"])
def test_the_subject_of_whom_one_answers_stays_text(lead: Lead, rep: User, theirs: str) -> None:
    answered = Email.objects.create(direction="in", subject=lead, message_id="<x@client.test>", subject_line=theirs)
    line = answering_line(answered)
    write(lead, rep, Letter(line, "<p>x</p>", answers=answered))

    assert sent().subject == " ".join(line.split())
    assert theirs.rsplit(maxsplit=1)[-1] in line


def test_the_author_is_named_and_answers_reach_them(lead: Lead, rep: User, settings: Any) -> None:
    settings.DEFAULT_FROM_EMAIL = "Voronka <crm@ours.test>"
    write(lead, rep)
    message = sent()
    assert message.from_email == "Rita Rep <crm@ours.test>"
    assert message.reply_to == ["Rita Rep <rita@example.test>"]
    settings.MAIL_OWN_DOMAINS = frozenset({"example.test"})
    assert mailing.sending_address(rep) == "rita@example.test"


def test_what_became_of_the_address_meanwhile_is_asked_again(lead: Lead, rep: User) -> None:
    email = write(lead, rep)
    suppress(lead.email, reason=Suppression.Reason.UNSUBSCRIBED, by=None, now=NOW)

    deliver_due(seconds=5)

    assert mail.outbox == []
    assert OutboxRow.objects.get(pk=email.row_id).state == OutboxRow.State.CANCELLED
    assert not Activity.objects.exists()


def test_a_letter_of_someone_shut_out_stays(lead: Lead, rep: User) -> None:
    write(lead, rep)
    User.objects.filter(pk=rep.pk).update(is_active=False)
    deliver_due(seconds=5)
    assert mail.outbox == []


@pytest.mark.parametrize("change", ["handed on", "binned"])
def test_a_letter_stays_once_its_author_may_not_write_it_any_more(
    lead: Lead, rep: User, outsider: User, change: str
) -> None:
    email = write(lead, rep)
    if change == "binned":
        delete_lead(lead, seen_version=lead.version, by=rep, now=NOW)
    else:
        Lead.objects.filter(pk=lead.pk).update(owner=outsider)

    deliver_due(seconds=5)

    row = OutboxRow.objects.get(pk=email.row_id)
    assert (row.state, row.answer[:9]) == (OutboxRow.State.CANCELLED, "not sent:")
    assert not Activity.objects.filter(kind="email").exists()
    # The author is told, and led to no page that would not open.
    [told] = [message for message in mail.outbox if isinstance(message, EmailMultiAlternatives)]
    assert told.to == [rep.email]
    assert "Not sent: “Offer for Kestrel & Co” to Daria Kestrel" in str(told.subject)
    assert "in the bin" in str(told.body)
    assert lead.get_absolute_url() not in str(told.body)
    assert rep.notifications.get(kind="email_trouble").text == told.subject


def test_a_manager_may_write_about_what_is_a_reps(lead: Lead, manager: User) -> None:
    write(lead, manager)
    assert sent().to == ["Daria Kestrel <daria@client.test>"]


@pytest.mark.parametrize("name", ["встреча.ics", "список.csv", "заметка.txt"])
def test_a_text_in_another_encoding_leaves_as_it_is(lead: Lead, rep: User, name: str) -> None:
    content = "BEGIN:VCALENDAR\r\nSUMMARY:Встреча\r\nEND:VCALENDAR".encode("cp1251")
    write(lead, rep, Letter("x", "<p>y</p>", files=[read_file(name, content)]))

    [part] = [part for part in message_from_bytes(sent().message().as_bytes()).walk() if part.get_filename()]

    assert part.get_payload(decode=True) == content


def test_an_objection_stops_the_letter(lead: Lead, rep: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailing, "objections", [lambda email: f"no {email.subject_line}"])
    email = write(lead, rep)
    deliver_due(seconds=5)
    assert OutboxRow.objects.get(pk=email.row_id).answer == "no Offer for Kestrel & Co"


@pytest.mark.parametrize("allowance", ["MAIL_PER_SENDER_A_DAY", "MAIL_PER_DOMAIN_A_DAY"])
def test_beyond_the_days_allowance_letters_wait_for_the_morning(
    lead: Lead, rep: User, settings: Any, allowance: str
) -> None:
    setattr(settings, allowance, 1)
    write(lead, rep)
    second = write(lead, rep)

    deliver_due(seconds=5)

    assert len(mail.outbox) == 1
    row = OutboxRow.objects.get(pk=second.row_id)
    assert (row.state, row.attempts) == (OutboxRow.State.WAITING, 0)
    assert row.available_at > timezone.now()


@pytest.mark.parametrize("allowance", ["MAIL_PER_SENDER_A_DAY", "MAIL_PER_DOMAIN_A_DAY"])
def test_letters_in_other_senders_hands_count_for_the_allowance(
    lead: Lead, rep: User, settings: Any, allowance: str
) -> None:
    setattr(settings, allowance, 1)
    write(lead, rep)
    write(lead, rep)
    first, second = outbox.claim(), outbox.claim()
    assert first is not None
    assert second is not None
    OutboxRow.objects.filter(pk=first.pk).update(claimed_at=timezone.now() - dt.timedelta(minutes=1))

    with Postbox() as postbox:
        assert isinstance(mailing.send_email(second, postbox), outbox.Later)
        assert isinstance(mailing.send_email(first, postbox), outbox.Sent)


def test_an_address_that_does_not_exist_gets_no_more_mail(
    lead: Lead, rep: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: Postbox, _message: EmailMultiAlternatives) -> str:
        raise Refused("550 5.1.1 no such user")

    monkeypatch.setattr(Postbox, "send", refuse)
    email = write(lead, rep)
    deliver_due(seconds=5)

    assert Suppression.objects.get().reason == Suppression.Reason.BOUNCED
    assert OutboxRow.objects.get(pk=email.row_id).state == OutboxRow.State.DEAD


@pytest.mark.parametrize(
    ("answer", "is_gone"),
    [
        ("550 5.1.1 unknown", True),
        ("550-5.1.1 unknown", True),
        ("550 No such user here", True),
        ("550 5.7.1 looks like spam", False),
        ("554 5.2.2 mailbox full", False),
        ("552 too large", False),
    ],
)
def test_only_a_missing_address_counts_as_one(answer: str, *, is_gone: bool) -> None:
    assert bool(mailing.NO_SUCH_ADDRESS.match(answer)) is is_gone


def test_a_waiting_letter_can_be_withdrawn(lead: Lead, rep: User) -> None:
    letter = Letter("x", "<p>y</p>", send_at=timezone.now() + dt.timedelta(hours=2))
    email = write(lead, rep, letter)
    cancel_email(email, by=rep)
    assert OutboxRow.objects.get(pk=email.row_id).state == OutboxRow.State.CANCELLED


# --- Unsubscribing ----------------------------------------------------------------------------------------------------


def unsubscribe_path(message: EmailMultiAlternatives) -> str:
    url = message.extra_headers["List-Unsubscribe"].strip("<>")
    return url[url.index("/unsubscribe/") :]


def test_one_click_ends_all_mail_to_the_address(lead: Lead, rep: User) -> None:
    write(lead, rep, Letter("x", "<p>y</p>", can_unsubscribe=True))
    message = sent()
    assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    path, stranger = unsubscribe_path(message), Client(enforce_csrf_checks=True)

    asked = stranger.get(path)
    assert not Suppression.objects.exists()
    answered = stranger.post(path, {"List-Unsubscribe": "One-Click"})

    assert (asked.status_code, answered.status_code) == (200, 200)
    assert asked["Referrer-Policy"] == "no-referrer"
    assert Suppression.objects.get().address == "daria@client.test"
    with pytest.raises(Suppressed):
        write(lead, rep)


def test_a_wrong_link_opens_nothing(client: Client) -> None:
    assert client.post("/unsubscribe/" + "x" * 43 + "/").status_code == 404
