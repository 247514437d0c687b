"""The figures of a scope as the object that programs read: the command and the REST API answer the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings

from metrics.engine import Results, breakdown, evaluate
from metrics.kpi import Kpi, Result
from metrics.scope import Scope, organisation_zone


def figures(kpis: Iterable[Kpi], scope: Scope, *, by: str | None = None) -> dict[str, Any]:
    """Return the period, each KPI's result and, with `by`, those of each group."""
    chosen = list(kpis)
    body: dict[str, Any] = {"period": _period(scope), "kpis": _plain(evaluate(chosen, scope))}
    if by:
        body["groups"] = [
            {"key": group.key, "label": group.label, "kpis": _plain(group.results)}
            for group in breakdown(chosen, scope, by)
        ]
    return body


def _period(scope: Scope) -> dict[str, str]:
    return {
        "from": scope.period.start.isoformat(),
        "to": scope.period.end.isoformat(),
        "timezone": str(organisation_zone()),
        "currency": settings.BASE_CURRENCY,
    }


def _plain(results: Results) -> dict[str, Any]:
    return {key: Result.as_json(result) for key, result in results.items()}
