"""What a person says of an API token they make."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.models import ApiToken, User

LIFETIMES = {30: _("30 days"), 90: _("90 days"), 365: _("A year")}


class ApiTokenForm(forms.Form):
    """What it is for, what it may do and how long it lives."""

    name = forms.CharField(
        label=_("What it is for"), max_length=80, help_text=_("So that you know later which program uses it.")
    )
    scope = forms.ChoiceField(
        label=_("It may"), choices=ApiToken.Scope.choices, initial=ApiToken.Scope.READ, widget=forms.RadioSelect
    )
    days = forms.TypedChoiceField(label=_("It ends after"), choices=list(LIFETIMES.items()), coerce=int, initial=90)

    def __init__(self, *args: Any, person: User, **options: Any) -> None:
        # Its dialog stands over the settings, which have a name too.
        super().__init__(*args, **{"auto_id": "id_token_%s", **options})
        if not person.may_write:
            self.fields["scope"].choices = [(ApiToken.Scope.READ.value, ApiToken.Scope.READ.label)]  # type: ignore[attr-defined]

    def said(self, now: dt.datetime) -> dict[str, Any]:
        """What the rule is given."""
        cleaned = self.cleaned_data
        expires_at = now + dt.timedelta(days=cleaned["days"])
        return {"name": cleaned["name"], "scope": cleaned["scope"], "expires_at": expires_at}
