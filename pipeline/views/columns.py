"""The columns of a list: which stand and in which order, by the address, else as the person last chose them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import QueryDict, StreamingHttpResponse
from django.utils import timezone

from crm.models import User
from crm.views.requests import PersonRequest
from crm.views.saved_views import Shelf
from crm.views.spreadsheets import csv_response

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

ASKED = "columns"


@dataclass(frozen=True)
class Column:
    """One column: the template that draws its cell of a row, its title, and which cells a spreadsheet gets of it."""

    cells: str
    key: str
    label: StrOrPromise
    gives: tuple[str, ...] = ()
    sort: str = ""
    is_numeric: bool = False

    @property
    def template(self) -> str:
        """The part of a template that draws a cell."""
        return f"{self.cells}#{self.key}"


@dataclass(frozen=True)
class Cell:
    """What a spreadsheet gets of a row: its title there, and how it is read from the row."""

    title: StrOrPromise
    read: Callable[[Any], Any]


@dataclass(frozen=True)
class Table:
    """The columns that a list can have; `always` names the one that leads to the record, and always stands.

    `name` is that of the list's page, and of its file.
    """

    name: str
    columns: Sequence[Column]
    standard: tuple[str, ...]
    always: str = "name"

    def of(self, keys: Iterable[str]) -> list[Column]:
        """Return the columns of these keys in their order, each once, those nobody knows left out; none for none."""
        known = {column.key: column for column in self.columns}
        found = [known[key] for key in dict.fromkeys(keys) if key in known]
        if found and all(column.key != self.always for column in found):
            found.insert(0, known[self.always])
        return found


@dataclass(frozen=True)
class Shown:
    """The columns that a page shows; `is_remembered`: not its address names them, but the person's last choice."""

    table: Table
    columns: list[Column]
    is_remembered: bool = False

    @property
    def keys(self) -> str:
        """The columns as an address names them."""
        return ",".join(column.key for column in self.columns)

    def __contains__(self, key: str) -> bool:
        return any(column.key == key for column in self.columns)


def shown_columns(request: PersonRequest, table: Table, standard: Iterable[str] | None = None) -> Shown:
    """Return what the address asks for, else what the person last chose for this list, else the standard."""
    if asked := columns_asked(request.GET, table):
        return Shown(table, asked)
    if chosen := table.of(remembered(request.user, table)):
        return Shown(table, chosen, is_remembered=True)
    return Shown(table, table.of(standard or table.standard))


def kept_in(shelf: Shelf, shown: Shown) -> Shelf:
    """Let a view that is saved of the page keep its columns, where the address does not name them already."""
    return shelf.keeping(ASKED, shown.keys) if shown.is_remembered else shelf


def columns_asked(query: QueryDict, table: Table) -> list[Column]:
    """Return the columns that `?columns=` names, separated by commas or one by one; none where it names none known."""
    return table.of(key for value in query.getlist(ASKED) for key in value.split(","))


def remembered(person: User, table: Table) -> list[str]:
    """Return the keys that `person` last chose."""
    keys: list[str] = person.columns.get(table.name, [])
    return keys


def spreadsheet(
    request: PersonRequest, table: Table, cells: Mapping[str, Cell], rows: Iterable[Any], *, whole: Iterable[str]
) -> StreamingHttpResponse:
    """Give `rows` with the columns that the address names, or the `whole` of what is known, which an import reads."""
    asked = columns_asked(request.GET, table)
    keys = dict.fromkeys(key for column in asked for key in column.gives) if asked else whole
    given = [cells[key] for key in keys]
    return csv_response(table.name, [str(cell.title) for cell in given], _lines(given, rows))


def _lines(given: Sequence[Cell], rows: Iterable[Any]) -> Iterator[list[Any]]:
    for row in rows:
        yield [cell.read(row) for cell in given]


def local(at: Any) -> str:
    """Write a moment as spreadsheets read it, on the reader's clock."""
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}" if at else ""
