"""The deal list: filters and order in the address, totals of all that match, export of exactly what is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import F
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_safe

from crm.views.next_step import state_of
from crm.views.requests import PersonRequest
from crm.views.spreadsheets import csv_response
from pipeline.forms.record_filters import DealFilter
from pipeline.models import Deal
from pipeline.views.record_lists import ordered, read_list
from pipeline.views.sums import sums_of

OUTCOMES = {
    "open": pgettext_lazy("deals", "Open"),
    "won": pgettext_lazy("deals", "Won"),
    "lost": pgettext_lazy("deals", "Lost"),
    "all": gettext_lazy("All"),
}

ORDERS = {
    "newest": (F("recorded_at").desc(), F("pk").desc()),
    "name": ("search", "pk"),
    "company": (F("company__search").asc(nulls_last=True), "pk"),
    "amount": (F("amount").asc(nulls_first=True), "pk"),
    "stage": ("stage__pipeline__position", "stage__position", "pk"),
    "days": (F("stage_entered_at").desc(nulls_first=True), "pk"),
    "next": (F("next_step_at").asc(nulls_last=True), "pk"),
    "closes": (F("expected_close_on").asc(nulls_last=True), "pk"),
    "closed": (F("won_at").asc(nulls_first=True), F("lost_at").asc(nulls_first=True), "pk"),
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
def deal_list(request: PersonRequest) -> HttpResponse:
    """Show the deals that match, fifty at a time; their totals come by a second request."""
    outcome = _outcome_asked(request)
    filters = _filters(request, outcome)
    now = timezone.now()
    if request.htmx.target == "deal-sums":
        matching = ordered(request, filters, ORDERS)
        return render(request, "pipeline/deal_list.html#sums", {"sums": sums_of(matching, now.date())})
    found = read_list(request, filters, orders=ORDERS, always=ALWAYS)
    for deal in found.rows:
        deal.state = state_of(deal.next_step_at, now)
        deal.days = deal.days_in_stage(now)
        deal.rotting = deal.rotting_days(now)
    context = {
        "found": found,
        "further": _further(request, filters),
        "now": now,
        "outcome": outcome,
        "tabs": [Tab(key, str(label), key == outcome) for key, label in OUTCOMES.items()],
    }
    return render(request, "pipeline/deal_list.html", context, status=422 if filters.form.errors else 200)


@require_safe
def deal_export(request: PersonRequest) -> HttpResponse:
    """Give all matching deals, in the order shown, as a table for a spreadsheet."""
    deals = ordered(request, _filters(request, _outcome_asked(request)), ORDERS)
    header = [
        _("Deal"), _("Company"), _("Contact"), _("Pipeline"), _("Stage"), _("Outcome"), _("Amount"), _("Currency"),
        _("Owner"), _("Source"), _("Created"), _("Expected close"), _("Next step"), _("Closed"), _("Loss reason"),
        _("Tags"),
    ]  # fmt: skip
    rows = deals.select_related("contact", "pipeline", "loss_reason").iterator(chunk_size=2000)
    return csv_response("deals", header, (_cells(deal) for deal in rows))


def _filters(request: PersonRequest, outcome: str) -> DealFilter:
    deals = Deal.objects.visible_to(request.user).select_related("stage", "company", "owner", "source")
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


def _cells(deal: Any) -> list[Any]:
    return [
        deal.name,
        str(deal.company or ""),
        str(deal.contact or ""),
        str(deal.pipeline),
        str(deal.stage),
        deal.get_outcome_display(),
        deal.amount,
        deal.currency,
        str(deal.owner),
        str(deal.source or ""),
        _local(deal.created_at),
        deal.expected_close_on,
        _local(deal.next_step_at),
        _local(deal.closed_at),
        str(deal.loss_reason or ""),
        ", ".join(deal.tags),
    ]


def _local(at: Any) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}" if at else ""
