"""E-mails in a browser: a template written and previewed; a letter filled, sent later, taken back."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from crm.models import Email, EmailTemplate, Lead, Suppression, User
from tests.e2e.conftest import DESKTOP, PHONE, Complaints, LogIn
from tests.e2e.test_accessibility import assert_all_good
from tests.factories import LeadFactory


@pytest.fixture
def lead(rep: User) -> Lead:
    return LeadFactory(owner=rep, name="Daria Kestrel", email="daria@client.test", company_name="Kestrel", phone="")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE])
def test_a_template_is_written_and_previewed_with_a_record(
    log_in: LogIn, rep: User, lead: Lead, viewport: object
) -> None:
    page = log_in(rep, viewport=viewport)
    page.goto("/email-templates/new/")
    page.locator("#id_name").fill("Offer")
    page.locator("#id_subject").fill("For ")
    page.locator("#id_subject").press("End")
    places = page.locator("[data-language='en']").get_by_text("Merge field")
    places.click()
    page.locator("[data-language='en'] [data-insert='{{ company.name }}']").click()
    expect(page.locator("#id_subject")).to_have_value("For {{ company.name }}")

    editor = page.locator("[data-language='en'] .ql-editor")
    editor.click()
    page.keyboard.type("Dear ")
    places.click()
    page.locator("[data-language='en'] [data-insert='{{ person.first_name }}']").click()
    page.keyboard.press("Control+b")
    page.keyboard.type(", hello & welcome")

    page.locator("select[name=record]").select_option(f"lead-{lead.pk}")
    page.get_by_role("button", name="Show").click()
    frame = page.frame_locator("#template-preview iframe")
    expect(frame.locator("body")).to_contain_text("Dear Daria, hello & welcome")
    expect(frame.locator("strong")).to_contain_text("hello")
    expect(page.locator("#template-preview")).to_contain_text("For Kestrel")

    page.get_by_role("button", name="Save").last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Offer")
    assert (
        EmailTemplate.objects.get().body == "<p>Dear {{ person.first_name }}<strong>, hello &amp; welcome</strong></p>"
    )


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE])
def test_a_letter_is_filled_sent_later_and_taken_back(log_in: LogIn, rep: User, lead: Lead, viewport: object) -> None:
    EmailTemplate.objects.create(name="Offer", owner=rep, subject="Offer", body="<p>Dear {{ person.first_name }}</p>")
    page = log_in(rep, viewport=viewport)
    page.goto(lead.get_absolute_url())
    page.get_by_role("link", name="E-mail", exact=True).first.click()
    dialog = page.locator("#dialog")
    dialog.get_by_label("Template").select_option(label="Offer")
    expect(dialog.get_by_label("Subject")).to_have_value("Offer")
    expect(dialog.locator(".ql-editor")).to_contain_text("Dear {{ person.first_name }}")

    dialog.get_by_role("button", name="Preview").click()
    expect(dialog.frame_locator("iframe").locator("body")).to_contain_text("Dear Daria")

    dialog.get_by_label("At a time").check()
    in_a_week = timezone.localtime(timezone.now() + dt.timedelta(days=7))
    dialog.get_by_label("Day and time").fill(f"{in_a_week:%Y-%m-%dT%H:%M}")
    dialog.get_by_role("button", name="Send", exact=True).last.click()

    timeline = page.locator("#timeline")
    expect(timeline).to_contain_text("waits until")
    assert Email.objects.get().html == "<p>Dear Daria</p>"
    timeline.get_by_role("link", name="Offer").click()
    expect(dialog.frame_locator("iframe").locator("body")).to_contain_text("Dear Daria")
    dialog.get_by_role("button", name="Take back").click()
    expect(timeline).to_contain_text("not sent")


def test_without_script_a_letter_is_written_in_a_plain_field(log_in: LogIn, rep: User, lead: Lead) -> None:
    page = log_in(rep, java_script_enabled=False)
    page.goto(lead.get_absolute_url())
    page.get_by_role("link", name="E-mail", exact=True).first.click()
    page.get_by_label("Subject").fill("Hello")
    page.locator("textarea[name=body]").fill("Dear {{ person.first_name }}\n\nBye")
    page.get_by_role("button", name="Send", exact=True).last.click()
    expect(page.locator("#timeline")).to_contain_text("leaves now")
    assert Email.objects.get().html == "<p>Dear Daria</p><p>Bye</p>"


@pytest.mark.parametrize(("viewport", "theme"), [(DESKTOP, "light"), (PHONE, "dark")])
def test_pages_are_accessible_and_fit(
    log_in: LogIn, manager: User, complaints: Complaints, viewport: object, theme: str
) -> None:
    User.objects.filter(pk=manager.pk).update(theme=theme)
    lead = LeadFactory(owner=manager, name="Daria", email="daria@client.test")
    template = EmailTemplate.objects.create(name="Offer", owner=manager, subject="Offer", body="<p>Dear</p>")
    email = Email.objects.create(
        direction="out", subject=lead, author=manager, subject_line="Offer", html="<p>x</p>", to_address=lead.email
    )
    Suppression.objects.create(address="gone@client.test", reason="bounced", detail="550 5.1.1 no such user")
    pages = ("/email-templates/", f"/email-templates/{template.pk}/", "/suppressions/", "/suppressions/import/")
    pages += (f"/emails/new/lead/{lead.pk}/", f"/emails/{email.pk}/")
    assert_all_good(log_in(manager, viewport=viewport), pages, complaints)
