"""The board by month and by owner in a real browser: dragged, refused, undone, moved by keyboard and by menu."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta
from django.utils import timezone
from playwright.sync_api import Page, expect

from crm.models import User
from pipeline.models import Deal, Stage
from tests.e2e.conftest import PHONE, LogIn
from tests.e2e.test_board import drag
from tests.factories import DealFactory, UserFactory, sales_pipeline

WIDE = {"width": 2400, "height": 900}
"""All months at once: nothing need be scrolled while a card is in hand."""


def month(ahead: int) -> dt.date:
    return timezone.localdate().replace(day=1) + relativedelta(months=ahead)


def of_month(page: Page, ahead: int) -> Any:
    return page.locator(f"#cards-{month(ahead):%Y-%m}")


@pytest.fixture
def deal(rep: User) -> Deal:
    sales_pipeline()
    DealFactory(owner=rep, stage="meeting", name="Filling machine", expected_close_on=month(2))
    return DealFactory(
        owner=rep,
        stage="proposal",
        name="Pasteuriser",
        amount=73_500,
        expected_close_on=month(1) + dt.timedelta(days=9),
    )


def closes_on(deal: Deal) -> dt.date | None:
    return Deal.objects.get(pk=deal.pk).expected_close_on


def test_a_card_dragged_to_another_month_is_redated_and_taken_back(rep: User, deal: Deal, log_in: LogIn) -> None:
    page = log_in(rep, viewport=WIDE)
    page.goto("/board/sales/")
    page.get_by_role("link", name="By month").click()
    page.wait_for_url("**/?by=month")
    drag(page, deal, of_month(page, 2))
    expect(of_month(page, 2)).to_contain_text("Pasteuriser")
    expect(page.locator(f"#head-{month(2):%Y-%m}")).to_contain_text("€73,500")
    expect(page.locator("#toasts")).to_contain_text("Undo")
    assert closes_on(deal) == month(2) + dt.timedelta(days=9)

    page.keyboard.press("Control+z")
    expect(of_month(page, 1)).to_contain_text("Pasteuriser")
    assert closes_on(deal) == month(1) + dt.timedelta(days=9)


def test_what_the_server_refuses_goes_back_and_says_why(rep: User, deal: Deal, log_in: LogIn) -> None:
    Stage.objects.filter(slug="proposal").update(required_fields=["expected_close_on"])
    page = log_in(rep, viewport=WIDE)
    page.goto("/board/sales/?by=month")
    drag(page, deal, page.locator("#cards-none"))
    dialog = page.locator("#dialog")
    expect(dialog).to_contain_text("The stage asks for this.")
    expect(of_month(page, 1)).to_contain_text("Pasteuriser")
    dialog.get_by_role("button", name="Cancel").click()

    drag(page, deal, page.locator("#cards-later"))
    expect(dialog).to_contain_text("Say on which day.")
    day = month(20) + dt.timedelta(days=3)
    dialog.get_by_label("Expected close").fill(day.isoformat())
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator("#cards-later")).to_contain_text("Pasteuriser")
    assert closes_on(deal) == day


def test_an_idle_tab_dates_nothing_back(rep: User, manager: User, deal: Deal, log_in: LogIn) -> None:
    page = log_in(rep, viewport=WIDE)
    page.route("**/changes/**", lambda route: route.abort())
    page.goto("/board/sales/?by=month")
    Deal.objects.filter(pk=deal.pk).update(expected_close_on=month(3), version=2)
    drag(page, deal, of_month(page, 2))
    expect(page.locator(".conflict")).to_be_visible()
    expect(of_month(page, 3)).to_contain_text("Pasteuriser")
    assert closes_on(deal) == month(3)


def test_what_another_hands_over_appears_by_itself(
    rep: User, colleague: User, manager: User, deal: Deal, log_in: LogIn
) -> None:
    watching, moving = log_in(rep), log_in(manager)
    for page in (watching, moving):
        page.goto("/board/sales/?by=owner")
    drag(moving, deal, moving.locator(f"#cards-{colleague.pk}"))
    expect(moving.locator("#toasts")).to_contain_text("Rita Rep → Carl Colleague")
    expect(watching.locator(f"#cards-{colleague.pk}")).to_contain_text("Pasteuriser")
    expect(watching.locator(f"#head-{colleague.pk}")).to_contain_text("€73,500")
    assert Deal.objects.get(pk=deal.pk).owner == colleague


def test_columns_come_as_one_scrolls_to_them(manager: User, rep: User, deal: Deal, log_in: LogIn) -> None:
    people = [UserFactory(team=rep.team, name=f"Seller {number:02}") for number in range(16)]
    last = [DealFactory(owner=person) for person in people][-1]
    page = log_in(manager)
    page.goto("/board/sales/?by=owner")
    expect(page.locator(f"#head-{people[-1].pk} .num")).to_have_text("1")
    expect(page.locator(f"#deal-{last.pk}")).to_have_count(0)
    page.locator(f"#head-{people[-1].pk}").scroll_into_view_if_needed()
    expect(page.locator(f"#deal-{last.pk}")).to_be_visible()


def test_handed_over_by_keyboard_and_taken_back(rep: User, colleague: User, deal: Deal, log_in: LogIn) -> None:
    page = log_in(rep, viewport=WIDE)
    page.goto("/board/sales/?by=owner")
    page.locator(f"#deal-{deal.pk} .deal-title a").focus()
    for key in ("Space", "ArrowRight"):
        page.keyboard.press(key)
    expect(page.locator("#live")).to_contain_text("Pasteuriser: Carl Colleague")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("Rita Rep → Carl Colleague")
    page.keyboard.press("Control+z")
    expect(page.locator(f"#cards-{rep.pk}")).to_contain_text("Pasteuriser")
    assert Deal.objects.get(pk=deal.pk).owner == rep


def test_the_menu_dates_and_moves_a_card_of_a_month(rep: User, deal: Deal, log_in: LogIn) -> None:
    page = log_in(rep, viewport=PHONE, has_touch=True)
    page.goto("/board/sales/?by=month")
    dialog, menu = page.locator("#dialog"), page.locator("#deal-menu")
    page.locator(f"#deal-menu-{deal.pk}").click()
    menu.get_by_role("menuitem", name="Move to a date…").click()
    dialog.get_by_label("Expected close").fill(month(3).isoformat())
    dialog.get_by_role("button", name="Save").click()
    expect(of_month(page, 3)).to_contain_text("Pasteuriser")

    page.locator(f"#deal-menu-{deal.pk}").click()
    menu.get_by_role("menuitem", name="Move to a stage…").click()
    dialog.get_by_label("Stage").select_option(label="Close")
    dialog.get_by_role("button", name="Move").click()
    expect(page.locator(f"#deal-{deal.pk} .deal-where")).to_contain_text("Close")
    expect(of_month(page, 3)).to_contain_text("Pasteuriser")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_dropped_card_stands_where_a_reload_shows_it(rep: User, deal: Deal, log_in: LogIn) -> None:
    for day in (5, 20):
        closes = month(2) + dt.timedelta(days=day)
        DealFactory(owner=rep, stage="meeting", name=f"Closes {day}", expected_close_on=closes)
    page = log_in(rep, viewport=WIDE)
    page.goto("/board/sales/?by=month")
    drag(page, deal, of_month(page, 2))
    titles = of_month(page, 2).locator(".deal-title")
    expect(titles).to_have_text(["Filling machine", "Closes 5", "Pasteuriser", "Closes 20"])
    page.reload()
    expect(titles).to_have_text(["Filling machine", "Closes 5", "Pasteuriser", "Closes 20"])


def test_handed_to_somebody_without_a_column_it_brings_one(
    manager: User, rep: User, colleague: User, deal: Deal, log_in: LogIn
) -> None:
    page = log_in(manager, viewport=WIDE)
    page.goto("/board/sales/?by=owner")
    page.evaluate("key => document.getElementById(`stage-${key}`).remove()", str(colleague.pk))
    page.locator(f"#deal-{deal.pk}").hover()
    page.locator(f"#deal-menu-{deal.pk}").click()
    page.get_by_role("menuitem", name="Hand over").click()
    page.locator("#dialog").get_by_label("Owner").select_option(str(colleague.pk))
    page.locator("#dialog").get_by_role("button", name="Hand over").click()
    brought = page.locator(f"#cards-{colleague.pk}")
    expect(brought).to_contain_text("Pasteuriser")
    expect(page.locator("#toasts")).to_contain_text("Undo")
    other = Deal.objects.get(name="Filling machine")
    drag(page, other, brought)
    expect(brought).to_contain_text("Filling machine")


def test_chosen_cards_are_handed_over_together_and_taken_back(
    rep: User, colleague: User, deal: Deal, log_in: LogIn
) -> None:
    page = log_in(rep, viewport=WIDE)
    page.goto("/board/sales/?by=owner")
    page.keyboard.press("x")
    for name in ("Pasteuriser", "Filling machine"):
        page.get_by_label(f"Choose {name}").focus()
        page.keyboard.press("Space")
    bar = page.locator("#together")
    expect(bar).to_contain_text("Chosen: 2")
    bar.get_by_label("Owner").select_option(label="Carl Colleague")
    bar.get_by_role("button", name="Hand over").press("Enter")

    theirs = page.locator(f"#cards-{colleague.pk} .deal-card")
    expect(theirs).to_have_count(2)
    expect(bar).to_be_hidden()
    expect(page.locator("#toasts")).to_contain_text("Rita Rep → Carl Colleague")
    assert Deal.objects.filter(owner=colleague).count() == 2
    page.keyboard.press("Control+z")
    expect(page.locator(f"#cards-{rep.pk} .deal-card")).to_have_count(2)
    assert Deal.objects.filter(owner=rep).count() == 2


def test_chosen_cards_dragged_to_another_month_are_redated_together(rep: User, deal: Deal, log_in: LogIn) -> None:
    page = log_in(rep, viewport=WIDE)
    page.goto("/board/sales/?by=month")
    page.get_by_role("button", name="Choose several").click()
    for name in ("Pasteuriser", "Filling machine"):
        page.get_by_label(f"Choose {name}").check()
    drag(page, deal, of_month(page, 3))

    expect(of_month(page, 3).locator(".deal-card")).to_have_count(2)
    expect(page.locator("#toasts")).to_contain_text("2 deals")
    assert closes_on(deal) == month(3) + dt.timedelta(days=9)
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(of_month(page, 1)).to_contain_text("Pasteuriser")
    expect(of_month(page, 2)).to_contain_text("Filling machine")
