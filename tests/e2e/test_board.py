"""The board in a real browser: dragged, moved by keyboard, refused, undone, and changed by two people at once."""

from __future__ import annotations

from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from crm.models import User
from pipeline.models import Deal, Stage, StageVisit
from tests.e2e.conftest import PHONE, LogIn
from tests.factories import DealFactory, sales_pipeline


@pytest.fixture
def columns(rep: User) -> dict[str, Stage]:
    return {stage.slug: stage for stage in sales_pipeline().stages.all()}


@pytest.fixture
def deal(rep: User, columns: dict[str, Stage]) -> Deal:
    DealFactory(owner=rep, stage="meeting", name="Filling machine", amount=Decimal(64_900))
    return DealFactory(owner=rep, stage="proposal", name="Pasteuriser P-500", amount=Decimal(73_500))


def card(page: Page, deal: Deal) -> object:
    return page.locator(f"#deal-{deal.pk}")


def column(page: Page, stage: Stage) -> object:
    return page.locator(f"#cards-{stage.pk}")


def drag(page: Page, deal: Deal, to: object) -> None:
    """As a hand does it: press, a little way, to the target, a little over it, release."""
    start = page.locator(f"#deal-{deal.pk} .deal-sum").bounding_box()
    end = to.bounding_box()
    page.mouse.move(start["x"] + 40, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(start["x"] + 48, start["y"] + 14, steps=3)
    page.wait_for_selector(".is-chosen, .is-drop, .is-dragging")
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + min(60, end["height"] / 2), steps=12)
    page.mouse.move(end["x"] + end["width"] / 2 + 4, end["y"] + min(60, end["height"] / 2) + 4, steps=2)
    page.wait_for_timeout(200)
    page.mouse.up()


def stage_of(deal: Deal) -> str:
    return Deal.objects.select_related("stage").get(pk=deal.pk).stage.slug


def test_a_dragged_card_moves_with_the_totals(rep: User, deal: Deal, columns: dict[str, Stage], log_in: LogIn) -> None:
    page = log_in(rep)
    page.goto("/board/")
    figures = page.locator("#board-figures")
    before = figures.inner_text()
    drag(page, deal, column(page, columns["negotiation"]))

    expect(column(page, columns["negotiation"])).to_contain_text("Pasteuriser P-500")
    expect(figures).not_to_have_text(before, use_inner_text=True)
    after = figures.inner_text()
    expect(page.locator(f"#head-{columns['negotiation'].pk}")).to_contain_text("€73,500")
    expect(page.locator(f"#head-{columns['proposal'].pk}")).to_contain_text("€0")
    expect(page.locator("#toasts")).to_contain_text("Proposal → Negotiation")
    assert stage_of(deal) == "negotiation"
    page.reload()
    assert figures.inner_text() == after


def test_a_move_is_undone_within_its_seconds(rep: User, deal: Deal, columns: dict[str, Stage], log_in: LogIn) -> None:
    page = log_in(rep)
    page.goto("/board/")
    drag(page, deal, column(page, columns["close"]))
    expect(page.locator("#toasts")).to_contain_text("Undo")
    page.keyboard.press("Control+z")

    expect(column(page, columns["proposal"])).to_contain_text("Pasteuriser P-500")
    assert stage_of(deal) == "proposal"
    assert StageVisit.objects.filter(deal=deal, reverted_at__isnull=False).count() == 1


def test_an_undone_card_lies_where_it_lay(rep: User, columns: dict[str, Stage], log_in: LogIn) -> None:
    cards = [DealFactory(owner=rep, stage="proposal", name=name) for name in ("First", "Second", "Third")]
    page = log_in(rep)
    page.goto("/board/")
    drag(page, cards[1], column(page, columns["close"]))
    expect(page.locator("#toasts")).to_contain_text("Undo")
    page.keyboard.press("Control+z")

    titles = column(page, columns["proposal"]).locator(".deal-title")
    expect(titles).to_have_text(["First", "Second", "Third"])
    page.reload()
    expect(titles).to_have_text(["First", "Second", "Third"])


def test_what_a_stage_requires_is_asked_for_and_cancel_puts_back(
    rep: User, deal: Deal, columns: dict[str, Stage], log_in: LogIn
) -> None:
    Stage.objects.filter(pk=columns["negotiation"].pk).update(required_fields=["expected_close_on"])
    page = log_in(rep)
    page.goto("/board/")
    drag(page, deal, column(page, columns["negotiation"]))
    dialog = page.locator("#dialog")
    expect(dialog).to_contain_text("The stage asks for this")
    dialog.get_by_role("button", name="Cancel").click()
    expect(column(page, columns["proposal"])).to_contain_text("Pasteuriser P-500")
    assert stage_of(deal) == "proposal"

    drag(page, deal, column(page, columns["negotiation"]))
    dialog.get_by_label("Expected close").fill("2030-01-15")
    dialog.get_by_role("button", name="Move").click()
    expect(column(page, columns["negotiation"])).to_contain_text("Pasteuriser P-500")
    assert stage_of(deal) == "negotiation"


def test_dropped_on_lost_asks_for_the_reason(rep: User, deal: Deal, log_in: LogIn) -> None:
    page = log_in(rep)
    page.goto("/board/")
    start = page.locator(f"#deal-{deal.pk} .deal-sum").bounding_box()
    page.mouse.move(start["x"] + 40, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(start["x"] + 60, start["y"] + 30, steps=4)
    zone = page.locator("[data-outcome=lose]")
    expect(zone).to_be_visible()
    end = zone.bounding_box()
    page.mouse.move(end["x"] + 60, end["y"] + 20, steps=12)
    page.mouse.move(end["x"] + 64, end["y"] + 24, steps=2)
    page.mouse.up()

    dialog = page.locator("#dialog")
    dialog.get_by_role("button", name="Mark as lost").click()
    expect(dialog).to_contain_text("Say why the deal was lost.")
    dialog.get_by_label("Reason").select_option(label="Price")
    dialog.get_by_label("Competitor").fill("Termalis")
    dialog.get_by_role("button", name="Mark as lost").click()
    expect(page.locator(f"#deal-{deal.pk}")).to_have_count(0)
    deal.refresh_from_db()
    assert (deal.outcome, deal.loss_reason.name, deal.competitor) == ("lost", "Price", "Termalis")


def test_dropped_on_the_won_column_asks_for_amount_and_day(
    rep: User, deal: Deal, columns: dict[str, Stage], log_in: LogIn
) -> None:
    page = log_in(rep)
    page.goto("/board/")
    drag(page, deal, column(page, columns["fulfilment"]))
    dialog = page.locator("#dialog")
    dialog.get_by_label("Amount").fill("70,000")
    expect(column(page, columns["proposal"])).to_contain_text("Pasteuriser P-500")
    dialog.get_by_role("button", name="Mark as won").click()
    expect(column(page, columns["fulfilment"])).to_contain_text("€70,000")
    deal.refresh_from_db()
    assert (deal.outcome, deal.amount) == ("won", 70_000)


def test_of_two_who_move_a_card_the_second_sees_who_was_first(
    rep: User, manager: User, deal: Deal, columns: dict[str, Stage], log_in: LogIn
) -> None:
    first, second = log_in(manager), log_in(rep)
    second.goto("/board/")
    # An idle tab: it no longer hears what others do.
    second.route("**/changes/**", lambda route: route.abort())
    first.goto("/board/")
    drag(first, deal, column(first, columns["negotiation"]))
    expect(first.locator("#toasts")).to_contain_text("Negotiation")

    drag(second, deal, column(second, columns["meeting"]))
    note = second.locator(".conflict")
    expect(note).to_contain_text("Mara Manager moved “Pasteuriser P-500”: Proposal → Negotiation")
    expect(column(second, columns["negotiation"])).to_contain_text("Pasteuriser P-500")
    assert stage_of(deal) == "negotiation"


def test_what_another_moves_appears_by_itself(
    rep: User, manager: User, deal: Deal, columns: dict[str, Stage], log_in: LogIn
) -> None:
    watching, moving = log_in(rep), log_in(manager)
    watching.goto("/board/")
    moving.goto("/board/")
    drag(moving, deal, column(moving, columns["close"]))
    expect(column(watching, columns["close"])).to_contain_text("Pasteuriser P-500")
    expect(watching.locator(f"#head-{columns['close'].pk}")).to_contain_text("€73,500")


def test_what_another_puts_on_top_goes_on_top(
    rep: User, manager: User, columns: dict[str, Stage], log_in: LogIn
) -> None:
    cards = [DealFactory(owner=rep, stage="proposal", name=name) for name in ("First", "Second", "Third")]
    watching, moving = log_in(rep), log_in(manager)
    watching.goto("/board/")
    moving.goto("/board/")
    moving.locator(f"#deal-{cards[2].pk} .deal-title a").focus()
    for key in ("Space", "ArrowUp", "ArrowUp", "Enter"):
        moving.keyboard.press(key)

    titles = column(watching, columns["proposal"]).locator(".deal-title")
    expect(titles).to_have_text(["Third", "First", "Second"])


def test_offline_the_card_goes_back(rep: User, deal: Deal, columns: dict[str, Stage], log_in: LogIn) -> None:
    page = log_in(rep)
    page.goto("/board/")
    page.context.set_offline(True)
    drag(page, deal, column(page, columns["close"]))
    expect(page.locator("#toasts")).to_contain_text("No connection")
    expect(column(page, columns["proposal"])).to_contain_text("Pasteuriser P-500")
    page.context.set_offline(False)
    assert stage_of(deal) == "proposal"


def test_a_card_is_moved_by_keyboard_alone(rep: User, deal: Deal, columns: dict[str, Stage], log_in: LogIn) -> None:
    page = log_in(rep)
    page.goto("/board/")
    page.locator(f"#deal-{deal.pk} .deal-title a").focus()
    page.keyboard.press("Space")
    expect(page.locator("#live")).to_contain_text("Picked up Pasteuriser P-500")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#live")).to_contain_text("Meeting, place 1")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("Proposal → Meeting")
    assert stage_of(deal) == "meeting"
    order = list(Deal.objects.filter(stage=columns["meeting"]).in_board_order().values_list("name", flat=True))
    assert order == ["Filling machine", "Pasteuriser P-500"]


def test_escape_puts_a_picked_card_back(rep: User, deal: Deal, columns: dict[str, Stage], log_in: LogIn) -> None:
    page = log_in(rep)
    page.goto("/board/")
    page.locator(f"#deal-{deal.pk} .deal-title a").focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Escape")
    expect(column(page, columns["proposal"])).to_contain_text("Pasteuriser P-500")
    assert stage_of(deal) == "proposal"


def test_a_card_is_moved_without_script(rep: User, deal: Deal, log_in: LogIn) -> None:
    page = log_in(rep, java_script_enabled=False)
    page.goto(f"/deals/{deal.pk}/move/")
    page.get_by_label("Stage").select_option(label="Close")
    page.get_by_role("button", name="Move").click()
    expect(page.locator("h1")).to_contain_text("Pasteuriser P-500")
    assert stage_of(deal) == "close"


def test_a_deal_is_added_in_its_column(rep: User, columns: dict[str, Stage], log_in: LogIn) -> None:
    DealFactory(owner=rep)
    page = log_in(rep)
    page.goto("/board/")
    page.get_by_role("link", name="Add a deal to Meeting").click()
    page.get_by_label("Title").fill("Flow wrapper FW-60")
    page.get_by_label("Company", exact=True).fill("Alpen Milch")
    page.get_by_label("Amount", exact=True).fill("18,400")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(column(page, columns["meeting"])).to_contain_text("Flow wrapper FW-60")
    expect(page.locator(f"#head-{columns['meeting'].pk}")).to_contain_text("€18,400")
    added = Deal.objects.get(name="Flow wrapper FW-60")
    assert (added.owner, added.company.name, added.amount) == (rep, "Alpen Milch", 18_400)


def test_the_fields_of_a_new_deal_open_once_and_close(rep: User, columns: dict[str, Stage], log_in: LogIn) -> None:
    page = log_in(rep)
    page.goto("/board/")
    opener = page.locator(f"#head-{columns['meeting'].pk} .column-add")
    form = column(page, columns["meeting"]).locator(".deal-add")
    opener.click()
    form.get_by_label("Title").fill("Half a word")
    opener.click()
    expect(form.get_by_label("Title")).to_be_focused()
    expect(form.get_by_label("Title")).to_have_value("Half a word")
    page.keyboard.press("Escape")
    expect(form).to_have_count(0)
    expect(opener).to_be_focused()

    opener.click()
    form.get_by_role("link", name="Cancel").click()
    expect(form).to_have_count(0)
    opener.click()
    form.get_by_label("Title").fill("Bottle washer")
    page.keyboard.press("Enter")
    expect(column(page, columns["meeting"]).locator("> .deal-card a", has_text="Bottle washer")).to_be_focused()
    expect(form).to_have_count(0)


def test_more_cards_come_as_one_scrolls(rep: User, columns: dict[str, Stage], log_in: LogIn) -> None:
    for _number in range(60):
        DealFactory(owner=rep)
    page = log_in(rep)
    page.goto("/board/")
    cards = page.locator(f"#cards-{columns['prospecting'].pk} .deal-card")
    expect(page.locator(f"#head-{columns['prospecting'].pk} .num")).to_have_text("60")
    assert cards.count() < 60
    for _page in range(2):
        loaded = cards.count()
        column(page, columns["prospecting"]).evaluate("list => list.scrollTo(0, list.scrollHeight)")
        expect(cards).not_to_have_count(loaded)
    expect(cards).to_have_count(60)


def test_the_board_on_a_phone_speaks_russian(rep: User, deal: Deal, log_in: LogIn) -> None:
    rep.language = "ru"
    rep.save()
    page = log_in(rep, viewport=PHONE, has_touch=True)
    page.goto("/board/")
    expect(page.locator(".stage-chips")).to_contain_text("Встреча")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_chosen_cards_move_together_and_back(rep: User, columns: dict[str, Stage], log_in: LogIn) -> None:
    cards = [DealFactory(owner=rep, stage="proposal", name=name) for name in ("First", "Second", "Third")]
    page = log_in(rep)
    page.goto("/board/")
    page.get_by_role("button", name="Choose several").click()
    card(page, cards[0]).locator(".deal-title").click()
    card(page, cards[2]).locator(".deal-title").click()
    expect(page.locator("#together")).to_contain_text("Chosen: 2")
    drag(page, cards[0], column(page, columns["close"]))

    there = column(page, columns["close"]).locator(".deal-title")
    expect(there).to_have_text(["First", "Third"])
    expect(page.locator("#toasts")).to_contain_text("2 deals")
    expect(page.locator("#together")).to_be_hidden()
    page.keyboard.press("Control+z")
    expect(column(page, columns["proposal"]).locator(".deal-title")).to_have_text(["First", "Second", "Third"])
    assert {stage_of(one) for one in cards} == {"proposal"}


def test_chosen_by_keyboard_those_refused_stay_and_are_named(
    rep: User, columns: dict[str, Stage], log_in: LogIn
) -> None:
    Stage.objects.filter(pk=columns["negotiation"].pk).update(required_fields=["amount"])
    ready = DealFactory(owner=rep, stage="meeting", name="Ready", amount=Decimal(100))
    lacking = DealFactory(owner=rep, stage="meeting", name="Lacking", amount=None)
    page = log_in(rep)
    page.goto("/board/")
    page.keyboard.press("x")
    expect(page.locator("#together")).to_be_visible()
    for deal in (ready, lacking):
        page.get_by_label(f"Choose {deal.name}").focus()
        page.keyboard.press("Space")
    bar = page.locator("#together")
    expect(bar).to_contain_text("Chosen: 2")
    bar.get_by_label("Stage").select_option(label="Negotiation")
    bar.get_by_role("button", name="Move").press("Enter")

    dialog = page.locator("#dialog")
    expect(dialog).to_contain_text("1 deal moved; these stay")
    expect(dialog).to_contain_text("Lacking")
    expect(dialog).to_contain_text("Before this move the deal needs: Amount.")
    expect(column(page, columns["negotiation"])).to_contain_text("Ready")
    assert (stage_of(ready), stage_of(lacking)) == ("negotiation", "meeting")
