"""Where a card goes on a board that is grouped by owner or by month."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.forms.inputs import DayInput
from crm.models import User
from pipeline.forms.moves import SeenDealForm
from pipeline.rules.closing_months import EARLIER, LATER, NONE, day_in, months_ahead


class HandOverForm(SeenDealForm):
    """To whom."""

    title, submit = _("Hand over “%(deal)s”"), _("Hand over")
    to = forms.ModelChoiceField(
        User.objects.none(),
        label=_("Owner"),
        empty_label=None,
        error_messages={"invalid_choice": _("This person takes no deals any more; choose another.")},
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["to"].queryset = User.objects.assignable_by(self.by)  # type: ignore[attr-defined]
        self.initial.setdefault("to", self.deal.owner_id)


class RedateForm(SeenDealForm):
    """The day on which the deal is expected to close, or the month that its card was dropped on."""

    title, submit = _("When is “%(deal)s” expected to close?"), _("Save")
    to = forms.CharField(required=False, widget=forms.HiddenInput, max_length=7)
    expected_close_on = forms.DateField(label=_("Expected close"), widget=DayInput(), required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.today = timezone.localdate()
        self.initial["expected_close_on"] = self._day_in(self.initial.get("to")) or self.deal.expected_close_on

    def clean(self) -> dict[str, Any]:
        """The day: as it is said, else that of the month; before and after the months told apart it must be said."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        day, to = cleaned["expected_close_on"], cleaned["to"]
        if day is None and to not in {"", NONE}:
            day = cleaned["expected_close_on"] = self._day_of(to)
        if day is not None and day < self.today:
            self.add_error("expected_close_on", _("This day is over; a deal closes on a day to come."))
        return cleaned

    def _day_of(self, to: str) -> dt.date | None:
        """The day that a month stands for; an error where it must be said."""
        day = self._day_in(to)
        if to == LATER:
            self.add_error("expected_close_on", _("Say on which day."))
        elif to == EARLIER:
            self.add_error("expected_close_on", _("These months are over; choose a day to come."))
        elif day is None:
            raise forms.ValidationError(_("There is no such month here; reload the page."), code="unknown_month")
        return day

    def _day_in(self, to: str | None) -> dt.date | None:
        month = next((month for month in months_ahead(self.today)[:-1] if f"{month:%Y-%m}" == to), None)
        return day_in(month, was=self.deal.expected_close_on, today=self.today) if month else None
