"""The deal list: filters and order in the address, totals of all that match, export of exactly what is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_safe

from crm.models import SavedView
from crm.views.next_step import state_of
from crm.views.requests import PersonRequest
from crm.views.saved_views import Shelf, with_saved_views
from pipeline.forms.record_filters import DealFilter
from pipeline.models import Deal
from pipeline.views.columns import Shown, kept_in, shown_columns, spreadsheet
from pipeline.views.deal_columns import JOINED, ORDERS, STANDARD, TABLE, WHOLE, cells, plain
from pipeline.views.record_lists import menu_of_filter, ordered, read_list
from pipeline.views.sums import sums_of
from pipeline.views.taking_back import offers_what_stopped

OUTCOMES = {
    "open": pgettext_lazy("deals", "Open"),
    "won": pgettext_lazy("deals", "Won"),
    "lost": pgettext_lazy("deals", "Lost"),
    "all": gettext_lazy("All"),
}

ALWAYS = ("pipeline", "stage", "owner", "team", "source", "state")
"""Filters with a chip of their own; the others share a panel, and have a chip while they are set."""

FURTHER = (
    "amount_from", "amount_to", "closes_from", "closes_to", "created_from", "created_to", "tag",
)  # fmt: skip


@dataclass(frozen=True)
class Tab:
    """One outcome of the list."""

    key: str
    label: str
    is_here: bool


@require_safe
@with_saved_views(SavedView.Page.DEALS)
@offers_what_stopped
def deal_list(request: PersonRequest, shelf: Shelf) -> HttpResponse:
    """Show the deals that match, fifty at a time; their totals come by a second request."""
    outcome = _outcome_asked(request)
    shown = shown_columns(request, TABLE, STANDARD.get(outcome))
    filters = _filters(request, outcome, shown)
    now = timezone.now()
    if menu := menu_of_filter(request, filters):
        return menu
    if request.htmx.target == "deal-sums":
        matching = ordered(request, filters, ORDERS)
        return render(request, "pipeline/deal_list.html#sums", {"sums": sums_of(matching, now.date())})
    found = read_list(request, filters, orders=ORDERS, always=ALWAYS)
    for deal in found.rows:
        deal.state = state_of(deal.next_step_at, now, is_closed=not deal.is_open)
        deal.days = deal.days_in_stage(now)
        deal.rotting = deal.rotting_days(now)
    context = {
        "found": found,
        "shown": shown,
        "shelf": kept_in(shelf, shown),
        "further": _further(request, filters),
        "now": now,
        "outcome": outcome,
        "tabs": [Tab(key, str(label), key == outcome) for key, label in OUTCOMES.items()],
    }
    return render(request, "pipeline/deal_list.html", context, status=422 if filters.form.errors else 200)


@require_safe
def deal_export(request: PersonRequest) -> StreamingHttpResponse:
    """Give all matching deals, in the order and with the columns shown, as a table for a spreadsheet."""
    return spreadsheet(request, TABLE, cells(), plain(deals_matching(request)), whole=WHOLE)


def deals_matching(request: PersonRequest) -> Any:
    """Return all deals that the address asks for, in its order."""
    return ordered(request, _filters(request, _outcome_asked(request)), ORDERS)


def _filters(request: PersonRequest, outcome: str, shown: Shown | None = None) -> DealFilter:
    """The deals of a tab, with what the columns shown say of other rows."""
    joined = [field for key, field in JOINED.items() if shown and key in shown]
    deals = Deal.objects.visible_to(request.user).select_related("stage", "company", "owner", *joined)
    if outcome != "all":
        deals = deals.filter(outcome=outcome)
    return DealFilter(request.GET, queryset=deals, request=request)


def _further(request: PersonRequest, filters: DealFilter) -> dict[str, Any]:
    """The filters that share one panel, and the rest of the address that they keep."""
    kept = [(name, value) for name, value in request.GET.items() if name not in {*FURTHER, "page"} and value]
    return {"fields": [filters.form[name] for name in FURTHER], "kept": kept}


def _outcome_asked(request: PersonRequest) -> str:
    outcome = request.GET.get("outcome") or "open"
    if outcome not in OUTCOMES:
        raise Http404
    return outcome
