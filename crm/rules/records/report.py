"""The rows that were not imported, as a CSV that can be corrected and sent again."""

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from django.utils.translation import gettext as _

from crm.rules.cells import guarded
from crm.rules.records.entries import Entry, Problem
from crm.rules.records.errors import ReportRefused
from crm.rules.records.reading import REPORT_COLUMNS, Table


class Report(Protocol):
    """Where refused rows go."""

    def add(self, entry: Entry, problems: list[Problem]) -> None:
        """Take down one row."""

    def end_step(self) -> None:
        """A step is about to be committed."""


class NoReport:
    """Nobody asked for one."""

    def add(self, entry: Entry, problems: list[Problem]) -> None:
        """Let the row go."""

    def end_step(self) -> None:
        """Nothing to keep."""


class CsvReport:
    """Each refused row as the file had it, with its line and what was wrong."""

    def __init__(self, write: Callable[[list[str]], object], width: int) -> None:
        self._write = write
        self._width = width

    def add(self, entry: Entry, problems: list[Problem]) -> None:
        """Write one row; several problems of it are joined."""
        cells = (*entry.row.cells, *("",) * self._width)[: self._width]
        self._write([guarded(cell) for cell in (*cells, str(entry.line), *joined(problems))])

    def end_step(self) -> None:
        """Nothing to keep: a row is in the file as soon as it is written."""


def joined(problems: list[Problem]) -> list[str]:
    """The columns, values and reasons of a row's problems, each in one text."""
    return ["; ".join(texts) for texts in zip(*((p.column, p.value, p.reason) for p in problems), strict=True)]


@contextmanager
def written_report(path: Path | None, table: Table) -> Iterator[Report]:
    """A report in `path`, written as the file was separated, in UTF-8; nothing where there is no path."""
    if path is None:
        yield NoReport()
        return
    try:
        stream = path.open("w", encoding="utf-8-sig", errors="surrogateescape", newline="")
    except OSError as error:
        raise ReportRefused(
            _("%(path)s cannot be written: %(reason)s.") % {"path": path, "reason": error.strerror}
        ) from error
    with stream:
        writer = csv.writer(stream, delimiter=table.separator)
        writer.writerow([guarded(name) for name in (*table.header, *REPORT_COLUMNS)])
        yield CsvReport(writer.writerow, len(table.header))
