"""The kinds of fields: text, choice, person, number, activity, flag; and what each can be compared by."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Exists, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from crm.models import User
from crm.rules.segments.comparing import EMPTY, FILLED, compared, not_compared, text_of, where, whole
from crm.rules.segments.days import MOST_DAYS, RELATIVE, days_in_words
from crm.rules.segments.fields import Asking, Kind, Operator, SegmentField
from crm.rules.segments.refusals import WrongValue

LONGEST = 200
"""Of a text, in characters."""
MOST_CHOICES = 100
MOST = 10**12
"""Of a number: what no column holds cannot be asked for."""

ME = "me"
"""Chosen as a person: whoever looks."""


def _plain(_field: SegmentField, _operator: Operator, value: Any, _reader: User | None) -> str:
    return str(value)


# --- Text -----------------------------------------------------------------------------------------------------------


def _clean_text(_field: SegmentField, _operator: Operator, raw: list[str]) -> str:
    text = text_of(raw)
    if "\x00" in text:
        raise WrongValue(_("This text holds a character that cannot be searched for."))
    if len(text) > LONGEST:
        raise WrongValue(_("This text is too long: %(most)s characters at most.") % {"most": LONGEST})
    return text


def _quoted(_field: SegmentField, _operator: Operator, value: Any, _reader: User | None) -> str:
    return _("“%(text)s”") % {"text": value}


TEXT = Kind(
    "text",
    (
        Operator(
            "contains", gettext_lazy("contains"), gettext_lazy("%(field)s contains %(value)s"), compared("icontains")
        ),
        Operator(
            "lacks",
            gettext_lazy("does not contain"),
            gettext_lazy("%(field)s does not contain %(value)s"),
            not_compared("icontains"),
        ),
        Operator("is", gettext_lazy("is exactly"), gettext_lazy("%(field)s is %(value)s"), compared("iexact")),
        Operator("not", gettext_lazy("is not"), gettext_lazy("%(field)s is not %(value)s"), not_compared("iexact")),
        Operator(
            "starts",
            gettext_lazy("starts with"),
            gettext_lazy("%(field)s starts with %(value)s"),
            compared("istartswith"),
        ),
        EMPTY,
        FILLED,
    ),
    _clean_text,
    _quoted,
    lambda _operator: "text",
)


# --- Choices --------------------------------------------------------------------------------------------------------


def _offered(field: SegmentField, reader: User | None) -> dict[str, str]:
    return {str(key): str(label) for key, label in field.choices(reader)} if field.choices else {}


def _clean_choice(field: SegmentField, _operator: Operator, raw: list[str]) -> list[str]:
    chosen = [text for text in dict.fromkeys(raw) if text]
    if not chosen:
        raise WrongValue(_("Choose one at least."))
    if len(chosen) > MOST_CHOICES:
        raise WrongValue(_("Choose %(most)s at most.") % {"most": MOST_CHOICES})
    if set(chosen) - set(_offered(field, None)):
        raise WrongValue(_("This is not among what you can choose. Choose again."))
    return chosen


def _named(field: SegmentField, _operator: Operator, value: Any, reader: User | None) -> str:
    names = _offered(field, reader)
    return _(" or ").join(names.get(key, _("somebody or something you do not see")) for key in value)


def _among(field: SegmentField, value: Any, asking: Asking) -> Q:
    """The rows that hold one of the chosen; "me" is whoever asks, and nobody where nobody does."""
    keys = [(asking.me.pk if asking.me else None) if key == ME else key for key in value]
    return where(field, asking, **{f"{field.column}__in": [key for key in keys if key is not None]})


_CHOICE_OPERATORS = (
    Operator("in", gettext_lazy("is"), gettext_lazy("%(field)s is %(value)s"), _among, takes="many"),
    Operator(
        "not_in",
        gettext_lazy("is not"),
        gettext_lazy("%(field)s is not %(value)s"),
        lambda field, value, asking: ~_among(field, value, asking),
        takes="many",
    ),
)


def _choice_kind(key: str, *more: Operator) -> Kind:
    return Kind(key, (*_CHOICE_OPERATORS, *more), _clean_choice, _named, lambda _operator: "choice")


CHOICE = _choice_kind("choice", EMPTY, FILLED)
STATE = _choice_kind("state")
"""A choice that is never empty."""


# --- Numbers --------------------------------------------------------------------------------------------------------


def _clean_number(_field: SegmentField, _operator: Operator, raw: list[str]) -> int:
    return whole(text_of(raw), least=-MOST, most=MOST)


NUMBER = Kind(
    "number",
    (
        Operator("above", gettext_lazy("is above"), gettext_lazy("%(field)s above %(value)s"), compared("gt")),
        Operator("below", gettext_lazy("is below"), gettext_lazy("%(field)s below %(value)s"), compared("lt")),
        Operator("least", gettext_lazy("is at least"), gettext_lazy("%(field)s at least %(value)s"), compared("gte")),
        Operator("most", gettext_lazy("is at most"), gettext_lazy("%(field)s at most %(value)s"), compared("lte")),
        Operator("is", gettext_lazy("is exactly"), gettext_lazy("%(field)s is %(value)s"), compared("exact")),
        EMPTY,
        FILLED,
    ),
    _clean_number,
    _plain,
    lambda _operator: "number",
)


# --- What happened --------------------------------------------------------------------------------------------------


def _happened(field: SegmentField, asking: Asking, **when: Any) -> Exists:
    assert field.rows is not None
    return Exists(field.rows(asking).filter(**when))


def _at_least(field: SegmentField, value: int, asking: Asking) -> Q:
    assert field.rows is not None
    if value <= 0:
        return Q(pk__isnull=False)
    if value == 1:
        return Q(_happened(field, asking))
    rows = field.rows(asking).order_by().values(of=OuterRef("pk"))
    return Q(Exists(rows.annotate(times=Count("pk")).filter(times__gte=value)))


def _clean_times(_field: SegmentField, operator: Operator, raw: list[str]) -> int:
    return whole(text_of(raw), least=0, most=MOST_DAYS if operator.key in RELATIVE else 10_000)


def _times_words(_field: SegmentField, operator: Operator, value: Any, _reader: User | None) -> str:
    return days_in_words(value) if operator.key in RELATIVE else str(value)


def _since(field: SegmentField, value: int, asking: Asking) -> dict[str, Any]:
    return {f"{field.dated_by}__gte": asking.days_ago(value)}


ACTIVITY = Kind(
    "activity",
    (
        Operator(
            "within",
            pgettext_lazy("activity", "some in the last … days"),
            pgettext_lazy("activity", "%(field)s in the last %(value)s"),
            lambda field, value, asking: Q(_happened(field, asking, **_since(field, value, asking))),
        ),
        Operator(
            "without",
            pgettext_lazy("activity", "none in the last … days"),
            pgettext_lazy("activity", "no %(field)s in the last %(value)s"),
            lambda field, value, asking: Q(~_happened(field, asking, **_since(field, value, asking))),
        ),
        Operator(
            "ever",
            pgettext_lazy("activity", "some at any time"),
            pgettext_lazy("activity", "%(field)s at any time"),
            lambda field, _value, asking: Q(_happened(field, asking)),
            takes="nothing",
        ),
        Operator(
            "never",
            pgettext_lazy("activity", "none so far"),
            pgettext_lazy("activity", "no %(field)s so far"),
            lambda field, _value, asking: Q(~_happened(field, asking)),
            takes="nothing",
        ),
        Operator(
            "least",
            pgettext_lazy("activity", "at least … times"),
            pgettext_lazy("activity", "%(field)s at least %(value)s times"),
            _at_least,
        ),
        Operator(
            "fewer",
            pgettext_lazy("activity", "fewer than … times"),
            pgettext_lazy("activity", "%(field)s fewer than %(value)s times"),
            lambda field, value, asking: ~_at_least(field, value, asking),
        ),
    ),
    _clean_times,
    _times_words,
    lambda _operator: "number",
)


FLAG = Kind(
    "flag",
    (
        Operator(
            "yes",
            gettext_lazy("yes"),
            "%(field)s",
            lambda field, _value, asking: Q(_happened(field, asking)),
            takes="nothing",
        ),
        Operator(
            "no",
            gettext_lazy("no"),
            gettext_lazy("not: %(field)s"),
            lambda field, _value, asking: Q(~_happened(field, asking)),
            takes="nothing",
        ),
    ),
    _plain,  # type: ignore[arg-type]
    _plain,
    lambda _operator: "text",
)
"""Whether there is a row at all."""
