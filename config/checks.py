"""System checks of the whole project."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections


@register(Tags.database)
def database_knows_cyrillic(databases: Sequence[str] | None = None, **_kwargs: Any) -> Iterable[CheckMessage]:
    """Refuse a database whose character type is C: its text search finds nothing in Cyrillic."""
    for alias in databases or ():
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT datctype FROM pg_database WHERE datname = current_database()")
            (ctype,) = cursor.fetchone() or ("",)
        if ctype in {"C", "POSIX"}:
            yield Error(
                f"The database's character type (LC_CTYPE) is {ctype}: searching would find no Cyrillic word.",
                hint="Create it with: CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8' LC_CTYPE 'C.UTF-8'.",
                id="voronka.E001",
            )
