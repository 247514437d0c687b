"""What stages ask for: the same gates for the drag, the form, the API, the bulk edit and the import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from pipeline.models import ChecklistItem, Deal, Stage
from pipeline.rules.refusals import Missing, StageRequires


def missing_for(deal: Deal, to: Stage) -> list[Missing]:
    """Return what `deal` lacks to enter `to`: fields it requires, and required checklist items of the stage left.

    Going back asks for nothing.
    """
    if to.position <= deal.stage.position and to.pk != deal.stage_id:
        return []
    return [*_missing_fields(deal, to), *_missing_ticks(deal, to)]


def check_requirements(deal: Deal, to: Stage) -> None:
    """Raise `StageRequires` where `deal` lacks something to enter `to`."""
    missing = missing_for(deal, to)
    if missing:
        raise StageRequires(missing)


def refuse_emptied(deal: Deal, fields: Mapping[str, Any]) -> None:
    """Raise `StageRequires` where one of `fields` would empty what the deal's present stage asks for."""
    stage = deal.stage
    missing = [
        Missing(key=name, label=str(Stage.Requirement(name).label))
        for name in stage.required_fields
        if name in fields and fields[name] in {None, ""}
    ]
    if missing:
        labels = ", ".join(one.label for one in missing)
        words = _("Stage “%(stage)s” asks for this, so it cannot be empty: %(labels)s.")
        raise StageRequires(missing, words % {"stage": stage, "labels": labels})


def _missing_fields(deal: Deal, to: Stage) -> list[Missing]:
    return [
        Missing(key=name, label=str(Stage.Requirement(name).label))
        for name in to.required_fields
        if getattr(deal, name) in {None, ""}
    ]


def _missing_ticks(deal: Deal, to: Stage) -> list[Missing]:
    if to.pk == deal.stage_id:
        return []
    ticked = deal.ticks.values("item_id")
    items = ChecklistItem.objects.filter(stage=deal.stage, is_required=True).exclude(pk__in=ticked)
    return [Missing(key=f"tick-{item.pk}", label=item.label) for item in items]
