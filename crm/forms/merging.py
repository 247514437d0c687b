"""Which of two or more records says what once they are one, and with whom one record is merged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.forms.inputs import ChooserField
from crm.models import User
from crm.rules.duplicates import records_seen_by
from crm.rules.merged_values import ALL, FieldChoice, field_choices, fingerprint

CHOOSERS = {"lead": "choose_leads", "contact": "choose_contacts", "company": "choose_companies"}


class MergeForm(forms.Form):
    """One choice for each field in which the records differ, and a mark of each record as it was shown."""

    def __init__(self, *args: Any, records: Sequence[Any], **options: Any) -> None:
        super().__init__(*args, **options)
        self.records = records
        self.choices = field_choices(records)
        for record in records:
            mark = forms.CharField(widget=forms.HiddenInput, initial=fingerprint(record), required=False)
            self.fields[f"seen-{record.pk}"] = mark
        for choice in self.choices:
            if choice.is_open:
                self.fields[choice.name] = self._asked(choice)

    def _asked(self, choice: FieldChoice) -> forms.ChoiceField:
        offered: list[tuple[Any, Any]] = [(record.pk, self._shown(record, choice.name)) for record in self.records]
        if choice.can_keep_all:
            offered.append((ALL, _("All of it, one under the other")))
        initial = ALL if choice.can_keep_all else choice.proposed
        # Not required: where a field has come to differ since, the rule says that something changed.
        return forms.ChoiceField(
            choices=offered, initial=initial, label=choice.label, widget=forms.RadioSelect, required=False
        )

    def _shown(self, record: Any, name: str) -> str:
        display = getattr(record, f"get_{name}_display", None)
        return str((display() if display else getattr(record, name)) or "—")

    def rows(self) -> Iterator[Any]:
        """The fields to choose, as bound fields."""
        return (self[choice.name] for choice in self.choices if choice.is_open)

    def settled(self) -> Iterator[tuple[str, str]]:
        """What all records say alike, by label."""
        for choice in self.choices:
            shown = self._shown(self.records[0], choice.name)
            if not choice.is_open and shown != "—":
                yield choice.label, shown

    def seen(self) -> dict[int, str]:
        """The marks of the records as they were shown."""
        return {record.pk: self.cleaned_data[f"seen-{record.pk}"] for record in self.records}

    def chosen(self) -> dict[str, int | str]:
        """What was chosen, as the rule wants it."""
        chosen = {choice.name: self.cleaned_data[choice.name] for choice in self.choices if choice.is_open}
        return {name: said if said == ALL else int(said) for name, said in chosen.items() if said}


class MergeWithForm(forms.Form):
    """The record that is the same as the one in hand."""

    def __init__(self, *args: Any, kind: str, record: Any, user: User, **options: Any) -> None:
        super().__init__(*args, **options)
        rows = records_seen_by(user, kind).exclude(pk=record.pk)
        self.fields["id"] = ChooserField(rows, address=CHOOSERS[kind], label=_("Which one is the same?"))
