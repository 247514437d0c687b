"""What choosers offer while one types: rows the person may see."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from crm.forms.inputs import OFFERED
from crm.models import Company, Contact, Lead
from crm.views.requests import PersonRequest

LONGEST = 200
"""Nobody types a longer name; a longer text finds nothing it would not find without its end."""


@require_safe
def choose_companies(request: PersonRequest) -> HttpResponse:
    """Offer companies by name or domain; to a field that takes any name (`?company=`) as what it suggests."""
    said = request.GET.get("q", request.GET.get("company", ""))[:LONGEST]
    found = Company.objects.visible_to(request.user).matching(said)
    if not request.htmx:
        return _offer(found)
    return render(request, "crm/company_suggestions.html", {"companies": found[:OFFERED] if said.strip() else []})


@require_safe
def choose_leads(request: PersonRequest) -> JsonResponse:
    """Offer leads by name, company, e-mail or phone, each with its company."""
    found = Lead.objects.visible_to(request.user).matching(request.GET.get("q", "")[:LONGEST])
    return _offer(found, beside="company_name")


@require_safe
def choose_contacts(request: PersonRequest) -> JsonResponse:
    """Offer contacts by name, e-mail or phone, each with its company."""
    found = Contact.objects.visible_to(request.user).matching(request.GET.get("q", "")[:LONGEST])
    return _offer(found.select_related("company"), beside="company")


def _offer(rows: Any, *, beside: str = "") -> JsonResponse:
    offers = [{"value": str(row.pk), "text": _text(row, beside)} for row in rows[:OFFERED]]
    return JsonResponse(offers, safe=False)


def _text(row: Any, beside: str) -> str:
    further = getattr(row, beside) if beside else None
    return f"{row}, {further}" if further else str(row)
