"""The lines of a deal, edited in place on its page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from crm.views.addresses import whole_number
from crm.views.authorising import editable_or_403, may_edit
from crm.views.requests import PersonRequest
from pipeline.forms.line_items import LineItemForm
from pipeline.models import Deal, LineItem, Product
from pipeline.rules.line_items import put_line_item, remove_line_item, sum_of_items, take_sum
from pipeline.rules.refusals import DealConflict


@dataclass(frozen=True)
class Lines:
    """The lines of a deal with their sum; `form` is for one more, or for the line `wrong`; None: nothing to sell."""

    deal: Deal
    items: Sequence[LineItem]
    total: Decimal | None
    form: LineItemForm | None
    may_edit: bool
    wrong: int | None = None

    @property
    def differs(self) -> bool:
        """Whether the deal's amount is another than its lines come to."""
        return self.total is not None and self.total != self.deal.amount


def lines_of(deal: Deal, user: Any, *, form: LineItemForm | None = None, wrong: int | None = None) -> Lines:
    """Return what pipeline/_line_items.html shows."""
    items = list(deal.line_items.select_related("product"))
    may_change = may_edit(deal, user)
    if form is None and may_change and Product.objects.filter(is_archived=False).exists():
        form = LineItemForm(deal=deal)
    return Lines(deal, items, sum_of_items(deal) if items else None, form, may_change, wrong)


@require_POST
def line_item_add(request: PersonRequest, pk: int) -> HttpResponse:
    """Add a line to a deal."""
    deal = editable_or_403(Deal.objects, request.user, pk=pk)
    form = LineItemForm(request.POST, deal=deal)
    if not form.is_valid():
        return _show(request, lines_of(deal, request.user, form=form), status=422)
    put_line_item(deal, fields=form.cleaned_data, by=request.user)
    return _show(request, lines_of(deal, request.user))


@require_POST
def line_item_edit(request: PersonRequest, pk: int, item_pk: int) -> HttpResponse:
    """Write another quantity or price into a line."""
    deal = editable_or_403(Deal.objects, request.user, pk=pk)
    item = get_object_or_404(deal.line_items, pk=item_pk)
    form = LineItemForm({**request.POST.dict(), "product": item.product_id}, deal=deal, item=item)
    if not form.is_valid():
        return _show(request, lines_of(deal, request.user, form=form, wrong=item.pk), status=422)
    put_line_item(deal, fields=form.cleaned_data, by=request.user, item=item)
    return _show(request, lines_of(deal, request.user))


@require_POST
def line_item_delete(request: PersonRequest, pk: int, item_pk: int) -> HttpResponse:
    """Take a line off a deal."""
    deal = editable_or_403(Deal.objects, request.user, pk=pk)
    remove_line_item(get_object_or_404(deal.line_items, pk=item_pk), by=request.user)
    return _show(request, lines_of(deal, request.user))


@require_POST
def deal_take_sum(request: PersonRequest, pk: int) -> HttpResponse:
    """Make what the lines come to the deal's amount, if nobody changed the deal in between."""
    deal = editable_or_403(Deal.objects, request.user, pk=pk)
    seen = whole_number(request.POST.get("version"))
    try:
        take_sum(deal, seen_version=seen or deal.version, by=request.user)
    except DealConflict as refusal:
        return _show(request, lines_of(refusal.deal, request.user), status=409)
    if not request.htmx:
        return redirect(deal)
    return trigger_client_event(HttpResponse(status=204), "deal-changed")


def _show(request: PersonRequest, lines: Lines, status: int = 200) -> HttpResponse:
    if request.htmx:
        return render(request, "pipeline/_line_items.html", {"lines": lines}, status=status)
    if status == 200:
        return redirect(lines.deal)
    return render(request, "pipeline/line_items.html", {"lines": lines, "deal": lines.deal}, status=status)
