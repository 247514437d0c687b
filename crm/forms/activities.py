"""What a person says of a call, an e-mail, a meeting, a message or a note."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.forms.inputs import MomentField, SeenForm
from crm.models import Activity

ASKED = {
    "note": ("body",),
    "call": ("body", "direction", "response", "duration_minutes", "at"),
    "email": ("title", "body", "direction", "response", "at"),
    "meeting": ("title", "body", "response", "duration_minutes", "at"),
    "message": ("body", "direction", "response", "at"),
}
"""What is asked of each kind, in this order."""

PROMPTS = {
    "note": _("Write a note"),
    "call": _("What was said"),
    "email": _("What was written"),
    "meeting": _("What came of it"),
    "message": _("What was written"),
}

A_MINUTE = dt.timedelta(minutes=1)
"""Two clocks may differ by so much."""


class ActivityForm(SeenForm):
    """The fields that belong to the activity's kind; `at` may stay empty and then means now."""

    class Meta:
        model = Activity
        fields = ("title", "body", "direction", "response", "duration_minutes", "at")
        field_classes = {"at": MomentField}
        widgets = {"body": forms.Textarea(attrs={"rows": 2})}

    def __init__(self, *args: Any, kind: str, now: dt.datetime, **options: Any) -> None:
        super().__init__(*args, **options)
        self.kind, self.now = kind, now
        self.instance.kind = kind
        self.fields = {name: self.fields[name] for name in ASKED[kind]}
        self.fields["body"].widget.attrs["placeholder"] = PROMPTS[kind]
        self.fields["body"].required = kind == Activity.Kind.NOTE
        if "direction" in self.fields:
            self.fields["direction"].required = True
            self.fields["direction"].choices = Activity.Direction.choices  # type: ignore[attr-defined]
            self.fields["direction"].initial = Activity.Direction.OUT
        if "at" in self.fields:
            self.fields["at"].required = False
            self.fields["at"].help_text = _("Empty: now")
            self.fields["at"].show_hidden_initial = False  # Django wants a second field where a default is a function
            # The picker shows whole minutes: what it shows unchanged has not changed.
            self.initial["at"] = self.instance.at.replace(second=0, microsecond=0) if self.instance.pk else None

    def clean_at(self) -> dt.datetime:
        """What is still to come is no activity."""
        at: dt.datetime = self.cleaned_data["at"] or (self.instance.at if self.instance.pk else self.now)
        if at > self.now + A_MINUTE:
            raise forms.ValidationError(_("This is still to come: plan a follow-up instead."), code="future")
        return at

    def said(self) -> dict[str, Any]:
        """What the rule is given: the cleaned fields, and of a corrected activity only the changed ones."""
        if self.instance.pk:
            return {name: self.cleaned_data[name] for name in self.changed_data}
        return {"kind": self.kind, **self.cleaned_data}
