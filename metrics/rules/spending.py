"""Entering what was spent, month by month, for a source or one of its campaigns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from crm.models import Campaign, LeadSource, User, base_currency
from crm.rules.audit import acting
from crm.rules.errors import NotAllowed
from metrics.models import Spend

Sums = Mapping[tuple[str, dt.date], Decimal | None]
"""(category, first day of the month) → the month's sum in the base currency; None takes it away."""


def may_enter_spend(person: User) -> bool:
    """Whether this person answers for money: managers and admins."""
    return person.is_in_charge


def enter_spend(*, source: LeadSource, campaign: Campaign | None, sums: Sums, by: User) -> None:
    """Write the month's sums that are given; others, and spend that was brought in by day, stay; else NotAllowed."""
    if not may_enter_spend(by):
        raise NotAllowed(_("Managers and admins enter what was spent."))
    with acting(by):
        for (category, month), amount in sums.items():
            place: dict[str, Any] = {
                "source": source,
                "campaign": campaign,
                "category": category,
                "on": month,
                "is_monthly": True,
            }
            if amount is None:
                Spend.objects.filter(**place).delete()
            else:
                Spend.objects.update_or_create(**place, defaults={"amount": amount, "currency": base_currency()})
