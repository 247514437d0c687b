"""The lists in a real browser: columns chosen in a dialog, several rows changed together and taken back."""

from __future__ import annotations

import re

from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from crm.models import User
from pipeline.models import Deal, Stage
from tests.e2e.conftest import LogIn
from tests.factories import DealFactory, LeadFactory


def test_rows_are_chosen_changed_and_put_back(
    log_in: LogIn, live_server: LiveServer, rep: User, stages: dict[str, Stage]
) -> None:
    for name in ("Vat", "Press", "Mould"):
        DealFactory(owner=rep, name=name, stage="meeting")
    page = log_in(rep)
    page.goto(f"{live_server.url}/deals/")
    bar = page.locator("#bulk")
    expect(bar).to_be_hidden()
    page.get_by_role("checkbox", name="Choose Vat").focus()
    page.keyboard.press("Space")
    expect(bar).to_contain_text("Chosen: 1")
    page.locator("th").get_by_role("checkbox", name="Choose all on this page").check()
    expect(bar).to_contain_text("Chosen: 3")

    bar.get_by_role("button", name="Change…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Change 3 records")
    dialog.get_by_role("button", name="Change", exact=True).click()
    expect(dialog).to_contain_text("Say what is to be changed.")
    dialog.get_by_label("Add a tag").fill("dairy")
    dialog.get_by_role("button", name="Change", exact=True).click()

    expect(page.get_by_text("Changed: 3.")).to_be_visible()
    expect(dialog).to_be_hidden()
    assert [deal.tags for deal in Deal.objects.all()] == [["dairy"]] * 3
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Taken back: 3.")).to_be_visible()
    assert [deal.tags for deal in Deal.objects.all()] == [[], [], []]


def test_all_that_is_found_is_changed_beyond_the_page(
    log_in: LogIn, live_server: LiveServer, rep: User, stages: dict[str, Stage]
) -> None:
    for number in range(52):  # two more than a page holds
        DealFactory(owner=rep, name=f"Vat {number}", stage="meeting", tags=["dairy"])
    other = DealFactory(owner=rep, name="Press", stage="meeting", tags=["dairy"])
    page = log_in(rep)
    page.goto(f"{live_server.url}/deals/?q=vat")
    bar = page.locator("#bulk")
    page.locator("th").get_by_role("checkbox", name="Choose all on this page").check()
    expect(bar).to_contain_text("Chosen: 50")
    everything = bar.get_by_role("checkbox", name="all 52 found")
    everything.check()
    expect(bar).to_contain_text("Chosen: 52")
    first = page.locator("td [name=chosen]").first
    first.uncheck()
    expect(everything).not_to_be_checked()
    expect(bar).to_contain_text("Chosen: 49")
    everything.check()
    expect(first).to_be_checked()

    bar.get_by_role("button", name="Change…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Change 52 records")
    dialog.get_by_label("Add a tag").fill("hot")
    dialog.get_by_role("checkbox", name="Remove all tags").check()
    dialog.get_by_role("button", name="Change", exact=True).click()
    expect(dialog).to_contain_text("Either say what it becomes, or clear it.")
    expect(dialog.get_by_role("checkbox", name="Remove all tags")).to_be_checked()
    dialog.get_by_label("Add a tag").fill("")
    dialog.get_by_role("button", name="Change", exact=True).click()

    expect(page.get_by_text("Changed: 52.")).to_be_visible()
    assert not Deal.objects.exclude(tags=[]).exclude(pk=other.pk).exists()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Taken back: 52.")).to_be_visible()
    assert Deal.objects.filter(tags=["dairy"]).count() == 53


def test_columns_are_chosen_in_a_dialog(
    log_in: LogIn, live_server: LiveServer, rep: User, stages: dict[str, Stage]
) -> None:
    DealFactory(owner=rep, name="Vat", stage="meeting")
    page = log_in(rep)
    page.goto(f"{live_server.url}/deals/")
    page.locator(".page-tools").get_by_role("link", name="Columns").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("checkbox", name="Tags").check()
    dialog.get_by_role("checkbox", name="Amount").uncheck()
    dialog.get_by_role("button", name="Move Stage forward").focus()
    page.keyboard.press("Enter")
    expect(dialog.locator(".column-row").nth(1)).to_contain_text("Stage")
    expect(dialog.get_by_role("button", name="Move Stage forward")).to_be_focused()
    dialog.get_by_role("button", name="Show").click()

    expect(page).to_have_url(re.compile(r"/deals/\?columns=name,stage,.*tags"))
    expect(page.locator("thead")).to_contain_text("Tags")
    expect(page.locator("thead")).not_to_contain_text("Amount")
    page.goto(f"{live_server.url}/deals/")
    expect(page.locator("thead")).to_contain_text("Tags")


def test_what_is_chosen_outlives_the_list_being_read_anew(
    log_in: LogIn, live_server: LiveServer, rep: User, stages: dict[str, Stage]
) -> None:
    for name in ("Ann", "Bob"):
        LeadFactory(owner=rep, name=name)
    page = log_in(rep)
    page.goto(f"{live_server.url}/leads/")
    page.get_by_role("checkbox", name="Choose Bob").check()
    page.evaluate("document.getElementById('lead-list').dataset.before = ''")
    page.evaluate("document.body.dispatchEvent(new Event('lead-changed'))")
    expect(page.locator("[data-before]")).to_have_count(0)
    expect(page.get_by_role("checkbox", name="Choose Bob")).to_be_checked()
    expect(page.get_by_role("checkbox", name="Choose Ann")).not_to_be_checked()
    expect(page.locator("#bulk")).to_contain_text("Chosen: 1")


def test_a_filters_choices_come_when_its_menu_is_opened(
    log_in: LogIn, live_server: LiveServer, manager: User, rep: User, stages: dict[str, Stage]
) -> None:
    DealFactory(owner=rep, name="Vat", stage="meeting")
    DealFactory(owner=manager, name="Press", stage="meeting")
    page = log_in(manager)
    for path in ("/board/sales/", "/deals/"):
        page.goto(live_server.url + path)
        expect(page.get_by_text("Press").first).to_be_visible()
        page.locator("summary", has_text="Owner:").focus()
        page.keyboard.press("Enter")
        page.get_by_label("Owner").select_option(label=str(rep))
        page.get_by_role("button", name="Apply").locator("visible=true").click()
        expect(page.locator("summary", has_text=f"Owner: {rep}")).to_be_visible()
        expect(page.get_by_text("Press")).to_have_count(0)
        expect(page.get_by_text("Vat").first).to_be_visible()
