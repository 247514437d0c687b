"""Companies and contacts over the API."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from ninja import Query, Router, Schema

from crm.api.authenticating import ApiRequest
from crm.api.authorising import editable, visible
from crm.api.reading import Asked, filters_of, narrowed, page_of
from crm.api.shapes import NamedRef, Page, PersonRef, SeenRecord, Sent, shape_of
from crm.api.writing import filled, write
from crm.forms.companies import CompanyForm, ContactForm
from crm.models import Company, Contact
from crm.rules.companies import add_company, add_contact, delete_record, edit_record
from pipeline.forms.record_filters import CompanyFilter, ContactFilter

router = Router(tags=["companies and contacts"])
BY_NAME = ("search", "pk")


class CompanyShape(Schema):
    """An organisation."""

    id: int
    version: int
    external_id: str | None
    name: str
    domain: str
    industry: str
    country: str
    employees: int | None
    owner: PersonRef | None
    created_at: dt.datetime
    next_step_at: dt.datetime | None
    last_touch_at: dt.datetime | None


class ContactShape(Schema):
    """A person one talks to."""

    id: int
    version: int
    external_id: str | None
    name: str
    position: str
    company: NamedRef | None
    email: str
    phone: str
    owner: PersonRef | None
    created_at: dt.datetime
    next_step_at: dt.datetime | None
    last_touch_at: dt.datetime | None


shape_of(Company, CompanyShape)
shape_of(Contact, ContactShape)


class CompaniesAsked(Asked):
    """Companies by text, owner (id), industry and country."""

    q: str = ""
    owner: int | None = None
    industry: str = ""
    country: str = ""


class ContactsAsked(Asked):
    """Contacts by text and owner (id)."""

    q: str = ""
    owner: int | None = None


class CompanyFields(Sent):
    """What a person says of a company; a new one is one's own unless said otherwise."""

    name: str | None = None
    domain: str | None = None
    industry: str | None = None
    country: str | None = None
    employees: int | None = None
    owner: int | None = None


class CompanyNew(CompanyFields):
    """A new company."""

    name: str


class CompanyChange(CompanyFields, SeenRecord):
    """Fields of a company as it was seen; what is not sent stays."""


class ContactFields(Sent):
    """What a person says of a contact; a new one is one's own unless said otherwise."""

    name: str | None = None
    position: str | None = None
    company: int | None = None
    email: str | None = None
    phone: str | None = None
    owner: int | None = None


class ContactNew(ContactFields):
    """A new contact."""

    name: str


class ContactChange(ContactFields, SeenRecord):
    """Fields of a contact as it was seen; what is not sent stays."""


@router.get("/companies", response=Page[CompanyShape], url_name="company_list")
def company_list(request: ApiRequest, asked: Query[CompaniesAsked]) -> dict[str, Any]:
    """Companies, by name."""
    rows = Company.objects.visible_to(request.user).select_related("owner")
    found = narrowed(CompanyFilter(filters_of(request, asked), rows, request=request))
    return page_of(request, found, asked, BY_NAME)


@router.post("/companies", response={201: CompanyShape})
def company_create(request: ApiRequest, body: CompanyNew) -> HttpResponse:
    """Add a company."""

    def act() -> Company:
        form = filled(lambda data: CompanyForm(data, by=request.user), body)
        return add_company(fields=form.said(), by=request.user)

    return write(request, act, status=201)


@router.get("/companies/{int:pk}", response=CompanyShape, url_name="company_detail")
def company_detail(request: ApiRequest, pk: int) -> Company:
    """One company."""
    return visible(Company.objects.select_related("owner"), request.user, pk)


@router.patch("/companies/{int:pk}", response=CompanyShape)
def company_edit(request: ApiRequest, pk: int, body: CompanyChange) -> HttpResponse:
    """Change some fields of a company."""
    return _edit(request, Company, CompanyForm, pk, body)


@router.delete("/companies/{int:pk}", response={204: None})
def company_delete(request: ApiRequest, pk: int, version: Query[int]) -> HttpResponse:
    """Put a company into the bin, for 30 days; its deals stay."""
    return _delete(request, Company, pk, version)


@router.get("/contacts", response=Page[ContactShape], url_name="contact_list")
def contact_list(request: ApiRequest, asked: Query[ContactsAsked]) -> dict[str, Any]:
    """Contacts, by name."""
    rows = Contact.objects.visible_to(request.user).select_related("owner", "company")
    found = narrowed(ContactFilter(filters_of(request, asked), rows, request=request))
    return page_of(request, found, asked, BY_NAME)


@router.post("/contacts", response={201: ContactShape})
def contact_create(request: ApiRequest, body: ContactNew) -> HttpResponse:
    """Add a contact."""

    def act() -> Contact:
        form = filled(lambda data: ContactForm(data, by=request.user), body)
        return add_contact(fields=form.said(), by=request.user)

    return write(request, act, status=201)


@router.get("/contacts/{int:pk}", response=ContactShape, url_name="contact_detail")
def contact_detail(request: ApiRequest, pk: int) -> Contact:
    """One contact."""
    return visible(Contact.objects.select_related("owner", "company"), request.user, pk)


@router.patch("/contacts/{int:pk}", response=ContactShape)
def contact_edit(request: ApiRequest, pk: int, body: ContactChange) -> HttpResponse:
    """Change some fields of a contact."""
    return _edit(request, Contact, ContactForm, pk, body)


@router.delete("/contacts/{int:pk}", response={204: None})
def contact_delete(request: ApiRequest, pk: int, version: Query[int]) -> HttpResponse:
    """Put a contact into the bin, for 30 days."""
    return _delete(request, Contact, pk, version)


def _edit(request: ApiRequest, model: Any, form_class: Any, pk: int, body: SeenRecord) -> HttpResponse:
    def act() -> Any:
        record = editable(model.objects, request.user, pk)
        said = body.model_dump(exclude_unset=True, exclude={"version"})
        form = filled(lambda data: form_class(data, instance=record, by=request.user), said)
        return edit_record(record, fields=form.said(), by=request.user, seen_version=body.version)

    return write(request, act)


def _delete(request: ApiRequest, model: Any, pk: int, version: int) -> HttpResponse:
    def act() -> None:
        record = editable(model.objects, request.user, pk)
        delete_record(record, by=request.user, now=timezone.now(), seen_version=version)

    return write(request, act)
