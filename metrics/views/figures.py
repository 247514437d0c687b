"""A KPI's own page: what it means, its trend, its parts, and the records behind it; both as files too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from crm.views.addresses import page_asked
from crm.views.requests import PersonRequest
from crm.views.spreadsheets import csv_response
from metrics.engine import GROUPINGS, Group, Results, breakdown, evaluate, evaluate_over, rows
from metrics.kpi import Kpi, Result
from metrics.kpis import KPIS
from metrics.scope import Period, Scope
from metrics.views.asking import Question, comparison_links, read_question, way_here
from metrics.views.panels import Panel, StageNames, funnel, stages_by_name, time_in_stage, trend
from metrics.views.row_columns import LISTINGS, Column, columns_of
from metrics.views.tiles import Tile, tile
from metrics.views.wording import interval_text, period_text, with_unit
from pipeline.models import Stage

PAGE = 50
LAST_PAGE = 200
MOST = PAGE * LAST_PAGE
"""Counted and paged no further: who wants all exports them."""

BY = {
    "owner": gettext_lazy("owner"),
    "team": gettext_lazy("team"),
    "source": gettext_lazy("source"),
    "campaign": gettext_lazy("campaign"),
    "month": gettext_lazy("month"),
    "pipeline": gettext_lazy("pipeline"),
}
BY_STAGE = {"stage_conversion": funnel, "stage_duration": time_in_stage}


@dataclass(frozen=True)
class Row:
    """One record behind the number."""

    url: str | None
    cells: Sequence[tuple[Column, Any]]


@dataclass(frozen=True)
class Rows:
    """A page of the records behind the number; `count` is None where there are more than anybody pages through."""

    columns: Sequence[Column]
    rows: Sequence[Row]
    page: int
    has_next: bool
    count: int | None

    @property
    def first(self) -> int:
        """The number of the first row shown, from 1."""
        return (self.page - 1) * PAGE + 1

    @property
    def last(self) -> int:
        """The number of the last row shown."""
        return self.first + len(self.rows) - 1


@dataclass(frozen=True)
class Part:
    """One group of a breakdown, in words."""

    label: str
    value: str
    n: str
    remark: str
    is_few: bool


@require_safe
def kpi_detail(request: PersonRequest, key: str) -> HttpResponse:
    """Show one KPI under the same question as the dashboard."""
    kpi, question = _kpi(key), read_question(request)
    by = _grouping(request)
    context: dict[str, Any] = {"kpi": kpi, "question": question, "by": by, "groupings": BY.items()}
    if question.scope is None or question.compared is None:
        return render(request, "metrics/kpi_detail.html", context, status=422)
    shown, charts = _figures(kpi, question.scope, question.compared)
    context |= {
        "tile": shown,
        "panels": charts,
        "comparisons": comparison_links(request, question.form),
        "parts": [] if kpi.key in BY_STAGE else [_part(group, kpi) for group in breakdown([kpi], question.scope, by)],
        "found": _page_of_rows(request, kpi, question.scope),
        "dimensions": [str(BY[name]) for name in BY if name in kpi.dimensions],
    }
    return render(request, "metrics/kpi_detail.html", context)


@require_safe
def kpi_figures(request: PersonRequest, key: str) -> HttpResponseBase:
    """Give the KPI's value, its trend or stages, and with `by` its parts, as a table for a spreadsheet."""
    kpi, scope, by = _kpi(key), _scope_of(read_question(request)), _grouping(request)
    if kpi.key in BY_STAGE:
        panel = BY_STAGE[kpi.key](evaluate([kpi], scope)[kpi.key], _stages())
        return csv_response(kpi.key, panel.header, panel.rows)
    header = [_("Group"), _("Value"), _("Unit"), _("Numerator"), _("Denominator"), _("Low"), _("High"), _("Median"),
              "p90", "n", _("Remark")]  # fmt: skip
    return csv_response(kpi.key, header, _figure_cells(kpi, scope, by))


@require_safe
def kpi_rows(request: PersonRequest, key: str) -> HttpResponseBase:
    """Give all records behind the number that the person may open, as a table for a spreadsheet."""
    kpi, scope = _kpi(key), _scope_of(read_question(request))
    found = rows(kpi, scope)
    columns = columns_of(kpi, found.model)
    cells = ([column.export(row) for column in columns] for row in found.iterator(chunk_size=2000))
    return csv_response(f"{kpi.key}-rows", [str(column.title) for column in columns], cells)


def _kpi(key: str) -> Kpi:
    if key not in KPIS:
        raise Http404
    return KPIS[key]


def _scope_of(question: Question) -> Scope:
    """A file has no room for a form: a period that is none is not found."""
    if question.scope is None:
        raise Http404
    return question.scope


def _grouping(request: PersonRequest) -> str:
    by = request.GET.get("by") or "owner"
    if by not in GROUPINGS:
        raise Http404
    return by


def _stages() -> StageNames:
    return stages_by_name(
        Stage.objects.select_related("pipeline").order_by("pipeline__position", "pipeline", "position")
    )


def _figures(kpi: Kpi, scope: Scope, compared: Period) -> tuple[Tile | None, list[Panel]]:
    """The KPI's tile and trend; a KPI by stage has its chart instead of both."""
    if kpi.key in BY_STAGE:
        return None, [BY_STAGE[kpi.key](evaluate([kpi], scope)[kpi.key], _stages())]
    run_up = way_here(scope)
    now, before, *led_up = evaluate_over([kpi], scope, [scope.period, compared, *run_up])
    return _tile(kpi, now, before, led_up), [trend(kpi, run_up, led_up, title=_("The way here"))]


def _tile(kpi: Kpi, now: Results, before: Results, led_up: Sequence[Results]) -> Tile:
    return tile(kpi, now[kpi.key], before[kpi.key], [point[kpi.key] for point in led_up])


def _part(group: Group, kpi: Kpi) -> Part:
    result = group.results[kpi.key]
    return Part(
        label=group.label,
        value=with_unit(result.value, kpi.unit),
        n="" if result.n is None else str(result.n),
        remark=str(result.reason or interval_text(result)),
        is_few=result.is_few,
    )


def _page_of_rows(request: PersonRequest, kpi: Kpi, scope: Scope) -> Rows:
    page = page_asked(request, last=LAST_PAGE)
    found = rows(kpi, scope)
    listing, columns = LISTINGS[found.model], columns_of(kpi, found.model)
    shown = list(found[(page - 1) * PAGE : page * PAGE + 1])
    if page > 1 and not shown:
        raise Http404
    listed = [Row(listing.url(row), [(column, column.read(row)) for column in columns]) for row in shown[:PAGE]]
    has_next = len(shown) > PAGE and page < LAST_PAGE
    return Rows(columns, listed, page, has_next, _count(found, shown, page))


def _count(found: QuerySet[Model], shown: Sequence[Any], page: int) -> int | None:
    if page == 1 and len(shown) <= PAGE:
        return len(shown)
    count = found.order_by()[: MOST + 1].count()
    return count if count <= MOST else None


def _figure_cells(kpi: Kpi, scope: Scope, by: str) -> Iterator[list[Any]]:
    yield _cells(period_text(scope.period), evaluate([kpi], scope)[kpi.key])
    for group in breakdown([kpi], scope, by):
        yield _cells(group.label, group.results[kpi.key])


def _cells(label: str, result: Result) -> list[Any]:
    return [
        label, result.value, str(result.unit), result.numerator, result.denominator, result.low, result.high,
        result.median, result.p90, result.n, str(result.reason or ""),
    ]  # fmt: skip
