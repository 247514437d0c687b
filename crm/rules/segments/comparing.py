"""What kinds of fields share: the operators of every kind, conditions on a column or on rows, and reading a value."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.rules.segments.fields import Asking, Operator, SegmentField
from crm.rules.segments.refusals import WrongValue

EMPTY = Operator(
    "empty",
    gettext_lazy("is empty"),
    gettext_lazy("%(field)s is empty"),
    lambda field, _value, asking: _is_empty(field, asking),
    takes="nothing",
)
FILLED = Operator(
    "filled",
    gettext_lazy("is filled in"),
    gettext_lazy("%(field)s is filled in"),
    lambda field, _value, asking: ~_is_empty(field, asking),
    takes="nothing",
)


def where(field: SegmentField, asking: Asking, **lookups: Any) -> Q:
    """What holds for the column itself, or for one at least of the field's rows."""
    return Q(Exists(field.rows(asking).filter(**lookups))) if field.rows else Q(**lookups)


def _is_empty(field: SegmentField, asking: Asking) -> Q:
    if field.rows:
        return Q(~Exists(field.rows(asking)))
    is_null = Q(**{f"{field.column}__isnull": True})
    return is_null | Q(**{field.column: ""}) if field.kind.key == "text" else is_null


def compared(lookup: str) -> Any:
    """The condition that compares a field by a lookup of Django's."""
    return lambda field, value, asking: where(field, asking, **{f"{field.column}__{lookup}": value})


def not_compared(lookup: str) -> Any:
    """Its opposite: also where the field is empty."""
    return lambda field, value, asking: ~where(field, asking, **{f"{field.column}__{lookup}": value})


def text_of(raw: list[str]) -> str:
    """Read the one text that was written; WrongValue where there is none."""
    text = raw[0].strip() if raw else ""
    if not text:
        raise WrongValue(_("Say what to compare with."))
    return text


def whole(text: str, *, least: int, most: int) -> int:
    """Read a whole number as people write it; WrongValue says what is wrong with it."""
    plain = "".join(text.split()).replace(",", "")
    digits = plain.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > 15:
        raise WrongValue(_("Write a whole number."))
    if not least <= (number := int(plain)) <= most:
        raise WrongValue(_("Write a number from %(least)s to %(most)s.") % {"least": least, "most": most})
    return number
