"""Contracts over HTTP, from the pages of deals and companies."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse

from crm.models import Company, User
from pipeline.models import Contract, Stage
from tests.factories import CompanyFactory, ContractFactory, DealFactory

pytestmark = pytest.mark.django_db

HX = {"HX-Request": "true"}
TERMS = {"starts_on": "2026-01-01", "ends_on": "2026-07-01", "monthly_value": "1,200", "currency": "EUR"}
VERBS = ("edit", "renew", "cancel", "resume", "delete")


@pytest.fixture
def company(rep: User) -> Company:
    return CompanyFactory(owner=rep)


@pytest.fixture
def contract(company: Company, rep: User) -> Contract:
    return ContractFactory(company=company, owner=rep, ends_on=dt.date(2026, 7, 1))


def test_contract_is_signed_from_deal_and_company(
    client: Client, company: Company, rep: User, stages: dict[str, Stage]
) -> None:
    deal = DealFactory(owner=rep, company=company)
    client.force_login(rep)

    plain = client.post(reverse("deal_contract", args=[deal.pk]), TERMS)
    answer = client.post(reverse("company_contract", args=[company.pk]), TERMS, headers=HX)

    assert plain["Location"] == deal.get_absolute_url()
    assert "contracts-changed" in answer["HX-Trigger"]
    assert list(Contract.objects.order_by("pk").values_list("deal", "monthly_value")) == [
        (deal.pk, 1200),
        (None, 1200),
    ]
    assert "€1,200 a month" in client.get(deal.get_absolute_url()).content.decode()


def test_deal_without_a_company_is_led_to_name_one(client: Client, rep: User, stages: dict[str, Stage]) -> None:
    deal = DealFactory(owner=rep)
    client.force_login(rep)

    assert client.get(reverse("deal_contract", args=[deal.pk]))["Location"] == reverse("deal_edit", args=[deal.pk])


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"ends_on": "2026-01-01"}, "ends after it starts"),
        ({"starts_on": "soon"}, "valid date"),
        ({"monthly_value": "-5"}, "greater than or equal to 0"),
        ({"monthly_value": ""}, "required"),
        ({"currency": "XXX"}, "valid choice"),
    ],
)
def test_wrong_terms_are_named(
    client: Client, company: Company, rep: User, changes: dict[str, str], complaint: str
) -> None:
    client.force_login(rep)

    answer = client.post(reverse("company_contract", args=[company.pk]), TERMS | changes, headers=HX)

    assert answer.status_code == 422
    assert complaint in answer.content.decode()
    assert not Contract.objects.exists()


def test_life_of_a_contract(client: Client, contract: Contract, rep: User) -> None:
    client.force_login(rep)

    def post(verb: str, **data: str) -> int:
        return client.post(reverse(f"contract_{verb}", args=[contract.pk]), data, headers=HX).status_code

    assert post("edit", starts_on="2026-02-01", ends_on="2026-07-01", monthly_value="90", currency="EUR") == 200
    assert post("renew", monthly_value="95", ends_on="") == 200
    assert post("cancel", on="2027-01-01", reason="Price") == 422  # it ends before by itself
    assert post("cancel", on="2026-03-01", reason="Price") == 200
    assert post("renew", monthly_value="95") == 422
    contract.refresh_from_db()
    assert (contract.starts_on, contract.cancelled_on, contract.churn_reason) == (
        dt.date(2026, 2, 1),
        dt.date(2026, 3, 1),
        "Price",
    )
    assert post("resume") == 200
    assert post("delete") == 200
    assert post("edit") == 404
    assert post("restore") == 200
    assert Contract.objects.present().count() == 2


def test_who_may(client: Client, contract: Contract, outsider: User, colleague: User, viewer: User, rep: User) -> None:
    for person, status in ((outsider, 404), (colleague, 403), (viewer, 403)):
        client.force_login(person)
        for verb in VERBS:
            assert client.post(reverse(f"contract_{verb}", args=[contract.pk]), TERMS).status_code == status
    client.force_login(rep)
    for verb in ("resume", "delete", "restore"):
        assert client.get(reverse(f"contract_{verb}", args=[contract.pk])).status_code == 405
