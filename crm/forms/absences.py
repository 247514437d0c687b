"""What a person says of their own absence: from when to when, and who stands in."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.forms.inputs import DayInput
from crm.models import User
from crm.rules.absences import Leave

LONGEST = dt.timedelta(days=366)


class AbsenceForm(forms.Form):
    """Whole days away; `said()` is the leave for the rule."""

    starts_on = forms.DateField(label=_("First day"), widget=DayInput())
    ends_on = forms.DateField(label=_("Last day"), widget=DayInput())
    substitute = forms.ModelChoiceField(
        User.objects.none(),
        label=_("Who stands in"),
        required=False,
        empty_label=_("Nobody"),
        help_text=_("Gets what falls due meanwhile; what is still open comes back to you."),
    )
    note = forms.CharField(label=_("Note"), required=False, max_length=200)

    def __init__(self, *args: Any, person: User, **options: Any) -> None:
        # Its dialog stands over the settings, whose fields have ids too.
        super().__init__(*args, **{"auto_id": "id_absence_%s", **options})
        self.fields["substitute"].queryset = User.objects.assignable_by(person).exclude(pk=person.pk)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """The days are in their order, not all of them past, and not more than a year."""
        cleaned: dict[str, Any] = super().clean() or {}
        first, last = cleaned.get("starts_on"), cleaned.get("ends_on")
        if first is None or last is None:
            return cleaned
        if last < first:
            self.add_error("ends_on", ValidationError(_("The last day is not before the first."), code="order"))
        elif last < timezone.localdate():
            self.add_error("ends_on", ValidationError(_("This day is past."), code="past"))
        elif last - first > LONGEST:
            self.add_error("ends_on", ValidationError(_("Choose at most a year."), code="long"))
        return cleaned

    def said(self) -> Leave:
        """Return the leave."""
        said = self.cleaned_data
        return Leave(said["starts_on"], said["ends_on"], said["substitute"], said["note"])
