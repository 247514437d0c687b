"""Companies and contacts: lists, pages, adding, editing, deleting, and the choosers."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm.models import AuditEntry, Company, Contact, ExchangeRate, User
from crm.rules.companies import edit_record
from pipeline.models import Stage
from tests.factories import ActivityFactory, CompanyFactory, ContactFactory, ContractFactory, DealFactory

pytestmark = pytest.mark.django_db

HX = {"HX-Request": "true"}
Stages = dict[str, Stage]


@pytest.fixture
def company(rep: User) -> Company:
    return CompanyFactory(name="Halden Dairy", domain="halden.example", industry="Food", owner=rep)


@pytest.fixture
def contact(rep: User, company: Company) -> Contact:
    return ContactFactory(name="Irina Kim", email="irina@halden.example", company=company, owner=rep)


def test_company_page_shows_deals_with_sums_people_contracts_and_all_that_happened(
    client: Client, company: Company, contact: Contact, rep: User, stages: Stages
) -> None:
    now = timezone.now()
    ExchangeRate.objects.create(on=dt.date(2020, 1, 1), currency="USD", rate=Decimal("0.5"))
    DealFactory(name="Open one", owner=rep, company=company, amount=100, currency="USD")
    won = DealFactory(name="Won one", owner=rep, company=company, amount=700, won_at=now, contact=contact)
    ContractFactory(company=company, owner=rep, monthly_value=350)
    ActivityFactory(subject=won, author=rep, body="Said at the deal")
    ActivityFactory(subject=contact, author=rep, body="Said to her")
    client.force_login(rep)

    text = client.get(company.get_absolute_url()).content.decode()

    for shown in ("Open one", "Won one", "€50", "€700", "Irina Kim", "€350 a month", "Said at the deal", "Said to her"):
        assert shown in text, shown


def test_company_page_shows_no_foreign_deal_contact_or_contract(
    client: Client, company: Company, rep: User, outsider: User, stages: Stages
) -> None:
    deal = DealFactory(name="Foreign deal", owner=outsider, company=company, amount=777)
    ContactFactory(name="Foreign person", owner=outsider, company=company)
    ContractFactory(company=company, owner=outsider, monthly_value=4321)
    ActivityFactory(subject=deal, author=outsider, body="Foreign words")
    client.force_login(rep)

    text = client.get(company.get_absolute_url()).content.decode()

    for hidden in ("Foreign", "777", "4,321"):
        assert hidden not in text


def test_contact_page(client: Client, contact: Contact, rep: User, outsider: User, stages: Stages) -> None:
    DealFactory(name="Her deal", owner=rep, contact=contact)
    client.force_login(rep)
    text = client.get(contact.get_absolute_url()).content.decode()
    assert "Her deal" in text
    assert "mailto:irina@halden.example" in text

    client.force_login(outsider)
    assert client.get(contact.get_absolute_url()).status_code == 404
    assert client.get(contact.company.get_absolute_url()).status_code == 404


def test_lists_filter_and_count_open_deals(
    client: Client, company: Company, contact: Contact, rep: User, outsider: User, stages: Stages
) -> None:
    CompanyFactory(name="Ёлка", owner=rep, industry="Wood")
    CompanyFactory(name="Foreign", owner=outsider)
    DealFactory(owner=rep, company=company, contact=contact)
    DealFactory(owner=rep, company=company, won_at=timezone.now())
    client.force_login(rep)
    companies, contacts = reverse("company_list"), reverse("contact_list")

    everything = client.get(companies).content.decode()
    assert "Halden Dairy" in everything
    assert "Ёлка" in everything
    assert "Foreign" not in everything
    assert f'href="/deals/?company={company.pk}">1</a>' in everything
    assert "Halden" not in client.get(companies, {"q": "елк"}).content.decode()
    assert "Ёлка" not in client.get(companies, {"industry": "food"}).content.decode()
    assert "Irina Kim" in client.get(contacts, {"q": "HALDEN.example"}).content.decode()
    assert client.get(companies, {"owner": outsider.pk}).status_code == 404
    assert client.get(companies, {"sort": "x"}).status_code == 404


def test_lists_ask_the_database_the_same_for_every_row(
    client: Client, rep: User, stages: Stages, django_assert_max_num_queries: Any
) -> None:
    for _ in range(10):
        company = CompanyFactory(owner=rep)
        DealFactory(owner=rep, company=company, contact=ContactFactory(owner=rep, company=company))
    client.force_login(rep)

    for name in ("company_list", "contact_list"):
        with django_assert_max_num_queries(14):
            assert client.get(reverse(name)).status_code == 200


@pytest.mark.parametrize("headers", [HX, {}])
def test_adding(client: Client, rep: User, company: Company, headers: dict[str, str]) -> None:
    client.force_login(rep)
    for name in ("company_create", "contact_create"):
        assert client.get(reverse(name), headers=headers).status_code == 200

    client.post(reverse("company_create"), {"name": "Nordlys", "owner": rep.pk}, headers=headers)
    url = f"{reverse('contact_create')}?company={company.pk}"
    assert f'<option value="{company.pk}" selected' in client.get(url, headers=headers).content.decode()
    client.post(url, {"name": "Jonas", "company": "new:Brand New", "owner": rep.pk}, headers=headers)

    assert Company.objects.get(name="Nordlys").owner == rep
    assert Contact.objects.get().company == Company.objects.get(name="Brand New")
    assert client.get(f"{reverse('contact_create')}?company=999999").status_code == 404


def test_editing_leaves_what_somebody_else_wrote_into_other_fields(client: Client, company: Company, rep: User) -> None:
    client.force_login(rep)
    seen = {"name": company.name, "domain": company.domain, "industry": company.industry, "owner": rep.pk}
    url = reverse("company_edit", args=[company.pk])
    form_as_seen = client.get(url, headers=HX)
    assert form_as_seen.status_code == 200
    Company.objects.filter(pk=company.pk).update(country="Norway")

    answer = client.post(url, seen | {"country": "Norway", "employees": "80"}, headers=HX)

    company.refresh_from_db()
    assert "record-changed" in answer["HX-Trigger"]
    assert (company.employees, company.country) == (80, "Norway")


def test_second_of_two_editors_is_told_and_keeps_what_they_typed(
    client: Client, company: Company, rep: User, manager: User
) -> None:
    client.force_login(rep)
    url = reverse("company_edit", args=[company.pk])
    seen = {"name": company.name, "owner": rep.pk, "version": company.version}
    edit_record(company, fields={"name": "Theirs"}, by=manager)

    second = client.post(url, seen | {"name": "Mine"}, headers=HX)

    assert second.status_code == 409
    assert "Mara Manager changed this" in second.text
    assert "Theirs" in second.text
    assert 'value="Mine"' in second.text
    company.refresh_from_db()
    assert (company.name, company.version) == ("Theirs", seen["version"] + 1)
    assert client.post(url, seen | {"name": "Mine", "version": company.version}, headers=HX).status_code == 200
    entries = AuditEntry.objects.about("company", company.pk).filter(action="changed")
    assert [(entry.after["name"], entry.actor) for entry in entries] == [("Mine", rep), ("Theirs", manager)]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "x" * 10_000}, "at most 200 characters"),
        ({"domain": "a\x00b"}, "Null characters"),
        ({"employees": "-3"}, "greater than or equal to 0"),
        ({"employees": "9" * 30}, "less than or equal to"),
        ({"owner": "999999"}, "Select a valid choice"),
    ],
)
def test_wrong_value_keeps_the_rest(
    client: Client, company: Company, rep: User, changes: dict[str, str], complaint: str
) -> None:
    client.force_login(rep)
    data = {"name": "Halden", "domain": "kept.example", "owner": rep.pk} | changes

    answer = client.post(reverse("company_edit", args=[company.pk]), data, headers=HX)

    text = answer.content.decode()
    assert answer.status_code == 422
    assert complaint in text
    assert "kept.example" in text or "domain" in changes
    company.refresh_from_db()
    assert company.name == "Halden Dairy"


def test_deleted_record_comes_back_and_its_deals_stay(
    client: Client, company: Company, contact: Contact, rep: User, stages: Stages
) -> None:
    deal = DealFactory(owner=rep, company=company, contact=contact)
    client.force_login(rep)
    for kind, record in (("company", company), ("contact", contact)):
        assert client.post(reverse(f"{kind}_delete", args=[record.pk])).status_code == 302
        assert client.get(record.get_absolute_url()).status_code == 404
        page = client.get(deal.get_absolute_url())
        assert page.status_code == 200
        assert record.name in client.get(reverse("bin_list")).content.decode()
        assert client.get(reverse(f"{kind}_restore", args=[record.pk])).status_code == 405
        assert client.post(reverse(f"{kind}_restore", args=[record.pk])).status_code == 302
        assert client.get(record.get_absolute_url()).status_code == 200


def test_writing_is_refused_to_readers_and_hidden_from_outsiders(
    client: Client, company: Company, contact: Contact, outsider: User, colleague: User, viewer: User
) -> None:
    urls = [reverse(f"company_{verb}", args=[company.pk]) for verb in ("edit", "delete", "contract")]
    urls += [reverse(f"contact_{verb}", args=[contact.pk]) for verb in ("edit", "delete")]
    for person, status in ((outsider, 404), (colleague, 403), (viewer, 403)):
        client.force_login(person)
        assert [client.post(url, {"name": "x"}).status_code for url in urls] == [status] * len(urls)
    for name in ("company_create", "contact_create", "bin_list"):
        assert client.get(reverse(name)).status_code == 403


def test_choosers_offer_what_one_may_see(
    client: Client, company: Company, contact: Contact, rep: User, outsider: User
) -> None:
    client.force_login(rep)
    assert client.get(reverse("choose_companies"), {"q": "hald dai"}).json() == [
        {"value": str(company.pk), "text": "Halden Dairy"}
    ]
    assert client.get(reverse("choose_contacts"), {"q": "kim"}).json() == [
        {"value": str(contact.pk), "text": "Irina Kim, Halden Dairy"}
    ]
    assert client.get(reverse("choose_companies"), {"q": "x" * 5000}).json() == []
    typed = client.get(reverse("choose_companies"), {"company": "hald"}, headers={"HX-Request": "true"})
    assert '<option value="Halden Dairy">' in typed.content.decode()
    assert "<option" not in client.get(reverse("choose_companies"), headers={"HX-Request": "true"}).content.decode()
    client.force_login(outsider)
    assert client.get(reverse("choose_companies")).json() == []
    unseen = client.get(reverse("choose_companies"), {"company": "hald"}, headers={"HX-Request": "true"})
    assert "<option" not in unseen.content.decode()
