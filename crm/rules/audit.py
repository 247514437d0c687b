"""Says to PostgreSQL who acts, so that its triggers can write it into the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import connection, transaction

from crm.models import User

_through: ContextVar[str] = ContextVar("through", default="system")


@contextmanager
def coming_through(channel: str) -> Iterator[None]:
    """Everything done inside came through `channel`: web, admin, api, import, job, command."""
    token = _through.set(channel)
    try:
        yield
    finally:
        _through.reset(token)


@contextmanager
def acting(by: User | None, *, note: str = "") -> Iterator[None]:
    """Open a transaction whose changes are written to the audit log as done by `by` (None: the system itself)."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('voronka.actor', %s, true), set_config('voronka.through', %s, true),"
                " set_config('voronka.note', %s, true)",
                ["" if by is None else str(by.pk), _through.get(), note],
            )
        yield
