"""Finds every row that points at a record, in whatever table, and points it at another.

The tables are read from the models themselves: one that is added later is followed without anybody remembering it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, models, transaction

from crm.models import Merge, MergeMove

STAYS = {
    "merged_into": "what was merged before leads on to the survivor, record by record",
}
"""Foreign keys that a merge leaves as they are, and why."""

FOLLOWED_OTHERWISE = {
    ("AuditEntry", "record_id"): "history is never rewritten; the page of a survivor reads that of all it was made of",
    ("DuplicateCheck", "record_id"): "a queue: what is gone is skipped",
    ("DuplicateSuspicion", "left_id"): "crm.rules.suspecting decides what becomes of a pair",
    ("DuplicateSuspicion", "right_id"): "crm.rules.suspecting decides what becomes of a pair",
    ("ImportRow", "record_id"): "an import is taken back record by record, as it was written",
    ("Merge", "survivor_id"): "a merge of merges is taken apart in the order in which it was made",
    ("MergedRecord", "record_id"): "it says where the old address leads",
    ("MergeMove", "from_id"): "it says whose the rows were",
}
"""Columns with the id of a record that are no foreign keys, and what follows them instead."""


@dataclass(frozen=True)
class Pointer:
    """A foreign key (`type_field` None) or generic foreign key of `model` that can point at a record."""

    model: type[models.Model]
    field: str
    type_field: str | None = None

    @property
    def label(self) -> str:
        """The table, as a merge writes it down."""
        return self.model._meta.label_lower

    def at(self, record_type: type[models.Model], pk: int) -> models.QuerySet[Any]:
        """The rows that point at the record."""
        where: dict[str, Any] = {self.field: pk}
        if self.type_field:
            where[self.type_field] = ContentType.objects.get_for_model(record_type).pk
        return all_rows(self.model).filter(**where).order_by("pk")


def all_rows(model: type[models.Model]) -> models.QuerySet[Any]:
    """Every row of a table, whatever its own manager leaves out."""
    return model._base_manager.all()  # noqa: SLF001 (Django documents it for exactly this)


def pointers_at(record_type: type[models.Model]) -> list[Pointer]:
    """Return every foreign key, one-to-one, many-to-many table and generic key that can point at `record_type`."""
    return [*_foreign_keys(record_type), *_generic_keys()]


def _foreign_keys(record_type: type[models.Model]) -> Iterator[Pointer]:
    for relation in record_type._meta.get_fields(include_hidden=True):
        if isinstance(relation, models.ManyToManyRel) or not isinstance(relation, models.ForeignObjectRel):
            continue  # of a many-to-many relation its table is among the others
        if relation.field.name not in STAYS:
            yield Pointer(relation.related_model, relation.field.attname)


def _generic_keys() -> Iterator[Pointer]:
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.private_fields:
            if isinstance(field, GenericForeignKey) and not model._meta.proxy:
                yield Pointer(model, field.fk_field, f"{field.ct_field}_id")


def point_elsewhere(merge: Merge, *, record_type: type[models.Model], from_ids: Sequence[int]) -> None:
    """Point every row that points at one of `from_ids` at the merge's survivor, and write down which.

    A row that its table refuses a second time for one record (its unique score, its own tick) stays where it was.
    """
    for pointer in pointers_at(record_type):
        for from_id in from_ids:
            rows = pointer.at(record_type, from_id)
            moved = _point(rows, pointer.field, merge.survivor_id)
            if moved:
                MergeMove.objects.create(
                    merge=merge, model=pointer.label, field=pointer.field, from_id=from_id, row_ids=moved
                )


def point_back(merge: Merge, *, record_type: type[models.Model]) -> int:
    """Point the rows back at whom they were taken from; return how many no longer point at the survivor and stay."""
    pointers = {(pointer.label, pointer.field): pointer for pointer in pointers_at(record_type)}
    astray = 0
    for move in merge.moves.order_by("-pk"):
        pointer = pointers[move.model, move.field]
        rows = pointer.at(record_type, merge.survivor_id).filter(pk__in=move.row_ids)
        astray += len(move.row_ids) - len(_point(rows, pointer.field, move.from_id))
    return astray


def _point(rows: models.QuerySet[Any], field: str, pk: int) -> list[int]:
    """Let `rows` point at `pk`, all at once or, where the table refuses that, each that it does not refuse."""
    pks = list(rows.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
    if not pks or _written(rows.model, pks, field, pk):
        return pks
    return [row_pk for row_pk in pks if _written(rows.model, [row_pk], field, pk)]


def _written(model: type[models.Model], pks: Iterable[int], field: str, pk: int) -> bool:
    try:
        with transaction.atomic():
            all_rows(model).filter(pk__in=list(pks)).update(**{field: pk})
    except IntegrityError:
        return False
    return True
