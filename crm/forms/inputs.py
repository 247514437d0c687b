"""Fields that several forms share: days, moments, money, and choosers that search on the server."""

from __future__ import annotations

from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

OFFERED = 50
"""So many choices stand in a chooser before anything is typed; the rest is searched for."""


class DayInput(forms.DateInput):
    """The browser's own day picker, which wants ISO dates whatever the language."""

    input_type = "date"

    def __init__(self, **options: Any) -> None:
        super().__init__(format="%Y-%m-%d", **options)


class MomentInput(forms.DateTimeInput):
    """The browser's own picker of day and time, in the person's time zone."""

    input_type = "datetime-local"

    def __init__(self, **options: Any) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M", **options)


class ChooserSelect(forms.Select):
    """A select that searches on the server as one types; without script it offers its first choices.

    `address` is the name of the URL that answers `?q=` with `[{"value": …, "text": …}]`.
    """

    def __init__(self, *, address: str, **options: Any) -> None:
        super().__init__(**options)
        self.address = address

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"]["attrs"] |= {"data-chooser": True, "data-chooser-url": reverse(self.address)}
        return context


class OfferedChoices(forms.models.ModelChoiceIterator):
    """The empty choice, the chosen row, and the first of the others; never the whole table."""

    field: ChooserField

    def __iter__(self) -> Any:
        if self.field.empty_label is not None:
            yield ("", self.field.empty_label)
        rows = list(self.queryset[:OFFERED])
        if self.field.chosen is not None and self.field.chosen not in rows:
            rows.insert(0, self.field.chosen)
        for row in rows:
            yield self.choice(row)


class ChooserField(forms.ModelChoiceField):
    """A choice among too many rows to list; a row outside `queryset` (not visible, deleted) is refused."""

    iterator = OfferedChoices
    chosen: Any = None
    default_error_messages = {"invalid_choice": _("This is not among what you can choose. Choose again.")}

    def __init__(self, queryset: Any, *, address: str, **options: Any) -> None:
        options.setdefault("empty_label", "")
        super().__init__(queryset, widget=ChooserSelect(address=address), **options)

    def prepare_value(self, value: Any) -> Any:
        """Remember the chosen row, so that it is offered whatever else is."""
        prepared = super().prepare_value(value)
        if self.chosen is None and prepared:
            try:
                self.chosen = self.queryset.filter(pk=prepared).first()
            except (ValueError, TypeError):  # not a number: the form says so itself
                self.chosen = None
        return prepared
