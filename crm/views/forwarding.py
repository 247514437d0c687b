"""What the old address of a merged record answers."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

KEYS = ("pk", "subject_pk")
"""What an address calls the record."""


def answer_merged(request: HttpRequest, survivor: Any) -> HttpResponse:
    """Go on to the same page of the survivor; what was to be changed is not, and the answer says why (409)."""
    if request.method in {"GET", "HEAD"}:
        return redirect(_same_page_of(request, survivor))
    message = _("This record has been merged into “%(survivor)s”; nothing was changed. Look there, and do it again.")
    context = {
        "title": str(survivor),
        "message": message % {"survivor": survivor},
        "survivor": survivor,
        "dialog_template": "crm/merge_refusal.html",
    }
    is_partial = getattr(request, "htmx", False)
    page = "crm/merge_refusal.html" if is_partial else "components/dialog_page.html"
    response = render(request, page, context, status=409)
    if is_partial:
        response["HX-Retarget"], response["HX-Reswap"] = "#dialog", "innerHTML"
    return response


def _same_page_of(request: HttpRequest, survivor: Any) -> str:
    match = request.resolver_match
    if match is None or not match.view_name:
        return str(survivor.get_absolute_url())
    key = next(name for name in KEYS if name in match.kwargs)
    address = reverse(match.view_name, kwargs={**match.kwargs, key: survivor.pk})
    query = request.META.get("QUERY_STRING", "")
    return f"{address}?{query}" if query else address
