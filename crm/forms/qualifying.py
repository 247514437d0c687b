"""What a person says about one question of a lead's checklist."""

from __future__ import annotations

from django import forms

from crm.models import QualifyingAnswer


class AnswerForm(forms.ModelForm):
    """Yes, no or not known, and a note."""

    class Meta:
        model = QualifyingAnswer
        fields = ("answer", "note")
