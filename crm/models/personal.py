"""What each table holds about a person, said beside the table: the one list behind a copy of it and its erasure.

A model that holds something says so with `@holds_personal`; which rows are a person's follows from its references:
to one of their records, to a row that is theirs itself, to a subject, or from a column with their e-mail address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q, TextField
from django.db.models.functions import Cast

from crm.models.person import ERASED, Ids, Person, bounded

ModelClass = TypeVar("ModelClass", bound=type[models.Model])
BEFORE_IN_JSON = r"(?:(?<!\w)|(?<=\\[nrt]))"
"""As PostgreSQL writes JSON, a word may follow the letter of an escaped line end."""


@dataclass(frozen=True)
class Holding:
    """What one table holds about a person.

    `keys`: references to what may be theirs, or from it; `addresses`: columns with an e-mail address; `by_kind`: the
    column with the id of a record whose kind stands in `kind`; rows about a subject are found by it. Rows whose
    `searched` columns hold a mark of the person are own by that alone; rows to which `only_own_if` does not apply stand
    beside. Rows that hold many people (`is_shared`) are never a person's own: where `searched` ones hold a mark, they
    stand beside. Of own rows `blanks` are emptied (or the rows deleted: `is_deleted`), in those beside the person is
    struck from `strikes`.

    What an address or a mark alone finds may be another team's: it counts within the person's `reach`. Where the model
    does not say itself who sees it, the colleague or row it `belongs_to` does; an `is_log` holds no words of anybody,
    so that an erasure reaches all of it, and a copy none but an admin's.
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
    belongs_to: str = ""
    is_log: bool = False
    only_own_if: Q | None = None

    @property
    def label(self) -> str:
        """The model as a copy names it: "crm.lead"."""
        return self.model._meta.label_lower

    def rows(self, person: Person) -> models.QuerySet[Any]:
        """Rows that are the person's own, those in the bin too."""
        tied = self._referring(person, person.own)
        if self.only_own_if is not None:
            tied &= self.only_own_if
        tied |= Q(pk__in=person.own.get(self.label, ()))
        found = Q(pk__in=())
        for column in self.addresses:
            for email in person.emails:
                found |= Q(**{f"{column}__iexact": email})
        if not self.is_shared:
            found |= self._searched(person)
        return all_rows(self.model).filter(tied | found & self._in_reach(person))

    def rows_beside(self, person: Person) -> models.QuerySet[Any]:
        """Rows of others' that may name the person."""
        tied = self._referring(person, person.beside) | Q(pk__in=person.beside.get(self.label, ()))
        found = Q(pk__in=())
        if self.only_own_if is not None:
            found |= self._referring(person, person.own) & ~self.only_own_if
        if self.is_shared:
            found |= self._searched(person)
        return all_rows(self.model).filter(tied | found & self._in_reach(person))

    def _in_reach(self, person: Person) -> Q:
        if person.reach is None:
            return Q()
        if self.is_log:
            return Q() if person.reach.verb == "editable_by" else Q(pk__in=())
        return person.reach.over(self.model, self.belongs_to)

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

    def _searched(self, person: Person) -> Q:
        texts = {f"{column}_text": Cast(column, TextField()) for column in self.searched}
        found = Q(pk__in=())
        for mark in person.marks:
            for column in texts:
                by_itself = bounded(mark, before=BEFORE_IN_JSON)
                found |= Q(**{f"{column}__icontains": mark, f"{column}__iregex": by_itself})
        return Q(pk__in=all_rows(self.model).alias(**texts).filter(found).values("pk"))


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
