"""The dry run: what a rule would have fired in a period, read from the stays of that time; nothing is written.

Conditions are asked of the deals as they are now, since nobody kept what they were. What would have kept an action from
being done is asked of the newest deals alone.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from crm.rules.errors import RuleError
from pipeline.models import Deal, StageAction, StageRule, StageVisit
from pipeline.rules.automation.coming_true import UNDO_WITHIN
from pipeline.rules.automation.kinds import kind_of
from pipeline.rules.automation.words import described, reason_words

ASKED = 200
"""So many deals, the newest, are asked what would have kept an action from being done."""
SHOWN = 10


@dataclass(frozen=True)
class Example:
    """One stay for which the rule would have fired, and when."""

    deal: Deal
    at: dt.datetime


@dataclass(frozen=True)
class Expected:
    """One action in words, and how many of the deals asked it would not have been done for, by reason."""

    words: str
    hindered: Sequence[tuple[str, int]]


@dataclass(frozen=True)
class Rehearsal:
    """What one rule would have done between `start` and `end`."""

    rule: StageRule
    start: dt.datetime
    end: dt.datetime
    count: int
    deals: int
    asked: int
    examples: Sequence[Example]
    actions: Sequence[Expected]


def month_before(now: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """Return the beginning and the end of the calendar month before `now`, on the active clock."""
    this = timezone.localtime(now).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    last = (this - dt.timedelta(days=1)).replace(day=1)
    return last, this


def rehearse(rule: StageRule, *, start: dt.datetime, end: dt.datetime) -> Rehearsal:
    """Say what `rule` would have fired in `[start, end)`, switched on or not."""
    stays = _stays(rule, start, end)
    asked = list(stays.select_related("deal__owner", "deal__contact", "deal__lead", "deal__stage")[:ASKED])
    return Rehearsal(
        rule=rule,
        start=start,
        end=end,
        count=stays.count(),
        deals=stays.order_by().values("deal").distinct().count(),
        asked=len(asked),
        examples=[Example(stay.deal, stay.fires_at) for stay in asked[:SHOWN]],  # type: ignore[attr-defined]  # annotated
        actions=[_expected(action, [stay.deal for stay in asked]) for action in rule.actions.all()],
    )


def _stays(rule: StageRule, start: dt.datetime, end: dt.datetime) -> QuerySet[StageVisit]:
    """The stays for which the rule would have come true, the newest first."""
    deals = rule.meeting(Deal.objects.present())
    stays = StageVisit.objects.standing().filter(stage=rule.stage_id, deal__in=deals, entered_at__isnull=False)
    lasted = Q(left_at=None) | Q(left_at__gte=F("entered_at") + UNDO_WITHIN)
    if rule.trigger == StageRule.Trigger.ENTERING:
        stays = stays.filter(lasted).annotate(fires_at=F("entered_at"))
    elif rule.trigger == StageRule.Trigger.STAYING:
        length = dt.timedelta(days=rule.days or 0)
        stays = stays.filter(Q(left_at=None) | Q(left_at__gte=F("entered_at") + length))
        stays = stays.annotate(fires_at=F("entered_at") + length)
    else:
        # A deal that was lost has left nothing: no stay begins where its last one ended.
        following = StageVisit.objects.standing().filter(deal=OuterRef("deal"), entered_at=OuterRef("left_at"))
        moved = stays.filter(lasted, Exists(following.exclude(pk=OuterRef("pk"))), left_at__isnull=False)
        stays = moved.annotate(fires_at=F("left_at"))
    return stays.filter(fires_at__gte=start, fires_at__lt=end).order_by("-fires_at", "-pk")


def _expected(action: StageAction, deals: Sequence[Deal]) -> Expected:
    kind = kind_of(action)
    if kind is None:
        return Expected(described(action), [(reason_words("unknown_kind"), len(deals))])
    try:
        values = kind.read(action.parameters)
    except RuleError as refusal:
        return Expected(described(action), [(reason_words(refusal.code), len(deals))])
    hindered = Counter(filter(None, (kind.hinders(deal, values) for deal in deals)))
    return Expected(described(action), [(reason_words(why), count) for why, count in hindered.most_common()])
