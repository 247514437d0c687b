"""A person's own settings."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from crm.models import User
from crm.rules.user_settings import OWN


class ClockInput(forms.TimeInput):
    """The browser's own picker of a time of day."""

    input_type = "time"

    def __init__(self, **options: Any) -> None:
        super().__init__(format="%H:%M", **options)


class UserSettingsForm(forms.ModelForm):
    """Name, language, time zone, theme, channels and quiet hours."""

    class Meta:
        model = User
        fields = OWN
        widgets = {
            "quiet_from": ClockInput(),
            "quiet_until": ClockInput(),
            "time_zone": forms.Select(attrs={"data-chooser": True}),
        }

    def clean(self) -> dict[str, Any]:
        """Quiet hours have a beginning and an end, and the two differ."""
        cleaned: dict[str, Any] = super().clean() or {}
        begin, end = cleaned.get("quiet_from"), cleaned.get("quiet_until")
        if (begin is None) != (end is None):
            missing = "quiet_from" if begin is None else "quiet_until"
            self.add_error(missing, ValidationError(_("Give both the beginning and the end, or neither."), code="half"))
        elif begin is not None and begin == end:
            self.add_error("quiet_until", ValidationError(_("The end is the beginning: choose another."), code="empty"))
        return cleaned

    def said(self) -> dict[str, Any]:
        """What the rule is given: what was changed."""
        return {name: self.cleaned_data[name] for name in self.changed_data}
