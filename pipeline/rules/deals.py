"""Opening, editing and deleting deals. Moving them is `pipeline.rules.moving`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from crm.models import User
from crm.rules.audit import acting
from crm.rules.companies import company_named, contact_named
from crm.rules.errors import NotAllowed
from crm.rules.follow_ups import bin_follow_ups, unbin_follow_ups
from pipeline.models import Deal, Stage
from pipeline.rules import stays
from pipeline.rules.automation.coming_true import fire_on_move
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

    `fields` are those of `EDITABLE`, and `lead` for a conversion; the owner is `by` unless given. A company or contact
    that is not saved yet is added by its name.
    """
    if not by.may_write:
        raise NotAllowed(_("You may look, but not add deals."))
    with acting(by):
        share_pipeline(stage.pipeline_id)
        if stage.is_archived or stage.is_won:
            raise WrongStage(_("A deal does not begin in stage “%(stage)s”.") % {"stage": stage})
        known = _with_new_records(fields, by)
        deal = Deal(
            **{"owner": by, **known}, pipeline=stage.pipeline, stage=stage, created_at=now, stage_entered_at=now
        )
        deal.rank = rank_on_top(stage)
        check_requirements(deal, stage)
        deal.save()
        visit = stays.begin_stay(deal, at=now, by=by)
        fire_on_move(deal, entered=visit, now=now)
    return deal


def edit_deal(deal: Deal, *, fields: Mapping[str, Any], seen_version: int, by: User | None) -> Deal:
    """Write the given fields of `EDITABLE` if nobody changed the deal since `seen_version`; else DealConflict.

    `by` is None for a stage rule, which names rows that are there.
    """
    with acting(by):
        fresh = claim(deal, seen_version=seen_version, by=by)
        known = _with_new_records(fields, by) if by else fields
        for name in EDITABLE:
            if name in known:
                setattr(fresh, name, known[name])
        fresh.save()
    return fresh


def delete_deal(deal: Deal, *, seen_version: int, by: User, now: dt.datetime) -> None:
    """Put the deal and what was planned for it into the bin, from which `restore_deal` takes them for 30 days."""
    with acting(by):
        fresh = claim(deal, seen_version=seen_version, by=by)
        bin_follow_ups(fresh, now=now)
        fresh.deleted_at = now
        fresh.save(update_fields=["deleted_at", "version"])


def restore_deal(deal: Deal, *, by: User, now: dt.datetime) -> Deal:
    """Take the deal out of the bin with what was planned for it; NotAllowed after 30 days or to whom it is foreign."""
    with acting(by):
        binned = Deal.objects.in_bin_of(by, now).select_for_update(no_key=True).filter(pk=deal.pk).first()
        if binned is None:
            raise NotAllowed(_("This can no longer be taken out of the bin."))
        binned_at, binned.deleted_at = binned.deleted_at, None
        binned.save(update_fields=["deleted_at"])
        unbin_follow_ups(binned, binned_at=binned_at, now=now)
    return binned


def _with_new_records(fields: Mapping[str, Any], by: User) -> dict[str, Any]:
    """Return `fields` with a company and contact that were only named found or added."""
    known = dict(fields)
    company: Any = known.get("company")
    contact: Any = known.get("contact")
    if company is not None and company.pk is None:
        known["company"] = company_named(company.name, by=by)
    if contact is not None and contact.pk is None:
        known["contact"] = contact_named(contact.name, company=known.get("company"), by=by)
    return known
