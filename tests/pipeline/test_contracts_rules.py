"""Signing, correcting, cancelling and renewing contracts."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from crm.models import Company, User
from crm.rules.errors import NotAllowed
from pipeline.models import Contract, Stage
from pipeline.rules.contracts import (
    ContractOver,
    TooEarly,
    cancel_contract,
    delete_contract,
    edit_contract,
    renew_contract,
    restore_contract,
    resume_contract,
    sign_contract,
)
from tests.factories import CompanyFactory, ContractFactory, DealFactory

pytestmark = pytest.mark.django_db

JANUARY = dt.date(2026, 1, 1)
JULY = dt.date(2026, 7, 1)


@pytest.fixture
def company(rep: User) -> Company:
    return CompanyFactory(owner=rep)


@pytest.fixture
def contract(company: Company, rep: User) -> Contract:
    return ContractFactory(company=company, owner=rep, starts_on=JANUARY, ends_on=JULY, monthly_value=Decimal(100))


def running_on(day: dt.date) -> int:
    """How many contracts run on a day."""
    return sum(contract.state_on(day) == "running" for contract in Contract.objects.present())


def test_contract_of_a_deal_is_its_owners(company: Company, rep: User, manager: User, stages: dict[str, Stage]) -> None:
    deal = DealFactory(owner=rep, company=company)

    contract = sign_contract(company, fields={"starts_on": JANUARY, "monthly_value": 350}, by=manager, deal=deal)

    assert (contract.owner, contract.deal, contract.company) == (rep, deal, company)


def test_renewal_leaves_no_gap(contract: Contract, rep: User) -> None:
    following = renew_contract(contract, fields={"monthly_value": Decimal(120), "ends_on": None}, by=rep)

    assert (following.starts_on, following.ends_on, following.monthly_value) == (JULY, None, Decimal(120))
    days = (JULY - dt.timedelta(days=1), JULY, JULY + dt.timedelta(days=400))
    assert [running_on(day) for day in days] == [1, 1, 1]


def test_what_is_over_is_neither_renewed_nor_cancelled_again(contract: Contract, rep: User) -> None:
    with pytest.raises(ContractOver):
        cancel_contract(contract, on=JULY, reason="late", by=rep)
    cancelled = cancel_contract(contract, on=dt.date(2026, 3, 1), reason="Price", by=rep)
    assert (cancelled.state_on(dt.date(2026, 2, 28)), cancelled.state_on(dt.date(2026, 3, 1))) == (
        "running",
        "cancelled",
    )
    with pytest.raises(ContractOver):
        cancel_contract(contract, on=dt.date(2026, 4, 1), reason="Price", by=rep)
    with pytest.raises(ContractOver):
        renew_contract(contract, fields={"monthly_value": 1}, by=rep)

    assert resume_contract(contract, by=rep).churn_reason == ""
    renew_contract(contract, fields={"monthly_value": 1}, by=rep)


def test_open_ended_contract_is_not_renewed(company: Company, rep: User) -> None:
    with pytest.raises(ContractOver):
        renew_contract(ContractFactory(company=company, owner=rep), fields={"monthly_value": 1}, by=rep)


def test_days_in_the_wrong_order_are_refused(contract: Contract, rep: User) -> None:
    with pytest.raises(TooEarly):
        cancel_contract(contract, on=dt.date(2025, 12, 31), reason="x", by=rep)
    with pytest.raises(TooEarly):
        edit_contract(contract, fields={"ends_on": JANUARY}, by=rep)
    with pytest.raises(TooEarly):
        renew_contract(contract, fields={"monthly_value": 1, "ends_on": JULY}, by=rep)
    contract.refresh_from_db()
    assert contract.ends_on == JULY
    assert Contract.objects.count() == 1


def test_binned_contract_counts_nowhere_and_comes_back(contract: Contract, rep: User, colleague: User) -> None:
    delete_contract(contract, by=rep, now=timezone.now())
    assert running_on(JANUARY) == 0

    with pytest.raises(NotAllowed):
        restore_contract(contract, by=colleague, now=timezone.now())
    restore_contract(contract, by=rep, now=timezone.now())
    assert running_on(JANUARY) == 1


def test_readers_change_nothing(contract: Contract, company: Company, colleague: User, viewer: User) -> None:
    for person in (colleague, viewer):
        with pytest.raises(NotAllowed):
            sign_contract(company, fields={"starts_on": JANUARY}, by=person)
        with pytest.raises(NotAllowed):
            edit_contract(contract, fields={"monthly_value": 1}, by=person)
        with pytest.raises(NotAllowed):
            cancel_contract(contract, on=JULY, reason="x", by=person)
        with pytest.raises(NotAllowed):
            delete_contract(contract, by=person, now=timezone.now())
