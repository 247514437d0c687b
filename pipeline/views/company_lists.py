"""The lists of companies and contacts: filters, columns and order in the address, export of what is shown."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.db.models import Count, Max, Q
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from crm.models import Company, Contact, SavedView, User
from crm.views.next_step import phone_url
from crm.views.requests import PersonRequest
from crm.views.saved_views import Shelf, with_saved_views
from pipeline.forms.record_filters import CompanyFilter, ContactFilter
from pipeline.models import Deal
from pipeline.views.columns import Shown, columns_asked, kept_in, shown_columns, spreadsheet
from pipeline.views.company_columns import (
    BY_NAME,
    COMPANIES,
    COMPANY_CELLS,
    CONTACT_CELLS,
    CONTACTS,
    OF_DEALS,
    WHOLE_COMPANY,
    WHOLE_CONTACT,
)
from pipeline.views.record_lists import RecordList, menu_of_filter, ordered, read_list
from pipeline.views.taking_back import offers_what_stopped

AT_ONCE = 500
"""Of so many rows of an export the deals are read together."""


@require_safe
@with_saved_views(SavedView.Page.COMPANIES)
@offers_what_stopped
def company_list(request: PersonRequest, shelf: Shelf) -> HttpResponse:
    """Companies one may see, by name, with how many open deals each has."""
    filters = _companies(request)
    if menu := menu_of_filter(request, filters):
        return menu
    found = read_list(request, filters, orders=BY_NAME)
    shown = shown_columns(request, COMPANIES)
    _read_what_is_shown(found, shown, request.user, "company")
    return _show(request, "pipeline/company_list.html", found, shown, shelf)


@require_safe
@with_saved_views(SavedView.Page.CONTACTS)
@offers_what_stopped
def contact_list(request: PersonRequest, shelf: Shelf) -> HttpResponse:
    """Contacts one may see, by name, with how many open deals each has."""
    filters = _contacts(request)
    if menu := menu_of_filter(request, filters):
        return menu
    found = read_list(request, filters, orders=BY_NAME)
    shown = shown_columns(request, CONTACTS)
    _read_what_is_shown(found, shown, request.user, "contact")
    for contact in found.rows:
        contact.phone_url = phone_url(contact.phone)
    return _show(request, "pipeline/contact_list.html", found, shown, shelf)


@require_safe
def company_export(request: PersonRequest) -> StreamingHttpResponse:
    """Give all matching companies as a table for a spreadsheet."""
    rows = _with_deals(request, companies_matching(request), "company", bool(columns_asked(request.GET, COMPANIES)))
    return spreadsheet(request, COMPANIES, COMPANY_CELLS, rows, whole=WHOLE_COMPANY)


@require_safe
def contact_export(request: PersonRequest) -> StreamingHttpResponse:
    """Give all matching contacts as a table for a spreadsheet."""
    rows = _with_deals(request, contacts_matching(request), "contact", bool(columns_asked(request.GET, CONTACTS)))
    return spreadsheet(request, CONTACTS, CONTACT_CELLS, rows, whole=WHOLE_CONTACT)


def companies_matching(request: PersonRequest) -> Any:
    """Return all companies that the address asks for, in its order."""
    return ordered(request, _companies(request), BY_NAME)


def contacts_matching(request: PersonRequest) -> Any:
    """Return all contacts that the address asks for, in its order."""
    return ordered(request, _contacts(request), BY_NAME)


def read_deals(rows: list[Any], user: User, field: str) -> None:
    """Write `open_deals` and `touched_at` into each of the rows: one query, and only for what is shown."""
    deals = Deal.objects.visible_to(user).filter(**{f"{field}__in": rows}).order_by()
    open_deals = Count("pk", filter=Q(outcome=Deal.Outcome.OPEN))
    read = {
        pk: rest
        for pk, *rest in deals.values_list(field).annotate(open_deals=open_deals, touched_at=Max("last_touch_at"))
    }
    for row in rows:
        row.open_deals, touched_at = read.get(row.pk, (0, None))
        row.touched_at = max(filter(None, (row.last_touch_at, touched_at)), default=None)


def _companies(request: PersonRequest) -> CompanyFilter:
    rows = Company.objects.visible_to(request.user).select_related("owner")
    return CompanyFilter(request.GET, queryset=rows, request=request)


def _contacts(request: PersonRequest) -> ContactFilter:
    rows = Contact.objects.visible_to(request.user).select_related("owner", "company")
    return ContactFilter(request.GET, queryset=rows, request=request)


def _read_what_is_shown(found: RecordList, shown: Shown, user: User, field: str) -> None:
    if any(key in shown for key in OF_DEALS):
        read_deals(found.rows, user, field)


def _with_deals(request: PersonRequest, matching: Any, field: str, reads_deals: bool) -> Iterator[Any]:  # noqa: FBT001
    """Read rows for a spreadsheet, whatever their number, with what it says of their deals where it may."""
    rows = matching.iterator(chunk_size=AT_ONCE)
    while some := list(islice(rows, AT_ONCE)):
        if reads_deals:
            read_deals(some, request.user, field)
        yield from some


def _show(request: PersonRequest, template: str, found: RecordList, shown: Shown, shelf: Shelf) -> HttpResponse:
    context = {"found": found, "shown": shown, "shelf": kept_in(shelf, shown)}
    return render(request, template, context, status=422 if found.filters.form.errors else 200)
