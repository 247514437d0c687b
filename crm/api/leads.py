"""Leads over the API. Converting one spans two apps and is `pipeline.api.converting`."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from ninja import Query, Router, Schema

from crm.api.authenticating import ApiRequest
from crm.api.authorising import editable, visible
from crm.api.problems import refuse_invalid
from crm.api.reading import Asked, filters_of, page_of
from crm.api.shapes import NamedRef, Page, PersonRef, SeenRecord, Sent, SlugRef, shape_of
from crm.api.writing import filled, write
from crm.forms.lead_filters import LeadFilterForm
from crm.forms.leads import LeadAssignForm, LeadDisqualifyForm, LeadEditForm, LeadForm, LeadNurtureForm
from crm.models import Lead
from crm.rules import leads as rules

router = Router(tags=["leads"])
RELATED = ("owner", "team", "source", "campaign", "company", "contact", "disqualify_reason")


class LeadShape(Schema):
    """A lead."""

    id: int
    version: int
    external_id: str | None
    name: str
    company_name: str
    email: str
    phone: str
    message: str
    status: Lead.Status
    source: SlugRef | None
    campaign: NamedRef | None
    owner: PersonRef | None
    team: NamedRef | None
    company: NamedRef | None
    contact: NamedRef | None
    disqualify_reason: NamedRef | None
    created_at: dt.datetime
    first_response_at: dt.datetime | None
    qualified_at: dt.datetime | None
    converted_at: dt.datetime | None
    disqualified_at: dt.datetime | None
    nurture_until: dt.date | None
    next_step_at: dt.datetime | None
    last_touch_at: dt.datetime | None


shape_of(Lead, LeadShape)


class LeadsAsked(Asked):
    """Leads by text, source, owner and team (ids), status, and the days they came in on."""

    q: str = ""
    source: int | None = None
    owner: int | None = None
    team: int | None = None
    status: str = ""
    since: str = ""
    until: str = ""


class LeadFields(Sent):
    """What a person says of a lead; a new one's `owner` is oneself unless said otherwise, null is nobody yet."""

    name: str | None = None
    company_name: str | None = None
    email: str | None = None
    phone: str | None = None
    message: str | None = None
    source: int | None = None
    campaign: int | None = None
    team: int | None = None


class LeadNew(LeadFields):
    """A new lead."""

    name: str
    owner: int | None = None


class LeadChange(LeadFields, SeenRecord):
    """Fields of a lead as it was seen; what is not sent stays."""


class LeadAssignment(SeenRecord):
    """Whose the lead is to be; null is nobody."""

    owner: int | None


class LeadDisqualification(SeenRecord):
    """Why the lead is no customer: the id of a reason."""

    reason: int


class LeadNurturing(SeenRecord):
    """The day on which the lead comes back."""

    until: dt.date


@router.get("/leads", response=Page[LeadShape], url_name="lead_list")
def lead_list(request: ApiRequest, asked: Query[LeadsAsked]) -> dict[str, Any]:
    """Leads, newest first."""
    form = LeadFilterForm(filters_of(request, asked), user=request.user)
    refuse_invalid(form)
    leads = form.narrow(Lead.objects.visible_to(request.user).select_related(*RELATED))
    if form.cleaned_data["status"]:
        leads = leads.filter(status=form.cleaned_data["status"])
    return page_of(request, leads, asked, ("-created_at", "-pk"))


@router.post("/leads", response={201: LeadShape})
def lead_create(request: ApiRequest, body: LeadNew) -> HttpResponse:
    """Add a lead; its response clock runs from now."""

    def act() -> Lead:
        form = filled(lambda data: LeadForm(data, user=request.user), body)
        return rules.create_lead(fields=form.cleaned_data, by=request.user, now=timezone.now())

    return write(request, act, status=201)


@router.get("/leads/{int:pk}", response=LeadShape, url_name="lead_detail")
def lead_detail(request: ApiRequest, pk: int) -> Lead:
    """One lead."""
    return visible(Lead.objects.select_related(*RELATED), request.user, pk)


@router.patch("/leads/{int:pk}", response=LeadShape)
def lead_edit(request: ApiRequest, pk: int, body: LeadChange) -> HttpResponse:
    """Change some fields of a lead."""

    def act() -> Lead:
        lead = editable(Lead.objects, request.user, pk)
        form = filled(lambda data: LeadEditForm(data, instance=lead, user=request.user), body)
        return rules.edit_lead(lead, fields=form.cleaned_data, seen_version=body.version, by=request.user)

    return write(request, act)


@router.delete("/leads/{int:pk}", response={204: None})
def lead_delete(request: ApiRequest, pk: int, version: Query[int]) -> HttpResponse:
    """Put a lead into the bin, for 30 days."""

    def act() -> None:
        lead = editable(Lead.objects, request.user, pk)
        rules.delete_lead(lead, seen_version=version, by=request.user, now=timezone.now())

    return write(request, act)


# --- What is done with a lead ---------------------------------------------------------------------------------------


@router.post("/leads/{int:pk}/claim", response=LeadShape, url_name="lead_claim")
def lead_claim(request: ApiRequest, pk: int) -> HttpResponse:
    """Take a lead that is nobody's; of several who try, one succeeds and the others are told who."""
    return write(request, lambda: rules.claim_lead(visible(Lead.objects, request.user, pk), by=request.user))


@router.post("/leads/{int:pk}/assign", response=LeadShape, url_name="lead_assign")
def lead_assign(request: ApiRequest, pk: int, body: LeadAssignment) -> HttpResponse:
    """Give a lead to somebody, or to nobody."""

    def act() -> Lead:
        lead = editable(Lead.objects, request.user, pk)
        form = filled(lambda data: LeadAssignForm(data, user=request.user), body)
        return rules.assign_lead(lead, to=form.cleaned_data["owner"], seen_version=body.version, by=request.user)

    return write(request, act)


@router.post("/leads/{int:pk}/qualify", response=LeadShape, url_name="lead_qualify")
def lead_qualify(request: ApiRequest, pk: int, body: SeenRecord) -> HttpResponse:
    """Mark a lead as worth a deal."""

    def act() -> Lead:
        lead = editable(Lead.objects, request.user, pk)
        return rules.qualify_lead(lead, seen_version=body.version, by=request.user, now=timezone.now())

    return write(request, act)


@router.post("/leads/{int:pk}/disqualify", response=LeadShape, url_name="lead_disqualify")
def lead_disqualify(request: ApiRequest, pk: int, body: LeadDisqualification) -> HttpResponse:
    """Close a lead as no customer, for a reason."""

    def act() -> Lead:
        lead = editable(Lead.objects, request.user, pk)
        reason = filled(LeadDisqualifyForm, body).cleaned_data["reason"]
        now = timezone.now()
        return rules.disqualify_lead(lead, reason=reason, seen_version=body.version, by=request.user, now=now)

    return write(request, act)


@router.post("/leads/{int:pk}/nurture", response=LeadShape, url_name="lead_nurture")
def lead_nurture(request: ApiRequest, pk: int, body: LeadNurturing) -> HttpResponse:
    """Put a lead aside until a day."""

    def act() -> Lead:
        lead = editable(Lead.objects, request.user, pk)
        until = filled(LeadNurtureForm, body).cleaned_data["until"]
        now = timezone.now()
        return rules.nurture_lead(lead, until=until, seen_version=body.version, by=request.user, now=now)

    return write(request, act)


@router.post("/leads/{int:pk}/reopen", response=LeadShape, url_name="lead_reopen")
def lead_reopen(request: ApiRequest, pk: int, body: SeenRecord) -> HttpResponse:
    """Take a disqualified or nurtured lead into work again."""

    def act() -> Lead:
        lead = editable(Lead.objects, request.user, pk)
        return rules.reopen_lead(lead, seen_version=body.version, by=request.user, now=timezone.now())

    return write(request, act)
