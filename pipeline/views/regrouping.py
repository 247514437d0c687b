"""Dragging between owners and months over HTTP; the menu posts the same forms."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from crm.models import User
from crm.templatetags.formats import day as day_tag
from crm.views.addresses import whole_number
from crm.views.authorising import editable_or_403, visible_or_404
from crm.views.requests import PersonRequest, posted
from pipeline.forms.moves import SeenDealForm
from pipeline.forms.regrouping import HandOverForm, RedateForm
from pipeline.models import Deal
from pipeline.rules.closing_months import month_key
from pipeline.rules.regrouping import hand_over_deal, redate_deal, take_back_deal
from pipeline.views.moves import Told, answer, ask_again


@require_http_methods(["GET", "HEAD", "POST"])
def deal_hand_over(request: PersonRequest, pk: int) -> HttpResponse:
    """Give a deal to somebody else; whom the person may not see is 404."""
    deal = editable_or_403(_deals(), request.user, pk=pk)
    form = HandOverForm(posted(request), deal=deal, by=request.user, initial=_asked(request))
    if request.method == "POST":
        if form.has_error("to", code="invalid_choice") and not _sees(request, form["to"].value()):
            return HttpResponse(status=404)
        if form.is_valid():
            said = form.cleaned_data
            write = {"to": said["to"], "seen_version": said["version"], "by": request.user, "key": said["key"]}
            return answer(request, deal, form, lambda: hand_over_deal(deal, **write), handed_over_from(deal))
    return ask_again(request, form)


@require_http_methods(["GET", "HEAD", "POST"])
def deal_redate(request: PersonRequest, pk: int) -> HttpResponse:
    """Expect a deal to close in another month, or on another day."""
    deal = editable_or_403(_deals(), request.user, pk=pk)
    form = RedateForm(posted(request), deal=deal, by=request.user, initial=_asked(request))
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        write = {"seen_version": said["version"], "by": request.user, "key": said["key"]}
        to = said["expected_close_on"]
        return answer(request, deal, form, lambda: redate_deal(deal, to=to, **write), redated_from(deal))
    return ask_again(request, form)


@require_POST
def deal_take_back(request: PersonRequest, pk: int) -> HttpResponse:
    """Take back one's own last change of owner or date, also where the deal is no longer one's own."""
    deal = visible_or_404(_deals(), request.user, pk=pk)
    form = SeenDealForm(request.POST, deal=deal, by=request.user)
    if not form.is_valid():
        editable_or_403(Deal.objects, request.user, pk=pk)
        return HttpResponse(status=422)
    version, now = form.cleaned_data["version"], timezone.now()
    told = redated_from(deal) if request.POST.get("by") == "month" else handed_over_from(deal)
    return answer(
        request, deal, form, lambda: take_back_deal(deal, seen_version=version, by=request.user, now=now), told
    )


def handed_over_from(before: Deal) -> Told:
    """What pages are told of a hand-over of the deal that was `before`."""
    owner = before.owner
    return lambda deal: handed_over_event(deal, owner)


def handed_over_event(deal: Deal, owner: User) -> dict[str, Any]:
    """What pages are told of a deal that was `owner`'s."""
    return {
        **_event("owner", deal),
        "stage": str(deal.owner_id),
        "from": str(owner.pk),
        "from_label": str(owner),
        "to_label": str(deal.owner),
        "is_moved": owner.pk != deal.owner_id,
    }


def redated_from(before: Deal) -> Told:
    """What pages are told of a new date of the deal that was `before`."""
    was = before.expected_close_on
    return lambda deal: redated_event(deal, was)


def redated_event(deal: Deal, was: dt.date | None) -> dict[str, Any]:
    """What pages are told of a deal that was expected to close on `was`."""
    today = timezone.localdate()
    return {
        **_event("month", deal),
        "stage": month_key(deal.expected_close_on, today),
        "from": month_key(was, today),
        "from_label": _day_text(was),
        "to_label": _day_text(deal.expected_close_on),
        "is_moved": was != deal.expected_close_on,
    }


def _event(by: str, deal: Deal) -> dict[str, Any]:
    undo = reverse("deal_take_back", args=[deal.pk])
    is_lost = deal.outcome == Deal.Outcome.LOST
    return {"by": by, "undo": undo, "pk": deal.pk, "version": deal.version, "title": deal.name, "is_lost": is_lost}


def _day_text(day: Any) -> str:
    return strip_tags(day_tag(day)) if day else _("No date")


def _deals() -> Any:
    return Deal.objects.select_related("stage", "owner")


def _asked(request: PersonRequest) -> dict[str, Any]:
    to = request.GET.get("to")
    return {"to": to} if to else {}


def _sees(request: PersonRequest, pk: Any) -> bool:
    return User.objects.visible_to(request.user).filter(pk=whole_number(str(pk or ""))).exists()
