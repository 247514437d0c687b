"""What happens when a deal enters a stage: the follow-ups an admin has set for it, once per stay."""

from __future__ import annotations

import datetime as dt

from django.utils import translation

from crm.models import FollowUp
from crm.rules.follow_ups import Plan, delete_follow_up, plan_follow_up
from crm.rules.wall_clock import WallTime
from pipeline.models import Deal, EntryFollowUp, StageVisit


def on_entering(deal: Deal, *, visit: StageVisit, now: dt.datetime) -> None:
    """Give the deal the follow-ups of the stage it entered, each once per stay (by its key)."""
    if not deal.owner.is_active:
        return
    for entry in EntryFollowUp.objects.filter(stage_id=visit.stage_id):
        plan_follow_up(deal, plan=_plan(entry, deal, now=now), by=None, now=now, source_key=f"{_stay(visit)}{entry.pk}")


def undo_entering(deal: Deal, *, visit: StageVisit, now: dt.datetime) -> None:
    """Take back the follow-ups that came with a stay that was undone, but for those already done."""
    given = FollowUp.objects.open().about(deal).filter(source_key__startswith=_stay(visit))
    for follow_up in given.select_related("assignee"):
        follow_up.subject = deal
        delete_follow_up(follow_up, by=None, now=now)


def _stay(visit: StageVisit) -> str:
    return f"entry:{visit.pk}:"


def _plan(entry: EntryFollowUp, deal: Deal, *, now: dt.datetime) -> Plan:
    """In the owner's language and on the owner's clock; a day that is today may be past its time: then at once."""
    owner = deal.owner
    with translation.override(owner.language):
        title = entry.label
    day = WallTime.of(now, owner.time_zone).local.date() + dt.timedelta(days=entry.after_days)
    due = WallTime(dt.datetime.combine(day, entry.at_time), owner.time_zone)
    if due.utc < now:
        due = WallTime.of(now, owner.time_zone)
    return Plan(title, due, owner, kind=entry.kind)
