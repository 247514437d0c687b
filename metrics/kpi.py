"""What a KPI is: one frozen object that the tile, the API, the CSV, the digest, docs/kpis.md and a test all read."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from metrics.statistics import FEW, wilson

Text = str | Promise

CENT = Decimal("0.01")


class Unit(enum.StrEnum):
    """What a value is counted in; ratios are fractions of 1, money is decimal in the base currency."""

    COUNT = "count"
    MONEY = "money"
    MONEY_PER_DAY = "money_per_day"
    RATIO = "ratio"
    TIMES = "times"
    DAYS = "days"
    HOURS = "hours"


class Better(enum.StrEnum):
    """Which way a value should go."""

    UP = "up"
    DOWN = "down"
    NEITHER = "neither"


@dataclass(frozen=True)
class StageResult:
    """A figure for one stage; `stage` is its slug. Shares have `value`, durations `median`; None has a `reason`."""

    stage: str
    value: float | None = None
    reason: str | None = None
    numerator: int | None = None
    denominator: int | None = None
    pending: int | None = None
    lost: int | None = None
    low: float | None = None
    high: float | None = None
    median: float | None = None
    mean: float | None = None
    p10: float | None = None
    p25: float | None = None
    p75: float | None = None
    p90: float | None = None
    n: int | None = None

    def as_json(self, unit: Unit) -> dict[str, Any]:
        """What is known of it, as JSON; `value` (or `median`) is there even when null."""
        main = "value" if unit is Unit.RATIO else "median"
        return {"stage": self.stage, main: None} | _known(self, unit, without={"stage"})


@dataclass(frozen=True)
class Result:
    """A KPI's value with what it rests on. `value` None always has a `reason`, which a person can read."""

    unit: Unit
    value: float | int | Decimal | None = None
    reason: str | None = None
    numerator: int | Decimal | None = None
    denominator: int | Decimal | None = None
    low: float | None = None
    high: float | None = None
    median: float | Decimal | None = None
    mean: float | None = None
    p90: float | Decimal | None = None
    n: int | None = None
    pending: int | None = None
    mature: bool | None = None
    unanswered: int | None = None
    excluded: int | None = None
    parts: Mapping[str, Any] | None = None
    stages: tuple[StageResult, ...] | None = None

    @property
    def is_few(self) -> bool:
        """Whether it rests on so few that it is shown greyed."""
        return self.n is not None and 0 < self.n < FEW

    def as_json(self) -> dict[str, Any]:
        """The shape of records.md: money as decimal strings, `value` always there except for lists of stages."""
        known = _known(self, self.unit, without={"stages", "parts", "unit"})
        if self.stages is not None:
            return {"unit": str(self.unit), **known, "stages": [stage.as_json(self.unit) for stage in self.stages]}
        return {"value": None, "unit": str(self.unit), **known}


def _known(result: Result | StageResult, unit: Unit, *, without: set[str]) -> dict[str, Any]:
    """The fields that are not None, rounded: shares to four places, days and hours to two, money to cents as text."""
    found = {f.name: getattr(result, f.name) for f in fields(result) if f.name not in without}
    return {name: _plain(value, unit) for name, value in found.items() if value is not None}


def _plain(value: Any, unit: Unit) -> Any:
    if isinstance(value, Decimal):
        return str(value.quantize(CENT, ROUND_HALF_UP))
    if isinstance(value, float):
        return round(value, 4 if unit in {Unit.RATIO, Unit.TIMES} else 2)
    return value


Measure = Callable[[Mapping[str, Any]], Result]
"""From the facts of one period (fact name → its row, or None without any) to the value."""


@dataclass(frozen=True)
class Kpi:
    """A declared number. `dimensions` are the filters that touch its facts; with any other it is not available."""

    key: str
    name: Text
    question: Text
    formula: Text
    unit: Unit
    better: Better
    dated_by: str
    facts: tuple[str, ...]
    dimensions: frozenset[str]
    measure: Measure
    rows: str = ""
    counts_as: str = ""
    """How its rows count in it (`metrics.counted`), where that does not go without saying."""

    def unavailable(self, used: frozenset[str]) -> Result | None:
        """The answer where a filter does not touch this KPI's facts; None where all do."""
        foreign = used - self.dimensions
        if not foreign:
            return None
        words = {
            "pipeline": _("pipeline"),
            "owner": _("owner"),
            "team": _("team"),
            "source": _("source"),
            "campaign": _("campaign"),
            "segment": _("segment"),
        }
        named = ", ".join(words[name] for name in sorted(foreign))
        return Result(self.unit, reason=_("not available by %(filters)s: its facts have none") % {"filters": named})


def count(unit_count: int | None) -> Result:
    """A plain count; nothing is 0 here, because one counts what is there."""
    return Result(Unit.COUNT, value=unit_count or 0, n=unit_count or 0)


def ratio(numerator: int | None, denominator: int | None, *, reason: str, **extra: Any) -> Result:
    """A share with its parts and 95 % interval; without a denominator null with `reason`.

    Where the numerator may exceed the denominator (a quick figure) there is no interval.
    """
    above, below = numerator or 0, denominator or 0
    if not below:
        return Result(Unit.RATIO, reason=reason, numerator=above, denominator=0, n=0, **extra)
    low, high = wilson(above, below) or (None, None) if above <= below else (None, None)
    return Result(
        Unit.RATIO, value=above / below, numerator=above, denominator=below, n=below, low=low, high=high, **extra
    )
