"""The terms of a contract, its cancellation and its renewal."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from crm.forms.inputs import AmountField, DayInput, currency_choices


class ContractForm(forms.Form):
    """From when, until when, and what it is worth a month."""

    starts_on = forms.DateField(label=_("Starts on"), widget=DayInput())
    ends_on = forms.DateField(
        label=_("Ends on"), widget=DayInput(), required=False, help_text=_("The first day without it; empty: no end.")
    )
    monthly_value = AmountField(label=_("Monthly value"))
    currency = forms.ChoiceField(label=_("Currency"))

    def __init__(self, *args: Any, currency: str = settings.BASE_CURRENCY, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["currency"].choices = currency_choices(currency)  # type: ignore[attr-defined]
        self.fields["currency"].initial = currency

    def clean(self) -> dict[str, Any]:
        """A term has at least one day."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        starts_on, ends_on = cleaned.get("starts_on"), cleaned.get("ends_on")
        if starts_on and ends_on and ends_on <= starts_on:
            self.add_error("ends_on", _("A contract ends after it starts."))
        return cleaned


class RenewForm(ContractForm):
    """The next term: it starts on the day this one ends."""

    def __init__(self, *args: Any, ends_on: dt.date, **options: Any) -> None:
        super().__init__(*args, **options)
        self.begins_on = ends_on
        for name in ("starts_on", "currency"):
            del self.fields[name]

    def clean(self) -> dict[str, Any]:
        """As for any contract, from the day the present one ends."""
        cleaned: dict[str, Any] = forms.Form.clean(self) or self.cleaned_data
        if cleaned.get("ends_on") and cleaned["ends_on"] <= self.begins_on:
            self.add_error("ends_on", _("A contract ends after it starts."))
        return cleaned


class CancelForm(forms.Form):
    """The first day without the contract, and why they left."""

    on = forms.DateField(label=_("Cancelled on"), widget=DayInput(), help_text=_("The first day without it."))
    reason = forms.CharField(label=_("Why they left"), max_length=200)
