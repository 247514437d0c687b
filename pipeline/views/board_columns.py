"""Columns as the board draws them: totals of all their deals, however few cards are loaded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, Sum
from django.utils import timezone

from crm.models import ExchangeRate, User, within
from pipeline.forms.board_filters import BoardFilter
from pipeline.models import Deal, Pipeline, Stage, StageTotal
from pipeline.views.board_cards import WON_SHOWN, Card, beyond, draw, open_cards

FIRST_CARDS = 8
"""Loaded with the page: what a window shows; the next come as soon as their end is in sight."""
MORE_CARDS = 30
"""Loaded each time one scrolls to the end."""


@dataclass(frozen=True)
class States:
    """How many deals of a column are in which next-activity state."""

    overdue: int = 0
    today: int = 0
    planned: int = 0
    unplanned: int = 0

    def __add__(self, other: States) -> States:
        return States(
            self.overdue + other.overdue,
            self.today + other.today,
            self.planned + other.planned,
            self.unplanned + other.unplanned,
        )


@dataclass
class Column:
    """A stage with its totals in base currency (None where a rate is missing: `lacking` says whose) and first cards."""

    stage: Stage
    count: int = 0
    amount: Decimal | None = Decimal(0)
    lacking: str = ""
    states: States = field(default_factory=States)
    cards: list[Card] = field(default_factory=list)
    more_after: str = ""

    @property
    def weighted(self) -> Decimal | None:
        """The sum × the stage's probability."""
        return None if self.amount is None else (self.amount * self.stage.probability / 100).quantize(Decimal(1))

    @property
    def rounded(self) -> Decimal | None:
        """The sum without cents."""
        return None if self.amount is None else self.amount.quantize(Decimal(1))


class Board:
    """One pipeline as one person sees it through the filters of an address."""

    def __init__(self, pipeline: Pipeline, viewer: User, filters: BoardFilter, now: dt.datetime) -> None:
        self.pipeline, self.viewer, self.filters, self.now = pipeline, viewer, filters, now
        self.stages = list(pipeline.stages.live().order_by("position", "pk"))
        recently = Q(outcome=Deal.Outcome.OPEN) | Q(outcome=Deal.Outcome.WON, won_at__gte=now - WON_SHOWN)
        self.deals = filters.qs.filter(recently)

    def columns(self, stages: Sequence[Stage] | None = None, *, with_cards: bool = True) -> list[Column]:
        """The columns of `stages` (None: all), with their first cards."""
        columns = {stage.pk: Column(stage) for stage in stages or self.stages}
        self._count(columns)
        for column in columns.values() if with_cards else ():
            column.cards, column.more_after = self.cards(column.stage, count=FIRST_CARDS)
        return list(columns.values())

    def cards(self, stage: Stage, *, count: int, after: str = "") -> tuple[list[Card], str]:
        """Up to `count` cards of a column below `after`, and where to go on: empty at the end."""
        rows = open_cards(stage, self.deals)
        if after:
            rows = beyond(rows, stage, after)
        cards = draw(rows[: count + 1], self.viewer, self.now)
        has_more = len(cards) > count
        return cards[:count], cards[count - 1].after if has_more else ""

    # --- Totals ---------------------------------------------------------------------------------------------------

    def _count(self, columns: dict[int, Column]) -> None:
        open_ids = [pk for pk, column in columns.items() if not column.stage.is_won]
        rates, today = ExchangeRate.objects.on(self.now.date()), self.now.date()
        running = self._running_totals(open_ids) if self.filters.is_cheap else self._counted_totals(open_ids)
        won = self._won_totals([pk for pk in columns if pk not in open_ids])
        for stage_id, currency, deals, planned, amount in (*running, *won):
            column = columns[stage_id]
            column.count += deals
            column.states += States(planned=planned, unplanned=deals - planned)
            rate = rates.get(currency)
            if amount and rate is None:
                column.amount, column.lacking = None, f"{currency} {today:%Y-%m-%d}"
            elif amount and column.amount is not None:
                column.amount += amount * (rate or 0)
        self._tell_due(columns, open_ids)

    def _running_totals(self, stage_ids: list[int]) -> Iterable[Any]:
        """From the running totals: a few rows a column, however many deals."""
        owned = within("owner_id", self.filters.owner_ids(self.viewer))
        totals = StageTotal.objects.filter(owned, stage_id__in=stage_ids).order_by()
        return totals.values_list("stage_id", "currency").annotate(Sum("deals"), Sum("planned"), Sum("amount"))

    def _counted_totals(self, stage_ids: list[int]) -> Iterable[Any]:
        """Counted anew: what other filters let through."""
        standing = self.deals.filter(outcome=Deal.Outcome.OPEN, stage_id__in=stage_ids).order_by()
        return standing.values_list("stage_id", "currency").annotate(Count("pk"), Count("next_step_at"), Sum("amount"))

    def _won_totals(self, stage_ids: list[int]) -> Iterable[Any]:
        won = self.deals.filter(outcome=Deal.Outcome.WON, stage_id__in=stage_ids).order_by()
        return won.values_list("stage_id", "currency").annotate(Count("pk"), Count("won_at"), Sum("amount"))

    def _tell_due(self, columns: dict[int, Column], stage_ids: list[int]) -> None:
        """Of the planned, tell those overdue and due today: the few at the beginning of an index."""
        local = timezone.localtime(self.now)
        midnight = timezone.make_aware(dt.datetime.combine(local.date() + dt.timedelta(days=1), dt.time()))
        due = self.deals.filter(outcome=Deal.Outcome.OPEN, stage_id__in=stage_ids, next_step_at__lt=midnight)
        rows = (
            due.order_by()
            .values_list("stage_id")
            .annotate(overdue=Count("pk", filter=Q(next_step_at__lt=self.now)), due=Count("pk"))
        )
        for stage_id, overdue, all_due in rows:
            today = all_due - overdue
            columns[stage_id].states += States(overdue=overdue, today=today, planned=-all_due)
