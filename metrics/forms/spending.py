"""A year of spend, month by month, as a manager enters it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.db.models import Count
from django.utils.translation import ngettext

from crm.forms.inputs import AmountField
from crm.models import Campaign, LeadSource
from metrics.models import Spend
from metrics.rules.spending import Sums

CATEGORIES = (Spend.Category.MARKETING, Spend.Category.SALES)


class SpendForm(forms.Form):
    """Twelve months × two categories. What somebody else wrote meanwhile stays where this person changed nothing."""

    def __init__(
        self, sent: Any = None, *, source: LeadSource, campaign: Campaign | None, year: int, **options: Any
    ) -> None:
        super().__init__(sent, **options)
        self.months = [dt.date(year, month, 1) for month in range(1, 13)]
        rows = Spend.objects.filter(source=source, campaign=campaign, on__year=year)
        entered = {(row.category, row.on): row.amount for row in rows.filter(is_monthly=True)}
        self._others = dict(
            rows.filter(is_monthly=False).values_list("on__month").annotate(count=Count("pk")).order_by()
        )
        for month in self.months:
            for category in CATEGORIES:
                label = f"{category.label} {month:%Y-%m}"
                field = AmountField(required=False, label=label, show_hidden_initial=True)
                field.initial = entered.get((category, month))
                self.fields[_name(category, month)] = field

    @property
    def rows(self) -> list[tuple[dt.date, list[Any], str]]:
        """Each month with its fields, and what else is known of it."""
        return [
            (month, [self[_name(category, month)] for category in CATEGORIES], self._besides(month))
            for month in self.months
        ]

    @property
    def sums(self) -> Sums:
        """What this person changed."""
        return {
            (category, month): self.cleaned_data[name]
            for month in self.months
            for category in CATEGORIES
            if (name := _name(category, month)) in self.changed_data
        }

    def _besides(self, month: dt.date) -> str:
        count = self._others.get(month.month, 0)
        said = ngettext("and %(count)d entry by day", "and %(count)d entries by day", count)
        return said % {"count": count} if count else ""


def _name(category: str, month: dt.date) -> str:
    return f"{category}-{month:%m}"
