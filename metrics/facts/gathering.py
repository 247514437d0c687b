"""Asks PostgreSQL for facts: every period and group of a fact in one statement."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection

from metrics.facts.fact import FACTS, Fact
from metrics.scope import DIMENSIONS, Period, Scope, organisation_zone

_COMMON = """
WITH periods (i, starts, ends, as_of, first_day, end_day, last_day) AS (VALUES {periods}),
rates AS (
    SELECT currency, rate, "on" AS since,
           coalesce(lead("on") OVER (PARTITION BY currency ORDER BY "on"), 'infinity') AS until
    FROM crm_exchangerate WHERE currency <> %(base)s
    UNION ALL SELECT %(base)s, 1, '-infinity', 'infinity'
)
"""
_PERIOD = (
    "(%(i{0})s, %(starts{0})s::timestamptz, %(ends{0})s::timestamptz, %(as_of{0})s::timestamptz,"
    " %(first_day{0})s::date, %(end_day{0})s::date, %(last_day{0})s::date)"
)


@dataclass(frozen=True)
class Gathered:
    """Facts by (number of the period, key of the group): fact name → its row, its rows, or nothing."""

    cells: Mapping[tuple[int, Any], Mapping[str, Any]]
    names: frozenset[str]

    def at(self, period: int, key: Any = None) -> dict[str, Any]:
        """The facts of one period and group; facts without rows there are None."""
        return {**dict.fromkeys(self.names), **self.cells.get((period, key), {})}

    @property
    def keys(self) -> set[Any]:
        """Every group that any fact found."""
        return {key for _period, key in self.cells}


def gather(names: Iterable[str], scope: Scope, periods: Sequence[Period], *, by: str | None = None) -> Gathered:
    """Count the facts `names` over `periods` within `scope`, in all or by dimension `by`; one query a fact."""
    cells: dict[tuple[int, Any], dict[str, Any]] = {}
    wanted = frozenset(names)
    parameters = _parameters(scope, periods)
    for name in sorted(wanted):
        fact = FACTS[name]
        if by is not None and by not in {*fact.dimensions, "team"}:
            continue
        for row in _ask(fact, scope, parameters, len(periods), by):
            cell = cells.setdefault((row["i"], row["key"]), {})
            if fact.is_list:
                cell.setdefault(name, []).append(row)
            else:
                cell[name] = row
    return Gathered(cells, wanted)


def _ask(fact: Fact, scope: Scope, parameters: dict[str, Any], count: int, by: str | None) -> list[dict[str, Any]]:
    statement = _COMMON.format(periods=", ".join(_PERIOD.format(number) for number in range(count)))
    statement += fact.sql.replace("{key}", fact.key(by)).replace("{narrow}", _narrow(fact, scope))
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _narrow(fact: Fact, scope: Scope) -> str:
    """The conditions of the viewer and the filters; the engine has refused filters the fact does not know."""
    conditions = ["TRUE"]
    if scope.owner_ids is not None and "owner" in fact.dimensions:
        owned = f"{fact.dimensions['owner']} = ANY(%(owners)s)"
        is_chosen = bool(scope.filters.used & {"owner", "team"})
        conditions.append(f"({owned} OR {fact.unassigned})" if fact.unassigned and not is_chosen else owned)
    conditions += [
        f"{fact.dimensions[name]} = %({name})s"
        for name in ("pipeline", "source")
        if name in scope.filters.used and name in fact.dimensions
    ]
    return " AND ".join(conditions)


def _parameters(scope: Scope, periods: Sequence[Period]) -> dict[str, Any]:
    today = scope.now.astimezone(organisation_zone()).date()
    parameters: dict[str, Any] = {
        "base": settings.BASE_CURRENCY,
        "tz": str(organisation_zone()),
        "now": scope.now,
        "today": today,
        "sla": settings.RESPOND_WITHIN_MINUTES,
        "owners": sorted(scope.owner_ids or ()),
        "teams": sorted(scope.reachable_team_ids or ()),
    }
    for name in DIMENSIONS:
        chosen = getattr(scope.filters, name)
        parameters[name] = chosen.pk if chosen else None
    for number, period in enumerate(periods):
        parameters |= {
            f"i{number}": number,
            f"starts{number}": period.starts_at,
            f"ends{number}": period.ends_at,
            f"as_of{number}": min(period.ends_at, scope.now),
            f"first_day{number}": period.start,
            f"end_day{number}": min(period.end, today + dt.timedelta(days=1)),
            f"last_day{number}": max(period.start, min(period.last_day, today)),
        }
    return parameters
