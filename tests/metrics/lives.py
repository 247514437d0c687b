"""Deals that lived as a table says, for tests that count what became of them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction

from metrics.engine import Results, evaluate
from metrics.kpis import KPIS
from metrics.scope import Filters, Period, Scope
from pipeline.models import Deal, Stage, StageVisit
from tests.factories import UserFactory, sales_pipeline

LETTERS = {
    "P": "prospecting", "Q": "qualification", "M": "meeting", "R": "proposal", "N": "negotiation", "C": "close",
    "F": "fulfilment",
}  # fmt: skip
JUNE = Period(dt.date(2026, 6, 1), dt.date(2026, 7, 1))
JULY = Period(dt.date(2026, 7, 1), dt.date(2026, 8, 1))


def at(month: int, day: int, hour: int = 0) -> dt.datetime:
    return dt.datetime(2026, month, day, hour, tzinfo=dt.UTC)


NOW, MAY = at(9, 1), at(5, 1)


def live(visits: list[tuple[str, dt.datetime | None]], amount: Any = None, **more: Any) -> Deal:
    """A deal that visited the stages (a letter each) from the times given; `won_at` or `lost_at` ends it."""
    stages: dict[str, Stage] = {stage.slug: stage for stage in sales_pipeline().stages.all()}
    won_at, lost_at = more.get("won_at"), more.get("lost_at")
    outcome = "won" if won_at else "lost" if lost_at else "open"
    last = stages[LETTERS[visits[-1][0]]]
    more = {"owner": more.pop("owner", None) or UserFactory(), "name": "Deal", **more}
    with transaction.atomic():
        deal = Deal.objects.create(
            pipeline=last.pipeline, stage=stages["fulfilment"] if won_at else last, rank="a0", amount=amount,
            created_at=visits[0][1], stage_entered_at=visits[-1][1], outcome=outcome, **more,
        )  # fmt: skip
        ends = None if last.is_won else won_at or lost_at
        leaving = [entered for _letter, entered in visits[1:]] + [ends]
        StageVisit.objects.bulk_create(
            StageVisit(deal=deal, stage=stages[LETTERS[letter]], entered_at=entered, left_at=left)
            for (letter, entered), left in zip(visits, leaving, strict=True)
        )
    return deal


def win(won_at: dt.datetime, amount: Any = 100, *, created_at: dt.datetime | None = MAY, **more: Any) -> Deal:
    """A deal won in one stay."""
    return live([("P", created_at)], amount, won_at=won_at, **more)


def lose(lost_at: dt.datetime, amount: Any = 100, *, created_at: dt.datetime | None = MAY, **more: Any) -> Deal:
    """A deal lost in its first stage."""
    return live([("P", created_at)], amount, lost_at=lost_at, **more)


def figures(period: Period = JUNE, *, now: dt.datetime = NOW, viewer: Any = None, **filters: Any) -> Results:
    """Every KPI of the period."""
    return evaluate(KPIS.values(), Scope(period, Filters(**filters), viewer=viewer, now=now))
