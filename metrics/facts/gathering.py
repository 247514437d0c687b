"""Asks PostgreSQL for facts: every period and group of a fact in one statement."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction

from crm.models import Lead
from metrics.facts.fact import FACTS, Fact
from metrics.scope import DIMENSIONS, Period, Scope, organisation_zone
from pipeline.models import Deal

_COMMON = """
WITH periods (i, starts, ends, as_of, first_day, end_day, last_day) AS (VALUES {periods}),
quotations AS (
    SELECT currency, rate, "on" AS since, lead("on") OVER (PARTITION BY currency ORDER BY "on") AS until
    FROM crm_exchangerate WHERE currency <> %(base)s
    UNION ALL SELECT %(base)s, 1, '-infinity', NULL
),
rates AS MATERIALIZED (
    SELECT currency, rate, day::date AS day
    FROM quotations, generate_series(greatest(since, %(earliest)s), least(until - 1, %(latest)s), '1 day') AS day
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
    shared: Mapping[str, Any]
    names: frozenset[str]

    def at(self, period: int, key: Any = None) -> dict[str, Any]:
        """The facts of one period and group; facts without rows there are None."""
        return {**dict.fromkeys(self.names), **self.shared, **self.cells.get((period, key), {})}

    @property
    def keys(self) -> set[Any]:
        """Every group that any fact found."""
        return {key for _period, key in self.cells}


def gather(names: Iterable[str], scope: Scope, periods: Sequence[Period], *, by: str | None = None) -> Gathered:
    """Count the facts `names` over `periods` within `scope`, in all or by dimension `by`; one query a fact."""
    cells: dict[tuple[int, Any], dict[str, Any]] = {}
    shared: dict[str, Any] = {}
    wanted = frozenset(names)
    parameters = _parameters(scope, periods)
    with _reading() as cursor:
        for name in sorted(wanted):
            fact = FACTS[name]
            cursor.execute(_statement(fact, scope, len(periods), None if fact.is_shared else by), parameters)
            columns = [column.name for column in cursor.description]
            rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
            if fact.is_shared:
                shared[name] = rows
            else:
                _sort_in(cells, fact, rows)
    return Gathered(cells, shared, wanted)


@contextmanager
def _reading() -> Iterator[Any]:
    """A cursor for which the database stands still, so that figures that are shown together agree with each other.

    It has room: with the usual 4 MB the sorts of 100,000 deals go through files.
    """
    is_outermost = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if is_outermost:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SET LOCAL work_mem = '64MB'")
        yield cursor


def _sort_in(cells: dict[tuple[int, Any], dict[str, Any]], fact: Fact, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        cell = cells.setdefault((row["i"], row["key"]), {})
        if fact.is_list:
            cell.setdefault(fact.name, []).append(row)
        else:
            cell[fact.name] = row


def _statement(fact: Fact, scope: Scope, count: int, by: str | None) -> str:
    common = _COMMON.format(periods=", ".join(_PERIOD.format(number) for number in range(count)))
    if scope.filters.segment is not None:
        common += f", segment_leads (id) AS MATERIALIZED ({_segment_leads(scope)[0]})\n"
    return common + fact.sql.replace("{key}", fact.key(by)).replace("{narrow}", _narrow(fact, scope))


def _narrow(fact: Fact, scope: Scope) -> str:
    """The conditions of the viewer and the filters; the engine has refused filters the fact does not know."""
    conditions = ["TRUE", *_owned(fact, scope)]
    conditions += [
        f"{fact.dimensions[name]} = %({name})s"
        for name in ("pipeline", "source", "campaign")
        if name in scope.filters.used and name in fact.dimensions
    ]
    if scope.filters.segment is not None and "segment" in fact.dimensions:
        conditions.append(f"{fact.dimensions['segment']} IN (SELECT id FROM segment_leads)")
    return " AND ".join(conditions)


def _segment_leads(scope: Scope) -> tuple[str, dict[str, Any]]:
    """The statement that finds the segment's leads, as the ORM writes it, its parameters named as all others are."""
    try:
        statement, values = scope.segment_leads.query.sql_with_params()
    except EmptyResultSet:  # the ORM knows that it finds nobody
        return "SELECT NULL::bigint WHERE FALSE", {}
    named = {f"segment_{number}": value for number, value in enumerate(values)}
    names = iter(named)
    return re.sub(r"%[%s]", lambda found: f"%({next(names)})s" if found[0] == "%s" else "%%", statement), named


def _owned(fact: Fact, scope: Scope) -> Iterator[str]:
    """Whose rows count; what nobody owns counts for its team and for whom it is visible to, but for no owner."""
    if scope.owner_ids is None or "owner" not in fact.dimensions:
        return
    owned = f"{fact.dimensions['owner']} = ANY(%(owners)s)"
    if not fact.unassigned or scope.filters.owner is not None:
        yield owned
    elif scope.filters.team is None:
        yield f"({owned} OR {fact.unassigned})"
    else:
        yield f"({owned} OR {fact.unassigned} AND {fact.dimensions['team']} = %(team)s)"


def _as_of(period: Period, scope: Scope) -> dt.datetime:
    """When a period is looked back at: at its end, or now if it has not ended."""
    return min(period.ends_at, scope.now)


def _parameters(scope: Scope, periods: Sequence[Period]) -> dict[str, Any]:
    today = scope.now.astimezone(organisation_zone()).date()
    parameters: dict[str, Any] = {
        "earliest": min(period.start for period in periods),
        "latest": max(period.end for period in periods),
        "first": min(period.starts_at for period in periods),
        "last": max(period.ends_at for period in periods),
        "first_instant": min(_as_of(period, scope) for period in periods),
        "last_instant": max(_as_of(period, scope) for period in periods),
        "base": settings.BASE_CURRENCY,
        "tz": str(organisation_zone()),
        "now": scope.now,
        "today": today,
        "owners": sorted(scope.owner_ids or ()),
        "teams": sorted(scope.reachable_team_ids or ()),
        "all_teams": scope.reachable_team_ids is None,
        "deal_type": ContentType.objects.get_for_model(Deal).pk,
        "lead_type": ContentType.objects.get_for_model(Lead).pk,
    }
    for name in DIMENSIONS:
        chosen = getattr(scope.filters, name)
        parameters[name] = chosen.pk if chosen else None
    if scope.filters.segment is not None:
        parameters |= _segment_leads(scope)[1]
    for number, period in enumerate(periods):
        parameters |= {
            f"i{number}": number,
            f"starts{number}": period.starts_at,
            f"ends{number}": period.ends_at,
            f"as_of{number}": _as_of(period, scope),
            f"first_day{number}": period.start,
            f"end_day{number}": min(period.end, today + dt.timedelta(days=1)),
            f"last_day{number}": max(period.start, min(period.last_day, today)),
        }
    return parameters
