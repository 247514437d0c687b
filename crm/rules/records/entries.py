"""A row on its way in: what it says, and what is wrong with it."""

from dataclasses import dataclass, field
from typing import Any

from crm.rules.records.reading import Row


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row was not imported: the column as the file names it, the cell's text, and what would be right."""

    column: str
    value: str
    reason: str


class RowRefused(Exception):
    """This row cannot be imported, because of one of our columns."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.reason = reason


@dataclass(slots=True)
class Entry:
    """One row with the values of our columns (None where its cell is empty) and its problems."""

    row: Row
    values: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def line(self) -> int:
        """Where the row starts in the file."""
        return self.row.line

    def __getitem__(self, column: str) -> Any:
        """The value of one of our columns; None where the file has no such column or the cell is empty."""
        return self.values.get(column)
