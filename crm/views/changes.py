"""What the audit log says about a record, as lines of its timeline: "Amount €68,000 → €73,500 by you"."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from crm.models import AuditEntry, Mergeable, User
from crm.rules.forwarding import merged_ids
from crm.templatetags.formats import NO_DATA, day, moment, number

MOST = 500
"""No record's page reads more of its audit log than this."""

UNSAID = frozenset({"id", "deleted_at", "created_at", "recorded_at", "version"})
"""Columns that are said in other words, or not at all."""


@dataclass(frozen=True)
class Change:
    """One line: `label` from `before` to `after`, then who (`actor`, or `through` what) and the `rest`."""

    at: dt.datetime
    icon: str
    label: str
    before: str = ""
    after: str = ""
    rest: str = ""
    quote: str = ""
    actor: User | None = None
    through: str = "web"
    is_undone: bool = False
    url: str = ""


class Names:
    """The names behind foreign keys in audit entries, one query a model; what the reader may not see stays unnamed."""

    def __init__(self, model: type[models.Model], entries: Iterable[AuditEntry], reader: User) -> None:
        self.model = model
        self._names = _read_names(self._wanted(entries), reader)

    def of(self, related_model: Any, pk: int) -> str:
        """Return the name of the row `pk` of `related_model`."""
        return self._names.get((related_model, pk), _("another record"))

    def _wanted(self, entries: Iterable[AuditEntry]) -> Mapping[Any, set[int]]:
        wanted: dict[Any, set[int]] = defaultdict(set)
        for entry in entries:
            if entry.action != AuditEntry.Action.CHANGED:
                continue
            for column, value in [*entry.before.items(), *entry.after.items()]:
                field = field_of(self.model, column)
                if field is not None and field.is_relation and isinstance(value, int):
                    wanted[field.related_model].add(value)
        return wanted


Describe = Callable[[AuditEntry, Names], list[Change]]


def changes_of(record: models.Model, reader: User, *, describe: Describe | None = None) -> list[Change]:
    """Return the record's history, newest first, each entry in the words of `describe` (or field by field)."""
    kind = type(record).__name__.lower()
    merged = merged_ids(kind, record.pk) if isinstance(record, Mergeable) else []
    entries = list(AuditEntry.objects.about(kind, record.pk, *merged).select_related("actor")[:MOST])
    names = Names(type(record), entries, reader)
    return [change for entry in entries for change in (describe or field_changes)(entry, names)]


def field_changes(entry: AuditEntry, names: Names, *, besides: Iterable[str] = ()) -> list[Change]:
    """Describe an entry field by field, `besides` those that the caller says in its own words."""
    if entry.action == AuditEntry.Action.CREATED:
        return [line(entry, "download" if entry.through == "import" else "plus", _came_in(entry))]
    if entry.after.get("merged_into_id"):
        return [line(entry, "arrows-join", _("Merged"))]
    if entry.before.get("merged_into_id"):
        return [line(entry, "arrow-back-up", _("Merge undone"))]
    changes = []
    if "deleted_at" in entry.after:
        gone = entry.after["deleted_at"]
        changes.append(line(entry, "trash" if gone else "arrow-back-up", _("Deleted") if gone else _("Restored")))
    for column, value in entry.after.items():
        field = field_of(names.model, column)
        if field is not None and column not in UNSAID and column not in besides:
            before, after = written(field, entry.before[column], names), written(field, value, names)
            label = capfirst(str(field.verbose_name))
            changes.append(line(entry, "adjustments-horizontal", label, before=before, after=after))
    return changes


def line(entry: AuditEntry, icon: str, label: str, **said: Any) -> Change:
    """Make a change of what `entry` knows: when, who and through what."""
    return Change(at=entry.at, icon=icon, label=label, actor=entry.actor, through=entry.through, **said)


def field_of(model: type[models.Model], column: str) -> Any:
    """Return the field stored in `column`, or None where the model no longer has it."""
    try:
        return model._meta.get_field(column.removesuffix("_id"))
    except FieldDoesNotExist:
        return None


def written(field: Any, value: Any, names: Names) -> str:
    """Write a column's value as a person reads it."""
    if value is None or value in ("", []):
        return NO_DATA
    if field.is_relation:
        return names.of(field.related_model, value)
    if field.flatchoices and not isinstance(value, list):
        return str(dict(field.flatchoices).get(value, value))
    return _written_plainly(field, value)


def _written_plainly(field: Any, value: Any) -> str:
    """The log keeps JSON, in which dates are texts and decimals numbers."""
    if isinstance(field, models.DateTimeField):
        return moment(parse_datetime(value))
    if isinstance(field, models.DateField):
        return day(parse_date(value))
    if isinstance(value, list):
        return ", ".join(map(str, value))
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return number(value, 2) if is_number else str(value)


def _came_in(entry: AuditEntry) -> str:
    return _("Imported") if entry.through == "import" else _("Added")


def _read_names(wanted: Mapping[Any, set[int]], reader: User) -> dict[tuple[Any, int], str]:
    names: dict[tuple[Any, int], str] = {}
    for model, pks in wanted.items():
        rows = model.objects.all()
        if hasattr(rows, "editable_by"):  # customers' data; colleagues and stages have names for everybody
            rows = rows.visible_to(reader)
        names |= {(model, row.pk): str(row) for row in rows.filter(pk__in=pks)}
    return names
