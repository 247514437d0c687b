"""What a person says of a saved view: its name, who may use it, whether the page opens with it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from crm.models import SavedView

PASSING = frozenset({"saved", "page", "lead", "menu", "after", "csrfmiddlewaretoken"})
"""What an address says of the moment, and no view keeps."""
LONGEST = 2_000


def kept_of(query: QueryDict) -> list[list[str]]:
    """Return the pairs of name and value that a view keeps of an address; what PostgreSQL keeps in no text is none."""
    pairs = [[name, value] for name, values in query.lists() if name not in PASSING for value in values if value]
    return [pair for pair in pairs if not any("\0" in part for part in pair)]


class SavedViewForm(forms.ModelForm):
    """The view, and the address it keeps as the page has it."""

    is_first = forms.BooleanField(label=_("Open the page with it"), required=False)
    asked = forms.CharField(widget=forms.HiddenInput, required=False, max_length=LONGEST, strip=False)
    back = forms.CharField(widget=forms.HiddenInput, required=False, max_length=LONGEST)

    class Meta:
        model = SavedView
        fields = ("name", "shared_with")
        labels = {"name": _("Name")}
        widgets = {"shared_with": forms.RadioSelect}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["name"].widget.attrs["autofocus"] = True

    def query(self) -> list[list[str]]:
        """What the view keeps."""
        return kept_of(QueryDict(self.cleaned_data["asked"]))
