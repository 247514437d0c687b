"""Companies and contacts with their deals: the lists and the pages. Editing them is crm/views/companies.py."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Case, Count, Max, Q, When
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from crm.models import Company, Contact, User
from crm.rules.merging import undoable_merges
from crm.views.activities import composer_for
from crm.views.authorising import may_edit, visible_or_404
from crm.views.next_step import next_step_of, phone_url
from crm.views.requests import PersonRequest
from crm.views.timeline import asks_for_timeline, render_timeline, timeline_of
from pipeline.forms.record_filters import CompanyFilter, ContactFilter
from pipeline.models import Contract, Deal
from pipeline.views.contracts import standing_of
from pipeline.views.record_lists import read_list
from pipeline.views.sums import sums_of

DEALS = 8
"""So many deals stand on a company's or contact's page; the rest is one click away in the deal list."""

PEOPLE = 12
BY_NAME = {"name": ("search", "pk")}


@require_safe
def company_list(request: PersonRequest) -> HttpResponse:
    """Companies one may see, by name, with how many open deals each has."""
    user: User = request.user
    rows = Company.objects.visible_to(user).select_related("owner")
    found = read_list(
        request, CompanyFilter(request.GET, queryset=rows, request=request), orders={"name": ("search", "pk")}
    )
    _read_deals(found.rows, user, "company")
    return _show(request, "pipeline/company_list.html", found)


@require_safe
def contact_list(request: PersonRequest) -> HttpResponse:
    """Contacts one may see, by name, with how many open deals each has."""
    user: User = request.user
    rows = Contact.objects.visible_to(user).select_related("owner", "company")
    found = read_list(
        request, ContactFilter(request.GET, queryset=rows, request=request), orders={"name": ("search", "pk")}
    )
    _read_deals(found.rows, user, "contact")
    for contact in found.rows:
        contact.phone_url = phone_url(contact.phone)
    return _show(request, "pipeline/contact_list.html", found)


@require_safe
def company_detail(request: PersonRequest, pk: int) -> HttpResponse:
    """A company: its facts, people, deals with what they come to, contracts, and everything that happened."""
    company = visible_or_404(Company.objects.select_related("owner"), request.user, pk=pk)
    deals = Deal.objects.visible_to(request.user).filter(company=company)
    contacts = Contact.objects.visible_to(request.user).filter(company=company)
    timeline = timeline_of(
        company, request, changes=[], related=[deals.select_related("contact"), contacts.select_related("company")]
    )
    if asks_for_timeline(request):
        return render_timeline(request, timeline)
    _read_deals([company], request.user, "company")
    context = _about(company, deals, request) | {
        "company": company,
        "timeline": timeline,
        "people": [(contact, True) for contact in contacts[:PEOPLE]],
        "contracts": standing_of(_contracts(company, request.user)),
    }
    return render(request, "pipeline/company_detail.html", context)


@require_safe
def contact_detail(request: PersonRequest, pk: int) -> HttpResponse:
    """A person: their facts, company, deals, and everything that happened."""
    contact = visible_or_404(Contact.objects.select_related("owner", "company"), request.user, pk=pk)
    deals = Deal.objects.visible_to(request.user).filter(contact=contact)
    timeline = timeline_of(contact, request, changes=[], related=[deals.select_related("contact")])
    if asks_for_timeline(request):
        return render_timeline(request, timeline)
    _read_deals([contact], request.user, "contact")
    companies = Company.objects.visible_to(request.user)
    context = _about(contact, deals, request) | {
        "contact": contact,
        "timeline": timeline,
        "phone_url": phone_url(contact.phone),
        "company_is_visible": companies.filter(pk=contact.company_id).exists(),
    }
    return render(request, "pipeline/contact_detail.html", context)


def _about(record: Any, deals: Any, request: PersonRequest) -> dict[str, Any]:
    """What the pages of companies and contacts share."""
    now = timezone.now()
    return {
        "record_pk": str(record.pk),
        "now": now,
        "may_edit": may_edit(record, request.user),
        "merges": undoable_merges(record, by=request.user, now=now),
        "composer": composer_for(record, request),
        "next_step": next_step_of(record, request.user, now=now),
        **_deals(deals, now.date()),
    }


def _deals(deals: Any, day: dt.date) -> dict[str, Any]:
    is_closed = Case(When(outcome=Deal.Outcome.OPEN, then=0), default=1)
    rows = deals.select_related("stage", "owner").order_by(is_closed, "-recorded_at", "-pk")
    return {
        "deals": list(rows[:DEALS]),
        "deal_count": deals.count(),
        "open_sums": sums_of(deals.open(), day),
        "won_sums": sums_of(deals.won(), day),
    }


def _contracts(company: Company, user: Any) -> Any:
    """The company's contracts that the person may see, and those of deals they may see."""
    visible = Contract.objects.visible_to(user).values("pk")
    deals = Deal.objects.visible_to(user).filter(company=company).values("pk")
    return Contract.objects.present().filter(Q(pk__in=visible) | Q(deal__in=deals), company=company)


def _read_deals(rows: list[Any], user: User, field: str) -> None:
    """Write `open_deals` and `touched_at` into each row of the page: one query, and only for what is shown."""
    deals = Deal.objects.visible_to(user).filter(**{f"{field}__in": rows}).order_by()
    open_deals = Count("pk", filter=Q(outcome=Deal.Outcome.OPEN))
    read = {
        pk: rest
        for pk, *rest in deals.values_list(field).annotate(open_deals=open_deals, touched_at=Max("last_touch_at"))
    }
    for row in rows:
        row.open_deals, touched_at = read.get(row.pk, (0, None))
        row.touched_at = max(filter(None, (row.last_touch_at, touched_at)), default=None)


def _show(request: PersonRequest, template: str, found: Any) -> HttpResponse:
    return render(request, template, {"found": found}, status=422 if found.filters.form.errors else 200)
