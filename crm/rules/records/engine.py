"""The import itself: reads a file twice (for its formats, then for its rows) and writes it step by step.

Each step is one transaction that also records how far the import came: whatever happens, what is counted is there, and
sending the file again goes on where it stopped.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import zlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path

from django.db import connection
from django.db.models import Model
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from crm.models import ImportRow, ImportRun, User
from crm.rules.audit import acting, coming_through
from crm.rules.records.columns import Column, Holds
from crm.rules.records.context import Context, Kind, Options
from crm.rules.records.entries import Entry, Problem
from crm.rules.records.errors import MappingRefused
from crm.rules.records.formats import Evidence, Formats
from crm.rules.records.mapping import Mapping, listed
from crm.rules.records.planning import Plan, Verdict
from crm.rules.records.reading import Row, Table, read_table
from crm.rules.records.report import Report, written_report
from crm.rules.records.values import BadValue

STEP_ROWS = 1_000
GROUPED_ROWS_IN_MEMORY = 100_000
STATISTICS_AT = (1_000, 10_000, 100_000)
EXAMPLES = 10


@dataclass
class Outcome:
    """What became of a file's rows."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    warnings: list[str] = field(default_factory=list)
    examples: list[tuple[int, Problem]] = field(default_factory=list)
    """The first problems, with their lines."""
    run: ImportRun | None = None

    def counts(self) -> dict[str, int]:
        """The counts alone."""
        return {"created": self.created, "updated": self.updated, "unchanged": self.unchanged, "failed": self.failed}


def import_records(
    *,
    path: Path,
    kind: Kind,
    mapping: Mapping,
    by: User | None,
    now: dt.datetime,
    options: Options | None = None,
    report: Path | None = None,
) -> Outcome:
    """Bring the rows of a file in: each is created, updated, found unchanged, or refused with a reason.

    Raises Unreadable, Question or MappingRefused before anything is written.
    """
    options = options or Options()
    table = read_table(path, known_columns=[*kind.names, *mapping.columns.values()], encoding=mapping.encoding)
    positions = _positions(table, kind, mapping)
    formats, rows = survey(table, kind, mapping, positions)
    context = Context(kind, mapping, formats, table.header, positions, options, now)
    with coming_through("import"), written_report(report, table) as refused:
        if not options.is_dry_run:
            context.run = _begin_run(path, kind, mapping, by, now)
        return _Course(context, table, refused, by).go(rows)


def _positions(table: Table, kind: Kind, mapping: Mapping) -> dict[str, int]:
    """Where in the file our columns are; raises MappingRefused where a required one is missing."""
    positions = mapping.match(table.header, kind.names)
    missing = [column.name for column in kind.columns if column.is_required and column.name not in positions]
    if kind.needs_one_of and not any(name in positions for name in kind.needs_one_of):
        missing.append(_(" or ").join(kind.needs_one_of))
    if missing:
        raise MappingRefused(
            _(
                "The file has no column %(missing)s, which %(kind)s need. Its columns are: %(header)s. "
                "A mapping can name others."
            )
            % {"missing": listed(missing), "kind": kind.key, "header": listed(table.header)}
        )
    return positions


def survey(table: Table, kind: Kind, mapping: Mapping, positions: dict[str, int]) -> tuple[Formats, int]:
    """Read the whole file once for how it writes dates and numbers; raises Question where that stays open."""
    evidence, rows = Evidence(), 0
    seers = {Holds.DATES: evidence.see_date, Holds.AMOUNTS: evidence.see_number}
    watched = [
        (positions[column.name], seers[column.holds])
        for column in kind.columns
        if column.name in positions and column.holds in seers
    ]
    for row in table.rows():
        rows += 1
        for position, see in watched:
            if row.cells[position]:
                see(row.line, row.cells[position])
    formats = evidence.settle(zone=mapping.zone, date_format=mapping.date_format, decimal_mark=mapping.decimal_mark)
    return formats, rows


def _begin_run(path: Path, kind: Kind, mapping: Mapping, by: User | None, now: dt.datetime) -> ImportRun:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    with acting(by):
        return ImportRun.objects.create(
            kind=kind.key, file_name=path.name[-255:], file_hash=digest, mapping=asdict(mapping), by=by, started_at=now
        )


class _Course:
    """One import under way."""

    def __init__(self, context: Context, table: Table, report: Report, by: User | None) -> None:
        self.context = context
        self.table = table
        self.report = report
        self.by = by
        self.importer = context.kind.importer(context)
        self.outcome = Outcome(run=context.run)
        self._statistics_at = list(STATISTICS_AT)

    def go(self, rows: int) -> Outcome:
        """Carry out every step; a run that breaks off is marked so."""
        is_grouped = self.context.kind.grouped_by is not None
        steps = self._grouped_steps(rows) if is_grouped else in_steps([entry] for entry in self._entries())
        try:
            for step in steps:
                self._carry_out(step)
        except BaseException:
            self._finish(ImportRun.State.STOPPED)
            raise
        self._finish(ImportRun.State.DONE)
        return self.outcome

    def _entries(self) -> Iterator[Entry]:
        return (self._read(row) for row in self.table.rows())

    def _read(self, row: Row) -> Entry:
        """A row's cells as values of our columns."""
        entry = Entry(row)
        if row.damage:
            entry.problems.append(Problem("", "", row.damage))
            return entry
        for column in self.context.kind.columns:
            if column.name in self.context.positions:
                self._read_cell(entry, column)
        one_of = self.context.kind.needs_one_of
        if one_of and not entry.problems and not any(entry[name] for name in one_of):
            entry.problems.append(Problem(_(" or ").join(one_of), "", _("One of these is needed.")))
        return entry

    def _read_cell(self, entry: Entry, column: Column) -> None:
        written = self.context.text_of(entry, column.name)
        text = self.context.mapping.translate(column.name, written)
        if not text:
            entry.values[column.name] = None
            if column.is_required:
                entry.problems.append(Problem(self.context.name_of(column.name), written, _("This is missing.")))
            return
        try:
            entry.values[column.name] = column.read(text, self.context.formats, self.context.now)
        except BadValue as bad:
            entry.problems.append(Problem(self.context.name_of(column.name), written, str(bad)))

    def _grouped_steps(self, rows: int) -> Iterator[list[Entry]]:
        """Whole groups, however the file mixes them: it is read once for each so many rows, to keep memory flat."""
        parts = 1 + rows // GROUPED_ROWS_IN_MEMORY
        for part in range(parts):
            groups: dict[str, list[Entry]] = {}
            for entry in self._entries():
                key = self.context.text_of(entry, self.context.kind.grouped_by or "")
                if zlib.crc32(key.encode(errors="replace")) % parts == part:
                    groups.setdefault(key, []).append(entry)
            yield from in_steps(groups.values())

    def _carry_out(self, step: list[Entry]) -> None:
        """One transaction: plan, write, count."""
        with self._acting():
            plans = self.importer.plan([entry for entry in step if not entry.problems])
            if self.context.run:
                self.importer.write(plans)
            self._count(step, plans)
            self._refresh_statistics()
        self._report(step)

    def _acting(self) -> AbstractContextManager[None]:
        return acting(self.by, note=f"import {self.context.run.pk}") if self.context.run else nullcontext()

    def _count(self, step: list[Entry], plans: list[Plan]) -> None:
        verdicts = [plan.verdict for plan in plans]
        self.outcome.created += verdicts.count(Verdict.CREATED)
        self.outcome.updated += verdicts.count(Verdict.UPDATED)
        self.outcome.unchanged += verdicts.count(Verdict.UNCHANGED)
        self.outcome.failed += sum(bool(entry.problems) for entry in step)
        if self.context.run:
            counts = self.outcome.counts() | {"last_line": max(entry.line for entry in step)}
            ImportRun.objects.filter(pk=self.context.run.pk).update(**counts)

    def _refresh_statistics(self) -> None:
        """Tell PostgreSQL of tables that have just grown: triggers keep the plans they made while those were empty."""
        written = self.outcome.created + self.outcome.updated
        if self.context.run and self._statistics_at and written >= self._statistics_at[0]:
            self._statistics_at = [count for count in STATISTICS_AT if count > written]
            with connection.cursor() as cursor:
                models: list[type[Model]] = [*self.importer.written, ImportRow]
                for model in models:
                    cursor.execute(f"ANALYZE {connection.ops.quote_name(model._meta.db_table)}")

    def _report(self, step: list[Entry]) -> None:
        key = self.context.kind.grouped_by
        torn = {self.context.text_of(entry, key) for entry in step if entry.problems} if key else set()
        for entry in step:
            if entry.problems:
                self.report.add(entry, entry.problems)
                self._show(entry)
            elif key and self.context.text_of(entry, key) in torn:
                self.report.add(
                    entry,
                    [
                        Problem(
                            "",
                            "",
                            _("Imported; it stands here so that the whole is sent again with the corrected row."),
                        )
                    ],
                )

    def _show(self, entry: Entry) -> None:
        if len(self.outcome.examples) < EXAMPLES:
            self.outcome.examples.append((entry.line, entry.problems[0]))

    def _finish(self, state: ImportRun.State) -> None:
        sentences = self.context.kind.warnings
        self.outcome.warnings = [
            str(sentences[code] % {"count": count}) for code, count in self.context.warnings.items()
        ]
        if self.context.run:
            with acting(self.by):
                ImportRun.objects.filter(pk=self.context.run.pk).update(
                    state=state, finished_at=Now(), warnings=self.outcome.warnings
                )


def in_steps(groups: Iterable[list[Entry]]) -> Iterator[list[Entry]]:
    """Rows in steps of about a thousand; a group is never cut."""
    step: list[Entry] = []
    for group in groups:
        step += group
        if len(step) >= STEP_ROWS:
            yield step
            step = []
    if step:
        yield step
