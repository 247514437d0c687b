"""Churn, revenue that stays, and what winning a customer costs."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from crm.models import ExchangeRate
from metrics.models import Spend
from pipeline.models import Deal
from tests.factories import CompanyFactory, ContactFactory, ContractFactory, LeadSourceFactory, UserFactory
from tests.metrics.lives import JULY, at, figures, win

pytestmark = pytest.mark.django_db


def day(month: int, number: int) -> dt.date:
    return dt.date(2026, month, number)


def churned(**more: object) -> tuple[object, object]:
    rate = figures(**more)["churn_rate"]
    return rate.numerator, rate.denominator


def test_ends_and_cancellations_are_churn():
    ContractFactory()
    ContractFactory(ends_on=day(6, 15))
    ContractFactory(cancelled_on=day(6, 15))
    ContractFactory(cancelled_on=day(6, 15), ends_on=day(12, 1))
    ContractFactory(ends_on=day(7, 15))  # July's
    ContractFactory(starts_on=day(6, 2), ends_on=day(6, 9))  # not there on the first day
    ContractFactory(starts_on=day(1, 1), cancelled_on=day(1, 1))  # never ran
    assert churned() == (3, 5)


def test_a_gap_of_no_days_is_a_renewal():
    acme = CompanyFactory()
    ContractFactory(company=acme, ends_on=day(6, 15))
    ContractFactory(company=acme, starts_on=day(6, 15))
    assert churned() == (0, 1)
    late = CompanyFactory()
    ContractFactory(company=late, ends_on=day(6, 15))
    ContractFactory(company=late, starts_on=day(6, 16))
    assert churned() == (1, 2)


def test_a_customer_leaves_with_the_last_of_several_contracts():
    acme = CompanyFactory()
    ContractFactory(company=acme, ends_on=day(6, 15))
    ContractFactory(company=acme, ends_on=day(8, 1))
    assert churned() == (0, 1)


def test_who_comes_back_has_left_all_the_same():
    acme = CompanyFactory()
    ContractFactory(company=acme, monthly_value=100, ends_on=day(6, 10))
    ContractFactory(company=acme, monthly_value=100, starts_on=day(6, 20))
    june = figures()
    assert june["churn_rate"].value == 1.0
    assert june["revenue_churn"].value == 1.0
    assert june["net_revenue_retention"].value == 1.0


def test_the_turn_of_the_period_is_told():
    """Ends on the first day: by the definition a customer of neither period; it must not vanish unsaid."""
    ContractFactory()
    ContractFactory(ends_on=day(7, 1))
    assert churned() == (0, 2)
    july = figures(JULY)["churn_rate"]
    assert (july.numerator, july.denominator, july.excluded) == (0, 1, 1)


def test_what_has_not_happened_yet_is_no_churn():
    ContractFactory(ends_on=day(6, 20))
    assert churned(now=at(6, 10)) == (0, 1)
    assert churned(now=at(6, 20)) == (1, 1)


def test_revenue_lost_and_revenue_that_stays():
    for ends, later in ((None, 0), (day(6, 10), 60), (day(6, 10), 150), (day(6, 10), 0)):
        company = CompanyFactory()
        ContractFactory(company=company, monthly_value=100, ends_on=ends)
        if later:
            ContractFactory(company=company, monthly_value=later, starts_on=day(6, 10))
    ContractFactory(starts_on=day(6, 5), monthly_value=1000)  # new: in neither
    june = figures()
    churn, net = june["revenue_churn"], june["net_revenue_retention"]
    assert (churn.numerator, churn.denominator, churn.value) == (Decimal(140), Decimal(400), 0.35)
    assert (net.numerator, net.value) == (Decimal(310), 0.775)
    assert churn.as_json()["numerator"] == "140.00"


def test_an_upgrade_makes_up_for_no_end():
    acme = CompanyFactory()
    ContractFactory(company=acme, monthly_value=100)
    ContractFactory(company=acme, monthly_value=40, ends_on=day(6, 10))
    ContractFactory(company=acme, monthly_value=90, starts_on=day(6, 20))
    june = figures()
    assert june["revenue_churn"].numerator == Decimal(40)
    assert june["net_revenue_retention"].numerator == Decimal(190)


def test_exchange_rates_are_no_churn():
    ExchangeRate.objects.create(on=day(1, 1), currency="USD", rate=Decimal("0.8"))
    ExchangeRate.objects.create(on=day(6, 15), currency="USD", rate=Decimal("0.4"))
    acme = CompanyFactory()
    ContractFactory(company=acme, monthly_value=100, currency="USD")
    ContractFactory(company=acme, monthly_value=20)
    june = figures()
    assert june["revenue_churn"].denominator == Decimal(100)
    assert (june["revenue_churn"].value, june["net_revenue_retention"].value) == (0.0, 1.0)


def test_one_currency_may_follow_another():
    ExchangeRate.objects.create(on=day(1, 1), currency="USD", rate=Decimal("0.5"))
    acme = CompanyFactory()
    ContractFactory(company=acme, monthly_value=100, ends_on=day(6, 15))
    ContractFactory(company=acme, monthly_value=180, currency="USD", starts_on=day(6, 15))
    june = figures()
    assert june["revenue_churn"].numerator == Decimal(10)
    assert june["net_revenue_retention"].numerator == Decimal(90)


def test_a_contract_without_a_rate_is_named():
    ContractFactory(currency="USD")
    june = figures()
    assert june["churn_rate"].value == 0.0
    for key in ("revenue_churn", "net_revenue_retention"):
        assert june[key].reason == "no exchange rate for USD on 2026-06-01"


def test_contracts_are_their_owners_else_the_deals_else_the_companys(sales):
    owner, seller, keeper = UserFactory(), UserFactory(), UserFactory()
    deal = win(at(1, 1), created_at=at(1, 1), owner=seller)
    ContractFactory(owner=owner, deal=deal)
    ContractFactory(deal=deal)
    ContractFactory(company=CompanyFactory(owner=keeper))
    ContractFactory()
    for person in (owner, seller, keeper):
        assert churned(owner=person) == (0, 1)
    assert churned(pipeline=sales) == (0, 2)
    assert churned() == (0, 4)


def test_acquisition_cost_of_new_customers():
    acme, person = CompanyFactory(), ContactFactory()
    win(at(6, 3), company=acme)
    win(at(6, 9), company=acme)  # the same customer again
    win(at(6, 9), contact=person)
    win(at(5, 9), company=CompanyFactory(), created_at=at(5, 1))  # May's
    win(at(6, 9))  # of nobody known
    old = CompanyFactory()
    win(at(5, 9), company=old, created_at=at(5, 1))
    win(at(6, 9), contact=ContactFactory(company=old))  # a person of a customer
    Spend.objects.create(on=day(6, 1), amount=300, category="sales")
    Spend.objects.create(on=day(6, 30), amount=100)
    Spend.objects.create(on=day(7, 1), amount=7)
    cost = figures()["cac"]
    assert (cost.value, cost.n, cost.numerator) == (Decimal(200), 2, Decimal(400))


def test_a_first_win_that_was_undone_makes_the_second_the_first():
    acme = CompanyFactory()
    first = win(at(5, 9), company=acme, created_at=at(5, 1))
    win(at(6, 9), company=acme)
    Spend.objects.create(on=day(6, 1), amount=300)
    assert figures()["cac"].value is None
    Deal.objects.filter(pk=first.pk).update(deleted_at=at(6, 1))
    assert figures()["cac"].value == Decimal(300)


def test_no_spend_no_customers_no_cost():
    assert figures()["cac"].as_json() == {
        "value": None, "unit": "money", "reason": "no spend recorded in the period", "n": 0,
    }  # fmt: skip
    Spend.objects.create(on=day(6, 1), amount=300)
    assert figures()["cac"].reason == "no new customers in the period"


def test_spend_has_a_source_and_nothing_else(sales, rep, viewer):
    fair = LeadSourceFactory()
    Spend.objects.create(on=day(6, 1), amount=300, source=fair)
    Spend.objects.create(on=day(6, 1), amount=500)
    win(at(6, 3), company=CompanyFactory(), source=fair)
    win(at(6, 3), company=CompanyFactory())
    assert figures(source=fair)["cac"].value == Decimal(300)
    assert figures(viewer=viewer)["cac"].value == Decimal(400)
    for filters in ({"owner": rep}, {"pipeline": sales}, {"viewer": rep}):
        result = figures(**filters)["cac"]
        assert result.value is None
        assert result.reason.startswith("not available")
