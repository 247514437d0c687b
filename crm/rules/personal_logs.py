"""What logs of changes say about a person: the audit log, and what imports changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from django.db import models
from django.db.models import Q

from crm.models import ERASED, AuditEntry, ImportRow, Merge, Person, audited_kinds, holdings
from crm.models.personal import all_rows

LOGS: dict[type[models.Model], str] = {AuditEntry: "record_id", ImportRow: "record_id", Merge: "survivor_id"}
"""Logs whose entries hold the columns of a record in `before` and `after`, and the column that names the record."""

Keys = Sequence[tuple[str, frozenset[int], frozenset[str]]]
"""Of each kind of record its ids, and the columns that are the person's."""


def own_keys(person: Person) -> Keys:
    """Return the person's own records."""
    return [(holding.label, _pks(holding.rows(person)), frozenset(holding.blanks)) for holding in holdings()]


def beside_keys(person: Person) -> Keys:
    """Return the records that may name the person."""
    return [
        (holding.label, _pks(holding.rows_beside(person)), frozenset(holding.strikes))
        for holding in holdings()
        if holding.strikes
    ]


def _pks(rows: models.QuerySet[Any]) -> frozenset[int]:
    return frozenset(rows.values_list("pk", flat=True))


def entries(model: type[models.Model], keys: Keys) -> models.QuerySet[Any]:
    """Return the entries of a log about these records."""
    kind = "model__in" if model is ImportRow else "kind__in"
    found = Q(pk__in=())
    for label, pks, _columns in keys:
        found |= Q(**{kind: _kinds(model, label), f"{LOGS[model]}__in": pks})
    return all_rows(model).filter(found)


def _kinds(model: type[models.Model], label: str) -> list[str]:
    """Return what a log calls records of a model."""
    if model is ImportRow:
        return [label]
    if model is Merge:
        return [label.rpartition(".")[2]]
    return [kind for kind, audited in audited_kinds.items() if audited._meta.label_lower == label]


def erase_entries(keys: Keys) -> None:
    """Leave of what these records' columns held that it was there."""
    for model in LOGS:
        for label, pks, columns in keys:
            for entry in entries(model, [(label, pks, columns)]):
                _rewrite(entry, partial(_erased, columns))


def _erased(columns: frozenset[str], column: str, value: Any) -> Any:
    return ERASED if column in columns and value else value


def strike_entries(keys: Keys, person: Person) -> None:
    """Leave of what names the person in others' records that it was there."""
    for model in LOGS:
        for entry in entries(model, keys):
            _rewrite(entry, lambda _column, value: ERASED if person.strike(value) != value else value)


def _rewrite(entry: Any, anew: Callable[[str, Any], Any]) -> None:
    """Write an entry's two sides anew where that changes them."""
    changed = {}
    for side in ("before", "after"):
        was = getattr(entry, side)
        became = was and {column: anew(column, value) for column, value in was.items()}
        if became != was:
            changed[side] = became
    if changed:
        all_rows(type(entry)).filter(pk=entry.pk).update(**changed)
