"""Spend and exchange rates from files."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from crm.models import ExchangeRate
from metrics.models import Spend
from tests.factories.records import bring_in, counts, reasons

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)


def test_spend_comes_in_once_however_often_it_is_sent():
    file = (
        "on,amount,currency,category,source\n"
        "2026-06-01,100,,,Fair\n"
        "2026-06-01,100,,,Fair\n"
        '01.06.2026,"1 000,50",USD,Sales,\n'
    )
    assert counts(bring_in("spend", file, now=NOW)) == (3, 0, 0, 0)
    assert counts(bring_in("spend", file, now=NOW)) == (0, 0, 3, 0)
    assert list(Spend.objects.order_by("pk").values_list("amount", "currency", "category", "source__name")) == [
        (100, "EUR", "marketing", "Fair"),
        (100, "EUR", "marketing", "Fair"),
        (Decimal("1000.50"), "USD", "sales", None),
    ]


def test_a_rate_for_the_same_day_corrects_it():
    assert counts(bring_in("rates", 'on,currency,rate\n2026-06-01,usd,0.92\n2026-06-01,RUB,"0,0101"\n', now=NOW)) == (
        2,
        0,
        0,
        0,
    )
    assert counts(bring_in("rates", "on,currency,rate\n2026-06-01,USD,0.925\n2026-06-01,RUB,0.0101\n", now=NOW)) == (
        0,
        1,
        1,
        0,
    )
    assert dict(ExchangeRate.objects.values_list("currency", "rate")) == {
        "USD": Decimal("0.925"),
        "RUB": Decimal("0.0101"),
    }


def test_what_cannot_be_is_refused():
    spend = bring_in(
        "spend", "on,amount,category\n2026-06-16,1,\n2026-06-01,,\n2026-06-01,-1,\n2026-06-01,1,rent\n", now=NOW
    )
    assert (counts(spend), reasons(spend)) == ((0, 0, 0, 4), [(2, "on"), (3, "amount"), (4, "amount"), (5, "category")])
    rates = bring_in(
        "rates", "on,currency,rate\n2026-06-01,EUR,1\n2026-06-01,USD,0\n2026-06-01,ZZZ,1\n2026-06-01,USD,x\n", now=NOW
    )
    assert (counts(rates), reasons(rates)) == (
        (0, 0, 0, 4),
        [(2, "currency"), (3, "rate"), (4, "currency"), (5, "rate")],
    )
