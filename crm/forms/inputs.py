"""Fields that several forms share: days, moments, money, and choosers that search on the server."""

from __future__ import annotations

import datetime as dt
import re
from contextlib import suppress
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.core.validators import MaxLengthValidator, ProhibitNullCharactersValidator
from django.forms.utils import flatatt
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from crm.models import ExchangeRate

OFFERED = 50
"""So many choices stand in a chooser before anything is typed; the rest is searched for."""

FIRST_YEAR = 1900
"""Before it nothing of ours happened, and not every clock has the moment at all."""

NEW = "new:"
"""What a chooser sends before a name that is not among its choices (static/js/choosers.js)."""

GROUPED = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?")


class DayInput(forms.DateInput):
    """The browser's own day picker, which wants ISO dates whatever the language."""

    input_type = "date"

    def __init__(self, **options: Any) -> None:
        super().__init__(format="%Y-%m-%d", **options)


class PlainSelect(forms.Select):
    """A select without groups, written at once: Django renders two templates for each of its choices."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:  # noqa: ARG002
        chosen = self.format_value(value)
        rows = ((key, " selected" if str(key) in chosen else "", label) for key, label in self.choices)
        options = format_html_join("", '<option value="{}"{}>{}</option>', rows)
        written = flatatt(self.build_attrs(self.attrs, attrs))
        return format_html('<select name="{}"{}>{}</select>', name, written, options)


class ChoicesAtOnce(forms.models.ModelChoiceIterator):
    """Choices read in one go: Django opens a cursor for each list, which is three questions for a page of rows."""

    def __iter__(self) -> Any:
        if self.field.empty_label is not None:
            yield ("", self.field.empty_label)
        for row in self.queryset.all():
            yield self.choice(row)


class PlainChoiceField(forms.ModelChoiceField):
    """A choice among few rows, such as a filter of a list, drawn quickly."""

    iterator = ChoicesAtOnce
    widget = PlainSelect


class MomentInput(forms.DateTimeInput):
    """The browser's own picker of day and time, in the person's time zone."""

    input_type = "datetime-local"

    def __init__(self, **options: Any) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M", **options)


class MomentField(forms.DateTimeField):
    """A moment of our days, in UTC once it is read: an offset may be one that PostgreSQL has no clock for."""

    widget = MomentInput

    def to_python(self, value: Any) -> dt.datetime | None:
        """Read what the browser's picker (or a program) writes; None where it is empty."""
        moment: dt.datetime | None = super().to_python(value)
        if moment is None:
            return None
        if moment.year >= FIRST_YEAR:
            with suppress(OverflowError):  # after the last year there is
                return moment.astimezone(dt.UTC)
        raise ValidationError(self.error_messages["invalid"], code="invalid")


class SeenForm(forms.ModelForm):
    """A form over a record as it was seen: the rule writes it, not the form; the model's validators still speak."""

    def _post_clean(self) -> None:
        for name, value in list(self.cleaned_data.items()):
            try:
                self._meta.model._meta.get_field(name).run_validators(value)
            except FieldDoesNotExist:
                continue
            except ValidationError as error:
                self.add_error(name, error)


class AmountField(forms.DecimalField):
    """A sum as people write it: "73,500", "73 500", "73500.50", and in Russian "73 500,50"."""

    def __init__(self, **options: Any) -> None:
        options = {"min_value": 0, "max_digits": 14, "decimal_places": 2, "label": _("Amount"), **options}
        super().__init__(widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}), **options)

    def to_python(self, value: Any) -> Any:
        """Read the reader's own separators before Django reads the number."""
        if isinstance(value, str):
            value = re.sub(r"[\s\u00a0\u202f']", "", value)
            is_grouped = GROUPED.fullmatch(value) and not (get_language() or "").startswith("ru")
            value = value.replace(",", "" if is_grouped else ".")
        return super().to_python(value)

    def prepare_value(self, value: Any) -> Any:
        """Show whole sums without their cents, and what was typed as it was typed."""
        return str(value).removesuffix(".00") if isinstance(value, Decimal) else value


def currency_choices(*further: str) -> list[tuple[str, str]]:
    """Return the currencies that can be added up: the base currency first, those with a rate, and `further` ones."""
    known = set(ExchangeRate.objects.order_by().values_list("currency", flat=True).distinct()) | set(further)
    return [(code, code) for code in (settings.BASE_CURRENCY, *sorted(known - {settings.BASE_CURRENCY}))]


class ChooserSelect(forms.Select):
    """A select that searches on the server as one types; without script it offers its first choices.

    `address` is the name of the URL that answers `?q=` with `[{"value": …, "text": …}]`; with `adds` a name that is not
    among the choices can be entered.
    """

    def __init__(self, *, address: str, adds: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.address, self.adds = address, adds

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"]["attrs"] |= {"data-chooser": True, "data-chooser-url": reverse(self.address)}
        if self.adds:
            context["widget"]["attrs"]["data-chooser-new"] = NEW
        return context


class OfferedChoices(forms.models.ModelChoiceIterator):
    """The empty choice, the chosen row or new name, and the first of the other rows; never the whole table."""

    field: ChooserField

    def __iter__(self) -> Any:
        if self.field.empty_label is not None:
            yield ("", self.field.empty_label)
        if self.field.new_name:
            yield (NEW + self.field.new_name, self.field.new_name)
        rows = list(self.queryset[:OFFERED])
        if self.field.chosen is not None and self.field.chosen not in rows:
            rows.insert(0, self.field.chosen)
        for row in rows:
            yield self.choice(row)


class ChooserField(forms.ModelChoiceField):
    """A choice among too many rows to list; a row outside `queryset` (not visible, deleted) is refused.

    With `adds` a new name is taken too, and cleaned into an unsaved row of that name, for the rule to save.
    """

    iterator = OfferedChoices
    chosen: Any = None
    new_name = ""
    default_error_messages = {"invalid_choice": _("This is not among what you can choose. Choose again.")}

    def __init__(self, queryset: Any, *, address: str, adds: bool = False, **options: Any) -> None:
        options.setdefault("empty_label", "")
        self.adds = adds
        super().__init__(queryset, widget=ChooserSelect(address=address, adds=adds), **options)

    def to_python(self, value: Any) -> Any:
        """Return the chosen row, or an unsaved one for a new name."""
        if not self.adds or not isinstance(value, str) or not value.startswith(NEW):
            return super().to_python(value)
        name = value.removeprefix(NEW).strip()
        ProhibitNullCharactersValidator()(name)
        MaxLengthValidator(200)(name)
        rows: Any = self.queryset
        return rows.model(name=name) if name else None

    def prepare_value(self, value: Any) -> Any:
        """Remember what is chosen, so that it is offered whatever else is."""
        if isinstance(value, str) and value.startswith(NEW):
            self.new_name = value.removeprefix(NEW)
            return value
        prepared = super().prepare_value(value)
        if self.chosen is None and prepared:
            try:
                rows: Any = self.queryset
                self.chosen = rows.filter(pk=prepared).first()
            except (ValueError, TypeError):  # not a number: the form says so itself
                self.chosen = None
        return prepared
