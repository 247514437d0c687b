"""From a file's bytes to rows with line numbers, in any encoding and separator that a spreadsheet writes.

Nothing here holds more than one record in memory: a file is read as often as its readers need it.
"""

import csv
from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from django.utils.translation import gettext as _

from crm.rules.cells import unguarded
from crm.rules.records.decoding import Encoding, detect_encoding, refuse_other_formats
from crm.rules.records.errors import Unreadable

SEPARATORS = ",;\t"
LONGEST_LINE = 1_000_000
# A quote that is never closed swallows what follows; each such row costs one look ahead of at most a cell's limit.
MOST_BROKEN_QUOTES = 1_000
SAMPLE_LINES, SAMPLE_LENGTH = 100, 1 << 20
PREAMBLE_LINES = 20
REPORT_COLUMNS = ("line", "column", "value", "reason")
FEWEST_NAMES = 3
"""A single name of a column is also found among the words of a table."""

Candidate = tuple[int, list[str], int, int]
"""A line that may be the header: its number, its cells, how many of them name known columns, how many say anything."""


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a table: where it starts, its cells, and what is wrong with its writing (or None)."""

    line: int
    cells: tuple[str, ...]
    damage: str | None = None


@dataclass(frozen=True)
class Table:
    """A readable file: how it is written, its header, and its rows as often as they are asked for."""

    path: Path
    encoding: Encoding
    separator: str
    header: tuple[str, ...]
    header_line: int
    written_width: int
    """Columns in the file: four more than the header where it is a report that is sent again."""

    def rows(self) -> Iterator[Row]:
        """Every record below the header that has any text in it, in the order of the file."""
        with open_text(self.path, self.encoding) as text:
            for record in read_records(text, self.separator):
                if record.line > self.header_line and any(cell.strip() for cell in record.cells):
                    yield self._squared(record)

    def _squared(self, record: Row) -> Row:
        """The record with exactly the header's cells: spreadsheets leave out empty cells at a row's end."""
        cells, width = record.cells, len(self.header)
        damage = record.damage or character_damage(cells, self.encoding)
        if len(cells) > self.written_width and any(cell.strip() for cell in cells[self.written_width :]):
            damage = damage or _(
                "The row has %(cells)d cells, the header has %(width)d: is a separator not quoted?"
            ) % {
                "cells": len(cells),
                "width": self.written_width,
            }
        padded = cells[:width] + ("",) * (width - len(cells))
        return Row(record.line, tuple(clean_cell(cell) for cell in padded), damage)


def read_table(path: Path, *, known_columns: Collection[str] = (), encoding: str | None = None) -> Table:
    """Find out how a file is written; `known_columns` help to tell the header from the lines above it.

    Raises Unreadable, which says what the file looks like and what was expected.
    """
    refuse_other_formats(path)
    found = detect_encoding(path, named=encoding)
    known = {normal_name(name) for name in known_columns}
    with open_text(path, found) as text:
        sample = first_lines(text)
    if not any(line.strip() for line in sample):
        raise Unreadable(_("The file is empty. Expected a CSV file whose first line names its columns."))
    separator = guess_separator(sample, known)
    written, line = find_header(sample, separator, known)
    return Table(path, found, separator, without_report_columns(written), line, len(written))


def open_text(path: Path, encoding: Encoding) -> TextIO:
    """The file as text, its own line ends kept, bytes that are not of its encoding kept as lone surrogates."""
    return path.open(encoding=encoding.name, errors=encoding.errors, newline="")


def physical_lines(text: TextIO) -> Iterator[str]:
    """The lines of a text; one longer than any spreadsheet's is refused before it is read to its end."""
    number = 0
    while line := text.readline(LONGEST_LINE):
        number += 1
        if len(line) >= LONGEST_LINE:
            raise Unreadable(
                _("Line %(line)d is longer than %(limit)d characters. Expected a CSV file with one record a line.")
                % {"line": number, "limit": LONGEST_LINE}
            )
        yield line


def first_lines(text: TextIO) -> list[str]:
    """The lines by which one sees how a file is written."""
    lines: list[str] = []
    length = 0
    for line in physical_lines(text):
        lines.append(line)
        length += len(line)
        if len(lines) == SAMPLE_LINES or length > SAMPLE_LENGTH:
            break
    return lines


class LineSource:
    """Lines for a csv reader, remembering those of the record under way so that they can be given again."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self._taken: list[str] = []
        self.line_number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self._taken.append(line)
        self.line_number += 1
        return line

    def begin_record(self) -> int:
        """Forget the last record's lines; the line number at which the next one starts."""
        self._taken.clear()
        return self.line_number + 1

    def give_back_all_but_first(self) -> str:
        """The record was not one: read on from its second line. Returns its first."""
        first, *others = self._taken
        self._again.extendleft(reversed(others))
        self.line_number -= len(others)
        return first


def read_records(text: TextIO, separator: str) -> Iterator[Row]:
    """Every non-blank record of a text; one with broken quotes is damaged and costs its first line only."""
    source = LineSource(physical_lines(text))
    reader = csv.reader(source, delimiter=separator, strict=True)
    broken = 0
    while True:
        line = source.begin_record()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            broken += 1
            if broken > MOST_BROKEN_QUOTES:
                raise Unreadable(
                    _("More than %(count)d rows have quotes that do not match.") % {"count": broken - 1}
                ) from None
            yield broken_record(line, source.give_back_all_but_first(), separator)
            continue
        if cells:
            yield Row(line, tuple(cells))


def broken_record(line: int, first: str, separator: str) -> Row:
    """The first line of a record that cannot be read, cut into cells as well as can be."""
    cells = tuple(first.rstrip("\r\n").split(separator))
    if any(len(cell) > csv.field_size_limit() for cell in cells):
        return Row(line, cells, _("A cell has more than %(limit)d characters.") % {"limit": csv.field_size_limit()})
    damage = _("The quotes in this line do not match: a quote inside a quoted cell is written twice.")
    return Row(line, cells, damage)


def character_damage(cells: tuple[str, ...], encoding: Encoding) -> str | None:
    """What is wrong with the characters of a row, or None."""
    text = "".join(cells)
    if "\x00" in text:
        return _("The row holds a NUL character, which no text has.")
    if text.isascii():
        return None
    is_replaced = encoding.errors == "replace" and "\ufffd" in text
    if is_replaced or any("\ud800" <= character <= "\udfff" for character in text):
        return _("The row holds bytes that are not of the file's encoding (%(name)s).") % {"name": encoding.name}
    return None


def clean_cell(cell: str) -> str:
    """A cell without the white space around it and without the apostrophe that our exports put before a formula."""
    return unguarded(cell.strip().strip("\ufeff\u00a0\u202f").strip()).strip()


def normal_name(name: str) -> str:
    """A column's name as it is compared: lower case, words joined by underscores."""
    return "_".join(clean_cell(name).casefold().replace("-", " ").replace("_", " ").split())


def guess_separator(sample: list[str], known: Collection[str]) -> str:
    """The separator that finds most known columns, then the one that cuts most lines into the same number of cells."""
    hint = sample[0].strip().lower()
    if hint.startswith("sep=") and len(hint) == 5 and hint[4] in SEPARATORS:
        return hint[4]
    return max(SEPARATORS, key=_separator_score(sample, known))


def _separator_score(sample: list[str], known: Collection[str]) -> Callable[[str], tuple[int, float, int]]:
    def score(separator: str) -> tuple[int, float, int]:
        records = [record for _line, record in lenient_records(sample, separator)]
        if not records:
            return 0, 0.0, 0
        widths = [len(record) for record in records]
        usual = max(set(widths), key=widths.count)
        best_header = max(len(known_in(record, known)) for record in records[:PREAMBLE_LINES])
        return best_header, widths.count(usual) / len(widths) if usual > 1 else 0.0, usual

    return score


def lenient_records(lines: list[str], separator: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of the records in a sample that have any text; quotes need not match in it."""
    source = LineSource(iter(lines))
    reader = csv.reader(source, delimiter=separator)
    while True:
        line = source.begin_record()
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error:
            continue
        if any(cell.strip() for cell in record):
            yield line, record


def known_in(record: list[str], known: Collection[str]) -> set[str]:
    """The known columns among a record's cells."""
    return {name for cell in record if (name := normal_name(cell)) in known}


def find_header(sample: list[str], separator: str, known: Collection[str]) -> tuple[tuple[str, ...], int]:
    """The header's cells and its line: the first line with any text, unless a later one is a header by its looks."""
    candidates = [
        (line, record, len(known_in(record, known)), sum(bool(cell.strip()) for cell in record))
        for line, record in lenient_records(sample, separator)
        if not record[0].lower().startswith("sep=")
    ][:PREAMBLE_LINES]
    if not candidates:
        raise Unreadable(_("The file has no header. Expected a first line that names the columns."))
    first = candidates[0]
    eligible = [candidate for candidate in candidates if _is_better_header(candidate, first)]
    line, record, _known, _filled = max(eligible, key=lambda candidate: candidate[2], default=first)
    return tuple(clean_cell(cell) for cell in record), line


def _is_better_header(candidate: Candidate, first: Candidate) -> bool:
    """Whether what stands above a line is no header: narrower than it, or the line names columns with most cells.

    A row of a table can hold a column's name too, such as a source called "email".
    """
    _line, _record, known, filled = candidate
    is_of_names = known >= FEWEST_NAMES and known * 2 > filled
    return known > first[2] and (filled > first[3] or is_of_names)


def without_report_columns(header: tuple[str, ...]) -> tuple[str, ...]:
    """A header without the columns that an earlier report added at its end, so that a report can be sent again."""
    if header[-len(REPORT_COLUMNS) :] == REPORT_COLUMNS:
        return header[: -len(REPORT_COLUMNS)]
    return header
