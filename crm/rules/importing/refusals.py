"""The rows that an import refused: kept with the step that refused them, given back as a file to correct."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from crm.models import ImportFile, ImportRefusal, ImportRun
from crm.rules.cells import BYTE_ORDER_MARK, Echo, guarded
from crm.rules.importing.answers import header_of
from crm.rules.importing.profiles import printable
from crm.rules.records.context import Context
from crm.rules.records.entries import Entry, Problem
from crm.rules.records.reading import REPORT_COLUMNS
from crm.rules.records.report import joined


class KeptRefusals:
    """A report in PostgreSQL: a step's refused rows and warnings are written in its own transaction."""

    def __init__(self, file: ImportFile, context: Context) -> None:
        self.file = file
        self.context = context
        self._waiting: list[ImportRefusal] = []

    def add(self, entry: Entry, problems: list[Problem]) -> None:
        """Keep one row."""
        column, value, reason = (printable(text) for text in joined(problems))
        cells = [printable(cell) for cell in entry.row.cells]
        self._waiting.append(
            ImportRefusal(
                run_id=self.file.pk, line=entry.line, cells=cells, column=column[:500], value=value, reason=reason
            )
        )

    def end_step(self) -> None:
        """Write what waits, and that this step was ended."""
        ImportRefusal.objects.bulk_create(self._waiting)
        self._waiting = []
        ImportFile.objects.filter(pk=self.file.pk).update(warned=dict(self.context.warnings), attempts=0)


def refused_lines(run: ImportRun) -> set[int]:
    """The lines of the rows that an import has refused so far."""
    return set(run.refusals.values_list("line", flat=True))


def error_file(run: ImportRun) -> Iterator[Any]:
    """The lines of the error file: each refused row as it was, where it stood, and what would be right."""
    file = run.file
    writer = csv.writer(Echo(), delimiter=file.layout["separator"])
    header = header_of(file)
    yield BYTE_ORDER_MARK + writer.writerow([guarded(name) for name in (*header, *REPORT_COLUMNS)])
    for refusal in run.refusals.order_by("line").iterator(chunk_size=500):
        cells = (*refusal.cells, *("",) * len(header))[: len(header)]
        notes = (str(refusal.line), refusal.column, refusal.value, refusal.reason)
        yield writer.writerow([guarded(cell) for cell in (*cells, *notes)])
