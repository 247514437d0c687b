"""Whose export a file is and what its columns hold: every header the wizard is to know without a word from anybody."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from crm.rules.records import vcards, workbooks
from crm.rules.records.reading import read_table
from crm.rules.records.recognising import Recognised, known_headings, recognise
from crm.rules.records.targets import columns_of

SHARED = Path(__file__).parents[3] / "shared" / "data"
EXPORTS, CARDS = SHARED / "crm_exports", SHARED / "vcard"
needs_exports = pytest.mark.skipif(not EXPORTS.is_dir(), reason=f"{EXPORTS} is not here")
needs_cards = pytest.mark.skipif(not CARDS.is_dir(), reason=f"{CARDS} is not here")

FILES = {
    "amocrm_kommo_deal_export_header.csv": ("amoCRM", "deals", 22),
    "bitrix24_deal_export_header.csv": ("Bitrix24", "deals", 15),
    "bitrix24_lead_export_header.csv": ("Bitrix24", "leads", 15),
    "google_contacts_2024_format.csv": ("Google", "contacts", 8),
    "google_contacts_old_format_header.csv": ("Google", "contacts", 6),
    "hubspot_fivetran_seeds/company_data.csv": ("HubSpot", "companies", 4),
    "hubspot_fivetran_seeds/contact_data.csv": ("HubSpot", "contacts", 7),
    "hubspot_fivetran_seeds/deal_data.csv": ("HubSpot", "deals", 6),
    "hubspot_fixture_companies.csv": ("HubSpot", "companies", 4),
    "hubspot_fixture_contacts.csv": ("HubSpot", "contacts", 6),
    "hubspot_fixture_deals.csv": ("HubSpot", "deals", 7),
    "linkedin_connections_preamble_and_header.csv": ("LinkedIn", "contacts", 6),
    "outlook_2010_header.csv": ("Outlook", "contacts", 10),
    "outlook_contacts.csv": ("Outlook", "contacts", 13),
    "pipedrive_import_template_header.csv": ("Pipedrive", "deals", 12),
    "pipedrive_sample_spreadsheet_vocabulary.csv": ("Pipedrive", "deals", 20),
    "salesforce_export_headers/Account.header.csv": ("Salesforce", "companies", 8),
    "salesforce_export_headers/Contact.header.csv": ("Salesforce", "contacts", 12),
    "salesforce_export_headers/Lead.header.csv": ("Salesforce", "leads", 13),
    "salesforce_export_headers/Opportunity.header.csv": ("Salesforce", "deals", 12),
    "zoho_crm/Accounts.csv": ("Zoho", "companies", 5),
    "zoho_crm/Contacts.csv": ("Zoho", "contacts", 6),
    "zoho_crm/Leads.csv": ("Zoho", "leads", 9),
    "odoo/odoo_crm_lead_import_template.xls": ("Odoo", "leads", 8),
    "odoo/odoo_res_partner_import_template.xlsx": ("Odoo", "contacts", 5),
}
"""File → program, kind, and how many of its columns hold something of ours."""
OTHERS = {
    "salesforce_export_headers/Campaign.header.csv": "campaigns",
    "salesforce_export_headers/CampaignMember.header.csv": "members of campaigns",
    "salesforce_export_headers/Event.header.csv": "events",
    "salesforce_export_headers/OpportunityContactRole.header.csv": "roles of contacts in deals",
    "salesforce_export_headers/OpportunityHistory.header.csv": "stage histories",
    "salesforce_export_headers/Quote.header.csv": "quotes",
    "salesforce_export_headers/Task.header.csv": "tasks",
    "zoho_crm/Campaigns.csv": "campaigns",
    "zoho_crm/Cases.csv": "cases",
    "zoho_crm/Tasks.csv": "tasks",
    "zoho_crm/Users.csv": "users",
    "hubspot_fivetran_seeds/owner_data.csv": "users",
    "hubspot_fivetran_seeds/ticket_data.csv": "tickets",
    "hubspot_fivetran_seeds/contact_property_history_data.csv": "histories of fields",
    "hubspot_fivetran_seeds/deal_property_history_data.csv": "histories of fields",
    "hubspot_fivetran_seeds/deal_stage_data.csv": "histories of fields",
    "hubspot_fivetran_seeds/deal_company_data.csv": "links between records",
    "hubspot_fivetran_seeds/deal_contact_data.csv": "links between records",
    "hubspot_fivetran_seeds/merged_deal_data.csv": "links between records",
    "hubspot_fivetran_seeds/deal_pipeline_data.csv": "pipelines and stages",
    "hubspot_fivetran_seeds/deal_pipeline_stage_data.csv": "pipelines and stages",
    **{
        f"hubspot_fivetran_seeds/engagement{of}_data.csv": "calls, mails and meetings"
        for of in ("", "_call", "_email", "_meeting", "_note", "_task")
    },
}
"""File → what it holds, which is nothing that the wizard imports."""


def recognised(path: Path, folder: Path) -> tuple[tuple[str, ...], Recognised]:
    if workbooks.is_workbook(path):
        workbooks.write_as_csv(path, folder / "sheet.csv")
        path = folder / "sheet.csv"
    header = read_table(path, known_columns=known_headings()).header
    return header, recognise(header)


@needs_exports
@pytest.mark.parametrize("name", FILES)
def test_an_export_is_recognised_without_a_mapping(name: str, tmp_path: Path) -> None:
    header, found = recognised(EXPORTS / name, tmp_path)
    held = [(heading, target) for heading, target in zip(header, found.targets, strict=True) if target]
    assert (found.program, found.kind, found.holds) == (*FILES[name][:2], "")
    assert len(held) == FILES[name][2], held
    assert "name" in columns_of(held)


@needs_exports
def test_no_export_is_left_out() -> None:
    tables = {
        path.relative_to(EXPORTS).as_posix() for path in EXPORTS.rglob("*") if path.suffix in {".csv", ".xls", ".xlsx"}
    }
    assert tables == FILES.keys() | OTHERS.keys()


@needs_exports
@pytest.mark.parametrize("name", OTHERS)
def test_an_export_of_something_else_is_told_apart(name: str, tmp_path: Path) -> None:
    _header, found = recognised(EXPORTS / name, tmp_path)
    assert str(found.holds) == OTHERS[name]


def test_the_chosen_kind_is_kept() -> None:
    found = recognise(("First Name", "Last Name", "E-mail Address", "Company", "Mobile Phone"), "leads")
    assert (found.kind, found.targets) == ("leads", ("first_name", "last_name", "email", "company", "phone"))


def test_names_of_owners_go_before_their_ids() -> None:
    header = ("Hubspot owner id", "Record ID", "First Name", "Last Name", "Contact owner", "Associated Company IDs")
    found = recognise(header)
    assert found.program == "HubSpot"
    assert found.targets == ("", "external_id", "first_name", "last_name", "owner", "company_id")


def test_unknown_headings_are_nobodys() -> None:
    found = recognise(("spam", "eggs"))
    assert (found.program, set(found.targets)) == ("", {""})


def test_parts_make_a_name_and_a_title_stands_in() -> None:
    pairs = [("Титул", "title_name"), ("Фам", "last_name"), ("Имя", "first_name"), ("Полное", "name")]
    assert columns_of(pairs) == {"name": (("Полное",), ("Имя", "Фам"), ("Титул",))}


def test_a_stage_may_also_say_won_or_lost() -> None:
    assert columns_of([("Стадия", "stage_outcome")]) == {"stage": (("Стадия",),), "outcome": (("Стадия",),)}


@needs_cards
def test_every_card_is_read(tmp_path: Path) -> None:
    names = {}
    for path in sorted(CARDS.glob("*.vcf")):
        assert vcards.is_vcard(path)
        vcards.write_as_csv(path, tmp_path / "cards.csv")
        with (tmp_path / "cards.csv").open(newline="") as stream:
            names[path.name] = [row["FN"] or row["EMAIL 1"] for row in csv.DictReader(stream)]
    assert all(all(cards) for cards in names.values()), names
    assert names["gmail-list.vcf"] == ["Arnold Smith", "Chris Beatle", "Doug White"]
    assert names["rfc6350-example.vcf"] == ["Simon Perreault"]
    assert len(names["John_Doe_ANDROID.vcf"]) > 4


def test_a_card_without_sense_is_a_line_and_no_error(tmp_path: Path) -> None:
    path = tmp_path / "x.vcf"
    path.write_text("BEGIN:VCARD\nVERSION:3.0\nnonsense;;;:::\nEND:VCARD\nBEGIN:VCARD\nFN:Anna\nN:;Anna\nEND:VCARD\n")
    vcards.write_as_csv(path, tmp_path / "y.csv")
    assert (tmp_path / "y.csv").read_text().count("\n") == 3
