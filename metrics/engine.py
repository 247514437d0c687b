"""The only place that aggregates: declared KPIs × a scope → results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from crm.models import Campaign, LeadSource, Team, User
from metrics.counted import COUNTED
from metrics.facts import gather
from metrics.kpi import Kpi, Result
from metrics.rows import rows_of
from metrics.scope import Period, Scope
from pipeline.models import Pipeline

Results = dict[str, Result]
"""KPI key → result."""

GROUPINGS = ("owner", "team", "source", "campaign", "month", "pipeline")
"""What results can be broken down by."""


@dataclass(frozen=True)
class Group:
    """The results of one owner, team, source, campaign, pipeline or month."""

    key: str
    label: str
    results: Results


def evaluate(kpis: Iterable[Kpi], scope: Scope) -> Results:
    """Return each KPI's result for the scope's period."""
    return evaluate_over(kpis, scope, [scope.period])[0]


def evaluate_over(kpis: Iterable[Kpi], scope: Scope, periods: Sequence[Period]) -> list[Results]:
    """Return each KPI's result for each of `periods`; a query a fact, however many periods there are."""
    chosen = list(kpis)
    used = _used(scope)
    facts = {name for kpi in chosen if kpi.unavailable(used) is None for name in kpi.facts}
    distinct = list(dict.fromkeys(periods))
    gathered = gather(facts, scope, distinct)
    results = {
        period: {kpi.key: kpi.unavailable(used) or kpi.measure(gathered.at(number)) for kpi in chosen}
        for number, period in enumerate(distinct)
    }
    return [results[period] for period in periods]


def rows(kpi: Kpi, scope: Scope) -> QuerySet[Any]:
    """Return the records behind the KPI's number that the scope's viewer may open, each with how it counts."""
    found = rows_of(kpi.rows, scope)
    return COUNTED[kpi.counts_as].mark(found, scope) if kpi.counts_as else found


def breakdown(kpis: Iterable[Kpi], scope: Scope, by: str) -> list[Group]:
    """Return the results of each owner, team, source, campaign, pipeline (those with facts, by name) or month (all).

    A KPI whose facts have no such dimension is not available in any group.
    """
    chosen = list(kpis)
    if by == "month":
        months = list(scope.period.months())
        return [
            Group(f"{month.start:%Y-%m}", f"{month.start:%Y-%m}", results)
            for month, results in zip(months, evaluate_over(chosen, scope, months), strict=True)
        ]
    used = _used(scope) | {by}
    facts = {name for kpi in chosen if not kpi.unavailable(used) for name in kpi.facts}
    gathered = gather(facts, scope, [scope.period], by=by)
    return [
        Group(group_key, label, {kpi.key: kpi.unavailable(used) or kpi.measure(gathered.at(0, key)) for kpi in chosen})
        for key, group_key, label in _labelled(by, gathered.keys)
    ]


def without_facts(kpis: Iterable[Kpi], scope: Scope, by: str) -> Results:
    """Return the results of a group that `breakdown` by `by` does not list, because no fact is in it."""
    used = _used(scope) | {by}
    return {kpi.key: kpi.unavailable(used) or kpi.measure(dict.fromkeys(kpi.facts)) for kpi in kpis}


def _used(scope: Scope) -> frozenset[str]:
    """The dimensions that narrow the question; a viewer who sees only some owners narrows it by owner."""
    return scope.filters.used | (frozenset() if scope.is_whole else {"owner"})


def _labelled(by: str, keys: set[Any]) -> list[tuple[Any, str, str]]:
    """Return (key in the facts, key for programs, label for people) of the groups found, by label; none last."""
    model: Any = {"owner": User, "team": Team, "source": LeadSource, "campaign": Campaign, "pipeline": Pipeline}[by]
    named = [
        (row.pk, getattr(row, "email", None) or getattr(row, "slug", None) or str(row), str(row))
        for row in model.objects.filter(pk__in=keys - {None})
    ]
    named.sort(key=lambda item: item[2].casefold())
    return [*named, (None, "", _("none"))] if None in keys else named
