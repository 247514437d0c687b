"""A deal's page and search in a real browser: everything in place, conflicts told, undo, keyboard, no script."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from crm.models import Activity, Company, User
from pipeline.models import ChecklistItem, ChecklistTick, Deal, Product, Stage
from pipeline.rules.deals import edit_deal
from tests.e2e.conftest import PHONE, LogIn
from tests.factories import CompanyFactory, DealFactory, sales_pipeline

NOSCRIPT = {"java_script_enabled": False}


@pytest.fixture
def deal(rep: User) -> Deal:
    sales_pipeline()
    ChecklistItem.objects.create(stage=Stage.objects.get(slug="proposal"), name="Delivery date agreed")
    company = CompanyFactory(name="Halden Dairy", owner=rep)
    return DealFactory(name="Pasteuriser P-500", owner=rep, company=company, amount=Decimal(68000), stage="proposal")


def open_page(page: Page, deal: Deal) -> Page:
    page.goto(deal.get_absolute_url())
    return page


def edit_facts(page: Page) -> None:
    page.locator("section", has=page.get_by_role("heading", name="Facts")).get_by_role("link", name="Edit").click()


def test_everything_is_done_in_place(rep: User, deal: Deal, log_in: LogIn) -> None:
    Product.objects.create(name="Bottling line", price=Decimal(126000))
    page = open_page(log_in(rep), deal)

    page.get_by_label("Delivery date agreed").check()
    expect(page.locator("#deal-asks")).to_contain_text("1 of 1")
    page.locator("#composer textarea").fill("Half-written")
    page.get_by_text("Add a product").click()
    page.locator("#line-items").get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("button", name="Take the sum").click()
    expect(page.locator(".record-head")).to_contain_text("€126,000")
    expect(page.locator("#composer textarea")).to_have_value("Half-written")  # the page around it is new
    page.get_by_role("button", name="Add note").click()
    expect(page.locator(".history .entry").first).to_contain_text("Half-written")

    edit_facts(page)
    dialog = page.locator("#dialog")
    expect(dialog.get_by_label("Name")).to_be_focused()
    dialog.locator(".ts-control").first.click()
    expect(dialog.locator("#id_company-ts-control")).to_be_focused()
    page.keyboard.type("Nordlys Brewing")
    dialog.get_by_text("Add: Nordlys Brewing").click()
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator(".record-head")).to_contain_text("Nordlys Brewing")
    expect(dialog).to_be_hidden()
    assert ChecklistTick.objects.count() == 1
    assert Company.objects.filter(name="Nordlys Brewing", owner=rep).count() == 1


def test_chooser_hears_the_key_that_follows_the_click_at_once(rep: User, deal: Deal, log_in: LogIn) -> None:
    page = open_page(log_in(rep), deal)
    edit_facts(page)
    control = page.locator("#dialog .ts-control").first
    expect(control).to_contain_text("Halden Dairy")  # where something is chosen the letters were swallowed

    # Both in one task, as a busy browser hands them over: no timer runs in between.
    is_heard = control.evaluate(
        """(control) => {
          control.click();
          const key = new KeyboardEvent("keydown", { key: "N", keyCode: 78, bubbles: true, cancelable: true });
          return document.activeElement.dispatchEvent(key);
        }"""
    )

    assert is_heard


def test_move_is_undone_on_the_page(rep: User, deal: Deal, log_in: LogIn) -> None:
    page = open_page(log_in(rep), deal)

    page.get_by_role("link", name="Move to…").click()
    page.locator("#dialog select[name=to]").select_option(label="Negotiation")
    page.locator("#dialog .btn-primary").click()
    expect(page.locator(".deal-path [aria-current]")).to_contain_text("Negotiation")
    page.keyboard.press("Control+z")

    expect(page.locator(".deal-path [aria-current]")).to_contain_text("Proposal")
    expect(page.locator(".history .entry").first).to_contain_text("undone")
    expect(page.locator("#toasts .notice")).to_have_count(0)


def test_second_of_two_editors_is_told_and_keeps_what_they_typed(
    rep: User, manager: User, deal: Deal, log_in: LogIn
) -> None:
    page = open_page(log_in(rep), deal)
    edit_facts(page)
    dialog = page.locator("#dialog")
    dialog.get_by_label("Name").fill("Mine")
    edit_deal(Deal.objects.get(pk=deal.pk), fields={"name": "Theirs"}, seen_version=deal.version, by=manager)

    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Mara Manager changed this")
    expect(dialog.get_by_role("alert")).to_contain_text("Theirs")
    expect(dialog.get_by_label("Name")).to_have_value("Mine")
    dialog.get_by_role("button", name="Save").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Mine")


def test_deleted_deal_is_taken_back_from_the_notice(rep: User, deal: Deal, log_in: LogIn) -> None:
    page = open_page(log_in(rep), deal)

    page.locator(".record-head summary").click()
    page.get_by_role("button", name="Delete").click()
    expect(page).to_have_url(re.compile(r"/deals/$"))
    page.locator("#toasts").get_by_role("button", name="Undo").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Pasteuriser P-500")
    assert Deal.objects.present().filter(pk=deal.pk).exists()


def test_search_by_keyboard_forgives_a_typo(rep: User, deal: Deal, log_in: LogIn) -> None:
    page = log_in(rep)
    page.goto("/deals/")

    page.keyboard.press("Control+k")
    page.keyboard.type("pasturiser", delay=10)
    expect(page.locator(".search-results a").first).to_contain_text("Pasteuriser P-500")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Pasteuriser P-500")


def test_all_of_it_without_script(rep: User, deal: Deal, log_in: LogIn) -> None:
    page = open_page(log_in(rep, **NOSCRIPT), deal)

    page.locator("#composer textarea").fill("By hand")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator(".history")).to_contain_text("By hand")
    page.locator("#deal-asks").get_by_role("button", name="Save").click()
    expect(page.locator("#deal-asks")).to_contain_text("1 of 1")
    edit_facts(page)
    page.get_by_label("Amount").fill("70,000")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".record-head")).to_contain_text("€70,000")
    page.locator(".record-head summary").click()
    page.get_by_role("button", name="Delete").click()
    page.goto("/bin/")
    page.get_by_role("button", name="Take back").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Pasteuriser P-500")
    assert Activity.objects.get().body == "By hand"


def test_on_a_phone_the_present_stage_is_in_view(rep: User, deal: Deal, log_in: LogIn) -> None:
    page = open_page(log_in(rep, viewport=PHONE, has_touch=True), deal)

    expect(page.locator(".deal-path [aria-current]")).to_be_in_viewport(ratio=0.9)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
