"""The only place that aggregates: declared KPIs × a scope → results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from crm.models import LeadSource, Team, User
from metrics.facts import gather
from metrics.kpi import Kpi, Result
from metrics.scope import Period, Scope
from pipeline.models import Pipeline

Results = dict[str, Result]
"""KPI key → result."""

GROUPINGS = ("owner", "team", "source", "month", "pipeline")
"""What results can be broken down by."""


@dataclass(frozen=True)
class Group:
    """The results of one owner, team, source, pipeline or month."""

    key: str
    label: str
    results: Results


def evaluate(kpis: Iterable[Kpi], scope: Scope) -> Results:
    """Return each KPI's result for the scope's period."""
    return evaluate_over(kpis, scope, [scope.period])[0]


def evaluate_over(kpis: Iterable[Kpi], scope: Scope, periods: Sequence[Period]) -> list[Results]:
    """Return each KPI's result for each of `periods`; a query a fact, however many periods there are."""
    chosen = list(kpis)
    facts = {name for kpi in chosen if kpi.unavailable(_used(scope)) is None for name in kpi.facts}
    gathered = gather(facts, scope, periods)
    return [
        {kpi.key: kpi.unavailable(_used(scope)) or kpi.measure(gathered.at(number)) for kpi in chosen}
        for number in range(len(periods))
    ]


def breakdown(kpis: Iterable[Kpi], scope: Scope, by: str) -> list[Group]:
    """Return the results of each owner, team, source, pipeline (those with facts, by name) or month (all, in order).

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
    gathered = gather(
        {name for kpi in chosen if not kpi.unavailable(used) for name in kpi.facts}, scope, [scope.period], by=by
    )
    shared = {name: rows for name, rows in gathered.at(0).items() if name == "stage_list"}
    groups = []
    for key, group_key, label in _labelled(by, gathered.keys):
        facts = {**gathered.at(0, key), **shared}
        groups.append(Group(group_key, label, {kpi.key: kpi.unavailable(used) or kpi.measure(facts) for kpi in chosen}))
    return groups


def _used(scope: Scope) -> frozenset[str]:
    """The dimensions that narrow the question; a viewer who sees only some owners narrows it by owner."""
    return scope.filters.used | ({"owner"} if scope.visible_owner_ids is not None else frozenset())


def _labelled(by: str, keys: set[Any]) -> list[tuple[Any, str, str]]:
    """Return (key in the facts, key for programs, label for people) of the groups found, by label; none last."""
    model: Any = {"owner": User, "team": Team, "source": LeadSource, "pipeline": Pipeline}[by]
    named = [
        (row.pk, getattr(row, "email", None) or getattr(row, "slug", None) or str(row), str(row))
        for row in model.objects.filter(pk__in=keys - {None})
    ]
    named.sort(key=lambda item: item[2].casefold())
    return [*named, (None, "", _("none"))] if None in keys and by in {"source", "team"} else named
