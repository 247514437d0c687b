"""From rows to records: find what is there, compare, and write a step's records in bulk.

A row changes a field only where it says something else than the last import of that record left: sending the same file
again changes nothing, even where people have worked on the records since. An empty cell erases only what an import set.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Generic, TypeVar

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from crm.models import ImportRow, ImportRun
from crm.rules.records.context import Context
from crm.rules.records.entries import Entry, Problem, RowRefused
from crm.rules.records.snapshots import current, plain, put_back

Record = TypeVar("Record", bound=Model)
Rows = TypeVar("Rows", bound=QuerySet[Any])
UNSAID = object()


class Verdict(StrEnum):
    """What becomes of a row that is not refused."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass
class Plan(Generic[Record]):
    """What one row is going to do."""

    entry: Entry
    record: Record
    verdict: Verdict
    before: dict[str, Any] | None = None
    after: dict[str, Any] = field(default_factory=dict)
    """Field → value that the import leaves; references may still lack their key."""


class RecordImporter(Generic[Record]):
    """Plans and writes the rows of one kind of record; a kind says what a row wants and which record it means."""

    model: ClassVar[type[Model]]
    unbinned = True
    """Whether the model's rows can be in the bin."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.references = context.references
        self.written: tuple[type[Model], ...] = (self.model,)

    # --- What a kind says ---

    def key(self, entry: Entry) -> Hashable | None:
        """What tells this row's record from others; None where nothing does, so that the row makes a new one."""
        return entry["external_id"]

    def key_column(self) -> str:
        """The column that a doubled key is reported in."""
        return "external_id"

    def find(self, entries: list[Entry]) -> dict[Hashable, Record]:
        """The records that are there already, by key."""
        raise NotImplementedError

    def wanted(self, entry: Entry, record: Record | None) -> dict[str, Any]:
        """The fields that the row gives its record (None: a new one); raises RowRefused."""
        raise NotImplementedError

    def after_write(self, plans: list[Plan[Record]]) -> None:
        """Bring along what follows from the records written."""

    @classmethod
    def put_back(cls, record: Any, before: dict[str, Any]) -> None:
        """Make a record of this kind, or one that came along with it, what it was before the import."""
        put_back(record, before)
        names = list(before)
        if hasattr(record, "version"):
            record.version += 1
            names.append("version")
        record.save(update_fields=names)

    # --- How every kind goes ---

    def locked(self, rows: Rows) -> Rows:
        """The rows, kept from others until the step is written; a dry run keeps nobody waiting."""
        return rows.select_for_update(of=("self",)) if self.context.run else rows

    def plan(self, entries: list[Entry]) -> list[Plan[Record]]:
        """What each row will do; a row that is refused gets its problem instead."""
        found = self.find(entries)
        left = last_left(self.context.kind.key, self.model, [record.pk for record in found.values()])
        plans = []
        for entry in entries:
            try:
                plans.append(self.plan_one(entry, found, left))
            except RowRefused as refusal:
                refuse(entry, refusal, self.context)
        return plans

    def plan_one(self, entry: Entry, found: dict[Hashable, Record], left: dict[int, dict[str, Any]]) -> Plan[Record]:
        """What one row will do."""
        key = self.key(entry)
        self._refuse_doubles(key)
        record = found.get(key) if key is not None else None
        if self.unbinned and record is not None and getattr(record, "deleted_at", None):
            raise RowRefused(self.key_column(), _("This record is in the bin; take it out first."))
        wanted = self.wanted(entry, record)
        if key is not None:
            self.context.seen[key] = entry.line
        if record is None:
            return self.creation(entry, wanted)
        changes = differences(record, wanted, left.get(record.pk, {}))
        return self.change(entry, record, changes, wanted)

    def _refuse_doubles(self, key: Hashable | None) -> None:
        if key is not None and (line := self.context.seen.get(key)):
            raise RowRefused(
                self.key_column(), _("The file has this record already, in line %(line)d.") % {"line": line}
            )

    def creation(self, entry: Entry, wanted: dict[str, Any]) -> Plan[Record]:
        """A new record with what the row wants."""
        record: Any = self.model(**wanted)
        return Plan(entry, record, Verdict.CREATED, after=wanted)

    def change(self, entry: Entry, record: Record, changes: dict[str, Any], wanted: dict[str, Any]) -> Plan[Record]:  # noqa: ARG002 - for deals
        """A record with those of the wanted fields changed that say something new."""
        if not changes:
            return Plan(entry, record, Verdict.UNCHANGED)
        before = current(record, list(changes))
        for name, value in changes.items():
            setattr(record, name, value)
        return Plan(entry, record, Verdict.UPDATED, before, changes)

    def write(self, plans: list[Plan[Record]]) -> None:
        """Write a step's records and what is needed to take them back."""
        self.references.save_made()
        self.insert([plan.record for plan in plans if plan.verdict is Verdict.CREATED])
        self.update([plan for plan in plans if plan.verdict is Verdict.UPDATED])
        remember(self.context.run, [plan for plan in plans if plan.verdict is not Verdict.UNCHANGED])
        self.after_write(plans)

    def insert(self, records: list[Record]) -> None:
        """Insert new records."""
        self.model._default_manager.bulk_create(records)

    def update(self, plans: list[Plan[Record]]) -> None:
        """Update changed records, raising the version of those that have one."""
        names = sorted({name for plan in plans for name in plan.after})
        if not plans:
            return
        if hasattr(self.model, "version"):
            names.append("version")
            for plan in plans:
                plan.record.version += 1  # type: ignore[attr-defined]
        self.model._default_manager.bulk_update([plan.record for plan in plans], names, batch_size=500)


def refuse(entry: Entry, refusal: RowRefused, context: Context) -> None:
    """Give a row its problem, in the words of the file."""
    entry.problems.append(
        Problem(context.name_of(refusal.column), context.text_of(entry, refusal.column), refusal.reason)
    )


def last_left(kind: str, model: type[Model], pks: Iterable[int]) -> dict[int, dict[str, Any]]:
    """What standing imports of a kind left of records: id → field → plain value."""
    left: dict[int, dict[str, Any]] = defaultdict(dict)
    rows = ImportRow.objects.filter(model=model._meta.label_lower, record_id__in=list(pks), run__kind=kind)
    for pk, after in rows.order_by("pk").values_list("record_id", "after"):
        left[pk].update(after)
    return left


def differences(record: Model, wanted: dict[str, Any], left: dict[str, Any]) -> dict[str, Any]:
    """The wanted fields that say something new: other than what the last import left, and than what is there."""
    return {
        name: value
        for name, value in wanted.items()
        if _is_unsaved(value)
        or (_says_something_new(name, value, left) and plain(value) != current(record, [name])[name])
    }


def _is_unsaved(value: Any) -> bool:
    return isinstance(value, Model) and value.pk is None


def _says_something_new(name: str, value: Any, left: dict[str, Any]) -> bool:
    if value is None or value == "":
        return left.get(name) not in (None, "")
    return plain(value) != left.get(name, UNSAID)


def remember(run: ImportRun | None, plans: list[Plan[Any]]) -> None:
    """Record what was written, so that it can be taken back."""
    ImportRow.objects.bulk_create(
        ImportRow(
            run=run,
            line=plan.entry.line,
            model=plan.record._meta.label_lower,
            record_id=plan.record.pk,
            before=plan.before,
            after={name: plain(value) for name, value in plan.after.items()},
        )
        for plan in plans
    )
