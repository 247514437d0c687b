"""Rows by the hundred thousand into PostgreSQL: COPY, with ids taken from the sequences beforehand."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from django.db.models import Field, Model

CHUNK = 20_000
"""Rows per buffer: memory stays flat however many there are."""


class Table:
    """Rows for one model, with columns named once and ids given on the way in; the others hold their defaults."""

    def __init__(self, model: type[Model], *columns: str) -> None:
        self.model = model
        self.columns = ("id", *columns)
        self.defaults = _defaults(model, self.columns)
        self.rows: list[Sequence[Any]] = []
        self._ids: Iterable[int] = iter(())

    def reserve(self, count: int) -> None:
        """Take `count` ids from the model's sequence."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
                [self.model._meta.db_table, count],
            )
            self._ids = iter([row[0] for row in cursor.fetchall()])

    def add(self, *values: Any) -> int:
        """Add one row; return its id."""
        try:
            pk = next(self._ids)  # type: ignore[call-overload]
        except StopIteration:
            self.reserve(CHUNK)
            pk = next(self._ids)  # type: ignore[call-overload]
        self.rows.append((pk, *values))
        return int(pk)

    def copy(self) -> int:
        """Write all rows in one COPY; return how many."""
        meta = self.model._meta
        fields = [meta.get_field(name) for name in (*self.columns, *self.defaults)]
        names = ", ".join(f'"{field.column}"' for field in fields if isinstance(field, Field))
        statement = f"COPY {meta.db_table} ({names}) FROM STDIN WITH (FORMAT csv, NULL '\\N')"
        with connection.cursor() as cursor:
            cursor.cursor.copy_expert(statement, _Reader(self.rows, tuple(self.defaults.values())))
        return len(self.rows)


def _defaults(model: type[Model], given: Sequence[str]) -> dict[str, Any]:
    """What the columns that are not `given` hold where they must hold something: COPY knows no default of Django's."""
    others = [field for field in model._meta.concrete_fields if field.name not in given and not field.generated]
    defaults = {field.name: field.get_default() for field in others if not field.null and not field.has_db_default()}
    return {name: value for name, value in defaults.items() if value is not None}


class _Reader(io.TextIOBase):
    """A file of CSV made from rows while it is read."""

    def __init__(self, rows: list[Sequence[Any]], defaults: Sequence[Any]) -> None:
        self._rows = iter(rows)
        self._defaults = [_cell(value) for value in defaults]
        self._rest = ""

    def read(self, size: int | None = -1) -> str:
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        buffer.write(self._rest)
        wanted = 1 << 20 if size is None or size < 0 else size
        while buffer.tell() < wanted:
            row = next(self._rows, None)
            if row is None:
                break
            writer.writerow([*(_cell(value) for value in row), *self._defaults])
        text = buffer.getvalue()
        self._rest = text[wanted:]
        return text[:wanted]


def _cell(value: Any) -> Any:
    if value is None:
        return "\\N"
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return json.dumps(value)
    if isinstance(value, list):
        return "{" + ",".join(json.dumps(str(item)) for item in value) + "}"
    return value
