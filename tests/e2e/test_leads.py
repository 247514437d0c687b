"""Leads in a real browser: taken by one of two, qualified by a key, called, converted."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from crm.models import Activity, Lead, QualifyingQuestion, User
from pipeline.models import Deal, Pipeline, Stage
from tests.e2e.conftest import Complaints, LogIn
from tests.factories import CompanyFactory, ContactFactory, LeadFactory, sales_pipeline


@pytest.fixture
def lead(rep: User) -> Lead:
    sales_pipeline()
    return LeadFactory(
        name="Daria Fomina", company_name="Grain Mill Co.", email="daria@grain.test", phone="+371 2000", owner=rep
    )


def test_a_lead_is_converted_in_one_dialog(rep: User, lead: Lead, log_in: LogIn) -> None:
    known = ContactFactory(name="D. Fomina", email="daria@grain.test", owner=rep)
    page = log_in(rep)
    page.goto("/leads/")
    page.keyboard.press("v")
    dialog = page.locator("#dialog")
    expect(dialog.get_by_label("Name of the new company")).to_have_value("Grain Mill Co.")
    expect(dialog.get_by_label("Name of the new contact")).to_be_hidden()  # somebody with this e-mail is known
    dialog.get_by_label("Deal", exact=True).fill("Belt dryer")
    dialog.get_by_label("Amount").fill("140,000")
    dialog.get_by_role("button", name="Convert").click()

    expect(page.locator("#toasts")).to_contain_text("is now the deal “Belt dryer”")
    expect(page.locator("#lead-panel").get_by_role("link", name="Belt dryer")).to_be_visible()
    expect(page.locator("#lead-list")).not_to_contain_text("Daria Fomina")
    deal = Deal.objects.get()
    assert (deal.lead, deal.contact, deal.company.name, deal.amount) == (lead, known, "Grain Mill Co.", 140_000)


def test_another_pipelines_stage_brings_its_questions(rep: User, lead: Lead, log_in: LogIn) -> None:
    service = Pipeline.objects.create(name="Service", slug="service", position=9)
    visit = Stage.objects.create(pipeline=service, name="Visit", slug="visit", position=0)
    question = QualifyingQuestion.objects.create(name="Site seen", minimum=QualifyingQuestion.Minimum.ANSWER)
    service.qualifying_questions.add(question)
    page = log_in(rep)
    page.goto("/leads/")
    page.keyboard.press("v")
    dialog = page.locator("#dialog")
    dialog.get_by_label("Deal", exact=True).fill("Belt dryer")
    expect(dialog.get_by_label("Site seen")).to_have_count(0)
    dialog.get_by_label("Stage").select_option("Service · Visit")
    expect(dialog.get_by_label("Site seen")).to_be_visible()
    dialog.get_by_label("Site seen").select_option("Yes")
    dialog.get_by_role("button", name="Convert").click()

    expect(page.locator("#toasts")).to_contain_text("is now the deal “Belt dryer”")
    assert Deal.objects.get().stage == visit
    assert lead.qualifying_answers.get().answer == "yes"


def test_converting_works_without_script(rep: User, lead: Lead, log_in: LogIn) -> None:
    company = CompanyFactory(name="Grain Mill Co.", owner=rep)
    page = log_in(rep, java_script_enabled=False)
    page.goto("/leads/")
    page.get_by_role("link", name="Convert").click()
    # As in the dialog, a new one's name is asked for only where none is chosen.
    expect(page.get_by_label("Name of the new contact")).to_be_visible()
    expect(page.get_by_label("Name of the new company")).to_be_hidden()
    page.get_by_label("Deal", exact=True).fill("Belt dryer")
    page.get_by_role("button", name="Convert").click()

    deal = Deal.objects.get()
    assert deal.company == company
    expect(page).to_have_url(re.compile(f"{deal.get_absolute_url()}$"))


def test_of_two_who_take_a_lead_the_second_is_told(
    rep: User, colleague: User, log_in: LogIn, complaints: Complaints
) -> None:
    complaints.expected = ["409"]  # the browser logs every refusal as an error
    free = LeadFactory(name="Greta Holm")
    first, second = log_in(rep), log_in(colleague)
    for page in (first, second):
        page.goto("/leads/?view=unassigned")
    first.locator("#lead-list").get_by_role("button", name="Take").click()
    expect(first.locator("#toasts")).to_contain_text("“Greta Holm” is yours.")
    second.locator("#lead-list").get_by_role("button", name="Take").click()

    expect(second.locator("#dialog")).to_contain_text("Rita Rep took this lead first.")
    expect(second.locator("#lead-list")).not_to_contain_text("Greta Holm")
    free.refresh_from_db()
    assert free.owner == rep


def test_a_call_from_the_panel_is_logged_and_stops_the_clock(rep: User, lead: Lead, log_in: LogIn) -> None:
    page = log_in(rep)
    page.goto("/leads/")
    panel = page.locator("#lead-panel")
    expect(panel).to_contain_text("left to answer")
    # While Chromium looks for something to phone with, it swallows the next press.
    page.evaluate("document.addEventListener('click', (e) => e.target.closest('[href^=tel]') && e.preventDefault())")
    panel.get_by_role("link", name="Call", exact=True).first.click()
    panel.locator("#composer textarea").fill("Wants a quote by Friday")
    panel.get_by_role("button", name="Log").click()

    expect(panel).to_contain_text("answered in")
    expect(page.locator(f"#lead-{lead.pk}")).to_contain_text("Working")
    assert Activity.objects.get().body == "Wants a quote by Friday"


def test_keys_decide_about_the_lead_in_hand(rep: User, lead: Lead, log_in: LogIn) -> None:
    other = LeadFactory(name="Evgeny Lapin", owner=rep)
    page = log_in(rep)
    page.goto("/leads/")
    page.locator(f"#lead-{other.pk} td").nth(2).click()
    expect(page.locator("#side-name")).to_have_text("Evgeny Lapin")
    expect(page).to_have_url(re.compile(f"lead={other.pk}$"))
    page.keyboard.press("q")

    expect(page.locator(f"#lead-{other.pk}")).to_contain_text("Qualified")
    other.refresh_from_db()
    lead.refresh_from_db()
    assert (other.status, lead.status) == ("qualified", "new")


def test_a_menu_of_people_opens_and_narrows_the_list(rep: User, lead: Lead, log_in: LogIn) -> None:
    LeadFactory(name="Nobody's yet", owner=None, team=rep.team)
    page = log_in(rep)
    page.goto("/leads/?view=all")
    expect(page.locator("#lead-list")).to_contain_text("Nobody's yet")
    page.locator("summary", has_text="Owner").press("Enter")
    menu = page.locator("#menu-owner")
    menu.get_by_label("Owner").select_option(str(rep))
    menu.get_by_role("button", name="Apply").click()

    expect(page.locator("#lead-list")).not_to_contain_text("Nobody's yet")
    expect(page.locator("#lead-list")).to_contain_text("Daria Fomina")
    assert "view=all" in page.url
