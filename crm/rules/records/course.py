"""The way of an import through a file's rows, step by step.

Each step is one transaction that also records how far the import came: whatever happens, what is counted is there, and
whoever goes on begins at the first row that is not.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from django.db import connection
from django.db.models import Model
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from crm.models import ImportRow, ImportRun, User
from crm.rules.audit import acting
from crm.rules.records.columns import Column
from crm.rules.records.context import Context
from crm.rules.records.entries import Entry, Problem
from crm.rules.records.planning import Plan, Verdict
from crm.rules.records.reading import Row, Table
from crm.rules.records.report import Report
from crm.rules.records.values import BadValue

STEP_ROWS = 1_000
GROUPED_ROWS_IN_MEMORY = 100_000
STATISTICS_AT = (1_000, 10_000, 100_000)
EXAMPLES = 10
IDENTITY = frozenset({"external_id", "email", "name", "company"})
"""The columns that tell which record a row means."""


class Interrupted(Exception):
    """The import is no longer this worker's: somebody cancelled it, or another worker has gone on with it."""


@dataclass
class Outcome:
    """What became of a file's rows."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    skipped: int = 0
    warnings: list[str] = field(default_factory=list)
    examples: list[tuple[int, Problem]] = field(default_factory=list)
    """The first problems, with their lines."""
    run: ImportRun | None = None

    def counts(self) -> dict[str, int]:
        """The counts alone."""
        return {"created": self.created, "updated": self.updated, "unchanged": self.unchanged, "failed": self.failed}


class Course:
    """One import under way, from the row below `begin_after` on; `outcome` holds what became of those before."""

    def __init__(
        self,
        context: Context,
        table: Table,
        report: Report,
        by: User | None,
        outcome: Outcome,
        *,
        begin_after: int = 0,
        begin_step: Callable[[], None] = lambda: None,
    ) -> None:
        self.context = context
        self.table = table
        self.report = report
        self.by = by
        self.importer = context.kind.importer(context)
        self.outcome = outcome
        self.begin_after = begin_after
        self.begin_step = begin_step
        self._statistics_at = list(STATISTICS_AT)

    def go(self, rows: int) -> Outcome:
        """Carry out every step; a run that breaks off is marked so."""
        steps = self.steps() if self.context.kind.grouped_by is None else self._grouped_steps(rows)
        try:
            for step in steps:
                self.carry_out(step)
        except BaseException:
            self.finish(ImportRun.State.STOPPED)
            raise
        self.finish(ImportRun.State.DONE)
        return self.outcome

    def steps(self) -> Iterator[list[Entry]]:
        """The rows that are still to come, about a thousand at a time."""
        return in_steps([entry] for entry in self._entries())

    def _entries(self) -> Iterator[Entry]:
        return (self.read(row) for row in self.table.rows() if row.line > self.begin_after)

    def look_back(self, refused: Container[int]) -> None:
        """Take note of the rows that were done before, so that a record that comes again is noticed."""
        for row in self.table.rows() if self.begin_after else ():
            if row.line > self.begin_after:
                break
            if row.line not in refused and not (entry := read_entry(self.context, row, only=IDENTITY)).problems:
                self.importer.remember_key(entry)

    def read(self, row: Row) -> Entry:
        """A row's cells as values of our columns."""
        return read_entry(self.context, row)

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

    def carry_out(self, step: list[Entry]) -> list[Plan]:
        """One transaction: plan, write, count, report."""
        with self._acting():
            self.begin_step()
            plans = self.importer.plan([entry for entry in step if not entry.problems])
            if self.context.run:
                self.importer.write(plans)
            self._count(step, plans)
            self._refresh_statistics()
            self._report(step)
            self.report.end_step()
        return plans

    def _acting(self) -> AbstractContextManager[None]:
        return acting(self.by, note=f"import {self.context.run.pk}") if self.context.run else nullcontext()

    def _count(self, step: list[Entry], plans: list[Plan]) -> None:
        verdicts = [plan.verdict for plan in plans]
        self.outcome.created += verdicts.count(Verdict.CREATED)
        self.outcome.updated += verdicts.count(Verdict.UPDATED)
        self.outcome.unchanged += verdicts.count(Verdict.UNCHANGED)
        self.outcome.skipped += verdicts.count(Verdict.SKIPPED)
        self.outcome.failed += sum(bool(entry.problems) for entry in step)
        if self.context.run:
            self._note(self.context.run, max(entry.line for entry in step))

    def _note(self, run: ImportRun, last_line: int) -> None:
        """Write down how far the import came; raises Interrupted where it was cancelled, or another goes on with it."""
        counts = self.outcome.counts() | {"skipped": self.outcome.skipped, "last_line": last_line}
        is_mine = ImportRun.objects.filter(pk=run.pk, state=ImportRun.State.RUNNING)
        is_in_order = self.context.kind.grouped_by is None
        if is_in_order:
            is_mine = is_mine.filter(last_line=self.begin_after)
        if not is_mine.update(**counts):
            raise Interrupted
        if is_in_order:
            self.begin_after = last_line

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

    def finish(self, state: ImportRun.State) -> None:
        """Write down what came of it, with its warnings."""
        self.outcome.warnings = self.context.worded_warnings()
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


def read_entry(context: Context, row: Row, *, only: Container[str] | None = None) -> Entry:
    """A row's cells as values of our columns, or of those alone that `only` names."""
    entry = Entry(row)
    if row.damage:
        entry.problems.append(Problem("", "", row.damage))
        return entry
    for column in context.kind.columns:
        if column.name in context.positions and (only is None or column.name in only):
            _read_cell(context, entry, column)
    one_of = context.kind.needs_one_of
    if one_of and not entry.problems and not any(entry[name] for name in one_of):
        entry.problems.append(Problem(_(" or ").join(one_of), "", _("One of these is needed.")))
    return entry


def _read_cell(context: Context, entry: Entry, column: Column) -> None:
    written = context.text_of(entry, column.name)
    text = context.mapping.translate(column.name, written)
    if not text:
        entry.values[column.name] = None
        if column.is_required:
            entry.problems.append(Problem(context.name_of(column.name), written, _("This is missing.")))
        return
    try:
        entry.values[column.name] = column.read(text, context.formats, context.now)
    except BadValue as bad:
        entry.problems.append(Problem(context.name_of(column.name), written, str(bad)))
