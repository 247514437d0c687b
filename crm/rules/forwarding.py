"""Where the address of a merged record leads."""

from __future__ import annotations

from typing import Any

from django.db import models

from crm.models import MergedRecord

FURTHEST = 50
"""So many merges, one after the other, are followed."""


def survivor_id_of(kind: str, pk: int) -> int | None:
    """Return the id of the record that `pk` was merged into, and that into…; None where it was not merged."""
    survivor: int | None = None
    for _step in range(FURTHEST):
        forwards = MergedRecord.objects.filter(kind=kind, record_id=pk, merge__undone_at__isnull=True)
        found = forwards.order_by("-pk").values_list("merge__survivor_id", flat=True).first()
        if found is None:
            break
        survivor = pk = found
    return survivor


def survivor_seen_by(user: Any, model: type[models.Model], pk: Any) -> Any:
    """Return the record that `pk` was merged into where `user` may see it, else None."""
    if not isinstance(pk, int):
        return None
    survivor_id = survivor_id_of(str(model._meta.model_name), pk)
    rows: Any = model._default_manager
    return rows.visible_to(user).filter(pk=survivor_id).first() if survivor_id else None


def merged_ids(kind: str, pk: int) -> list[int]:
    """Return the ids of all records that went into `pk`, and into those."""
    found: list[int] = []
    wave = [pk]
    while wave and len(found) < FURTHEST:
        merges = MergedRecord.objects.filter(
            kind=kind, merge__kind=kind, merge__survivor_id__in=wave, merge__undone_at__isnull=True
        )
        wave = [record_id for record_id in merges.values_list("record_id", flat=True) if record_id not in found]
        found += wave
    return found
