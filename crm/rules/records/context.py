"""What one import knows throughout: its kind, the file's columns and formats, who it is for, what it has warned of."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from collections.abc import Mapping as ReadOnlyDict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.conf import settings

from crm.models import ImportRun, User
from crm.rules.records.columns import Column
from crm.rules.records.entries import Entry
from crm.rules.records.formats import Formats
from crm.rules.records.mapping import Mapping, Places

if TYPE_CHECKING:
    from django.utils.functional import Promise

    from crm.rules.records.planning import RecordImporter
    from crm.rules.records.references import References


@dataclass(frozen=True)
class Ask:
    """A column whose words must be ones we know: which we know, and what a strange one can be said to mean."""

    column: str
    known: Callable[[], set[str]]
    """Every word understood, as `name_key` compares them."""
    choices: Callable[[User], list[tuple[str, str]]]
    """What a person may choose: our word and its label."""


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
    place: int = 0
    """Where the wizard offers it; 0: nowhere."""
    label: str | Promise = ""
    labels: ReadOnlyDict[str, str | Promise] = field(default_factory=dict)
    """Column → what people call it."""
    asks: tuple[Ask, ...] = ()
    """Columns of words that the wizard asks about where it does not know them."""
    listed_at: str = ""
    """The name of the page that lists such records."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its columns."""
        return tuple(column.name for column in self.columns)

    def worded(self, warnings: ReadOnlyDict[str, int]) -> list[str]:
        """Say each of `warnings` (code → count) in a sentence."""
        return [str(self.warnings[code] % {"count": count}) for code, count in warnings.items()]


@dataclass(frozen=True)
class Options:
    """What the person chose beside the mapping.

    `reach`: whose rights bind the import; None (a command) binds it to nobody's. `duplicates` and `decisions` say what
    becomes of rows whose record is there: "update", "skip" or "create", by line where a person decided so. With
    `assigns` new leads that name no owner are given out by the assignment rules, to `owner_default` where none decides.
    """

    owner_default: User | None = None
    creates_owners: bool = False
    is_dry_run: bool = False
    assigns: bool = False
    reach: User | None = None
    duplicates: str = ""
    decisions: ReadOnlyDict[int, str] = field(default_factory=dict)

    def for_line(self, line: int) -> str:
        """What becomes of the row in a line whose record is there already."""
        return self.decisions.get(line, self.duplicates)


@dataclass
class Context:
    """Shared by the steps of one import; `run` is None in a dry run, which writes nothing."""

    kind: Kind
    mapping: Mapping
    formats: Formats
    header: tuple[str, ...]
    positions: dict[str, Places]
    """Our column → its places in the header."""
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

    def worded_warnings(self) -> list[str]:
        """What it has warned of, in sentences."""
        return self.kind.worded(self.warnings)

    def currency_of(self, entry: Entry) -> str:
        """The currency of a row: its own, the mapping's, or the organisation's."""
        return entry["currency"] or self.mapping.currency or settings.BASE_CURRENCY

    def name_of(self, column: str) -> str:
        """What the file calls one of our columns; what people or, to a command, a mapping calls one that it lacks."""
        places = self.positions.get(column, ())
        theirs = " / ".join(" + ".join(self.header[place] for place in joined) for joined in places)
        return theirs or (str(self.kind.labels.get(column, column)) if self.options.reach else column)

    def text_of(self, entry: Entry, column: str) -> str:
        """What the file has in one of our columns."""
        for joined in self.positions.get(column, ()):
            text = " ".join(cell for place in joined if (cell := entry.row.cells[place]))
            if text:
                return text
        return ""
