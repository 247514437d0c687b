"""Deals without a next step, and deals gone quiet: told their owner in the daily digest, once a stay."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import Any

from django.db.models import Exists, F, OuterRef
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.models import User
from crm.rules.daily_digests import MOST_LINES, Line, Section, sources
from crm.rules.notice_kinds import Mail, NoticeKind, channels_of, register
from pipeline.models import Deal, StageVisit, StayAlert

KINDS: dict[str, NoticeKind] = {
    key: register(NoticeKind(key, label, icon=icon, in_page=False, by_mail=Mail.DAILY, is_daily=True))
    for key, label, icon in (
        (StayAlert.Kind.UNPLANNED.value, gettext_lazy("Deals with nothing planned"), "alert-triangle"),
        (StayAlert.Kind.QUIET.value, gettext_lazy("Deals that have gone quiet"), "moon"),
    )
}


def unplanned_deals(person: User, now: dt.datetime) -> Section | None:
    """Deals of the person that have come to be without a next step since they were last told."""
    return _section(person, StayAlert.Kind.UNPLANNED, Deal.objects.without_next_step(), now)


def quiet_deals(person: User, now: dt.datetime) -> Section | None:
    """Deals of the person that have gone quiet since they were last told."""
    return _section(person, StayAlert.Kind.QUIET, Deal.objects.quiet(now), now)


def _section(person: User, kind: str, deals: Any, now: dt.datetime) -> Section | None:
    """The stays that nobody was told of yet; who is told of some of many is told of all, in the lines and a number."""
    if channels_of(person, kind).by_mail == Mail.NEVER:
        return None
    stays = StageVisit.objects.present().filter(deal__in=deals.filter(owner=person))
    told = StayAlert.objects.filter(visit=OuterRef("pk"), kind=kind)
    new = list(
        stays.filter(~Exists(told))
        .select_related("deal__company", "stage")
        .order_by(F("deal__amount").desc(nulls_last=True), "pk")
    )
    if not new:
        return None
    lines = [Line(_words(visit), visit.deal.get_absolute_url()) for visit in new[:MOST_LINES]]
    note = partial(_note, [visit.pk for visit in new], kind, now)
    return Section(KINDS[kind].label, lines, len(new) - len(lines), note)


def _words(visit: StageVisit) -> str:
    deal = visit.deal
    name = f"{deal} · {deal.company}" if deal.company else str(deal)
    return _("%(deal)s, in %(stage)s") % {"deal": name, "stage": visit.stage}


def _note(visits: list[int], kind: str, now: dt.datetime) -> None:
    alerts = [StayAlert(visit_id=pk, kind=kind, at=now) for pk in visits]
    StayAlert.objects.bulk_create(alerts, ignore_conflicts=True)


sources.extend((unplanned_deals, quiet_deals))
