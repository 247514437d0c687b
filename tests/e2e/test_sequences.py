"""Sequences in a browser: building one, enrolling a person and a segment; by the keyboard, and without script."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from crm.models import Enrolment, Lead, Sequence, User
from crm.rules.delivering import deliver_due
from tests.e2e.conftest import PHONE, LogIn
from tests.factories import LeadFactory
from tests.factories.segments import SegmentFactory
from tests.factories.sequences import EmailTemplateFactory, SequenceFactory, call, letter, wait


@pytest.fixture
def lead(rep: User) -> Lead:
    return LeadFactory(owner=rep, name="Anna Berg", email="anna@berg.test")


@pytest.fixture
def running(rep: User) -> Sequence:
    """A letter, three days, a call."""
    sequence = SequenceFactory(owner=rep, name="After the fair")
    letter(sequence, template=EmailTemplateFactory(owner=rep, name="Hello"))
    wait(sequence, 3)
    call(sequence)
    return sequence


def test_building_and_starting_one(rep: User, log_in: LogIn) -> None:
    EmailTemplateFactory(owner=rep, name="Hello")
    page = log_in(rep)
    page.goto("/sequences/")
    page.click("a.btn-primary:has-text('New sequence')")
    page.fill("#dialog [name=name]", "After the fair")
    page.click("#dialog .btn-primary")
    expect(page.locator("h1")).to_have_text("After the fair")
    page.click(".step-add a:has-text('E-mail')")
    page.select_option("#dialog [name=template]", label="Hello")
    page.click("#dialog .btn-primary")
    expect(page.locator("tr.is-email")).to_contain_text("Hello")
    page.focus(".step-add a:has-text('Wait')")
    page.keyboard.press("Enter")
    page.fill("#dialog [name=days]", "2")
    page.keyboard.press("Enter")
    expect(page.locator("tr.is-wait")).to_contain_text("Wait 2 working days")
    page.click("#sequence-head button:has-text('Start')")
    expect(page.locator("#sequence-head .tag")).to_have_text("Running")


def test_enrolling_a_person_who_then_answers(rep: User, lead: Lead, running: Sequence, log_in: LogIn) -> None:
    page = log_in(rep)
    page.goto(f"/leads/{lead.pk}/")
    page.click("#person-sequences a:has-text('Enrol')")
    expect(page.locator("#foreseen")).to_contain_text("Hello")
    page.click("#dialog .btn-primary")
    panel = page.locator("#person-sequences")
    expect(panel).to_contain_text("After the fair")
    expect(panel).to_contain_text("under way")
    deliver_due(seconds=10)

    page.goto(f"/activities/new/lead/{lead.pk}/?kind=call")
    page.select_option("[name=direction]", "in")
    page.click("main button.btn-primary")
    page.goto(f"/leads/{lead.pk}/")
    expect(page.locator("#person-sequences")).to_contain_text("answered")


def test_enrolling_a_segment_after_a_look(rep: User, lead: Lead, running: Sequence, log_in: LogIn) -> None:
    LeadFactory(owner=rep, name="Nora Nowhere")
    SegmentFactory(owner=rep, name="New ones")
    page = log_in(rep)
    page.goto(f"/sequences/{running.pk}/")
    page.click("a:has-text('Enrol a segment')")
    page.select_option("[name=segment]", label="Leads: New ones")
    page.click("button:has-text('Show who gets what when')")
    expect(page.locator("#enrol-who")).to_have_text("1 of 2 can be enrolled")
    expect(page.locator("main")).to_contain_text("Anna Berg")
    page.click("summary:has-text('No e-mail address')")
    expect(page.locator("details[open]:has-text('No e-mail address')")).to_contain_text("Nora Nowhere")
    page.click("button:has-text('Enrol 1 person')")
    deliver_due(seconds=20)
    expect(page.locator("#sequence-intakes + *, #sequence-page")).to_contain_text("1 of 2 enrolled")
    assert Enrolment.objects.get().subject == lead


def test_without_script_on_a_phone(rep: User, lead: Lead, running: Sequence, log_in: LogIn) -> None:
    page = log_in(rep, java_script_enabled=False, viewport=PHONE)
    page.goto(f"/people/lead/{lead.pk}/sequences/")
    page.click("a:has-text('Enrol')")
    page.click("main button.btn-primary")
    page.goto(f"/people/lead/{lead.pk}/sequences/")
    expect(page.locator("main")).to_contain_text("under way")
    step = running.steps.get(position=1)
    page.goto(f"/sequences/{running.pk}/steps/{step.pk}/remove/")
    expect(page.locator("main")).to_contain_text("1 person stands before this step and goes on with the next one.")
    page.click("main button.btn-danger")
    expect(page.locator("main")).not_to_contain_text("Hello")
