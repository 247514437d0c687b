"""Mail that nobody could place, in a browser: placed by one click, marked by another, its original in a frame."""

from __future__ import annotations

import os

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from crm.models import Email, Mailbox, MailFolder, Receipt, User
from tests.e2e.conftest import DESKTOP, PHONE, LogIn
from tests.factories import ContactFactory
from tests.factories.mail import MailboxFactory


def arrive(mailbox: Mailbox, number: int) -> Email:
    """A message of somebody who is two contacts."""
    email = Email.objects.create(
        direction="in",
        from_address="anna@customer.test",
        from_name="Anna Petrova",
        subject_line=f"Question {number}",
        new_text="Sounds good. When can we meet?",
        text="Sounds good. When can we meet?",
        html='<p>Sounds <b>good</b>.</p><script>document.title="broken into"</script><img src="https://spy.test/x.png">',
        author=mailbox.owner,
        at=timezone.now(),
    )
    folder = MailFolder.objects.get_or_create(mailbox=mailbox, name="INBOX")[0]
    Receipt.objects.create(
        mailbox=mailbox, folder=folder, uid_validity=1, uid=number, key=str(number), outcome="kept", email=email,
        person=mailbox.owner,
    )  # fmt: skip
    return email


def look(page: Page, name: str) -> None:
    """Keep a picture, where somebody wants to look."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


@pytest.mark.parametrize(("viewport", "theme"), [(DESKTOP, "light"), (PHONE, "dark")])
def test_mail_is_placed_marked_and_looked_at(log_in: LogIn, rep: User, viewport: dict[str, int], theme: str) -> None:
    User.objects.filter(pk=rep.pk).update(theme=theme, language="en" if theme == "light" else "ru")
    rep.refresh_from_db()
    ContactFactory(name="Anna Petrova", email="anna@customer.test", owner=rep)
    other = ContactFactory(name="Anna of Sales", email="anna@customer.test", owner=rep)
    mailbox = MailboxFactory(owner=rep, name="rita@example.test")
    for number in (1, 2):
        arrive(mailbox, number)
    page = log_in(rep, viewport=viewport)
    page.goto("/emails/triage/")
    look(page, f"triage-{theme}")
    waiting = page.locator(".triage-mail")
    expect(waiting).to_have_count(2)

    waiting.first.get_by_role("button", name="Anna of Sales").click()
    expect(waiting).to_have_count(1)

    page.goto(other.get_absolute_url())
    marks = page.locator(".answer-marks")
    expect(marks).to_contain_text("Sounds good")
    look(page, f"answer-{theme}")
    marks.get_by_role("button").first.click()
    expect(page.locator("#timeline .answer-marks [aria-pressed=true]")).to_have_count(1)
    page.locator("#timeline .entry-original").first.click()
    frame = page.frame_locator("#dialog iframe")
    expect(frame.locator("b")).to_have_text("good")
    expect(frame.locator("img[src]")).to_have_count(0)
    look(page, f"original-{theme}")
    page.goto("/mailboxes/")
    look(page, f"mailboxes-{theme}")
    page.goto(f"/mailboxes/{mailbox.pk}/")
    look(page, f"mailbox-{theme}")
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
