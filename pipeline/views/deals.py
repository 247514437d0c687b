"""A deal's page, and editing, opening, deleting and restoring deals. Moving them is pipeline/views/moves.py."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm.models import Company, Contact, Lead, QualifyingAnswer
from crm.views.activities import composer_for
from crm.views.addresses import whole_number
from crm.views.authorising import editable_or_403, may_edit, visible_or_404, writer_or_403
from crm.views.conflicts import conflict_with
from crm.views.dialogs import close_dialog, render_dialog
from crm.views.next_step import next_step_of
from crm.views.requests import PersonRequest, posted
from crm.views.timeline import asks_for_timeline, render_timeline, timeline_of
from crm.views.undoable import say_undoable
from pipeline.forms.deals import DealForm, NewDealForm, beginnings_for
from pipeline.models import Deal
from pipeline.rules.deals import delete_deal, edit_deal, open_deal, restore_deal
from pipeline.rules.refusals import DealConflict, StageRequires, WrongStage
from pipeline.views.checklists import asks_of
from pipeline.views.contracts import standing_of
from pipeline.views.deal_path import path_of, usual_cycle
from pipeline.views.deal_story import story_of
from pipeline.views.line_items import lines_of

PEOPLE = 4
"""So many people of the deal's company stand on its page."""


@require_safe
def deal_detail(request: PersonRequest, pk: int) -> HttpResponse:
    """Show a deal: its path, what its stage asks for, what happened, what is next, and the facts."""
    return _page(request, visible_or_404(_with_names(), request.user, pk=pk))


def _page(request: PersonRequest, deal: Deal, *, status: int = 200) -> HttpResponse:
    visits = list(deal.visits.select_related("stage", "moved_by"))
    timeline = timeline_of(deal, request, changes=story_of(deal, visits, request.user), related=_lead_of(deal, request))
    if asks_for_timeline(request):
        return render_timeline(request, timeline)
    now = timezone.now()
    stages = list(deal.pipeline.stages.all())
    context = {
        "deal": deal,
        "now": now,
        "path": path_of(deal, stages, visits, now),
        "may_be_won": any(stage.is_won and not stage.is_archived for stage in stages),
        "asks": asks_of(deal, request.user),
        "timeline": timeline,
        "origin": _origin_of(deal, request),
        "composer": composer_for(deal, request),
        "next_step": next_step_of(deal, request.user, now=now),
        "may_edit": may_edit(deal, request.user),
        **_facts(deal, request, now),
    }
    return render(request, "pipeline/deal_detail.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def deal_edit(request: PersonRequest, pk: int) -> HttpResponse:
    """Edit a deal's facts; somebody's change in between is shown beside what was typed, and can be overwritten."""
    deal = editable_or_403(_with_names(), request.user, pk=pk)
    form = DealForm(posted(request), instance=deal, by=request.user)
    context = {
        "title": _("Edit deal"),
        "action": reverse("deal_edit", args=[pk]),
        "submit": _("Save"),
        "cancel_url": deal.get_absolute_url(),
    }
    if request.method == "POST" and form.is_valid():
        try:
            edited = edit_deal(deal, fields=form.said(), seen_version=form.cleaned_data["version"], by=request.user)
        except DealConflict as refusal:
            form.seen_again(refusal.deal.version)
            context["conflict"] = conflict_with(refusal.deal, form)
            return render_dialog(request, form, context, template="pipeline/deal_dialog.html", status=409)
        return close_dialog(request, to=edited, event="deal-changed")
    return render_dialog(request, form, context, template="pipeline/deal_dialog.html")


@require_http_methods(["GET", "HEAD", "POST"])
def deal_create(request: PersonRequest) -> HttpResponse:
    """Open a deal, in the stage and for the company or contact that the address may name."""
    person = writer_or_403(request.user)
    form = NewDealForm(posted(request), initial=_named_in_address(request), by=person)
    if request.method == "POST" and form.is_valid():
        try:
            deal = open_deal(stage=form.cleaned_data["stage"], fields=form.said(), by=person, now=timezone.now())
        except StageRequires as refusal:
            for item in refusal.missing:
                form.add_error(item.key, _("This stage asks for it."))
        except WrongStage as refusal:
            form.add_error("stage", refusal.message)
        else:
            return redirect(deal)
    context = {"title": _("New deal"), "action": request.get_full_path(), "submit": _("Add deal")}
    return render_dialog(request, form, context, template="pipeline/deal_dialog.html")


@require_POST
def deal_delete(request: PersonRequest, pk: int) -> HttpResponse:
    """Put a deal into the bin; where somebody has changed it since it was seen, show it anew instead."""
    deal = editable_or_403(Deal.objects, request.user, pk=pk)
    seen = whole_number(request.POST.get("version"))
    try:
        delete_deal(deal, seen_version=seen or deal.version, by=request.user, now=timezone.now())
    except DealConflict as refusal:
        messages.warning(request, refusal.message)
        return _page(request, visible_or_404(_with_names(), request.user, pk=pk), status=409)
    text = _("“{deal}” is in the bin, for 30 days.").format(deal=deal)
    say_undoable(request, text, undo_url=reverse("deal_restore", args=[pk]))
    return redirect("deal_list")


@require_POST
def deal_restore(request: PersonRequest, pk: int) -> HttpResponse:
    """Take a deal out of the bin."""
    now = timezone.now()
    deal = get_object_or_404(Deal.objects.in_bin_of(request.user, now), pk=pk)
    return redirect(restore_deal(deal, by=request.user, now=now))


def _with_names() -> Any:
    return Deal.objects.select_related(
        "pipeline", "stage", "company", "contact", "owner", "source", "campaign", "loss_reason"
    )


def _origin_of(deal: Deal, request: PersonRequest) -> dict[str, Any] | None:
    """The lead that became the deal, with what it wrote and answered; None where the person may not see it."""
    lead = Lead.objects.visible_to(request.user).filter(pk=deal.lead_id).first() if deal.lead_id else None
    if lead is None:
        return None
    answers = QualifyingAnswer.objects.filter(lead=lead).select_related("question").order_by("question__position")
    return {"lead": lead, "answers": list(answers)}


def _lead_of(deal: Deal, request: PersonRequest) -> list[Any]:
    """What was said while the deal was a lead is the beginning of its timeline."""
    return [Lead.objects.visible_to(request.user).filter(pk=deal.lead_id)] if deal.lead_id else []


def _facts(deal: Deal, request: PersonRequest, now: dt.datetime) -> dict[str, Any]:
    """What stands at the side: money, age, people, lines and contracts."""
    ended = deal.closed_at or now
    return {
        "weighted": None if deal.amount is None else deal.amount * deal.stage.probability / 100,
        "age": None if deal.created_at is None else ended - deal.created_at,
        "usual_age": usual_cycle(deal.pipeline),
        "company_is_visible": Company.objects.visible_to(request.user).filter(pk=deal.company_id).exists(),
        "people": _people(deal, request),
        "lines": lines_of(deal, request.user),
        "contracts": standing_of(deal.contracts.present()),
    }


def _people(deal: Deal, request: PersonRequest) -> list[tuple[Contact, bool]]:
    """The deal's contact first, then others of its company; and whether the person may open each one's page."""
    of_company = Q(company_id=deal.company_id) if deal.company_id else Q(pk=deal.contact_id)
    of_company &= ~Q(pk=deal.contact_id) if deal.contact_id else Q()
    others = [(contact, True) for contact in Contact.objects.visible_to(request.user).filter(of_company)[:PEOPLE]]
    return [(deal.contact, deal.contact.is_seen_by(request.user)), *others] if deal.contact is not None else others


def _named_in_address(request: PersonRequest) -> dict[str, Any]:
    """Return what ?stage=, ?company= and ?contact= name; what does not exist or may not be seen is 404."""
    allowed = {
        "stage": beginnings_for(request.user),
        "company": Company.objects.visible_to(request.user),
        "contact": Contact.objects.visible_to(request.user),
    }
    named = {}
    for name, rows in allowed.items():
        if wanted := request.GET.get(name):
            named[name] = get_object_or_404(rows, pk=whole_number(wanted)).pk
    return named
