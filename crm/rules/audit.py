"""Says to PostgreSQL who acts, so that its triggers can write it into the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import connection, transaction

from crm.models import User

Identity = tuple[str, str, str]
"""Who (an id, or nothing for the system), through what, and a note."""

_through: ContextVar[str] = ContextVar("through", default="system")
_note: ContextVar[str] = ContextVar("note", default="")
_identity: ContextVar[Identity | None] = ContextVar("identity", default=None)


@contextmanager
def coming_through(channel: str, *, note: str = "") -> Iterator[None]:
    """Everything done inside came through `channel`: web, admin, api, import, job, command; `note` says more."""
    token, note_token = _through.set(channel), _note.set(note)
    try:
        yield
    finally:
        _through.reset(token)
        _note.reset(note_token)


@contextmanager
def acting(by: User | None, *, note: str = "") -> Iterator[None]:
    """Open a transaction whose changes are written to the audit log as done by `by` (None: the system itself).

    Rules call rules: inside another's, what follows belongs to the outer one again.
    """
    identity = ("" if by is None else str(by.pk), _through.get(), note or _note.get())
    outer = _identity.get()
    token = _identity.set(identity)
    try:
        with transaction.atomic():
            _tell_postgresql(identity)
            yield
            if outer is not None and outer != identity:
                # Not after an error: rolling back to the savepoint brings the outer identity back by itself.
                _tell_postgresql(outer)
    finally:
        _identity.reset(token)


def _tell_postgresql(identity: Identity) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('voronka.actor', %s, true), set_config('voronka.through', %s, true),"
            " set_config('voronka.note', %s, true)",
            identity,
        )


@contextmanager
def erasing() -> Iterator[None]:
    """Open the one door in the audit log, inside `acting`: values may become `ERASED`; changes are logged wordless.

    For `crm.rules.erasing` alone.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('voronka.erasing', 'on', true)")
    yield
    # Not after an error: rolling back closes the door by itself.
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('voronka.erasing', '', true)")
