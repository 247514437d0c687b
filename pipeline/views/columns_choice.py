"""Choosing the columns of a list and their order: a form whose answer stands in the list's address."""

from __future__ import annotations

from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crm.rules.appearance import choose_columns
from crm.views.addresses import asking, way_back
from crm.views.requests import PersonRequest
from pipeline.views.columns import ASKED, Column, columns_asked
from pipeline.views.company_columns import COMPANIES, CONTACTS
from pipeline.views.deal_columns import TABLE as DEALS
from pipeline.views.lead_columns import TABLE as LEADS

LISTS = {"deals": (DEALS, "deal_list"), "leads": (LEADS, "lead_list"),
         "companies": (COMPANIES, "company_list"), "contacts": (CONTACTS, "contact_list")}  # fmt: skip
"""Each list's columns and page."""


@require_http_methods(["GET", "HEAD", "POST"])
def columns_choose(request: PersonRequest, name: str) -> HttpResponse:
    """Show every column of the list to tick and to move; what is chosen is remembered, and stands in the address."""
    if name not in LISTS:
        raise Http404
    table, page = LISTS[name]
    query = request.POST if request.method == "POST" else request.GET
    ticked = columns_asked(query, table)
    if request.method == "POST" and not ({"up", "down"} & request.POST.keys()):
        is_standard = "standard" in request.POST or not ticked
        keys = [] if is_standard else [column.key for column in ticked]
        choose_columns(request.user, name=name, keys=keys)
        back = redirect(way_back(request, "back") or page).url
        return redirect(asking(back, **{ASKED: ",".join(keys), "page": ""}))
    keys = [*query.getlist("order"), *(column.key for column in ticked), *(column.key for column in table.columns)]
    context = {
        "table": table,
        "rows": [(column, column in ticked) for column in _moved(table.of(keys), query)],
        "moved": query.get("up") or query.get("down"),
        "back": query.get("back", ""),
        "title": _("Columns"),
        "dialog_template": "pipeline/columns.html",
        "is_page": not request.htmx,
    }
    if request.htmx.target == "column-rows":
        return render(request, "pipeline/columns.html#rows", context)
    return render(request, "pipeline/columns.html" if request.htmx else "components/dialog_page.html", context)


def _moved(columns: list[Column], query: QueryDict) -> list[Column]:
    """Exchange the column that `up` or `down` names with its neighbour; at the end of the list it stays."""
    keys = [column.key for column in columns]
    for name, step in (("up", -1), ("down", 1)):
        if (key := query.get(name)) in keys and 0 <= (to := keys.index(key) + step) < len(columns):
            columns[to - step], columns[to] = columns[to], columns[to - step]
    return columns
