"""What the invented company spends, and what currencies were worth."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal

from django.conf import settings

from crm.models import ExchangeRate
from metrics.demo import vocabulary as words
from metrics.demo.people import Cast, months_before, ran_on
from metrics.models import Spend

IN_EUROS = {"EUR": 1.0, "USD": 0.92, "RUB": 0.0103, "GBP": 1.17}
SALARIES = 21_000
"""What the sales team costs a month, in the base currency."""


def usual_rate(currency: str) -> float:
    """What one unit of `currency` is usually worth in the base currency."""
    return IN_EUROS[currency] / IN_EUROS.get(settings.BASE_CURRENCY, 1.0)


def invent_money(rng: random.Random, *, cast: Cast, today: dt.date) -> None:
    """Create two years of monthly rates, marketing spend by source and campaign, and the salaries of sales."""
    months = months_before(today, 26)
    ExchangeRate.objects.bulk_create(
        [
            ExchangeRate(on=month, currency=code, rate=Decimal(f"{usual_rate(code) * rng.uniform(0.96, 1.04):.6f}"))
            for month in months
            for code in IN_EUROS
            if code != settings.BASE_CURRENCY
        ],
        ignore_conflicts=True,
    )
    Spend.objects.bulk_create(
        [
            Spend(on=month, amount=Decimal(round(usual * rng.uniform(0.8, 1.3))), source=source)
            for month in months
            for source, (*_names, usual) in zip(cast.sources, words.SOURCES, strict=True)
            if usual
        ]
        + [
            Spend(
                on=month,
                amount=Decimal(round(usual * rng.uniform(0.9, 1.1))),
                source=campaign.source,
                campaign=campaign,
                is_monthly=True,
            )
            for campaign, (*_names, usual) in zip(cast.campaigns, words.CAMPAIGNS, strict=True)
            for month in months
            if ran_on(campaign, month)
        ]
        + [Spend(on=month, amount=SALARIES, category=Spend.Category.SALES) for month in months]
    )
