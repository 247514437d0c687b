"""Cards as the board draws them: words made once here, so that the template of a hundred cards stays plain."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from crm.models import User
from crm.templatetags.formats import day as day_tag
from crm.templatetags.formats import days, days_tight, duration, initials, money
from crm.views.next_step import state_of
from pipeline.models import Deal, Stage

WON_SHOWN = dt.timedelta(days=30)
"""How long a won deal stays on the board."""

STATE_ICONS = {
    "overdue": "alert-circle-filled",
    "today": "clock",
    "planned": "calendar",
    "unplanned": "alert-triangle",
}
FIELDS = (
    "name", "version", "rank", "outcome", "amount", "currency", "next_step_at", "last_touch_at", "stage_entered_at",
    "recorded_at", "won_at", "owner__name", "owner__email", "company__name", "stage__rotting_days", "stage__kind",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Card:
    """One deal on the board, in words."""

    pk: int
    version: int
    url: str
    title: str
    company: str
    owner: str
    initials: str
    is_mine: bool
    may_move: bool
    amount: str
    age: str
    age_long: str
    state: str
    state_icon: str
    state_text: Any
    touch: str
    touch_long: str
    rotting: str
    limit: str
    won_on: Any
    after: str


def open_cards(stage: Stage, deals: Any) -> Any:
    """The cards of a column, in their order: open deals, or in a won stage the latest won."""
    standing = deals.filter(stage=stage).select_related("owner", "company", "stage").only(*FIELDS)
    if stage.is_won:
        return standing.filter(outcome=Deal.Outcome.WON).order_by("-won_at", "-pk")
    return standing.filter(outcome=Deal.Outcome.OPEN).order_by("rank", "pk")


def beyond(cards: Any, stage: Stage, after: str) -> Any:
    """The cards below the one whose `after` this is; ValueError where it is not one."""
    place, _tilde, pk = after.rpartition("~")
    if stage.is_won:
        at = dt.datetime.fromisoformat(place)
        return cards.filter(Q(won_at__lt=at) | Q(won_at=at, pk__lt=int(pk)))
    return cards.filter(Q(rank__gt=place) | Q(rank=place, pk__gt=int(pk)))


def draw(deals: Iterable[Deal], viewer: User, now: dt.datetime) -> list[Card]:
    """Put deals into words for `viewer`."""
    return [_card(deal, viewer, now) for deal in deals]


def _card(deal: Deal, viewer: User, now: dt.datetime) -> Card:
    in_stage, rotting = deal.days_in_stage(now), deal.rotting_days(now)
    state = state_of(deal.next_step_at, now)
    since = (now - deal.last_touch_at).days if deal.last_touch_at else None
    editable = viewer.editable_owner_ids
    return Card(
        pk=deal.pk,
        version=deal.version,
        url=deal.get_absolute_url(),
        title=deal.name,
        company=deal.company.name if deal.company else "",
        owner=str(deal.owner),
        initials=initials(deal.owner),
        is_mine=deal.owner_id == viewer.pk,
        may_move=editable is None or deal.owner_id in editable,
        amount=money(deal.amount, deal.currency),
        age=days_tight(in_stage),
        age_long=_("{days} in the stage").format(days=days(in_stage)),
        state=state,
        state_icon=STATE_ICONS[state],
        state_text=_state_text(state, deal.next_step_at, now),
        touch=days_tight(since),
        touch_long=_touch_text(since),
        rotting=_("Rotting {days}").format(days=days(rotting)) if rotting else "",
        limit=_("limit {days}").format(days=days(deal.stage.rotting_days)) if rotting else "",
        won_on=day_tag(deal.won_at, now) if deal.won_at else None,
        after=f"{deal.won_at.isoformat() if deal.won_at else deal.rank}~{deal.pk}",
    )


def _state_text(state: str, at: dt.datetime | None, now: dt.datetime) -> Any:
    if at is None:
        return _("Nothing planned")
    if state == "overdue":
        return _("{duration} overdue").format(duration=duration(now - at))
    if state == "today":
        return _("Today {time}").format(time=timezone.localtime(at).strftime("%H:%M"))
    return _planned(timezone.localtime(at).date(), timezone.localtime(now).date(), get_language() or "")


@lru_cache(maxsize=500)  # the days of the next weeks, for all cards
def _planned(on: dt.date, today: dt.date, _language: str) -> Any:
    return day_tag(on, today, weekday=True)


def _touch_text(since: int | None) -> str:
    if since is None:
        return _("no contact yet")
    if since == 0:
        return _("contact today")
    return ngettext("{count} d without contact", "{count} d without contact", since).format(count=since)
