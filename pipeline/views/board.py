"""The board: a pipeline as columns of cards, loaded as far as they are looked at."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from crm.models import AuditEntry, SavedView
from crm.views.addresses import whole_number
from crm.views.requests import PersonRequest
from crm.views.saved_views import Shelf, with_saved_views
from pipeline.forms.board_filters import BoardFilter
from pipeline.models import Deal, Pipeline
from pipeline.views.board_cards import rows_of
from pipeline.views.board_changes import changes_since, place_of
from pipeline.views.board_columns import Board, Column, States
from pipeline.views.board_groups import GROUPINGS, ByStage
from pipeline.views.record_lists import chips, menu_of_filter, names_nothing_known

ALWAYS = ("owner", "team", "source")
FURTHER = ("amount_from", "amount_to", "closes_from", "closes_to", "tag")

WAYS = (("stage", _("By stage")), ("owner", _("By owner")), ("month", _("By month")))
"""What the columns may stand for, as the page offers it."""


@require_safe
def board(request: PersonRequest) -> HttpResponse:
    """Go to the first pipeline one may see, with what was asked for."""
    first = Pipeline.objects.visible_to(request.user).first()
    if first is None:
        return render(request, "pipeline/deal_board_none.html")
    query = request.GET.urlencode()
    return redirect(reverse("deal_board", args=[first.slug]) + (f"?{query}" if query else ""))


@require_safe
@with_saved_views(SavedView.Page.BOARD)
def deal_board(request: PersonRequest, slug: str, shelf: Shelf) -> HttpResponse:
    """Show the columns with the totals of all their deals and the first cards of each; htmx gets the totals alone."""
    shown = read_board(request, slug)
    if menu := menu_of_filter(request, shown.filters):
        return menu
    if request.htmx.target == "board-figures":
        return render(request, "pipeline/deal_board.html#figures", _figures(list(shown.counted().values())))
    columns = shown.columns()
    context = {
        **_figures(columns),
        "board": shown,
        "pipelines": shown.pipelines,
        "ways": [(label, _grouped(request, way), way == shown.grouping.by) for way, label in WAYS],
        "cursor": AuditEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0,
        "is_empty": not any(column.count for column in columns) and not shown.filters.chosen,
        "chips": chips(request.GET, shown.filters.form, ALWAYS),
        "further": _further(request, shown.asked),
        "found": {"filters": shown.asked},
        "shelf": shelf,
    }
    return render(request, "pipeline/deal_board.html", context, status=422 if shown.asked.form.errors else 200)


@require_safe
def board_column(request: PersonRequest, slug: str, key: str) -> HttpResponse:
    """Show more cards of one column below `?after=`; without it the column's head anew."""
    shown = read_board(request, slug)
    group = shown.grouping.group(key)
    if group is None:
        raise Http404
    after = request.GET.get("after", "")
    if not after:
        return render(request, "pipeline/deal_board.html#column-head", {"board": shown, "column": shown.head(group)})
    try:
        column = shown.cards_after(group, after)
    except ValueError as error:
        raise Http404 from error
    page = "pipeline/deal_board.html#cards" if request.htmx else "pipeline/deal_board_more.html"
    return render(request, page, {"board": shown, "column": column})


@require_safe
def board_changes(request: PersonRequest, slug: str) -> HttpResponse:
    """Answer what others did since `?since=`: 204 when nothing, else the changed cards and heads as JSON."""
    shown = read_board(request, slug)
    since = whole_number(request.GET.get("since"))
    if since is None:
        raise Http404
    changes = changes_since(shown, since)
    return HttpResponse(status=204) if changes is None else JsonResponse(changes)


@require_safe
def deal_card(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    """Show one card as it is now, and in the headers where; 404 where it is not on this board."""
    shown = read_board(request, slug)
    rows = rows_of(shown.deals.filter(pk=pk))
    if not rows:
        raise Http404
    [card] = shown.drawn(rows)
    key, above = place_of(shown, rows[0])
    return HttpResponse(card.html, headers={"X-Column": key, "X-After": str(above or "")})


def read_board(request: PersonRequest, slug: str) -> Board:
    """Read the board an address asks for; an unknown or unseen pipeline, grouping or filter value is 404.

    What cannot be read (an amount of letters) narrows nothing; the page says so beside the field.
    """
    pipelines = list(Pipeline.objects.visible_to(request.user))
    pipeline = next((pipeline for pipeline in pipelines if pipeline.slug == slug), None)
    by = GROUPINGS.get(request.GET.get("by") or ByStage.by)
    if pipeline is None or by is None:
        raise Http404
    deals = Deal.objects.visible_to(request.user).filter(pipeline=pipeline)
    asked = filters = BoardFilter(request.GET, queryset=deals, request=request)
    if not asked.form.is_valid():
        if names_nothing_known(asked.form):
            raise Http404
        understood = {name: value for name, value in request.GET.items() if name not in asked.form.errors}
        filters = BoardFilter(understood, queryset=deals, request=request)
        filters.form.is_valid()
    board = Board(pipeline, request.user, filters, timezone.now(), pipelines, by=by)
    board.asked = asked
    return board


def _grouped(request: PersonRequest, way: str) -> str:
    """The address of this board in other columns; by stage it needs no saying."""
    query = request.GET.copy()
    query["by"] = way
    if way == ByStage.by:
        del query["by"]
    return f"?{query.urlencode()}"


def _figures(columns: list[Column]) -> dict[str, Any]:
    """What the page says of all columns together."""
    standing = [column for column in columns if not column.group.is_won]
    return {"columns": columns, "whole": _whole(standing), "state_chips": _state_chips(standing)}


def _whole(columns: list[Column]) -> dict[str, Any]:
    """All open columns together: added up exactly and rounded last, as lists and metrics do."""
    known = all(column.amount is not None for column in columns)
    return {
        "count": sum(column.count for column in columns),
        "amount": _rounded(column.amount or Decimal(0) for column in columns) if known else None,
        "weighted": _rounded(column.weighted_exactly for column in columns) if known else None,
        "lacking": next((column.lacking for column in columns if column.lacking), ""),
    }


def _rounded(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0)).quantize(Decimal(1))


def _state_chips(columns: list[Column]) -> States:
    return sum((column.states for column in columns), States())


def _further(request: PersonRequest, filters: BoardFilter) -> dict[str, Any]:
    kept = [(name, value) for name, value in request.GET.items() if name not in FURTHER and value]
    return {"fields": [filters.form[name] for name in FURTHER], "kept": kept}
