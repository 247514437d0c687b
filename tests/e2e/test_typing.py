"""Nothing typed is lost, and nobody who works by keyboard loses their place."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from crm.models import FollowUp, Lead, QualifyingAnswer, QualifyingQuestion, User
from crm.rules.follow_ups import Plan, plan_follow_up
from crm.rules.wall_clock import WallTime
from tests.e2e.conftest import PHONE, LogIn
from tests.factories import LeadFactory, sales_pipeline

TYPED = "She asks for two dryers"


@pytest.fixture
def lead(rep: User) -> Lead:
    sales_pipeline()
    return LeadFactory(name="Daria Fomina", company_name="Grain Mill Co.", email="daria@grain.test", owner=rep)


def opened_dialog(page: Page, lead: Lead) -> Locator:
    page.goto(lead.get_absolute_url())
    opener = page.locator("#composer").get_by_role("link", name="Follow-up")
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.locator("#dialog")
    expect(dialog.get_by_label("What is to be done")).to_be_focused()
    return dialog


def test_a_dialog_with_typed_words_asks_before_it_closes(rep: User, lead: Lead, log_in: LogIn) -> None:
    page = log_in(rep)
    dialog = opened_dialog(page, lead)
    page.keyboard.type(TYPED)
    for _again in range(3):
        page.keyboard.press("Escape")
        expect(dialog.get_by_role("button", name="Keep writing")).to_be_focused()
    page.mouse.click(5, 5)
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Keep writing").click()
    expect(dialog.get_by_label("What is to be done")).to_be_focused()
    expect(dialog.get_by_label("What is to be done")).to_have_value(TYPED)
    page.mouse.click(5, 5)
    dialog.get_by_role("button", name="Discard").click()
    expect(dialog).to_be_hidden()


def test_a_dialog_without_words_closes_at_once_and_gives_the_focus_back(rep: User, lead: Lead, log_in: LogIn) -> None:
    page = log_in(rep)
    dialog = opened_dialog(page, lead)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator("#composer").get_by_role("link", name="Follow-up")).to_be_focused()


def test_what_was_typed_goes_along_to_another_tab_and_so_does_the_focus(rep: User, lead: Lead, log_in: LogIn) -> None:
    page = log_in(rep)
    page.goto(lead.get_absolute_url())
    composer = page.locator("#composer")
    composer.get_by_placeholder("Write a note").fill(TYPED)
    composer.get_by_role("link", name="Call").focus()
    page.keyboard.press("Enter")
    expect(composer.get_by_placeholder("What was said")).to_have_value(TYPED)
    expect(composer.get_by_role("link", name="Call")).to_be_focused()
    composer.get_by_role("button", name="Log").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#timeline")).to_contain_text(TYPED)
    expect(composer.get_by_role("button", name="Log")).to_be_focused()


def test_a_phone_scrolls_to_the_tab_that_was_chosen_and_no_further(rep: User, lead: Lead, log_in: LogIn) -> None:
    rep.language = "ru"  # the longer words
    rep.save()
    page = log_in(rep, viewport=PHONE, has_touch=True, is_mobile=True)
    page.goto(lead.get_absolute_url())
    composer = page.locator("#composer")
    composer.get_by_role("link", name="Сообщение").press("Enter")
    chosen = composer.locator(".tab[aria-current]")
    expect(chosen).to_have_text("Сообщение")
    expect(chosen).to_be_in_viewport(ratio=1)
    expect(composer.locator("[type=datetime-local]")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "its fields are no wider than the phone"


def test_nothing_further_saves_and_leaves_the_keyboard_on_the_next_row(rep: User, lead: Lead, log_in: LogIn) -> None:
    due = WallTime(timezone.now().replace(tzinfo=None) - dt.timedelta(days=1), "UTC")
    for title in ("Call Daria", "Send the plan"):
        plan_follow_up(lead, plan=Plan(title, due, rep), by=rep, now=timezone.now() - dt.timedelta(days=2))
    page = log_in(rep)
    page.goto("/")
    first = page.locator(".task-tick button").first
    first.focus()
    page.keyboard.press("Enter")
    dialog = page.locator("#dialog")
    dialog.get_by_label("What came of it").fill(TYPED)
    dialog.get_by_role("button", name="Nothing further").focus()
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(page.locator(".task-tick")).to_have_count(1)
    expect(page.locator(".task-tick button")).to_be_focused()
    assert FollowUp.objects.get(done_at__isnull=False).outcome == TYPED


def test_a_note_on_a_question_is_kept_while_one_writes_the_next(rep: User, lead: Lead, log_in: LogIn) -> None:
    for position, name in enumerate(("Budget", "Deadline")):
        QualifyingQuestion.objects.create(name=name, position=position)
    page = log_in(rep)
    page.goto(lead.get_absolute_url())
    page.get_by_label("Note on Budget").fill(TYPED)
    with page.expect_response("**/answers/**"):
        page.get_by_label("Note on Deadline").fill("in")
    page.get_by_label("Note on Deadline").press_sequentially(" May")
    expect(page.get_by_label("Note on Deadline")).to_have_value("in May")
    expect(page.get_by_label("Note on Budget")).to_have_value(TYPED)
    assert QualifyingAnswer.objects.get(question__name="Budget").note == TYPED


def test_a_refused_amount_has_the_focus_not_the_first_field(rep: User, lead: Lead, log_in: LogIn) -> None:
    page = log_in(rep)
    page.goto("/leads/")
    page.keyboard.press("v")
    dialog = page.locator("#dialog")
    dialog.get_by_label("Deal", exact=True).fill("Belt dryer")
    dialog.get_by_label("Amount").fill("much")
    dialog.get_by_role("button", name="Convert").click()
    expect(dialog.locator(".field-error")).to_be_visible()
    expect(dialog.get_by_label("Amount")).to_be_focused()


def test_a_call_from_my_day_is_logged_there(rep: User, lead: Lead, log_in: LogIn) -> None:
    Lead.objects.filter(pk=lead.pk).update(phone="+371 2000")
    page = log_in(rep)
    page.goto("/")
    page.locator(".task-row.is-lead").get_by_role("link", name="Answer").click()
    dialog = page.locator("#dialog")
    dialog.get_by_placeholder("What was said").fill(TYPED)
    dialog.get_by_role("button", name="Log").click()
    expect(dialog).to_be_hidden()
    expect(page.locator(".task-row.is-lead")).to_have_count(0)
    assert lead.activities.get(kind="call").body == TYPED
