"""The kinds of fields that are a day or a moment, compared with a day or by how many days ago it was."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Q
from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm.models import User
from crm.rules.segments.comparing import EMPTY, FILLED, text_of, whole
from crm.rules.segments.fields import Asking, Kind, Operator, SegmentField
from crm.rules.segments.refusals import WrongValue

MOST_DAYS = 3650
RELATIVE = frozenset({"last", "older", "next", "within", "without"})
"""Operators that take a number of days."""


def days_in_words(count: int) -> str:
    """Say a number of days."""
    return ngettext("%(count)s day", "%(count)s days", count) % {"count": count}


def _clean_day(_field: SegmentField, operator: Operator, raw: list[str]) -> int | str:
    text = text_of(raw)
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
        return days_in_words(value)
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
