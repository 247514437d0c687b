"""What one import knows throughout: its kind, the file's columns and formats, who it is for, what it has warned of."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping as ReadOnlyDict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.conf import settings

from crm.models import ImportRun, User
from crm.rules.records.columns import Column
from crm.rules.records.entries import Entry
from crm.rules.records.formats import Formats
from crm.rules.records.mapping import Mapping

if TYPE_CHECKING:
    from crm.rules.records.planning import RecordImporter
    from crm.rules.records.references import References


@dataclass(frozen=True)
class Kind:
    """One kind of record that can be brought in: the columns it has and what plans and writes its rows."""

    key: str
    columns: tuple[Column, ...]
    importer: type[RecordImporter[Any]]
    needs_one_of: tuple[str, ...] = ()
    """Columns of which every row needs at least one."""
    grouped_by: str | None = None
    """The column whose equal values belong together, wherever in the file they stand."""
    warnings: ReadOnlyDict[str, Any] = field(default_factory=dict)
    """Code → lazily translated sentence with a `count`."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its columns."""
        return tuple(column.name for column in self.columns)


@dataclass(frozen=True)
class Options:
    """What the person chose beside the mapping."""

    owner_default: User | None = None
    creates_owners: bool = False
    is_dry_run: bool = False


@dataclass
class Context:
    """Shared by the steps of one import; `run` is None in a dry run, which writes nothing."""

    kind: Kind
    mapping: Mapping
    formats: Formats
    header: tuple[str, ...]
    positions: dict[str, int]
    """Our column → its place in the header."""
    options: Options
    now: dt.datetime
    run: ImportRun | None = None
    warnings: Counter[str] = field(default_factory=Counter)
    seen: dict[Any, int] = field(default_factory=dict)
    """Key of a record → line of the row that brought it."""

    @cached_property
    def references(self) -> References:
        """Who and what the rows refer to."""
        from crm.rules.records.references import References  # references know of contexts

        return References(self)

    def has(self, column: str) -> bool:
        """Whether the file has one of our columns at all."""
        return column in self.positions

    def warn(self, code: str) -> None:
        """Count one more case of what the report is to mention."""
        self.warnings[code] += 1

    def currency_of(self, entry: Entry) -> str:
        """The currency of a row: its own, the mapping's, or the organisation's."""
        return entry["currency"] or self.mapping.currency or settings.BASE_CURRENCY

    def name_of(self, column: str) -> str:
        """What the file calls one of our columns."""
        position = self.positions.get(column)
        return column if position is None else self.header[position]

    def text_of(self, entry: Entry, column: str) -> str:
        """What the file has in one of our columns."""
        position = self.positions.get(column)
        return "" if position is None else entry.row.cells[position]
