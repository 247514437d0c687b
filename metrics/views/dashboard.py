"""The dashboard: every KPI with its change, its trend and what it rests on. Its address is the question."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from crm.views.requests import PersonRequest
from metrics.engine import breakdown, evaluate, evaluate_over
from metrics.forms.filters import PERIODS
from metrics.kpis import KPIS
from metrics.scope import Period, Scope
from metrics.views.asking import comparison_links, read_question, way_here
from metrics.views.panels import Panel, funnel, stages_by_name, time_in_stage, trend, win_rates
from metrics.views.tiles import SHOWN, Tile, spark, tiles
from pipeline.models import Stage

BY_STAGE = ("stage_conversion", "stage_duration")


@require_safe
def metrics(request: PersonRequest) -> HttpResponse:
    """Show the figures of a period; days that make no period come back with what is wrong about them.

    The way that led there comes by a second request: it asks about six times as many periods.
    """
    question = read_question(request)
    context = {"question": question, "periods": PERIODS.items()}
    if question.scope is None or question.compared is None:
        return render(request, "metrics/dashboard.html", context, status=422)
    if request.htmx.target == "trends":
        return render(request, "metrics/dashboard.html#trends", _trends(question.scope))
    shown, charts = _overview(question.scope, question.compared)
    context |= {"tiles": shown, "panels": charts, "comparisons": comparison_links(request, question.form)}
    return render(request, "metrics/dashboard.html", context)


def _overview(scope: Scope, compared: Period) -> tuple[list[Tile], list[Panel]]:
    """Ask each fact once; the facts of stages only for the period that their charts show."""
    now, before = evaluate_over([KPIS[key] for key in SHOWN], scope, [scope.period, compared])
    by_stage = evaluate([KPIS[key] for key in BY_STAGE], scope)
    stages = Stage.objects.select_related("pipeline").order_by("pipeline__position", "pipeline", "position")
    named = stages_by_name(stages)
    reps = breakdown([KPIS["win_rate"]], scope, "owner")
    charts = [
        funnel(by_stage["stage_conversion"], named),
        time_in_stage(by_stage["stage_duration"], named),
        win_rates(reps, now["win_rate"]),
    ]
    return tiles(now, before), charts


def _trends(scope: Scope) -> dict[str, Any]:
    run_up = way_here(scope)
    found = evaluate_over([KPIS[key] for key in SHOWN], scope, run_up)
    sparks = [(key, spark([results[key] for results in found])) for key in SHOWN]
    return {"sparks": sparks, "panel": trend(KPIS["won_value"], run_up, found, title=_("Revenue won, the way here"))}
