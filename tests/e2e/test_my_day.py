"""My day in a real browser: done in one click, put off, taken back; with keys, on a phone, and without script."""

from __future__ import annotations

import datetime as dt

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import expect

from crm.models import FollowUp, Notification, User
from pipeline.models import Deal
from tests.e2e.conftest import PHONE, Complaints, LogIn
from tests.factories import ContactFactory, DealFactory, FollowUpFactory, LeadFactory


@pytest.fixture
def call(rep: User) -> FollowUp:
    """An overdue call of rep about a deal."""
    contact = ContactFactory(name="Irina Kim", phone="+45 621 40 118", owner=rep)
    deal: Deal = DealFactory(owner=rep, name="Pasteuriser", amount=73_500, contact=contact)
    due_at = timezone.now() - dt.timedelta(hours=2)
    return FollowUpFactory(subject=deal, assignee=rep, title="Call Irina", due_at=due_at, due_local=due_at)


def test_done_in_one_click_then_the_next_step(rep: User, call: FollowUp, log_in: LogIn) -> None:
    page = log_in(rep)
    page.goto("/")
    expect(page.locator(".places .count").first).to_have_text("1")
    page.get_by_role("button", name="Done: Call Irina").click()

    dialog = page.locator("#dialog")
    expect(dialog).to_be_visible()
    expect(page.locator(f"#follow-up-{call.pk}")).to_have_count(0)
    call.refresh_from_db()
    assert call.done_at is not None
    dialog.get_by_label("What came of it").fill("She agrees")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_contain_text("Say how it went, or that there was no contact.")
    dialog.get_by_role("radio", name="well", exact=True).check()
    dialog.get_by_label("What is next").fill("Send the contract")
    dialog.get_by_role("button", name="Save").click()

    expect(dialog).to_be_hidden()
    expect(page.locator("#my-day")).to_contain_text("Send the contract")
    expect(page.locator("#my-day")).to_contain_text("1 call")
    call.refresh_from_db()
    assert call.outcome == "She agrees"


def test_done_is_taken_back_in_the_dialog(rep: User, call: FollowUp, log_in: LogIn) -> None:
    page = log_in(rep)
    page.goto("/")
    page.get_by_role("button", name="Done: Call Irina").click()
    page.locator("#dialog").get_by_role("button", name="Undo").click()

    expect(page.locator("#dialog")).to_be_hidden()
    expect(page.locator(f"#follow-up-{call.pk}")).to_be_visible()


def test_snoozed_by_keys(rep: User, call: FollowUp, log_in: LogIn) -> None:
    page = log_in(rep)
    page.goto("/")
    page.locator("summary[aria-label='Snooze: Call Irina']").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    expect(page.locator("#toasts")).to_contain_text("Put off until")
    expect(page.locator("#my-day section").filter(has_text="Next").locator(f"#follow-up-{call.pk}")).to_be_visible()
    call.refresh_from_db()
    assert call.due_at > timezone.now()


def test_record_shows_what_was_planned_on_its_page(rep: User, call: FollowUp, log_in: LogIn) -> None:
    page = log_in(rep)
    page.goto(call.subject.get_absolute_url())
    panel = page.locator("#next-step")
    expect(panel).to_contain_text("Overdue since")
    panel.get_by_role("button", name="Done").click()
    page.locator("#dialog").get_by_role("button", name="Nothing further").click()

    expect(panel).to_contain_text("Nothing planned")
    panel.get_by_role("link", name="Plan the next step").click()
    page.locator("#dialog").get_by_label("What is to be done").fill("Show the line")
    page.locator("#dialog").get_by_role("button", name="Plan").click()
    expect(panel).to_contain_text("Show the line")


def test_works_without_script(rep: User, call: FollowUp, log_in: LogIn) -> None:
    page = log_in(rep, java_script_enabled=False)
    page.goto("/")
    page.get_by_role("button", name="Done: Call Irina").click()
    page.get_by_label("What is next").fill("Send the contract")
    page.get_by_role("button", name="Save").click()

    assert call.subject.follow_ups.filter(title="Send the contract").exists()
    call.refresh_from_db()
    assert call.done_at is not None


def test_reminder_rings_in_the_open_page(rep: User, call: FollowUp, log_in: LogIn) -> None:
    page = log_in(rep)
    page.goto("/")
    Notification.objects.create(user=rep, subject=call.subject, text="Call Irina", kind="reminder", dedupe_key="a")
    page.evaluate("htmx.ajax('GET', document.getElementById('bell').getAttribute('hx-get'), '#bell')")

    expect(page.locator("#toasts")).to_contain_text("Call Irina")
    expect(page.locator("#bell .count")).to_have_text("1")


@pytest.mark.parametrize("address", ["/", "/settings/", "/notifications/", "/follow-ups/new/"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_accessible_and_no_wider_than_a_phone(
    rep: User, call: FollowUp, log_in: LogIn, complaints: Complaints, address: str, theme: str
) -> None:
    complaints.expected = ["Applying inline style"]  # axe tries one
    User.objects.filter(pk=rep.pk).update(theme=theme)
    DealFactory(owner=rep, name="Dryer", amount=1)
    LeadFactory(owner=rep, phone="+371 2000", company_name="Grain Mill Co.")
    Notification.objects.create(user=rep, subject=call.subject, text="Call Irina", kind="reminder", dedupe_key="a")
    for viewport in (PHONE, {"width": 1440, "height": 900}):
        page = log_in(rep, viewport=viewport)
        page.goto(address)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= viewport["width"], f"{address} is {width} wide"
        found = Axe().run(page).response["violations"]
        serious = [
            (violation["id"], [node["html"][:120] for node in violation["nodes"][:2]])
            for violation in found
            if violation["impact"] in {"serious", "critical"}
        ]
        assert serious == []
