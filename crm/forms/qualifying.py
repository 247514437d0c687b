"""What a person says about one question of a lead's checklist."""

from __future__ import annotations

from typing import Any

from django import forms

from crm.models import QualifyingAnswer


class AnswerForm(forms.ModelForm):
    """Yes, no or not known, and a note; a note alone leaves the answer as it is `known`."""

    class Meta:
        model = QualifyingAnswer
        fields = ("answer", "note")

    def __init__(self, *args: Any, known: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.known = known
        self.fields["answer"].required = False

    def clean_answer(self) -> str:
        """Return what was pressed, else what is known."""
        return self.cleaned_data["answer"] or self.known
