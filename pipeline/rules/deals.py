"""Opening, editing and deleting deals. Moving them is `pipeline.rules.moving`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from crm.models import User
from crm.rules.audit import acting
from crm.rules.errors import NotAllowed
from pipeline.models import Deal, Stage
from pipeline.rules import stays
from pipeline.rules.entering import on_entering
from pipeline.rules.locking import claim, share_pipeline
from pipeline.rules.ranks import rank_on_top
from pipeline.rules.refusals import WrongStage
from pipeline.rules.requirements import check_requirements

EDITABLE = (
    "name", "owner", "company", "contact", "source", "campaign", "amount", "currency", "expected_close_on", "tags",
)  # fmt: skip
"""What a person edits in a deal; its stage and outcome move, its times follow."""


def open_deal(*, stage: Stage, fields: Mapping[str, Any], by: User, now: dt.datetime) -> Deal:
    """Create an open deal on top of `stage`, its first stay begun; raises StageRequires, WrongStage or NotAllowed.

    `fields` are those of `EDITABLE`, and `lead` for a conversion; the owner is `by` unless given.
    """
    if not by.may_write:
        raise NotAllowed(_("You may look, but not add deals."))
    with acting(by):
        share_pipeline(stage.pipeline_id)
        if stage.is_archived or stage.is_won:
            raise WrongStage(_("A deal does not begin in stage “%(stage)s”.") % {"stage": stage})
        deal = Deal(
            **{"owner": by, **fields}, pipeline=stage.pipeline, stage=stage, created_at=now, stage_entered_at=now
        )
        deal.rank = rank_on_top(stage)
        check_requirements(deal, stage)
        deal.save()
        visit = stays.begin_stay(deal, at=now, by=by)
        on_entering(deal, visit=visit, now=now)
    return deal


def edit_deal(deal: Deal, *, fields: Mapping[str, Any], seen_version: int, by: User) -> Deal:
    """Write the given fields of `EDITABLE` if nobody changed the deal since `seen_version`; else DealConflict."""
    with acting(by):
        if not Deal.objects.editable_by(by).filter(pk=deal.pk).exists():
            raise NotAllowed(_("You may see this deal but not change it."))
        fresh = claim(deal, seen_version=seen_version)
        for name in EDITABLE:
            if name in fields:
                setattr(fresh, name, fields[name])
        fresh.save()
    return fresh


def delete_deal(deal: Deal, *, seen_version: int, by: User, now: dt.datetime) -> None:
    """Put the deal into the bin, from which `restore_deal` takes it for 30 days."""
    with acting(by):
        if not Deal.objects.editable_by(by).filter(pk=deal.pk).exists():
            raise NotAllowed(_("You may see this deal but not delete it."))
        fresh = claim(deal, seen_version=seen_version)
        fresh.deleted_at = now
        fresh.save(update_fields=["deleted_at"])


def restore_deal(deal: Deal, *, by: User) -> Deal:
    """Take the deal out of the bin, as it was."""
    with acting(by):
        Deal.objects.filter(pk=deal.pk).update(deleted_at=None)
        deal.refresh_from_db()
    return deal
