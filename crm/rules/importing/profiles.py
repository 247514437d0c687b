"""What one pass over a file tells of each of its columns: how it writes dates and numbers, and its words where few."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from crm.rules.records.formats import Evidence
from crm.rules.records.reading import Table

MOST_WORDS = 40
"""A column with more different words is not asked about: its mistakes go into the error file."""
LONGEST_WORD = 120
SAMPLED = 20


@dataclass
class Profile:
    """One column."""

    filled: int = 0
    words: list[str] | None = field(default_factory=list)
    """Its different texts, in the order of the file; None where they are too many."""
    evidence: Evidence = field(default_factory=Evidence)

    def see(self, line: int, text: str) -> None:
        """Take note of a cell."""
        self.filled += 1
        if self.words is not None and text not in self.words:
            is_word = len(self.words) < MOST_WORDS and len(text) <= LONGEST_WORD
            self.words = [*self.words, text] if is_word else None
        if not text.isalpha() and not text.isdecimal():
            self.evidence.see_date(line, text)
            self.evidence.see_number(line, text)

    def plain(self) -> dict[str, Any]:
        """The profile as JSON."""
        return asdict(self)

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Profile:
        """The profile that `plain` was."""
        return cls(plain["filled"], plain["words"], Evidence(**plain["evidence"]))


def profile(table: Table) -> tuple[list[Profile], int, list[dict[str, Any]]]:
    """Read a file once: a profile for each column, the number of rows, and the first of them."""
    profiles = [Profile() for _name in table.header]
    rows, sample = 0, []
    for row in table.rows():
        rows += 1
        if rows <= SAMPLED:
            cells = [printable(cell) for cell in row.cells]
            sample.append({"line": row.line, "cells": cells, "damage": row.damage})
        if not row.damage:
            for column, cell in zip(profiles, row.cells, strict=True):
                if cell:
                    column.see(row.line, cell)
    return profiles, rows, sample


def merged(profiles: Iterable[Profile]) -> Evidence:
    """What several columns say together."""
    evidence = Evidence()
    for column in profiles:
        evidence.add(column.evidence)
    return evidence


def printable(cell: str) -> str:
    """A cell as PostgreSQL can hold it: without NUL, and with a mark for each byte that is no text."""
    return cell.replace("\x00", "").encode("utf-8", "replace").decode()
