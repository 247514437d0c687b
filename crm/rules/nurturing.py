"""Leads that were put aside until a day come back on it."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db.models import F
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from crm.models import FollowUp, Lead
from crm.rules.audit import acting
from crm.rules.follow_ups import Plan, plan_follow_up
from crm.rules.leads import status_in_hand
from crm.rules.response_clock import spare_managers
from crm.rules.wall_clock import WallTime, zone_of

MORNING = dt.time(9)


def bring_back_leads(*, now: dt.datetime) -> int:
    """Return nurtured leads whose day has come to the inbox, with a follow-up for their owner; return how many came."""
    today = timezone.localdate(now, zone_of(settings.TIME_ZONE))
    due = Lead.objects.present().nurtured_until(today).values_list("pk", flat=True)
    return sum(_bring_back(pk, now=now) for pk in due)


def _bring_back(pk: int, *, now: dt.datetime) -> bool:
    """Bring one lead back, unless somebody did so in the meantime."""
    with acting(None, note="came back from nurturing"):
        still_away = Lead.objects.select_for_update(of=("self",)).filter(status=Lead.Status.NURTURING)
        lead = still_away.select_related("owner").filter(pk=pk).first()
        if lead is None or lead.nurture_until is None:
            return False
        day, lead.nurture_until = lead.nurture_until, None
        lead.status = status_in_hand(lead)
        lead.version = F("version") + 1
        spare_managers(lead, now=now)
        lead.save(update_fields=["status", "nurture_until", "version", "escalated_at"])
        if lead.owner is not None and lead.owner.is_active:
            _plan_return(lead, day, now=now)
    return True


def _plan_return(lead: Lead, day: dt.date, *, now: dt.datetime) -> None:
    owner = lead.owner
    assert owner is not None  # asked by the caller
    with translation.override(owner.language):
        title = _("Get in touch again: %(lead)s") % {"lead": lead}
    morning = WallTime(dt.datetime.combine(day, MORNING), owner.time_zone)
    due = morning if morning.utc > now else WallTime.of(now, owner.time_zone)
    plan = Plan(title[:200], due, owner, kind=FollowUp.Kind.CALL, remind_before=(0,))
    plan_follow_up(lead, plan=plan, by=None, now=now, source_key=f"nurtured:{lead.pk}:{day}")
