"""Columns as the board draws them: totals of all their deals, however few cards are loaded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, Count, OuterRef, Q, Sum, When
from django.utils import timezone

from crm.models import ExchangeRate, User, within
from pipeline.forms.board_filters import BoardFilter
from pipeline.models import Deal, Pipeline, Stage, StageTotal
from pipeline.views.board_cards import WON_SHOWN, Card, Row, beyond, cards_of, draw, rows_of

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

    def __init__(
        self,
        pipeline: Pipeline,
        viewer: User,
        filters: BoardFilter,
        now: dt.datetime,
        pipelines: Sequence[Pipeline],
    ) -> None:
        self.pipeline, self.viewer, self.filters, self.now, self.pipelines = pipeline, viewer, filters, now, pipelines
        self.asked = filters  # as the address has them, those that cannot be read included
        self.stages = list(pipeline.stages.live().order_by("position", "pk"))
        recently = Q(outcome=Deal.Outcome.OPEN) | Q(outcome=Deal.Outcome.WON, won_at__gte=now - WON_SHOWN)
        self.deals = filters.qs.filter(recently)

    def columns(self, stages: Sequence[Stage] | None = None, *, with_cards: bool = True) -> list[Column]:
        """The columns of `stages` (None: all), with their first cards."""
        columns = {stage.pk: Column(stage) for stage in stages or self.stages}
        self._count(columns)
        for stage_id, rows in self._first_rows(columns).items() if with_cards else ():
            columns[stage_id].cards, columns[stage_id].more_after = self._drawn(rows, FIRST_CARDS)
        return list(columns.values())

    def cards_after(self, stage: Stage, after: str) -> tuple[list[Card], str]:
        """Draw the next cards of a column below `after`, and say where to go on: empty at the end."""
        cards = beyond(cards_of(stage, self.deals, is_won=stage.is_won), stage, after)
        return self._drawn(rows_of(cards[: MORE_CARDS + 1]), MORE_CARDS)

    def _drawn(self, rows: Sequence[Row], count: int) -> tuple[list[Card], str]:
        """The first `count` cards, and where to go on if there is one more."""
        cards = draw(rows[:count], self.viewer, self.now)
        return cards, cards[-1].after if len(rows) > count else ""

    def _first_rows(self, columns: Iterable[int]) -> dict[int, list[Row]]:
        """The first deals of all columns, one more of each than is shown: ids in one query, facts in a second."""
        first = {
            is_won: ArraySubquery(cards_of(OuterRef("pk"), self.deals, is_won=is_won).values("pk")[: FIRST_CARDS + 1])
            for is_won in (True, False)
        }
        ids = Case(When(kind=Stage.Kind.WON, then=first[True]), default=first[False])
        found = dict(Stage.objects.filter(pk__in=columns).order_by().values_list("pk", ids))
        rows = {
            row.pk: row for row in rows_of(self.deals.filter(pk__in=[pk for some in found.values() for pk in some]))
        }
        return {stage_id: [rows[pk] for pk in some if pk in rows] for stage_id, some in found.items()}

    # --- Totals ---------------------------------------------------------------------------------------------------

    def _count(self, columns: dict[int, Column]) -> None:
        open_ids = [pk for pk, column in columns.items() if not column.stage.is_won]
        running = self._running_totals(open_ids) if self.filters.is_cheap else self._counted_totals(open_ids)
        won_ids = [pk for pk in columns if pk not in open_ids]
        totals = [*running, *(self._won_totals(won_ids) if won_ids else ())]
        today = self.now.date()
        has_foreign = any(currency != settings.BASE_CURRENCY for _stage, currency, *_figures in totals)
        rates = ExchangeRate.objects.on(today) if has_foreign else {settings.BASE_CURRENCY: Decimal(1)}
        for stage_id, currency, deals, planned, amount in totals:
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
