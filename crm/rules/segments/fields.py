"""What a condition can ask about: one declaration a field, in a registry that the apps above add to.

A field names a column of the records (or an expression that stands for one) and a kind, which knows its operators. A
person's words reach the database as parameters only.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils.functional import Promise

from crm.models import Segment, User

Text = str | Promise
Choices = Callable[[User | None], Iterable[tuple[str, Text]]]
"""From a person to what they may choose from (None: everything there is)."""

LEAD, CONTACT = str(Segment.About.LEAD), str(Segment.About.CONTACT)


@dataclass(frozen=True)
class Asking:
    """When a condition is asked, who is meant by "me", and by whose eyes; days are the organisation's.

    A person asks by their own eyes: what they may not see counts as not there, or they could guess it by asking again
    and again. The system, which nobody reads over the shoulder, sees all, also where it means somebody by "me".
    """

    now: dt.datetime
    me: User | None = None
    is_system: bool = False

    def seen(self, rows: Any) -> Any:
        """Narrow `rows` of records that are owned to those that count."""
        return rows.present() if self.is_system or self.me is None else rows.visible_to(self.me)

    @property
    def today(self) -> dt.date:
        """The organisation's present day."""
        return self.now.astimezone(zoneinfo.ZoneInfo(settings.TIME_ZONE)).date()

    def midnight(self, day: dt.date) -> dt.datetime:
        """When `day` begins for the organisation."""
        return dt.datetime.combine(day, dt.time(), tzinfo=zoneinfo.ZoneInfo(settings.TIME_ZONE))

    def days_ago(self, count: int) -> dt.datetime:
        """When the day `count` days before today began."""
        return self.midnight(self.today - dt.timedelta(days=count))


@dataclass(frozen=True)
class Operator:
    """One way to compare. `says` holds `%(field)s` and, where there is one, `%(value)s`."""

    key: str
    label: Text
    says: Text
    condition: Callable[[SegmentField, Any, Asking], Q]
    takes: str = "one"
    """What stands to its right: nothing, one value, or many."""


@dataclass(frozen=True)
class Kind:
    """A kind of field: its operators, and how a value is read from texts and said in words."""

    key: str
    operators: tuple[Operator, ...]
    clean: Callable[[SegmentField, Operator, list[str]], Any]
    words: Callable[[SegmentField, Operator, Any, User | None], str]
    widget: Callable[[Operator], str]
    """text, number, day or choice: which control a builder shows."""

    def operator(self, key: object) -> Operator | None:
        """The operator of that key, if there is one."""
        return next((operator for operator in self.operators if operator.key == key), None)


@dataclass(frozen=True)
class SegmentField:
    """Something to ask about leads or contacts.

    `column` is the path a condition compares; where `expression` is given it is computed under that name. With `rows`
    (activities, deals, submissions of one record, in a query about it) a condition holds where it does for one of them;
    an activity field counts them. Rows that are owned by themselves pass through `Asking.seen`; what is read by whoever
    reads the record, such as its activities, need not.
    """

    key: str
    about: str
    group: Text
    label: Text
    kind: Kind
    column: str = ""
    expression: Callable[[Asking], Any] | None = None
    choices: Choices | None = None
    rows: Callable[[Asking], Any] | None = None
    dated_by: str = "at"
    says: Text = ""
    """How a sentence calls it; the label where empty."""


_FIELDS: dict[tuple[str, str], SegmentField] = {}


def register(*fields: SegmentField) -> None:
    """Let conditions ask about `fields`; a key is taken once for leads and once for contacts."""
    for field in fields:
        known = _FIELDS.get((field.about, field.key))
        if known is not None and known is not field:
            raise ValueError(f"There is a segment field {field.key!r} of {field.about} already.")
        _FIELDS[field.about, field.key] = field


def fields_of(about: str) -> list[SegmentField]:
    """Return what can be asked about leads, or about contacts, in the order of registration."""
    return [field for (of, _key), field in _FIELDS.items() if of == about]


def field_named(about: str, key: object) -> SegmentField | None:
    """Return the field of that key, if there is one."""
    return _FIELDS.get((about, key)) if isinstance(key, str) else None
