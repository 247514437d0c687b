"""Writing an e-mail from a page: filled, previewed, refused with nothing lost, queued, taken back."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from crm.models import (
    Activity,
    Email,
    EmailAttachment,
    EmailTemplate,
    Lead,
    MailFolder,
    OutboxRow,
    Receipt,
    Suppression,
    User,
)
from crm.rules.delivering import deliver_due
from crm.rules.suppression import suppress
from tests.factories import CompanyFactory, ContactFactory, DealFactory, LeadFactory, sales_pipeline
from tests.factories.mail import MailboxFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead(rep: User) -> Lead:
    return LeadFactory(owner=rep, name="Daria Kestrel", email="daria@client.test", company_name="Kestrel", phone="")


@pytest.fixture
def client(rep: User) -> Client:
    browser = Client()
    browser.force_login(rep)
    return browser


def url(about: Any) -> str:
    return f"/emails/new/{about._meta.model_name}/{about.pk}/"


def typed(lead: Lead, **more: Any) -> dict[str, Any]:
    return {
        "to": [f"lead-{lead.pk}"],
        "language": "en",
        "subject_line": "Hello {{ person.first_name }}",
        "body": "<p>Dear {{ person.first_name }}</p>",
        "when": "now",
        "do": "send",
    } | more


def test_an_email_is_queued_and_stands_on_the_timeline_as_waiting(client: Client, lead: Lead) -> None:
    answer = client.post(url(lead), typed(lead, when="at", send_at="2099-01-01T10:00"), follow=True)
    assert answer.status_code == 422  # a year is enough
    in_a_week = timezone.localtime(timezone.now() + dt.timedelta(days=7))
    answer = client.post(url(lead), typed(lead, when="at", send_at=f"{in_a_week:%Y-%m-%dT%H:%M}"), follow=True)

    email = Email.objects.get()
    assert (email.subject_line, email.row.state) == ("Hello Daria", "waiting")  # type: ignore[union-attr]
    page = answer.content.decode()
    assert "waits until" in page
    assert f"/emails/{email.pk}/cancel/" in page

    client.post(f"/emails/{email.pk}/cancel/")
    assert OutboxRow.objects.get().state == OutboxRow.State.CANCELLED
    assert "not sent" in client.get(lead.get_absolute_url()).content.decode()


def test_a_missing_value_is_said_beside_the_text_and_nothing_is_lost(client: Client, lead: Lead) -> None:
    lead.company_name = ""
    lead.save()
    file = SimpleUploadedFile("price.pdf", b"%PDF-1.7 x")
    answer = client.post(url(lead), typed(lead, body="<p>For {{ company.name }}</p>", files=file))

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "There is no value for: Company" in page
    assert "For {{ company.name }}" in page
    held = EmailAttachment.objects.get()
    assert f'name="held" value="{held.pk}"' in page.replace("\n", "")
    assert not Email.objects.exists()

    client.post(url(lead), typed(lead, held=[held.pk]))
    assert [file.name for file in Email.objects.get().attachments.all()] == ["price.pdf"]
    assert not EmailAttachment.objects.filter(held_by__isnull=False).exists()


def test_a_double_click_sends_one(client: Client, lead: Lead) -> None:
    for _click in range(2):
        assert client.post(url(lead), typed(lead, key="a" * 32)).status_code == 302
    assert Email.objects.count() == 1


def test_several_people_get_a_message_each_or_nobody_does(client: Client, rep: User) -> None:
    sales_pipeline()
    company = CompanyFactory(owner=rep)
    anna = ContactFactory(owner=rep, name="Anna", email="anna@client.test", company=company, position="Head")
    deal = DealFactory(owner=rep, contact=anna, company=company, name="Big one", amount=7350, currency="EUR")
    bert = ContactFactory(owner=rep, name="Bert", email="bert@client.test", company=company)
    fields = {
        "to": [f"contact-{anna.pk}", f"contact-{bert.pk}"],
        "language": "en",
        "subject_line": "{{ deal.name }}, {{ deal.amount }}",
        "body": "<p>{{ person.position }}</p>",
        "when": "now",
    }
    refused = client.post(url(deal), fields)
    assert refused.status_code == 422
    assert "To Bert: There is no value for: Position" in refused.content.decode()
    assert not Email.objects.exists()

    client.post(url(deal), fields | {"body": "<p>Dear {{ person.first_name }}</p>"})
    assert {email.html for email in Email.objects.all()} == {"<p>Dear Anna</p>", "<p>Dear Bert</p>"}
    assert {email.subject_line for email in Email.objects.all()} == {"Big one, €7,350"}


def test_a_template_fills_in_the_recipients_language_and_keeps_ones_own_words(client: Client, rep: User) -> None:
    lead = LeadFactory(owner=rep, name="Дарья Пустельга", email="daria@client.test")
    template = EmailTemplate.objects.create(
        name="Offer", owner=rep, subject="Offer", subject_ru="Предложение", body="<p>Yes</p>", body_ru="<p>Да</p>"
    )
    first = client.get(url(lead))
    form = first.context["form"]
    assert form["language"].value() == "ru"
    filled = {"do": "fill", "template": template.pk, "filled": form["filled"].value(), "body": "", "language": "ru"}
    answer = client.post(url(lead), typed(lead, subject_line="") | filled)
    assert answer.context["form"]["subject_line"].value() == "Предложение"
    assert answer.context["form"]["body"].value() == "<p>Да</p>"

    own = client.post(url(lead), typed(lead, body="<p>My own words</p>") | filled | {"body": "<p>My own words</p>"})
    assert own.context["form"]["body"].value() == "<p>Да</p><p>My own words</p>"


def test_the_preview_shows_what_will_leave(client: Client, lead: Lead) -> None:
    answer = client.post(url(lead), typed(lead, do="preview"))
    assert answer.status_code == 200
    assert answer.context["preview"].subject_line == "Hello Daria"
    assert 'sandbox="allow-popups" srcdoc="&lt;!doctype html&gt;' in answer.content.decode()
    assert not Email.objects.exists()


def test_who_is_suppressed_is_marked_and_refused(client: Client, lead: Lead) -> None:
    suppress(lead.email, reason=Suppression.Reason.UNSUBSCRIBED, by=None, now=timezone.now())
    assert "gets no mail: unsubscribed" in client.get(url(lead)).content.decode()
    assert "gets no mail: unsubscribed" in client.get(lead.get_absolute_url()).content.decode()
    answer = client.post(url(lead), typed(lead))
    assert answer.status_code == 422
    assert "Nothing is sent to" in answer.content.decode()


def test_an_answer_is_threaded_and_addressed(client: Client, lead: Lead) -> None:
    theirs = Email.objects.create(
        direction="in", subject=lead, from_address="daria@client.test", subject_line="Price?", message_id="<1@c.test>"
    )
    form = client.get(url(lead), {"answers": theirs.pk}).context["form"]
    assert (form["subject_line"].value(), form["to"].value()) == ("Re: Price?", [f"lead-{lead.pk}"])
    client.post(url(lead), typed(lead, answers=theirs.pk))
    assert Email.objects.outbound().get().in_reply_to == "<1@c.test>"


def test_silence_is_remarked_after_three(client: Client, lead: Lead, rep: User) -> None:
    for day in range(3):
        at = timezone.now() - dt.timedelta(days=day + 1)
        Email.objects.create(direction="out", subject=lead, author=rep, to_address=lead.email, at=at)
    assert "has not answered the last three" in client.get(url(lead)).content.decode()
    Activity.objects.create(subject=lead, kind="call", direction="in", author=rep, at=timezone.now())
    assert "has not answered the last three" not in client.get(url(lead)).content.decode()


def test_silence_towards_other_teams_is_not_remarked(client: Client, lead: Lead, outsider: User) -> None:
    theirs = LeadFactory(owner=outsider, email=lead.email)
    for day in range(3):
        at = timezone.now() - dt.timedelta(days=day + 1)
        Email.objects.create(direction="out", subject=theirs, author=outsider, to_address=lead.email, at=at)
    page = client.get(url(lead))
    assert (page.status_code, "has not answered the last three" in page.content.decode()) == (200, False)


def test_whoever_has_no_address_cannot_be_written_to(client: Client, rep: User) -> None:
    lead = LeadFactory(owner=rep, name="Nobody", email="")
    assert "Nobody has no e-mail address" in client.get(url(lead)).content.decode()


def test_the_signature_stands_below_and_is_cleaned(client: Client, lead: Lead, rep: User) -> None:
    settings = client.get("/settings/").context["form"]
    fields = {name: settings[name].value() or "" for name in settings.fields}
    kinds = client.get("/settings/").context["channels"]
    fields |= {f.html_name: f.value() for f in kinds if f.value() not in {None, False}}
    answer = client.post("/settings/", fields | {"signature": "<p>Rita<script>x()</script></p>"})
    assert answer.status_code == 302
    rep.refresh_from_db()
    assert rep.signature == "<p>Rita</p>"
    assert client.get(url(lead)).context["form"]["body"].value().endswith("<p>Rita</p>")


def test_one_that_has_left_cannot_be_taken_back(client: Client, lead: Lead) -> None:
    client.post(url(lead), typed(lead))
    deliver_due(seconds=5)
    email = Email.objects.get()
    answer = client.post(f"/emails/{email.pk}/cancel/", headers={"HX-Request": "true"})
    assert answer.status_code == 409
    detail = client.get(f"/emails/{email.pk}/").content.decode()
    assert "sent" in detail
    assert 'srcdoc="&lt;!doctype html&gt;' in detail
    assert "<p>Dear Daria" not in detail


@pytest.mark.parametrize("direction", ["in", "out"])
def test_what_was_never_ours_to_send_cannot_be_taken_back(client: Client, rep: User, direction: str) -> None:
    mailbox = MailboxFactory(owner=rep)
    email = Email.objects.create(direction=direction, from_address="x@unknown.test", at=timezone.now())
    folder = MailFolder.objects.create(mailbox=mailbox, name="INBOX")
    Receipt.objects.create(
        mailbox=mailbox, folder=folder, outcome="kept", email=email, person=rep, uid=1, uid_validity=1, key="x"
    )
    assert Email.objects.visible_to(rep).filter(pk=email.pk).exists()
    assert client.post(f"/emails/{email.pk}/cancel/").status_code == 404


@pytest.mark.parametrize("act", ["fill", "preview", "send"])
def test_a_template_of_somebody_else_names_none_of_its_files(
    client: Client, lead: Lead, outsider: User, act: str
) -> None:
    template = EmailTemplate.objects.create(name="Mine", owner=outsider, subject="x", body="y")
    EmailAttachment.objects.create(template=template, name="SECRET.pdf", content_type="x", content=b"%PDF", size=4)
    answer = client.post(url(lead), typed(lead, template=template.pk, do=act))
    assert answer.status_code == (200 if act == "fill" else 422)
    assert "SECRET" not in answer.content.decode()
    EmailTemplate.objects.update(is_shared=True)
    answer = client.post(url(lead), typed(lead, template=template.pk, do="fill"))
    assert "SECRET" in answer.content.decode()


def test_files_are_saved_never_shown(client: Client, lead: Lead) -> None:
    name = "..\\..\\evil\u202egpj.pdf"
    client.post(url(lead), typed(lead, files=SimpleUploadedFile(name, b"%PDF-1.7 x")))
    file = EmailAttachment.objects.get()
    assert file.name == "evilgpj.pdf"
    answer = client.get(f"/emails/files/{file.pk}/")
    assert answer["Content-Disposition"].startswith("attachment;")
    assert "sandbox" in answer["Content-Security-Policy"]


@pytest.mark.parametrize("content", [b"MZ\x90\x00", b"\x7fELF", b"#!/bin/sh\n"])
def test_a_program_called_pdf_is_refused(client: Client, lead: Lead, content: bytes) -> None:
    answer = client.post(url(lead), typed(lead, files=SimpleUploadedFile("price.pdf", content)))
    assert answer.status_code == 422
    assert "is a program" in answer.content.decode()
    assert not Email.objects.exists()


@pytest.mark.parametrize(
    ("subject", "status"), [("Hi\r\nBcc: all@evil.test", 302), ("x" * 10_000, 422), ("{{ person.name }}" * 5, 302)]
)
def test_a_subject_is_one_line_of_sane_length(client: Client, lead: Lead, subject: str, status: int) -> None:
    lead.name = "Eve\r\nBcc: all@evil.test"
    lead.save()
    assert client.post(url(lead), typed(lead, subject_line=subject)).status_code == status
    for email in Email.objects.all():
        assert "\n" not in email.subject_line
        deliver_due(seconds=5)
        assert OutboxRow.objects.get().state == OutboxRow.State.SENT
