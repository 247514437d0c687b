"""Deals over the API. Moving them is `pipeline.api.moving`."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema

from crm.api.authenticating import ApiRequest
from crm.api.authorising import editable, visible
from crm.api.problems import FieldError, invalid
from crm.api.reading import Asked, filters_of, narrowed, page_of
from crm.api.shapes import NamedRef, Page, PersonRef, SeenRecord, Sent, SlugRef, shape_of
from crm.api.writing import filled, write
from pipeline.api.stages import beginning_named
from pipeline.forms.deals import DealForm, NewDealForm
from pipeline.forms.record_filters import DealFilter
from pipeline.models import Deal
from pipeline.rules.deals import delete_deal, edit_deal, open_deal

router = Router(tags=["deals"])
RELATED = ("pipeline", "stage", "owner", "company", "contact", "source", "campaign", "loss_reason")


class DealShape(Schema):
    """An opportunity; `amount` is a decimal in `currency`, `created_at` is null where an import could not know it."""

    id: int
    version: int
    external_id: str | None
    name: str
    pipeline: SlugRef
    stage: SlugRef
    outcome: Deal.Outcome
    owner: PersonRef
    company: NamedRef | None
    contact: NamedRef | None
    lead: int | None
    source: SlugRef | None
    campaign: NamedRef | None
    amount: Decimal | None
    currency: str
    expected_close_on: dt.date | None
    tags: list[str]
    created_at: dt.datetime | None
    stage_entered_at: dt.datetime | None
    won_at: dt.datetime | None
    lost_at: dt.datetime | None
    loss_reason: NamedRef | None
    loss_note: str
    competitor: str
    next_step_at: dt.datetime | None
    last_touch_at: dt.datetime | None

    @staticmethod
    def resolve_lead(deal: Any) -> int | None:
        """Return the id of the lead it came from."""
        return deal.lead_id


shape_of(Deal, DealShape)


class DealsAsked(Asked):
    """Deals by everything the list is narrowed by; ids, but the pipeline by its slug; `outcome`: open, won or lost."""

    q: str = ""
    pipeline: str = ""
    stage: int | None = None
    owner: int | None = None
    team: int | None = None
    source: int | None = None
    company: int | None = None
    contact: int | None = None
    state: str = ""
    tag: str = ""
    amount_from: str = ""
    amount_to: str = ""
    closes_from: str = ""
    closes_to: str = ""
    created_from: str = ""
    created_to: str = ""
    outcome: str = ""


class DealFields(Sent):
    """What a person says of a deal; its stage and outcome move."""

    name: str | None = None
    company: int | None = None
    contact: int | None = None
    owner: int | None = None
    amount: Decimal | None = None
    currency: str | None = None
    expected_close_on: dt.date | None = None
    source: int | None = None
    campaign: int | None = None
    tags: list[str] | None = None


class DealNew(DealFields):
    """A new deal, in a stage named by id or slug: without one the first of the pipeline, or of the first pipeline."""

    name: str
    stage: int | str | None = None
    pipeline: str | None = None


class DealChange(DealFields, SeenRecord):
    """Fields of a deal as it was seen; what is not sent stays."""


@router.get("/deals", response=Page[DealShape], url_name="deal_list")
def deal_list(request: ApiRequest, asked: Query[DealsAsked]) -> dict[str, Any]:
    """Deals, newest first."""
    said = filters_of(request, asked)
    rows = _with_outcome(Deal.objects.visible_to(request.user).select_related(*RELATED), said.pop("outcome", ""))
    return page_of(request, narrowed(DealFilter(said, rows, request=request)), asked, ("-recorded_at", "-pk"))


@router.post("/deals", response={201: DealShape})
def deal_create(request: ApiRequest, body: DealNew) -> HttpResponse:
    """Open a deal."""

    def act() -> Deal:
        said = body.model_dump(exclude_unset=True, exclude={"pipeline"})
        said["stage"] = beginning_named(body.stage, body.pipeline, request.user)
        form = filled(lambda data: NewDealForm(data, by=request.user), said)
        stage = form.cleaned_data["stage"]
        return open_deal(stage=stage, fields=form.said(), by=request.user, now=timezone.now())

    return write(request, act, status=201)


@router.get("/deals/{int:pk}", response=DealShape, url_name="deal_detail")
def deal_detail(request: ApiRequest, pk: int) -> Deal:
    """One deal."""
    return visible(Deal.objects.select_related(*RELATED), request.user, pk)


@router.patch("/deals/{int:pk}", response=DealShape)
def deal_edit(request: ApiRequest, pk: int, body: DealChange) -> HttpResponse:
    """Change some fields of a deal."""

    def act() -> Deal:
        deal = editable(Deal.objects, request.user, pk)
        form = filled(lambda data: DealForm(data, instance=deal, by=request.user), body)
        return edit_deal(deal, fields=form.said(), seen_version=body.version, by=request.user)

    return write(request, act)


@router.delete("/deals/{int:pk}", response={204: None})
def deal_delete(request: ApiRequest, pk: int, version: Query[int]) -> HttpResponse:
    """Put a deal into the bin, for 30 days."""

    def act() -> None:
        deal = editable(Deal.objects, request.user, pk)
        delete_deal(deal, seen_version=version, by=request.user, now=timezone.now())

    return write(request, act)


def _with_outcome(deals: Any, outcome: str) -> Any:
    if outcome and outcome not in Deal.Outcome.values:
        message = _("One of: %(kinds)s.") % {"kinds": ", ".join(Deal.Outcome.values)}
        raise invalid([FieldError("outcome", "unknown", message)])
    return deals.filter(outcome=outcome) if outcome else deals
