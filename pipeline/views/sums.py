"""What deals come to together, in the base currency: amounts of different currencies are never just added."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, Sum

from crm.models import ExchangeRate


@dataclass(frozen=True)
class Sums:
    """How many deals, and what they come to by the rates of a day; None where a currency in `missing` has no rate."""

    count: int
    amount: Decimal | None
    missing: Sequence[str] = ()

    @property
    def whole(self) -> Decimal | None:
        """The amount without cents, which converted sums would only pretend to know."""
        return None if self.amount is None else self.amount.quantize(Decimal(1))


def sums_of(deals: Any, day: dt.date) -> Sums:
    """Add up `deals` (a queryset) in the base currency by the rates of `day`."""
    parts = list(deals.order_by().values_list("currency").annotate(count=Count("pk"), amount=Sum("amount")))
    rates = ExchangeRate.objects.on(day)
    missing = sorted(currency for currency, _count, amount in parts if amount and currency not in rates)
    total = sum((amount * rates[currency] for currency, _count, amount in parts if amount and not missing), Decimal(0))
    count = sum(count for _currency, count, _amount in parts)
    return Sums(count, None if missing else total.quantize(Decimal("0.01")), missing)
