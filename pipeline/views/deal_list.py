"""The deal list: filters and order in the address, totals of all that match, export of exactly what is shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import F
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_safe

from crm.models import LeadSource, SavedView, User
from crm.views.next_step import state_of
from crm.views.requests import PersonRequest
from crm.views.saved_views import Shelf, with_saved_views
from crm.views.spreadsheets import csv_response
from pipeline.forms.record_filters import DealFilter
from pipeline.models import Deal, LossReason, Pipeline, Stage
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


EXPORTED = (
    "name", "company__name", "contact__name", "pipeline_id", "stage_id", "outcome", "amount", "currency", "owner_id",
    "source_id", "created_at", "expected_close_on", "next_step_at", "won_at", "lost_at", "loss_reason_id", "tags",
)  # fmt: skip


@dataclass(frozen=True)
class Tab:
    """One outcome of the list."""

    key: str
    label: str
    is_here: bool


@require_safe
@with_saved_views(SavedView.Page.DEALS)
def deal_list(request: PersonRequest, shelf: Shelf) -> HttpResponse:
    """Show the deals that match, fifty at a time; their totals come by a second request."""
    outcome = _outcome_asked(request)
    filters = _filters(request, outcome)
    now = timezone.now()
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
        "shelf": shelf,
        "further": _further(request, filters),
        "now": now,
        "outcome": outcome,
        "tabs": [Tab(key, str(label), key == outcome) for key, label in OUTCOMES.items()],
    }
    return render(request, "pipeline/deal_list.html", context, status=422 if filters.form.errors else 200)


@require_safe
def deal_export(request: PersonRequest) -> StreamingHttpResponse:
    """Give all matching deals, in the order shown, as a table for a spreadsheet."""
    deals = ordered(request, _filters(request, _outcome_asked(request)), ORDERS)
    header = [
        _("Deal"), _("Company"), _("Contact"), _("Pipeline"), _("Stage"), _("Outcome"), _("Amount"), _("Currency"),
        _("Owner"), _("Source"), _("Created"), _("Expected close"), _("Next step"), _("Closed"), _("Loss reason"),
        _("Tags"),
    ]  # fmt: skip
    return csv_response("deals", header, _cells(deals))


def _filters(request: PersonRequest, outcome: str) -> DealFilter:
    deals = Deal.objects.visible_to(request.user).select_related("stage", "company", "owner", "source", "loss_reason")
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


def _cells(deals: Any) -> Iterator[list[Any]]:
    """Give each deal's cells. What few rows name (stages, people) is read once, and deals as plain values."""
    pipelines, stages, people, sources, reasons = (
        {row.pk: str(row) for row in model.objects.all()} for model in (Pipeline, Stage, User, LeadSource, LossReason)
    )
    outcomes = {value: str(label) for value, label in Deal.Outcome.choices}
    for row in deals.values_list(*EXPORTED, named=True).iterator(chunk_size=2000):
        yield [
            row.name,
            row.company__name,
            row.contact__name,
            pipelines[row.pipeline_id],
            stages[row.stage_id],
            outcomes[row.outcome],
            row.amount,
            row.currency,
            people[row.owner_id],
            sources.get(row.source_id),
            _local(row.created_at),
            row.expected_close_on,
            _local(row.next_step_at),
            _local(row.won_at or row.lost_at),
            reasons.get(row.loss_reason_id),
            ", ".join(row.tags),
        ]


def _local(at: Any) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}" if at else ""
