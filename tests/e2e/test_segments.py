"""Building segments in a browser: counting live, by the keyboard alone, and without script."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from crm.models import Segment, User
from tests.e2e.conftest import LogIn
from tests.factories import LeadFactory, LeadSourceFactory


@pytest.fixture
def leads(rep: User) -> None:
    """Three leads, two of the fair."""
    fair, web = LeadSourceFactory(name="Fair"), LeadSourceFactory(name="Web")
    LeadFactory(name="Anna Berg", owner=rep, source=fair, email="anna@berg.test")
    LeadFactory(name="Ivan Lapin", owner=rep, source=fair)
    LeadFactory(name="Greta Holm", owner=rep, source=web, email="greta@holm.test")


def field(page: Page, path: str, what: str) -> str:
    """The address of one control of one condition."""
    return f'[name="{what}:{path}"]'


@pytest.mark.usefixtures("leads")
def test_counting_while_one_builds(rep: User, log_in: LogIn) -> None:
    page = log_in(rep)
    page.goto("/segments/new/lead/")
    page.select_option('[name="field:0.0"]', "source")
    page.click("summary#value-0\\.0")
    page.check('.condition-choices label:has-text("Fair") input')
    total = page.locator(".segment-total b")
    expect(total).to_have_text("2")
    expect(page.locator(".segment-said")).to_have_text("Source is Fair")
    page.keyboard.press("Escape")
    page.click("#add-0")
    expect(page.locator('[name="field:0.1"]')).to_be_focused()
    page.select_option('[name="field:0.1"]', "email")
    page.select_option('[name="op:0.1"]', "filled")
    expect(total).to_have_text("1")
    expect(page.locator("#segment-found")).to_contain_text("Anna Berg")
    page.fill("[name=name]", "From the fair")
    page.click("button.btn-primary:has-text('Save')")
    expect(page.locator("#lead-list")).to_contain_text("Anna Berg")
    expect(page.locator("#lead-list")).not_to_contain_text("Greta Holm")
    page.goto("/segments/")
    expect(page.locator("#segment-list td.num-cell")).to_have_text("1")


@pytest.mark.usefixtures("leads")
def test_by_the_keyboard_alone(rep: User, log_in: LogIn) -> None:
    page = log_in(rep)
    page.goto("/segments/new/lead/")
    page.locator('[name="value:0.0"]').focus()
    page.keyboard.type("anna")
    expect(page.locator(".segment-total b")).to_have_text("1")
    page.locator("#add-0").focus()
    page.keyboard.press("Enter")
    expect(page.locator('[name="field:0.1"]')).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator('[name="op:0.1"]')).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.type("berg")
    page.fill("[name=name]", "By hand")
    page.locator("[name=name]").press("Enter")  # the form saves, no row is removed or added
    page.wait_for_url("**/leads/?*")
    assert len(Segment.objects.get().conditions["of"]) == 2


@pytest.mark.usefixtures("leads")
def test_without_script(rep: User, log_in: LogIn) -> None:
    page = log_in(rep, java_script_enabled=False)
    page.goto("/segments/new/lead/")
    page.fill('[name="value:0.0"]', "anna")
    page.click("#add-0")
    page.select_option('[name="field:0.1"]', "email")
    page.click("button:has-text('Count')")
    page.select_option('[name="op:0.1"]', "filled")
    page.click("button:has-text('Count')")
    expect(page.locator(".segment-total b")).to_have_text("1")
    page.fill("[name=name]", "Plain")
    page.click("button.btn-primary:has-text('Save')")
    expect(page.locator("#lead-list")).to_contain_text("Anna Berg")
