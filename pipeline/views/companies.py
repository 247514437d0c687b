"""The pages of companies and contacts with their deals. Lists: company_lists.py; editing: crm/views/companies.py."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Case, Q, When
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from crm.models import Company, Contact
from crm.rules.merging import undoable_merges
from crm.views.activities import composer_for
from crm.views.authorising import may_edit, visible_or_404
from crm.views.next_step import next_step_of, phone_url
from crm.views.requests import PersonRequest
from crm.views.timeline import asks_for_timeline, render_timeline, timeline_of
from pipeline.models import Contract, Deal
from pipeline.views.company_lists import read_deals
from pipeline.views.contracts import standing_of
from pipeline.views.sums import sums_of

DEALS = 8
"""So many deals stand on a company's or contact's page; the rest is one click away in the deal list."""

PEOPLE = 12


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
    read_deals([company], request.user, "company")
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
    read_deals([contact], request.user, "contact")
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
