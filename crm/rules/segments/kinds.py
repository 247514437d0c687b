"""The kinds of fields: text, choice, person, number, moment, day, activity, flag; and what each can be compared by."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q
from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from crm.models import User
from crm.rules.segments.fields import Asking, Kind, Operator, SegmentField
from crm.rules.segments.refusals import WrongValue

LONGEST = 200
"""Of a text, in characters."""
MOST_CHOICES = 100
MOST_DAYS = 3650
MOST = 10**12
"""Of a number: what no column holds cannot be asked for."""

ME = "me"
"""Chosen as a person: whoever looks."""

EMPTY = Operator(
    "empty",
    gettext_lazy("is empty"),
    gettext_lazy("%(field)s is empty"),
    lambda field, _value, _asking: _is_empty(field),
    takes="nothing",
)
FILLED = Operator(
    "filled",
    gettext_lazy("is filled in"),
    gettext_lazy("%(field)s is filled in"),
    lambda field, _value, _asking: ~_is_empty(field),
    takes="nothing",
)


def _where(field: SegmentField, **lookups: Any) -> Q:
    """What holds for the column itself, or for one at least of the field's rows."""
    return Q(Exists(field.rows().filter(**lookups))) if field.rows else Q(**lookups)


def _is_empty(field: SegmentField) -> Q:
    if field.rows:
        return Q(~Exists(field.rows()))
    is_null = Q(**{f"{field.column}__isnull": True})
    return is_null | Q(**{field.column: ""}) if field.kind.key == "text" else is_null


def _compared(lookup: str) -> Any:
    return lambda field, value, _asking: _where(field, **{f"{field.column}__{lookup}": value})


def _not_compared(lookup: str) -> Any:
    return lambda field, value, _asking: ~_where(field, **{f"{field.column}__{lookup}": value})


def _no_value(raw: list[str]) -> str:
    text = raw[0].strip() if raw else ""
    if not text:
        raise WrongValue(_("Say what to compare with."))
    return text


def _plain(_field: SegmentField, _operator: Operator, value: Any, _reader: User | None) -> str:
    return str(value)


# --- Text -----------------------------------------------------------------------------------------------------------


def _clean_text(_field: SegmentField, _operator: Operator, raw: list[str]) -> str:
    text = _no_value(raw)
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
            "contains", gettext_lazy("contains"), gettext_lazy("%(field)s contains %(value)s"), _compared("icontains")
        ),
        Operator(
            "lacks",
            gettext_lazy("does not contain"),
            gettext_lazy("%(field)s does not contain %(value)s"),
            _not_compared("icontains"),
        ),
        Operator("is", gettext_lazy("is exactly"), gettext_lazy("%(field)s is %(value)s"), _compared("iexact")),
        Operator("not", gettext_lazy("is not"), gettext_lazy("%(field)s is not %(value)s"), _not_compared("iexact")),
        Operator(
            "starts",
            gettext_lazy("starts with"),
            gettext_lazy("%(field)s starts with %(value)s"),
            _compared("istartswith"),
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
    return _where(field, **{f"{field.column}__in": [key for key in keys if key is not None]})


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
    return whole(_no_value(raw), least=-MOST, most=MOST)


def whole(text: str, *, least: int, most: int) -> int:
    """Read a whole number as people write it; WrongValue says what is wrong with it."""
    plain = "".join(text.split()).replace(",", "")
    digits = plain.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > 15:
        raise WrongValue(_("Write a whole number."))
    if not least <= (number := int(plain)) <= most:
        raise WrongValue(_("Write a number from %(least)s to %(most)s.") % {"least": least, "most": most})
    return number


NUMBER = Kind(
    "number",
    (
        Operator("above", gettext_lazy("is above"), gettext_lazy("%(field)s above %(value)s"), _compared("gt")),
        Operator("below", gettext_lazy("is below"), gettext_lazy("%(field)s below %(value)s"), _compared("lt")),
        Operator("least", gettext_lazy("is at least"), gettext_lazy("%(field)s at least %(value)s"), _compared("gte")),
        Operator("most", gettext_lazy("is at most"), gettext_lazy("%(field)s at most %(value)s"), _compared("lte")),
        Operator("is", gettext_lazy("is exactly"), gettext_lazy("%(field)s is %(value)s"), _compared("exact")),
        EMPTY,
        FILLED,
    ),
    _clean_number,
    _plain,
    lambda _operator: "number",
)


# --- Days and moments -----------------------------------------------------------------------------------------------

RELATIVE = frozenset({"last", "older", "next", "within", "without"})
"""Operators that take a number of days."""


def _days(count: int) -> str:
    return ngettext("%(count)s day", "%(count)s days", count) % {"count": count}


def _clean_day(_field: SegmentField, operator: Operator, raw: list[str]) -> int | str:
    text = _no_value(raw)
    if operator.key in RELATIVE:
        return whole(text, least=0, most=MOST_DAYS)
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None or not 1900 <= day.year <= 2200:
        raise WrongValue(_("Choose a day."))
    return day.isoformat()


def _day_words(_field: SegmentField, operator: Operator, value: Any, _reader: User | None) -> str:
    if operator.key in RELATIVE:
        return _days(value)
    return date_format(dt.date.fromisoformat(value), "DATE_FORMAT")


def _bound(field: SegmentField, day: dt.date, asking: Asking) -> dt.date | dt.datetime:
    return day if field.kind.key == "day" else asking.midnight(day)


def _from_to(field: SegmentField, since: dt.date | None, until: dt.date | None, asking: Asking) -> Q:
    """At or after the beginning of `since`, and before that of `until`."""
    found = Q()
    if since is not None:
        found &= Q(**{f"{field.column}__gte": _bound(field, since, asking)})
    if until is not None:
        found &= Q(**{f"{field.column}__lt": _bound(field, until, asking)})
    return found


def _ago(asking: Asking, count: int) -> dt.date:
    return asking.today - dt.timedelta(days=count)


_TOMORROW = -1

_DAY_OPERATORS = (
    Operator(
        "last",
        gettext_lazy("in the last … days"),
        gettext_lazy("%(field)s in the last %(value)s"),
        lambda field, value, asking: _from_to(field, _ago(asking, value), _ago(asking, _TOMORROW), asking),
    ),
    Operator(
        "older",
        gettext_lazy("more than … days ago"),
        gettext_lazy("%(field)s more than %(value)s ago"),
        lambda field, value, asking: _from_to(field, None, _ago(asking, value), asking),
    ),
    Operator(
        "next",
        gettext_lazy("in the next … days"),
        gettext_lazy("%(field)s in the next %(value)s"),
        lambda field, value, asking: _from_to(field, asking.today, _ago(asking, _TOMORROW - value), asking),
    ),
    Operator(
        "before",
        gettext_lazy("before the day"),
        gettext_lazy("%(field)s before %(value)s"),
        lambda field, value, asking: _from_to(field, None, dt.date.fromisoformat(value), asking),
    ),
    Operator(
        "since",
        gettext_lazy("since the day"),
        gettext_lazy("%(field)s since %(value)s"),
        lambda field, value, asking: _from_to(field, dt.date.fromisoformat(value), None, asking),
    ),
    Operator(
        "empty",
        gettext_lazy("not yet, or not known"),
        gettext_lazy("%(field)s: not yet"),
        EMPTY.condition,
        takes="nothing",
    ),
    Operator(
        "filled", gettext_lazy("at any time"), gettext_lazy("%(field)s: at any time"), FILLED.condition, takes="nothing"
    ),
)


def _day_widget(operator: Operator) -> str:
    return "number" if operator.key in RELATIVE else "day"


MOMENT = Kind("moment", _DAY_OPERATORS, _clean_day, _day_words, _day_widget)
DAY = Kind("day", _DAY_OPERATORS, _clean_day, _day_words, _day_widget)


# --- What happened --------------------------------------------------------------------------------------------------


def _happened(field: SegmentField, **when: Any) -> Exists:
    assert field.rows is not None
    return Exists(field.rows().filter(**when))


def _at_least(field: SegmentField, value: int) -> Q:
    assert field.rows is not None
    if value <= 0:
        return Q(pk__isnull=False)
    if value == 1:
        return Q(_happened(field))
    rows = field.rows().order_by().values(of=OuterRef("pk"))
    return Q(Exists(rows.annotate(times=Count("pk")).filter(times__gte=value)))


def _clean_times(_field: SegmentField, operator: Operator, raw: list[str]) -> int:
    return whole(_no_value(raw), least=0, most=MOST_DAYS if operator.key in RELATIVE else 10_000)


def _times_words(_field: SegmentField, operator: Operator, value: Any, _reader: User | None) -> str:
    return _days(value) if operator.key in RELATIVE else str(value)


def _since(field: SegmentField, value: int, asking: Asking) -> dict[str, Any]:
    return {f"{field.dated_by}__gte": asking.days_ago(value)}


ACTIVITY = Kind(
    "activity",
    (
        Operator(
            "within",
            pgettext_lazy("activity", "some in the last … days"),
            pgettext_lazy("activity", "%(field)s in the last %(value)s"),
            lambda field, value, asking: Q(_happened(field, **_since(field, value, asking))),
        ),
        Operator(
            "without",
            pgettext_lazy("activity", "none in the last … days"),
            pgettext_lazy("activity", "no %(field)s in the last %(value)s"),
            lambda field, value, asking: Q(~_happened(field, **_since(field, value, asking))),
        ),
        Operator(
            "ever",
            pgettext_lazy("activity", "some at any time"),
            pgettext_lazy("activity", "%(field)s at any time"),
            lambda field, _value, _asking: Q(_happened(field)),
            takes="nothing",
        ),
        Operator(
            "never",
            pgettext_lazy("activity", "none so far"),
            pgettext_lazy("activity", "no %(field)s so far"),
            lambda field, _value, _asking: Q(~_happened(field)),
            takes="nothing",
        ),
        Operator(
            "least",
            pgettext_lazy("activity", "at least … times"),
            pgettext_lazy("activity", "%(field)s at least %(value)s times"),
            lambda field, value, _asking: _at_least(field, value),
        ),
        Operator(
            "fewer",
            pgettext_lazy("activity", "fewer than … times"),
            pgettext_lazy("activity", "%(field)s fewer than %(value)s times"),
            lambda field, value, _asking: ~_at_least(field, value),
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
            lambda field, _value, _asking: Q(_happened(field)),
            takes="nothing",
        ),
        Operator(
            "no",
            gettext_lazy("no"),
            gettext_lazy("not: %(field)s"),
            lambda field, _value, _asking: Q(~_happened(field)),
            takes="nothing",
        ),
    ),
    _plain,  # type: ignore[arg-type]
    _plain,
    lambda _operator: "text",
)
"""Whether there is a row at all."""
