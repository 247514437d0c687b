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
from crm.models.duplicates import Strength
from crm.rules.candidates import Facts, SimilarNames
from crm.rules.duplicates import MODELS, Suspect, suspects_of_each
from crm.rules.records.context import Context
from crm.rules.records.entries import Entry, Problem, RowRefused
from crm.rules.records.snapshots import current, plain, put_back
from crm.rules.records.survivors import led_on

Record = TypeVar("Record", bound=Model)
Rows = TypeVar("Rows", bound=QuerySet[Any])
UNSAID = object()
NOTHING: dict[str, Any] = {}
"""What a row was before that changed another record than its own: taking it back changes nothing of it."""


class Verdict(StrEnum):
    """What becomes of a row that is not refused."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"


WRITTEN = (Verdict.CREATED, Verdict.UPDATED)


@dataclass
class Plan(Generic[Record]):
    """What one row is going to do."""

    entry: Entry
    record: Record
    verdict: Verdict
    before: dict[str, Any] | None = None
    after: dict[str, Any] = field(default_factory=dict)
    """Field → value that the import leaves; references may still lack their key."""
    known: Record | None = None
    """The record that was there before, whatever becomes of the row."""
    suspect: Suspect | None = None
    """Who else may be meant."""
    merged: Record | None = None
    """Whose external id the row bears, where that was merged into the record."""


class RecordImporter(Generic[Record]):
    """Plans and writes the rows of one kind of record; a kind says what a row wants and which record it means."""

    model: ClassVar[type[Model]]
    unbinned = True
    """Whether the model's rows can be in the bin."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._suspected: dict[int, tuple[Record, Suspect]] = {}
        self._merged: dict[Hashable, Record] = {}
        self._seen_by: set[int] = set()
        self._changed_by: set[int] = set()
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

    def settle_new(self, plans: list[Plan[Record]]) -> None:
        """Bring new records to where they belong; what that changes goes into their plans' `after`."""

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
        found = self._led_on(self.find(entries))
        if self.context.options.duplicates:
            self._suspected = self._suspects(entries, found)
        self._note_reach([*found.values(), *(record for record, _suspect in self._suspected.values())])
        met = [*found.values(), *self._merged.values()]
        left = last_left(self.context.kind.key, self.model, [record.pk for record in met])
        plans = []
        for entry in entries:
            try:
                plans.append(self.plan_one(entry, found, left))
            except RowRefused as refusal:
                refuse(entry, refusal, self.context)
        return plans

    def _led_on(self, found: dict[Hashable, Record]) -> dict[Hashable, Record]:
        """What is found, but for what was merged the record that it went into."""
        merged = {key: record for key, record in found.items() if getattr(record, "merged_into_id", None)}
        if not merged:
            self._merged = {}
            return found
        ends = led_on(found.values(), self.locked(self.model._default_manager.all()))
        self._merged = {key: record for key, record in merged.items() if record.pk in ends}
        return {key: ends.get(record.pk, record) for key, record in found.items()}

    def _note_reach(self, records: Iterable[Record]) -> None:
        """Find out which of the records the person may see and change whose rights bind the import."""
        if reach := self.context.options.reach:
            rows: Any = self.model._default_manager.filter(pk__in=[record.pk for record in records])
            self._seen_by = set(rows.visible_to(reach).values_list("pk", flat=True))
            self._changed_by = set(rows.editable_by(reach).values_list("pk", flat=True))

    def plan_one(self, entry: Entry, found: dict[Hashable, Record], left: dict[int, dict[str, Any]]) -> Plan[Record]:
        """What one row will do."""
        key = self.key(entry)
        self._refuse_doubles(entry, key)
        record = found.get(key) if key is not None else None
        if self.unbinned and record is not None and getattr(record, "deleted_at", None):
            raise RowRefused(self.key_column(), _("This record is in the bin; take it out first."))
        suspect = None
        if record is None and entry.line in self._suspected:
            record, suspect = self._taken_for(entry)
        if record is not None:
            record = self._chosen(entry, record)
            if record is not None and self.context.options.for_line(entry.line) == "skip":
                self.remember_key(entry)
                return Plan(entry, record, Verdict.SKIPPED, known=record, suspect=suspect)
        known = record or found.get(key)
        merged = self._merged.get(key) if record is not None else None
        wanted = self.wanted(entry, record)
        if merged is not None:
            wanted.pop("external_id", None)  # that is the merged record's, which may yet be taken apart again
        self.remember_key(entry)
        if record is None:
            plan = self.creation(entry, wanted)
        else:
            changes = differences(record, wanted, left.get((merged or record).pk, {}))
            plan = self.change(entry, record, changes, wanted)
        plan.known, plan.suspect, plan.merged = known, suspect, merged
        return plan

    def _suspects(self, entries: list[Entry], found: dict[Hashable, Record]) -> dict[int, tuple[Record, Suspect]]:
        """By line, who else may be meant by rows whose records are not known by key; each record once."""
        kind = str(self.model._meta.model_name)
        unknown = [entry for entry in entries if self.key(entry) not in found]
        if kind not in MODELS or not unknown:
            return {}
        found_of_each = suspects_of_each(
            kind,
            [_facts(entry) for entry in unknown],
            seen_by=self.context.options.reach,
            similar=self._similar_names(unknown),
        )
        mine = self._brought({suspect.record.pk for own in found_of_each for suspect in own})
        there = [[suspect for suspect in own if suspect.record.pk not in mine] for own in found_of_each]
        first = {entry.line: own[0] for entry, own in zip(unknown, there, strict=True) if own}
        rows = self.locked(self.model._default_manager.all())
        records: dict[Any, Any] = rows.in_bulk([suspect.record.pk for suspect in first.values()])
        records |= {record.pk: record for record in found.values()}
        return {
            line: (records[suspect.record.pk], suspect)
            for line, suspect in first.items()
            if suspect.record.pk in records
        }

    def _brought(self, ids: set[int]) -> set[int]:
        """Those that this import itself has made: two rows of a file are two records, and no check could show them."""
        if not self.context.run or not ids:
            return set()
        rows = ImportRow.objects.filter(run=self.context.run, model=self.model._meta.label_lower, before__isnull=True)
        return set(rows.filter(record_id__in=ids).values_list("record_id", flat=True))

    def _similar_names(self, entries: list[Entry]) -> SimilarNames:
        """A check shows who has a name like a row's; what is written asks only where somebody decided about it."""
        is_asked = not self.context.run or any(entry.line in self.context.options.decisions for entry in entries)
        return SimilarNames.AMONG_COLLEAGUES if is_asked else SimilarNames.NOWHERE

    def _taken_for(self, entry: Entry) -> tuple[Record | None, Suspect]:
        """The record that a row is taken to mean: where that is certain, or a person said so."""
        record, suspect = self._suspected[entry.line]
        is_said = self.context.options.decisions.get(entry.line, "create") != "create"
        # Whose ids differ are two in the program they came from; a name at one company does not make them one.
        known_as = getattr(record, "external_id", None)
        is_another = bool(entry["external_id"] and known_as and entry["external_id"] != known_as)
        is_same = suspect.strength == Strength.CERTAIN if is_another else suspect.is_same
        return (record if is_same or is_said else None), suspect

    def remember_key(self, entry: Entry) -> None:
        """Take note of a row's record, so that it is noticed where the file brings it again."""
        key = self.key(entry)
        if key is not None:
            self.context.seen[key] = entry.line

    def is_certain(self, entry: Entry, record: Record) -> bool:
        """Whether row and record have the same external id, so that they cannot be two."""
        ids = (getattr(record, "external_id", None), getattr(self._merged.get(self.key(entry)), "external_id", None))
        return bool(entry["external_id"]) and entry["external_id"] in ids

    def _chosen(self, entry: Entry, record: Record) -> Record | None:
        """The record that the row is to change; None where it makes another one. Raises RowRefused."""
        options = self.context.options
        answer = options.for_line(entry.line)
        if answer == "create" and not self.is_certain(entry, record):
            return None
        if options.reach and record.pk not in self._seen_by:
            raise RowRefused(self.key_column(), _("This id belongs to a record of somebody else."))
        if options.reach and answer != "skip" and record.pk not in self._changed_by:
            raise RowRefused(self.key_column(), _("This record is there; you may look at it, but not change it."))
        return record

    def _refuse_doubles(self, entry: Entry, key: Hashable | None) -> None:
        is_wanted = self.context.options.for_line(entry.line) == "create" and not entry["external_id"]
        if key is not None and not is_wanted and (line := self.context.seen.get(key)):
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
        new = [plan for plan in plans if plan.verdict is Verdict.CREATED]
        self.insert([plan.record for plan in new])
        self.settle_new(new)
        self.update([plan for plan in plans if plan.verdict is Verdict.UPDATED])
        remember(self.context.run, [plan for plan in plans if plan.verdict in WRITTEN])
        self.after_write([plan for plan in plans if plan.verdict is not Verdict.SKIPPED])

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


def _facts(entry: Entry) -> Facts:
    """What a row says of who it is."""
    names = ("name", "email", "phone", "company", "domain")
    return Facts(**{name: entry[name] or "" for name in names})


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
    """Record what was written, so that it can be taken back; of a merged record what its own row says by now."""
    written = [(plan, plan.record, plan.before) for plan in plans]
    written += [(plan, plan.merged, NOTHING) for plan in plans if plan.merged is not None]
    ImportRow.objects.bulk_create(
        ImportRow(
            run=run,
            line=plan.entry.line,
            model=record._meta.label_lower,
            record_id=record.pk,
            before=before,
            after={name: plain(value) for name, value in plan.after.items()},
        )
        for plan, record, before in written
    )
