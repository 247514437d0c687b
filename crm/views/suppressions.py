"""Who gets no mail: searched, entered, allowed again, brought in and taken out as a list; for managers and admins."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm.forms.suppressions import SuppressionFileForm, SuppressionForm
from crm.models import Suppression
from crm.rules.suppression import allow_again, suppress, suppress_all
from crm.views.addresses import page_of
from crm.views.dialogs import close_dialog, render_dialog
from crm.views.requests import PersonRequest, posted
from crm.views.spreadsheets import csv_response

PAGE = 50
LIST = "suppressions-changed"


def for_those_who_lead(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Let managers and admins in: the list is the organisation's, and holds addresses of everybody's customers."""

    @wraps(view)
    def guarded(request: PersonRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_in_charge:
            raise PermissionDenied(_("This list is for managers and admins."))
        return view(request, *args, **kwargs)

    return guarded


@require_safe
@for_those_who_lead
def suppression_list(request: PersonRequest) -> HttpResponse:
    """Addresses that get no mail, the latest first, or those that hold a text."""
    text = request.GET.get("q", "").strip()
    rows = Suppression.objects.filter(address__contains=text.lower()) if text else Suppression.objects.all()
    page = page_of(rows, request, size=PAGE)
    return render(request, "crm/suppression_list.html", {"page": page, "text": text})


@require_http_methods(["GET", "HEAD", "POST"])
@for_those_who_lead
def suppression_create(request: PersonRequest) -> HttpResponse:
    """Enter an address that wants no mail."""
    form = SuppressionForm(posted(request))
    if request.method == "POST" and form.is_valid():
        said, now = form.cleaned_data, timezone.now()
        reason = Suppression.Reason.BY_HAND
        suppress(said["address"], reason=reason, by=request.user, now=now, detail=said["detail"])
        messages.success(request, _("Nothing more is sent to %(address)s.") % {"address": said["address"]})
        return close_dialog(request, to="suppression_list", event=LIST)
    context = {"title": _("Send nothing more to"), "action": reverse("suppression_create"), "submit": _("Add")}
    return render_dialog(request, form, context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_those_who_lead
def suppression_import(request: PersonRequest) -> HttpResponse:
    """Bring in a list of addresses, of another program's, say."""
    form = SuppressionFileForm(posted(request), request.FILES or None)
    if request.method == "POST" and form.is_valid():
        count = suppress_all(form.cleaned_data["file"], by=request.user, now=timezone.now())
        text = ngettext("%(count)s address is new on the list.", "%(count)s addresses are new on the list.", count)
        messages.success(request, text % {"count": count})
        return close_dialog(request, to="suppression_list", event=LIST)
    context = {"title": _("Bring in a list"), "action": reverse("suppression_import"), "submit": _("Bring in")}
    return render_dialog(request, form, context, template="crm/suppression_import.html")


@require_safe
@for_those_who_lead
def suppression_export(_request: PersonRequest) -> StreamingHttpResponse:
    """The whole list for a spreadsheet."""
    header = [_("Address"), _("Reason"), _("In their words"), _("Since")]
    rows = Suppression.objects.all().iterator()
    cells = (
        [row.address, row.get_reason_display(), row.detail, f"{timezone.localtime(row.at):%Y-%m-%d %H:%M}"]
        for row in rows
    )
    return csv_response("no-mail", header, cells)


@require_POST
@for_those_who_lead
def suppression_allow(request: PersonRequest, pk: int) -> HttpResponse:
    """Let mail go to an address again."""
    row = get_object_or_404(Suppression, pk=pk)
    allow_again(row, by=request.user)
    messages.success(request, _("Mail may go to %(address)s again.") % {"address": row.address})
    return close_dialog(request, to="suppression_list", event=LIST) if request.htmx else redirect("suppression_list")
