"""The import wizard in a real browser: a file with questions and duplicates, from upload to taking it back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from crm.models import Lead, User
from tests.e2e.conftest import LogIn
from tests.factories import LeadFactory

FILE = (
    "Full name,E-mail,Company,Lead source,Created,Owner\n"
    "Anna Berg,anna@berg.test,Berg AG,Fair,03/04/2024,Frau Meier\n"
    "Boris Kim,boris@kim.test,Kim & Co,Fair,05/06/2024,\n"
    "Clara Oz,no address,Oz Ltd,Fair,07/08/2024,\n"
)


def choose_file(page: Page, text: str = FILE, name: str = "leads.csv") -> None:
    page.get_by_label("File").set_input_files({"name": name, "mimeType": "text/csv", "buffer": text.encode()})
    page.get_by_role("button", name="Upload").click()


@pytest.mark.parametrize("script", [True, False])
def test_a_file_is_brought_in_and_taken_back(rep: User, log_in: LogIn, script: bool) -> None:
    LeadFactory(name="Anna Berg", email="anna@berg.test", owner=rep, company_name="Old name")
    page = log_in(rep, java_script_enabled=script)
    page.goto("/imports/new/?kind=leads")
    choose_file(page)

    expect(page.get_by_role("heading", name="What the columns are")).to_be_visible()
    page.get_by_role("button", name="Check every row").click()
    expect(page.get_by_text("This field is required").first).to_be_visible()
    page.get_by_label("The day comes first").check()
    page.get_by_label("Owner: “Frau Meier”").select_option(label="Rita Rep")
    page.get_by_role("button", name="Check every row").click()

    expect(page.get_by_role("heading", name="1 row whose record may be there already")).to_be_visible()
    expect(page.get_by_role("cell", name="no address", exact=True)).to_be_visible()
    page.get_by_label("Skip the row").first.check()
    page.get_by_role("button", name=re.compile("Import 2 rows")).click()

    expect(page.get_by_role("heading", name="Imported")).to_be_visible()
    assert set(Lead.objects.values_list("name", "company_name")) == {
        ("Anna Berg", "Old name"),
        ("Boris Kim", "Kim & Co"),
    }
    assert Lead.objects.get(name="Boris Kim").created_at.month == 6
    page.get_by_role("button", name="Take the import back").click()
    expect(page.get_by_role("heading", name="Taken back")).to_be_visible()
    assert list(Lead.objects.values_list("name", flat=True)) == ["Anna Berg"]


def test_another_column_shows_in_the_preview_by_keyboard(rep: User, log_in: LogIn) -> None:
    page = log_in(rep)
    page.goto("/imports/new/?kind=leads")
    choose_file(page, "wer,wo\nAnna Berg,Berg AG\n")
    column = page.get_by_label("wer")
    column.focus()
    column.select_option("name")
    page.get_by_role("button", name="Show again").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".import-preview")).to_contain_text("Anna Berg")


def test_a_file_that_is_none_says_so(rep: User, log_in: LogIn) -> None:
    page = log_in(rep)
    page.goto("/imports/new/")
    choose_file(page, "%PDF-1.7 …", "offer.pdf")
    expect(page.get_by_text("looks like a PDF document")).to_be_visible()
