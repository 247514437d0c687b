"""Columns as the board draws them: totals of all their deals, however few cards are loaded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, Sum
from django.utils import timezone

from crm.models import ExchangeRate, User, within
from pipeline.forms.board_filters import BoardFilter
from pipeline.models import Deal, Pipeline, Stage, StageTotal
from pipeline.views.board_cards import WON_SHOWN, Card, Row, draw, rows_of
from pipeline.views.board_groups import ByStage, Group, Grouping

FIRST_CARDS = 8
"""Loaded with the page: what a window shows; the next come as soon as their end is in sight."""
MORE_CARDS = 30
"""Loaded each time one scrolls to the end."""
FIRST_COLUMNS = 12
"""Loaded with the page; the cards of the columns further to the right come when those are scrolled to."""
START = "start"
"""Where the cards of a column begin, as an address says it."""


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
    """A group with its totals in base currency (None where a rate is missing: `lacking` says whose) and first cards."""

    group: Group
    count: int = 0
    amount: Decimal | None = Decimal(0)
    weighted_exactly: Decimal = Decimal(0)
    lacking: str = ""
    states: States = field(default_factory=States)
    cards: list[Card] = field(default_factory=list)
    more_after: str = ""

    @property
    def key(self) -> str:
        """What names the column in addresses and in the page."""
        return self.group.key

    @property
    def stage(self) -> Stage | None:
        """The stage it stands for, if it stands for one."""
        return self.group.stage

    @property
    def probability(self) -> Decimal | None:
        """The stage's; of several stages the share of the sum that is expected, None where there is no sum."""
        if self.stage is not None:
            return self.stage.probability
        return (self.weighted_exactly / self.amount * 100).quantize(Decimal(1)) if self.amount else None

    @property
    def weighted(self) -> Decimal | None:
        """The sum of each part × the probability of its stage."""
        return None if self.amount is None else self.weighted_exactly.quantize(Decimal(1))

    @property
    def rounded(self) -> Decimal | None:
        """The sum without cents."""
        return None if self.amount is None else self.amount.quantize(Decimal(1))

    def add(self, amount: Decimal, rate: Decimal | None, probability: Decimal, *, lacking: str) -> None:
        """Count `amount` in; without a rate the whole sum is unknown, and `lacking` is why."""
        if rate is None:
            self.amount, self.lacking = None, lacking
        elif self.amount is not None:
            self.amount += amount * rate
            self.weighted_exactly += amount * rate * probability / 100


class Board:
    """One pipeline as one person sees it through the filters of an address, in columns of one grouping."""

    def __init__(
        self,
        pipeline: Pipeline,
        viewer: User,
        filters: BoardFilter,
        now: dt.datetime,
        pipelines: Sequence[Pipeline],
        *,
        by: type[Grouping],
    ) -> None:
        self.pipeline, self.viewer, self.filters, self.now, self.pipelines = pipeline, viewer, filters, now, pipelines
        self.asked = filters  # as the address has them, those that cannot be read included
        self.stages = list(pipeline.stages.live().order_by("position", "pk"))
        self.grouping = by(self.stages, viewer, filters, now)
        self.is_grouped = by is not ByStage
        recently = Q(outcome=Deal.Outcome.OPEN) | Q(outcome=Deal.Outcome.WON, won_at__gte=now - WON_SHOWN)
        self.deals = filters.qs.filter(recently)

    @property
    def has_won_stage(self) -> bool:
        """Whether a deal of the pipeline can be won at all."""
        return any(stage.is_won for stage in self.stages)

    def columns(self) -> list[Column]:
        """All columns, the first of them with their first cards."""
        columns = self.counted()
        first = [column.group for column in columns.values()][:FIRST_COLUMNS]
        for key, rows in self._first_rows(first).items():
            columns[key].cards, columns[key].more_after = self._page(columns[key].group, rows, FIRST_CARDS)
        for column in list(columns.values())[FIRST_COLUMNS:]:
            column.more_after = START if column.count else ""
        return list(columns.values())

    def counted(self) -> dict[str, Column]:
        """All columns by their keys, with their totals alone."""
        totals = [*self._open_totals(Q()), *self._won_totals(Q())]
        filled = {key for key, _stage, _currency, deals, *_figures in totals if deals}
        columns = {group.key: Column(group) for group in self.grouping.groups(filled)}
        self._count(columns, totals)
        self._tell_due(columns, Q())
        return columns

    def head(self, group: Group) -> Column:
        """One column with its totals alone."""
        column = Column(group)
        totals = self._won_totals(group.condition) if group.is_won else self._open_totals(group.condition)
        self._count({group.key: column}, list(totals))
        if not group.is_won:
            self._tell_due({group.key: column}, group.condition)
        return column

    def cards_after(self, group: Group, after: str) -> Column:
        """The next cards of a column below `after`, without its totals; ValueError where `after` is no place in it."""
        cards = group.cards(self.deals)
        below = cards if after == START else cards.filter(group.order.below(after))
        drawn, more_after = self._page(group, rows_of(below[: MORE_CARDS + 1]), MORE_CARDS)
        return Column(group, cards=drawn, more_after=more_after)

    def drawn(self, rows: Sequence[Row]) -> list[Card]:
        """The cards of `rows` as this board draws them: with their stages where the columns do not say them."""
        stages = {stage.pk: stage for stage in self.stages} if self.is_grouped else {}
        return draw(rows, self.viewer, self.now, stages=stages)

    def _page(self, group: Group, rows: Sequence[Row], count: int) -> tuple[list[Card], str]:
        """The first `count` cards, and where to go on if there is one more."""
        cards = self.drawn(rows[:count])
        return cards, group.order.place(rows[count - 1]) if len(rows) > count else ""

    def _first_rows(self, groups: Sequence[Group]) -> dict[str, list[Row]]:
        """The first deals of `groups`, one more of each than is shown: ids in one query, facts in a second."""
        found = self.grouping.first_ids(groups, self.deals, FIRST_CARDS + 1)
        pks = [pk for some in found.values() for pk in some]
        rows = {row.pk: row for row in rows_of(self.deals.filter(pk__in=pks))}
        return {key: [rows[pk] for pk in some if pk in rows] for key, some in found.items()}

    # --- Totals: (key of the column, stage, currency, deals, planned, amount), of all or where `chosen` ---------------

    def _open_totals(self, chosen: Q) -> Iterable[Any]:
        is_running = self.filters.is_cheap and self.grouping.has_running_totals
        totals = self._running_totals(chosen) if is_running else self._counted_totals(chosen)
        return ((str(key), *figures) for key, *figures in totals)

    def _running_totals(self, chosen: Q) -> Iterable[Any]:
        """From the running totals: a few rows a column, however many deals."""
        owned = within("owner_id", self.filters.owner_ids(self.viewer))
        totals = StageTotal.objects.filter(owned, chosen, stage_id__in=list(self.grouping.open_stages)).order_by()
        parts = totals.annotate(column=self.grouping.key).values_list("column", "stage_id", "currency")
        return parts.annotate(Sum("deals"), Sum("planned"), Sum("amount"))

    def _counted_totals(self, chosen: Q) -> Iterable[Any]:
        """Counted anew: what other filters let through."""
        parts = self._standing(chosen).annotate(column=self.grouping.key).values_list("column", "stage_id", "currency")
        return parts.annotate(Count("pk"), Count("next_step_at"), Sum("amount"))

    def _won_totals(self, chosen: Q) -> Iterable[Any]:
        stages = [stage.pk for stage in self.stages if stage.is_won]
        won = self.deals.filter(chosen, outcome=Deal.Outcome.WON, stage_id__in=stages).order_by()
        totals = won.values_list("stage_id", "currency").annotate(Count("pk"), Count("won_at"), Sum("amount"))
        return ((self.grouping.won_key(stage), stage, *figures) for stage, *figures in totals) if stages else ()

    def _standing(self, chosen: Q) -> Any:
        stages = list(self.grouping.open_stages)
        return self.deals.filter(chosen, outcome=Deal.Outcome.OPEN, stage_id__in=stages).order_by()

    def _count(self, columns: dict[str, Column], totals: Iterable[Any]) -> None:
        today, probabilities = self.now.date(), {stage.pk: stage.probability for stage in self.stages}
        totals = [total for total in totals if total[0] in columns]
        has_foreign = any(currency != settings.BASE_CURRENCY for _key, _stage, currency, *_figures in totals)
        rates = ExchangeRate.objects.on(today) if has_foreign else {settings.BASE_CURRENCY: Decimal(1)}
        for key, stage_id, currency, deals, planned, amount in totals:
            column = columns[key]
            column.count += deals
            column.states += States(planned=planned, unplanned=deals - planned)
            if amount:
                lacking = f"{currency} {today:%Y-%m-%d}"
                column.add(amount, rates.get(currency), probabilities[stage_id], lacking=lacking)

    def _tell_due(self, columns: dict[str, Column], chosen: Q) -> None:
        """Of the planned, tell those overdue and due today: the few at the beginning of an index."""
        local = timezone.localtime(self.now)
        midnight = timezone.make_aware(dt.datetime.combine(local.date() + dt.timedelta(days=1), dt.time()))
        due = self._standing(chosen).filter(next_step_at__lt=midnight)
        late = Count("pk", filter=Q(next_step_at__lt=self.now))
        rows = due.annotate(column=self.grouping.key).values_list("column").annotate(late=late, due=Count("pk"))
        for key, late, all_due in rows:
            if str(key) in columns:
                columns[str(key)].states += States(overdue=late, today=all_due - late, planned=-all_due)
