"""Cards as the board draws them. A page has a hundred: each is drawn once and kept until one of its facts changes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from crm.models import User
from crm.templatetags.drawings import ring
from crm.templatetags.formats import day as day_tag
from crm.templatetags.formats import days, days_tight, duration, initials, money, number
from crm.views.next_step import state_of
from pipeline.models import Deal, Stage, days_quiet, days_rotting

WON_SHOWN = dt.timedelta(days=30)
"""How long a won deal stays on the board."""

KEPT = 5_000
"""So many drawn cards a process keeps, at about 2 kB each."""

STATE_ICONS = {
    "overdue": "alert-circle-filled",
    "today": "clock",
    "planned": "calendar",
    "unplanned": "alert-triangle",
    "closed": "",
}
COLUMNS = (
    "pk", "version", "name", "rank", "stage_id", "owner_id", "amount", "currency", "next_step_at", "last_touch_at",
    "stage_entered_at", "won_at", "owner__name", "owner__email", "company__name", "outcome", "stage__rotting_days",
    "stage__quiet_days", "expected_close_on", "contact_at", "began_at",
)  # fmt: skip


class Row(NamedTuple):
    """What is read of a deal for its card: `COLUMNS`, in their order."""

    pk: int
    version: int
    name: str
    rank: str
    stage_id: int
    owner_id: int
    amount: Decimal | None
    currency: str
    next_step_at: dt.datetime | None
    last_touch_at: dt.datetime | None
    stage_entered_at: dt.datetime | None
    won_at: dt.datetime | None
    owner_name: str
    owner_email: str
    company_name: str | None
    outcome: str
    rotting_limit: int | None
    quiet_limit: int | None
    expected_close_on: dt.date | None
    contact_at: dt.datetime | None
    began_at: dt.datetime


class Facts(NamedTuple):
    """Everything a card says, before it is put into words: two cards of the same facts look the same.

    Times are those of the reader's clock, and no finer than the card tells them, so that facts seldom change.
    """

    pk: int
    version: int
    title: str
    company: str
    owner: str
    is_mine: bool
    may_move: bool
    amount: Decimal | None
    currency: str
    in_stage: int | None
    state: str
    late: dt.timedelta | None
    step_at: dt.datetime | None
    since_touch: int | None
    rotting: int
    quiet: int
    limit: int | None
    won_on: dt.date | None
    stage: tuple[str, Decimal, str] | None
    closes_on: dt.date | None
    today: dt.date
    language: str


class Card(NamedTuple):
    """One deal on the board, drawn."""

    pk: int
    version: int
    state: str
    html: SafeString


def rows_of(deals: Any) -> list[Row]:
    """Read what the cards of `deals` (a queryset) need, in one query."""
    return [Row(*values) for values in deals.with_contact_at().values_list(*COLUMNS)]


def row_of(deal: Deal, now: dt.datetime) -> Row:
    """The same of one deal in hand; when it was last spoken of is looked for only where it may have gone quiet."""
    deals, began_at = Deal.objects.filter(pk=deal.pk), deal.created_at or deal.recorded_at
    if days_quiet(None, began_at, deal.stage.quiet_days, now):
        [row] = rows_of(deals)
        return row
    [values] = deals.values_list(*COLUMNS[:-2])
    return Row._make((*values, None, began_at))


def draw(
    rows: Iterable[Row], viewer: User, now: dt.datetime, *, stages: Mapping[int, Stage] = MappingProxyType({})
) -> list[Card]:
    """Draw the cards of `rows` for `viewer`; a card whose stage is among `stages` names it, and its expected close."""
    drawn = _drawn.__wrapped__ if settings.DEBUG else _drawn  # who changes the template wants to see it
    editable, today, language = viewer.editable_owner_ids, timezone.localtime(now).date(), get_language() or ""
    cards = []
    for row in rows:
        stage = stages.get(row.stage_id) if row.outcome == "open" else None
        state = state_of(row.next_step_at, now, is_closed=row.outcome != "open")
        facts = Facts(
            pk=row.pk,
            version=row.version,
            title=row.name,
            company=row.company_name or "",
            owner=row.owner_name or row.owner_email,
            is_mine=row.owner_id == viewer.pk,
            may_move=editable is None or row.owner_id in editable,
            amount=row.amount,
            currency=row.currency,
            in_stage=(now - row.stage_entered_at).days if row.stage_entered_at else None,
            state=state,
            late=_coarse(now - row.next_step_at) if state == "overdue" and row.next_step_at else None,
            step_at=_on_the_clock(row.next_step_at) if row.next_step_at else None,
            since_touch=(now - row.last_touch_at).days if row.last_touch_at else None,
            rotting=days_rotting(row.stage_entered_at, row.rotting_limit, now) if row.outcome == "open" else 0,
            quiet=_quiet(row, now),
            limit=row.rotting_limit,
            won_on=timezone.localtime(row.won_at).date() if row.won_at else None,
            stage=(stage.label, stage.probability, stage.color) if stage else None,
            closes_on=row.expected_close_on if stage else None,
            today=today,
            language=language,
        )
        cards.append(Card(row.pk, row.version, state, drawn(facts)))
    return cards


@lru_cache(maxsize=KEPT)
def _drawn(facts: Facts) -> SafeString:
    return render_to_string("pipeline/deal_board.html#deal-card", {"card": {**facts._asdict(), **_words(facts)}})


def _words(facts: Facts) -> dict[str, Any]:
    """What the template writes of `facts`, in the language being spoken."""
    return {
        "url": reverse("deal_detail", args=[facts.pk]),
        "move_url": reverse("deal_move", args=[facts.pk]),
        "initials": initials(facts.owner),
        "sum": money(facts.amount, facts.currency),
        "age": days_tight(facts.in_stage),
        "age_long": _("{days} in the stage").format(days=days(facts.in_stage)),
        "state_icon": STATE_ICONS[facts.state],
        "state_text": _state_text(facts),
        "touch": days_tight(facts.since_touch),
        "touch_long": _touch_text(facts.since_touch),
        "rotting": _("Rotting {days}").format(days=days(facts.rotting)) if facts.rotting else "",
        "quiet": _("Quiet {days}").format(days=days(facts.quiet)) if facts.quiet else "",
        "limit": _("limit {days} d").format(days=number(facts.limit)),
        "won_on": day_tag(facts.won_on) if facts.won_on else "",
        "stage_label": facts.stage[0] if facts.stage else "",
        "ring": ring(*facts.stage[1:]) if facts.stage else "",
        "closes_on": day_tag(facts.closes_on) if facts.closes_on else "",
    }


def _quiet(row: Row, now: dt.datetime) -> int:
    return days_quiet(row.contact_at, row.began_at, row.quiet_limit, now) if row.outcome == "open" else 0


def _state_text(facts: Facts) -> Any:
    if facts.step_at is None:
        return "" if facts.state == "closed" else _("Nothing planned")
    if facts.state == "overdue":
        return _("{duration} overdue").format(duration=duration(facts.late))
    if facts.state == "today":
        return _("Today {time}").format(time=facts.step_at.strftime("%H:%M"))
    return day_tag(facts.step_at.date(), weekday=True)


def _touch_text(since: int | None) -> str:
    if since is None:
        return _("no contact yet")
    if since == 0:
        return _("contact today")
    return ngettext("{count} d without contact", "{count} d without contact", since).format(count=since)


def _on_the_clock(at: dt.datetime) -> dt.datetime:
    """The reader's wall time, without its zone: the same instant in two zones is two different facts."""
    return timezone.localtime(at).replace(second=0, microsecond=0, tzinfo=None)


def _coarse(length: dt.timedelta) -> dt.timedelta:
    """Cut a length of time to the largest unit of it, the one that is told."""
    for unit in (dt.timedelta(days=1), dt.timedelta(hours=1)):
        if length >= unit:
            return length - length % unit
    return length - length % dt.timedelta(minutes=1)
