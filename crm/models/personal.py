"""What each table holds about a person, said beside the table: the one list behind a copy of it and its erasure.

A model that holds something says so with `@holds_personal`; which rows are a person's follows from its references:
to one of their records, to a row that is theirs itself, to a subject, or from a column with their e-mail address.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q, TextField
from django.db.models.functions import Cast

ERASED = "∅"
"""What stands where a text was that must not be empty; the audit log's trigger lets nothing else replace a value."""

SHORTEST_PART = 3
"""Shorter words of a name are left in other texts: they would be found everywhere."""

ModelClass = TypeVar("ModelClass", bound=type[models.Model])
Ids = Mapping[str, frozenset[int]]


@dataclass(frozen=True)
class Person:
    """One person in all their records: `own` rows, by model and id, and those `beside` them that may name them.

    A deal with a company is the company's: it stands beside. One without is the person's own.
    """

    own: Ids
    beside: Ids
    names: tuple[str, ...]
    emails: tuple[str, ...]
    phones: tuple[str, ...]

    @property
    def marks(self) -> tuple[str, ...]:
        """What names them beyond doubt, wherever it stands: whole names of two words, addresses, numbers."""
        return (*(name for name in self.names if " " in name), *self.emails, *self.phones)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        whole = sorted({re.escape(word) for word in (*self.names, *self.emails, *self.phones)}, key=len, reverse=True)
        parts = {re.escape(part) for name in self.names for part in name.split() if len(part) >= SHORTEST_PART}
        sides = [f"(?i:{'|'.join(whole)})"] if whole else []
        return re.compile("|".join(rf"(?<!\w){side}(?!\w)" for side in (*sides, *sorted(parts))) or r"(?!)")

    def strike(self, value: Any) -> Any:
        """Return `value`, a text or JSON, with what names the person taken out of it."""
        if isinstance(value, str):
            return self._pattern.sub(ERASED, value)
        if isinstance(value, list):
            return [self.strike(item) for item in value]
        if isinstance(value, dict):
            return {key: self.strike(item) for key, item in value.items()}
        return value


@dataclass(frozen=True)
class Holding:
    """What one table holds about a person.

    `keys`: references to what may be theirs, or from it; `addresses`: columns with an e-mail address; `by_kind`: the
    column with the id of a record whose kind stands in `kind`; rows about a subject are found by it. Rows whose
    `searched` columns hold a mark of the person are own by that alone; rows to which `only_own_if` does not apply stand
    beside. Rows that hold many people (`is_shared`) are never a person's own: where `searched` ones hold a mark, they
    stand beside. Of own rows `blanks` are emptied (or the rows deleted: `is_deleted`), in those beside the person is
    struck from `strikes`.
    """

    model: type[models.Model]
    keys: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    blanks: tuple[str, ...] = ()
    strikes: tuple[str, ...] = ()
    searched: tuple[str, ...] = ()
    by_kind: str = ""
    is_deleted: bool = False
    is_shared: bool = False
    only_own_if: Q | None = None

    @property
    def label(self) -> str:
        """The model as a copy names it: "crm.lead"."""
        return self.model._meta.label_lower

    def rows(self, person: Person) -> models.QuerySet[Any]:
        """Rows that are the person's own, those in the bin too."""
        found = self._referring(person, person.own)
        if self.only_own_if is not None:
            found &= self.only_own_if
        for column in self.addresses:
            for email in person.emails:
                found |= Q(**{f"{column}__iexact": email})
        own = all_rows(self.model).filter(Q(pk__in=person.own.get(self.label, ())) | found)
        return own | self._searched(person) if self.searched and not self.is_shared else own

    def rows_beside(self, person: Person) -> models.QuerySet[Any]:
        """Rows of others' that may name the person."""
        found = self._referring(person, person.beside)
        if self.only_own_if is not None:
            found |= self._referring(person, person.own) & ~self.only_own_if
        beside = all_rows(self.model).filter(Q(pk__in=person.beside.get(self.label, ())) | found)
        return beside | self._searched(person) if self.is_shared else beside

    def _referring(self, person: Person, ids: Ids) -> Q:
        found = Q(pk__in=())
        for key in self.keys:
            field: Any = self.model._meta.get_field(key)
            related: Any = field.related_model
            holding = _holdings.get(related)
            if related._meta.label_lower in ids or holding is None:
                found |= Q(**{f"{key}__in": ids.get(related._meta.label_lower, ())})
            else:
                side = holding.rows(person) if ids is person.own else holding.rows_beside(person)
                there = (
                    {"pk__in": side.values(field.field.attname)}
                    if field.one_to_many
                    else {f"{key}__in": side.values("pk")}
                )
                found |= Q(**there)
        for label, pks in ids.items() if self.by_kind else ():
            found |= Q(**{"kind": label.rpartition(".")[2], f"{self.by_kind}__in": pks})
        if any(field.name == "subject_type" for field in self.model._meta.fields):
            for label, pks in ids.items():
                if issubclass(model := _model(label), models.Model) and pks:
                    found |= Q(subject_type=ContentType.objects.get_for_model(model), subject_id__in=pks)
        return found

    def _searched(self, person: Person) -> models.QuerySet[Any]:
        texts = {f"{column}_text": Cast(column, TextField()) for column in self.searched}
        found = Q(pk__in=())
        for mark in person.marks:
            for column in texts:
                found |= Q(**{f"{column}__icontains": mark})
        pks = all_rows(self.model).alias(**texts).filter(found).values("pk")
        return all_rows(self.model).filter(pk__in=pks)


_holdings: dict[type[models.Model], Holding] = {}


def holds_personal(**said: Any) -> Callable[[ModelClass], ModelClass]:
    """Mark a model that holds something about people; `said` are the fields of `Holding`."""

    def register(model: ModelClass) -> ModelClass:
        _holdings[model] = Holding(model=model, **said)
        return model

    return register


def holdings() -> Iterable[Holding]:
    """Every table that holds something about people, those that refer to others first."""
    return tuple(reversed(_holdings.values()))


def all_rows(model: type[models.Model]) -> models.QuerySet[Any]:
    """Return every row of a model, whatever its own manager leaves out."""
    return models.QuerySet(model)


def blank_of(field: Any) -> Any:
    """Return what a column holds when it holds nothing."""
    if field.null:
        return None
    if isinstance(field, ArrayField):
        return []
    if isinstance(field, models.JSONField):
        return field.get_default()
    return "" if field.blank else ERASED


def _model(label: str) -> type[models.Model]:
    from django.apps import apps

    return apps.get_model(label)
