"""Confirming that a person is erased: their name is typed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.models import Contact, Lead, folded, kind_of


class EraseForm(forms.Form):
    """Which further records of the same address go along, and the name, typed."""

    also = forms.MultipleChoiceField(
        label=gettext_lazy("Also erase, of the same e-mail address"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    typed = forms.CharField(
        label=gettext_lazy("Type the name to confirm"), widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def __init__(self, *args: Any, record: Lead | Contact, alike: Sequence[Any], **options: Any) -> None:
        super().__init__(*args, **options)
        self.record = record
        self._alike = {f"{kind_of(other)}-{other.pk}": other for other in alike}
        if self._alike:
            choices = [(key, f"{other._meta.verbose_name}: {other}") for key, other in self._alike.items()]
            self.fields["also"].choices = choices  # type: ignore[attr-defined]
            self.fields["also"].initial = list(self._alike)
        else:
            del self.fields["also"]

    def clean_typed(self) -> str:
        """The name itself, in any case."""
        typed: str = self.cleaned_data["typed"]
        if folded(typed) != folded(self.record.name):
            raise forms.ValidationError(_("This is not the name. Type: %(name)s") % {"name": self.record.name})
        return typed

    def chosen(self) -> list[Any]:
        """Every record that is to go."""
        return [self.record, *(self._alike[key] for key in self.cleaned_data.get("also", ()))]
