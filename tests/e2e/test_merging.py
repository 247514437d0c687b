"""Duplicates in a real browser: noticed while typing, merged side by side, taken apart again."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from crm.models import Contact, Lead, User
from crm.rules import suspecting
from pipeline.models import Deal
from tests.e2e.conftest import LogIn
from tests.factories import (
    ActivityFactory,
    CompanyFactory,
    ContactFactory,
    FollowUpFactory,
    LeadFactory,
    sales_pipeline,
)


@pytest.fixture
def pair(rep: User) -> tuple[Contact, Contact]:
    """One person, once in each script."""
    first = ContactFactory(name="Sergey Ivanov", email="s.ivanov@x.test", phone="", owner=rep)
    second = ContactFactory(name="Сергей Иванов", email="", phone="+79161234567", position="CEO", owner=rep)
    ActivityFactory(subject=second, author=rep, body="Wants a belt dryer")
    return first, second


def test_two_are_merged_and_taken_apart(rep: User, pair: tuple[Contact, Contact], log_in: LogIn) -> None:
    first, second = pair
    suspecting.check_queued(seconds=30, now=timezone.now())
    page = log_in(rep)
    page.goto("/duplicates/?kind=contact")
    page.get_by_role("link", name="Merge…").click()
    dialog = page.locator("#dialog")
    expect(dialog.get_by_label("Сергей Иванов")).to_be_checked()  # the newer one
    dialog.get_by_label("Sergey Ivanov").check()
    dialog.get_by_role("button", name="Merge", exact=True).click()

    expect(page.locator("#toasts")).to_contain_text("2 records are now “Sergey Ivanov”")
    page.goto(second.get_absolute_url())  # an old link
    expect(page).to_have_url(re.compile(f"{first.get_absolute_url()}$"))
    expect(page.locator("h1")).to_have_text("Sergey Ivanov")
    expect(page.locator("#main")).to_contain_text("Wants a belt dryer")
    expect(page.locator("#main")).to_contain_text("CEO")

    page.get_by_role("button", name="Undo the merge").click()
    expect(page.locator("#toasts")).to_contain_text("Separate again")
    page.goto(second.get_absolute_url())
    expect(page.locator("h1")).to_have_text("Сергей Иванов")
    expect(page.locator("#main")).to_contain_text("Wants a belt dryer")


def test_typing_shows_who_is_there_already(rep: User, pair: tuple[Contact, Contact], log_in: LogIn) -> None:
    page = log_in(rep)
    page.goto("/leads/")
    page.keyboard.press("c")
    page.get_by_role("link", name="Lead", exact=True).click()
    dialog = page.locator("#dialog")
    dialog.get_by_label("Name").fill("Sergei Ivanoff")
    dialog.get_by_label("Phone").fill("8 916 123-45-67")
    dialog.get_by_label("E-mail").focus()
    expect(dialog.locator(".duplicates-notice")).to_contain_text("same phone, same name")
    dialog.get_by_role("button", name="Add", exact=True).click()  # it was seen: nobody asks again
    expect(page.locator("h1")).to_have_text("Sergei Ivanoff")


def test_merging_works_without_script(rep: User, pair: tuple[Contact, Contact], log_in: LogIn) -> None:
    suspecting.check_queued(seconds=30, now=timezone.now())
    page = log_in(rep, java_script_enabled=False)
    page.goto("/duplicates/?kind=contact")
    page.get_by_role("link", name="Merge…").click()
    page.get_by_role("button", name="Merge", exact=True).click()
    assert Contact.objects.visible_to(rep).count() == 1


def test_converting_offers_who_is_there_and_carries_everything_over(rep: User, log_in: LogIn) -> None:
    sales_pipeline()
    lead = LeadFactory(
        name="Sergei Ivanoff", company_name="Romashka LLC", phone="8 916 123-45-67", message="Need a dryer", owner=rep
    )
    ActivityFactory(subject=lead, author=rep, body="Asked for prices")
    FollowUpFactory(subject=lead, assignee=rep, title="Send the prices")
    company = CompanyFactory(name="ООО «Ромашка»", owner=rep)
    contact = ContactFactory(name="Сергей Иванов", phone="+79161234567", company=company, owner=rep)
    page = log_in(rep)
    page.goto(lead.get_absolute_url())
    page.keyboard.press("v")
    dialog = page.locator("#dialog")
    dialog.get_by_label("Deal", exact=True).fill("Belt dryer")
    dialog.get_by_role("button", name="Convert").click()
    expect(page.locator("#toasts")).to_contain_text("Belt dryer")

    deal = Deal.objects.get()
    assert (deal.company, deal.contact) == (company, contact)
    page.goto(deal.get_absolute_url())
    for said in ("Asked for prices", "Send the prices", "Need a dryer"):
        expect(page.locator("#main")).to_contain_text(said)
    assert Lead.objects.get().status == Lead.Status.CONVERTED
