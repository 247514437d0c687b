"""The tiles of the dashboard: what each shows of its KPI."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from metrics.engine import Results
from metrics.kpi import Kpi, Result
from metrics.kpis import KPIS
from metrics.views.wording import Change, basis, change, unit_text, value_text

SHOWN = (
    "won_value", "win_rate", "average_deal_size", "sales_cycle",
    "velocity", "weighted_value", "open_value", "open_deals",
    "won_deals", "lost_deals", "win_rate_value", "win_loss_ratio",
    "new_leads", "lead_conversion", "lead_response_time", "response_within_sla",
    "customer_response_rate", "cac", "churn_rate",
)  # fmt: skip
"""The KPIs with a tile, in reading order; those by stage have a chart instead."""


@dataclass(frozen=True)
class Tile:
    """One KPI as a tile."""

    kpi: Kpi
    result: Result
    value: str
    unit: str
    change: Change
    base: str
    spark: Sequence[float | None] = ()

    @property
    def state(self) -> str:
        """The class that greys it: is-empty without a value, is-few where it rests on few."""
        if self.result.value is None:
            return "is-empty"
        return "is-few" if self.result.is_few else ""


def tile(kpi: Kpi, now: Result, before: Result, trend: Sequence[Result] = ()) -> Tile:
    """Make the tile of one KPI; its trend may come later."""
    return Tile(
        kpi=kpi,
        result=now,
        value=value_text(now.value, kpi.unit),
        unit=unit_text(kpi.unit, now.value),
        change=change(kpi, now, before),
        base=" · ".join(basis(now)),
        spark=spark(trend) if now.value is not None else (),
    )


def spark(trend: Sequence[Result]) -> list[float | None]:
    """Return the points of a sparkline."""
    return [None if point.value is None else float(point.value) for point in trend]


def tiles(now: Results, before: Results) -> list[Tile]:
    """Make all tiles of a dashboard, from the results of its period and of the one it is compared with."""
    return [tile(KPIS[key], now[key], before[key]) for key in SHOWN]
