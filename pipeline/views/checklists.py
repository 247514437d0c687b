"""What a deal's stage asks for: ticking it off, and filling what the next stage will want."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from crm.models import User
from crm.views.authorising import editable_or_403, may_edit
from crm.views.conflicts import Conflict, conflict_with
from crm.views.requests import PersonRequest
from pipeline.forms.deals import MissingFieldsForm
from pipeline.models import ChecklistItem, Deal, Stage
from pipeline.rules.checklists import tick_item
from pipeline.rules.deals import edit_deal
from pipeline.rules.refusals import DealConflict
from pipeline.rules.requirements import missing_for


@dataclass(frozen=True)
class Ask:
    """A checklist item, and when it was ticked off."""

    item: ChecklistItem
    done_at: dt.datetime | None


@dataclass(frozen=True)
class Asks:
    """What the stage asks for, and the form for what the next one will want; `next_stage` is None at the end."""

    deal: Deal
    items: Sequence[Ask]
    next_stage: Stage | None
    form: MissingFieldsForm | None
    may_edit: bool
    conflict: Conflict | None = None

    @property
    def done(self) -> int:
        """How many items are ticked off."""
        return sum(ask.done_at is not None for ask in self.items)


def asks_of(deal: Deal, user: Any, *, form: MissingFieldsForm | None = None, conflict: Conflict | None = None) -> Asks:
    """Return what pipeline/_deal_asks.html shows."""
    ticks = dict(deal.ticks.values_list("item_id", "at"))
    following = _next_stage(deal)
    return Asks(
        deal=deal,
        items=[Ask(item, ticks.get(item.pk)) for item in deal.stage.checklist.all()],
        next_stage=following,
        form=form or _missing_form(deal, following, user),
        may_edit=may_edit(deal, user),
        conflict=conflict,
    )


@require_POST
def deal_tick(request: PersonRequest, pk: int, item_pk: int) -> HttpResponse:
    """Tick a checklist item off, or take the tick back (no `done` in the form)."""
    deal = editable_or_403(_with_stage(), request.user, pk=pk)
    item = get_object_or_404(ChecklistItem.objects.select_related("stage"), pk=item_pk, stage=deal.stage_id)
    is_done = "done" in request.POST
    tick_item(deal, item=item, is_done=is_done, by=request.user, now=timezone.now())
    return _show(request, asks_of(deal, request.user)) if request.htmx else redirect(deal)


@require_POST
def deal_fill(request: PersonRequest, pk: int) -> HttpResponse:
    """Fill in what the next stage asks for and the deal does not have."""
    deal = editable_or_403(_with_stage(), request.user, pk=pk)
    form = _missing_form(deal, _next_stage(deal), request.user, sent=request.POST)
    if form is None:
        return redirect(deal)
    if not form.is_valid():
        return _show(request, asks_of(deal, request.user, form=form), status=422)
    try:
        edit_deal(deal, fields=form.said(), seen_version=form.cleaned_data["version"], by=request.user)
    except DealConflict as refusal:
        form.seen_again(refusal.deal.version)
        conflict = conflict_with(refusal.deal, form)
        return _show(request, asks_of(refusal.deal, request.user, form=form, conflict=conflict), status=409)
    if not request.htmx:
        return redirect(deal)
    return trigger_client_event(HttpResponse(status=204), "deal-changed")


def _show(request: PersonRequest, asks: Asks, status: int = 200) -> HttpResponse:
    """The panel for htmx; without script, on a page of its own."""
    template = "pipeline/_deal_asks.html" if request.htmx else "pipeline/deal_asks.html"
    return render(request, template, {"asks": asks, "deal": asks.deal}, status=status)


def _with_stage() -> Any:
    return Deal.objects.select_related("stage", "pipeline", "company", "contact", "owner", "source")


def _next_stage(deal: Deal) -> Stage | None:
    stages = Stage.objects.live().filter(pipeline=deal.pipeline_id, position__gt=deal.stage.position)
    return stages.order_by("position", "pk").first() if deal.is_open else None


def _missing_form(deal: Deal, following: Stage | None, user: User, sent: Any = None) -> MissingFieldsForm | None:
    missing = missing_for(deal, following) if following is not None else []
    names = [item.key for item in missing if item.key in Stage.Requirement.values]
    return MissingFieldsForm(sent, instance=deal, by=user, names=names) if names else None
