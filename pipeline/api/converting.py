"""A lead becomes a deal, over the API."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, Literal

from django.http import HttpResponse
from django.utils import timezone
from ninja import Field, Router

from crm.api.authenticating import ApiRequest
from crm.api.authorising import editable
from crm.api.shapes import SeenRecord
from crm.api.writing import filled, write
from crm.models import Lead
from pipeline.api.deals import DealShape
from pipeline.api.stages import beginning_named
from pipeline.forms.converting import LeadConvertForm
from pipeline.models import Deal
from pipeline.rules.converting import convert_lead

router = Router(tags=["leads"])


class LeadConversion(SeenRecord):
    """What the lead becomes: a deal of an existing company and contact (ids), or of new ones by name ("" for none).

    What is not said is what the dialog would offer: the company and contact that are surely meant, else the lead's own
    names; the first stage. `answers` holds what is known of the pipeline's qualifying questions, by their ids.
    """

    name: str | None = None
    stage: int | str | None = None
    pipeline: str | None = None
    company: int | None = None
    company_name: str | None = None
    contact: int | None = None
    contact_name: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    expected_close_on: dt.date | None = None
    answers: dict[int, Literal["yes", "no", "unknown"]] = Field(default_factory=dict)


@router.post("/leads/{int:pk}/convert", response={201: DealShape}, url_name="lead_convert")
def lead_convert(request: ApiRequest, pk: int, body: LeadConversion) -> HttpResponse:
    """Make a lead a deal with company and contact; one that is a deal already answers with its deal."""

    def act() -> Deal:
        lead = editable(Lead.objects.select_related("source", "owner"), request.user, pk)
        if (first := Deal.objects.visible_to(request.user).filter(lead=lead).first()) is not None:
            return first
        form = filled(lambda data: LeadConvertForm(data, lead=lead, user=request.user), _said(request, body))
        into, now = form.conversion(), timezone.now()
        return convert_lead(lead, into=into, seen_version=body.version, by=request.user, now=now)

    return write(request, act, status=201)


def _said(request: ApiRequest, body: LeadConversion) -> dict[str, Any]:
    """What was sent; a name for a new company or contact means that none of the existing ones is meant."""
    said = body.model_dump(exclude_unset=True, exclude={"pipeline", "answers"})
    said |= {f"question_{pk}": answer for pk, answer in body.answers.items()}
    for kind in ("company", "contact"):
        if f"{kind}_name" in said:
            said.setdefault(kind, None)
    return said | {"stage": beginning_named(body.stage, body.pipeline, request.user)}
