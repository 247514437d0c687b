"""The lead list and a lead's page: they show what became of a lead, so they live above leads."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from crm.models import Lead, SavedView
from crm.rules.merging import undoable_merges
from crm.rules.response_clock import Clocks
from crm.rules.segments import segments_of
from crm.rules.suspecting import people_like
from crm.views.activities import composer_for
from crm.views.addresses import whole_number
from crm.views.authorising import may_edit, visible_or_404
from crm.views.chips import menu_asked, render_menu
from crm.views.lead_checklist import checklist_context
from crm.views.lead_inbox import Inbox, chip_named, read_inbox
from crm.views.lead_story import story_of_lead
from crm.views.next_step import next_step_of, state_of
from crm.views.requests import PersonRequest
from crm.views.saved_views import Shelf, with_saved_views
from crm.views.timeline import Timeline, asks_for_timeline, render_timeline, timeline_of
from pipeline.models import Deal
from pipeline.rules.moving_together import MOST
from pipeline.views.columns import kept_in, shown_columns, spreadsheet
from pipeline.views.lead_columns import CELLS, TABLE, WHOLE
from pipeline.views.record_lists import mark_changeable
from pipeline.views.taking_back import offers_what_stopped

PARTS = {"lead-panel": "pipeline/_lead_panel.html", "lead-clock": "pipeline/_lead_clock.html"}
"""What htmx may ask of a lead's page by the id of its place: the panel beside the list, the running clock."""

MOST_SUBMISSIONS = 20
"""A lead's page shows the newest; more than that says one thing over and over."""


@require_safe
@with_saved_views(SavedView.Page.LEADS)
@offers_what_stopped
def lead_list(request: PersonRequest, shelf: Shelf) -> HttpResponse:
    """Who waits for an answer and who is in hand, with the lead in hand beside; filters are in the address."""
    if menu := menu_asked(request):
        return render_menu(request, chip_named(request, menu))
    now = timezone.now()
    inbox, shown = read_inbox(request, now), shown_columns(request, TABLE)
    for row in inbox.page.object_list:
        row.step = state_of(row.next_step_at, now, is_closed=row.needs_no_plan)
    is_only_list = request.htmx.target == "lead-list"
    lead = _lead_in_hand(request, inbox)
    context: dict[str, Any] = {"inbox": inbox, "now": now, "clocks": Clocks(now), "lead": lead}
    context |= {"shown": shown, "shelf": kept_in(shelf, shown), "most": MOST}
    mark_changeable([*inbox.page.object_list, *([lead] if lead else [])], request.user)
    if not is_only_list and lead is not None:
        context = _about(request, lead, now, may_edit=lead.may_change) | context
    template = "pipeline/lead_list.html#answer" if is_only_list else "pipeline/lead_list.html"
    return render(request, template, context, status=422 if inbox.filters.errors else 200)


@require_safe
def lead_detail(request: PersonRequest, pk: int) -> HttpResponse:
    """A lead's page, or the part of it that is asked for."""
    rows = Lead.objects.select_related("source", "campaign", "owner", "team", "disqualify_reason", "company", "contact")
    lead = visible_or_404(rows, request.user, pk=pk)
    if asks_for_timeline(request):
        return render_timeline(request, _timeline(lead, request))
    context = _about(request, lead, timezone.now(), may_edit=may_edit(lead, request.user))
    part = PARTS.get(request.htmx.target or "")
    if part:
        return render(request, part, context)
    context |= {
        "suspects": people_like(lead, seen_by=request.user) if context["is_alive"] else [],
        "segments": segments_of(lead, seen_by=request.user, now=context["now"]),
        "timeline": _timeline(lead, request),
        "composer": composer_for(lead, request),
        "next_step": next_step_of(lead, request.user),
        "merges": undoable_merges(lead, by=request.user, now=context["now"]),
        "submissions": lead.submissions.select_related("form", "consent")[:MOST_SUBMISSIONS],
    }
    return render(request, "pipeline/lead_detail.html", context)


@require_safe
def lead_export(request: PersonRequest) -> StreamingHttpResponse:
    """The leads of the list as it is filtered, all pages of it, for a spreadsheet."""
    inbox = read_inbox(request, timezone.now())
    return spreadsheet(request, TABLE, CELLS, inbox.leads.iterator(), whole=WHOLE)


def _lead_in_hand(request: PersonRequest, inbox: Inbox) -> Any:
    """The lead the address names, else the most urgent the person may act on; none where the panel was closed."""
    if asked := request.GET.get("lead"):
        named = Lead.objects.visible_to(request.user).select_related("source", "campaign", "owner")
        return named.filter(pk=whole_number(asked)).first()
    rows = list(inbox.page.object_list)
    own = (lead for lead in rows if lead.owner_id in {None, request.user.pk})
    return next(own, rows[0] if rows else None)


def _timeline(lead: Lead, request: PersonRequest) -> Timeline:
    return timeline_of(lead, request, changes=story_of_lead(lead, request.user))


def _about(request: PersonRequest, lead: Lead, now: dt.datetime, *, may_edit: bool) -> dict[str, Any]:
    """What panel and page say of a lead, and what the person may do with it."""
    is_converted = lead.status == Lead.Status.CONVERTED
    return {
        **checklist_context(lead),
        "now": now,
        "clocks": Clocks(now),
        "company_is_visible": lead.company is not None and lead.company.is_seen_by(request.user),
        "contact_is_visible": lead.contact is not None and lead.contact.is_seen_by(request.user),
        "may_edit": may_edit,
        "is_alive": lead.is_open,
        "may_answer": lead.is_open and may_edit,
        "deal": Deal.objects.visible_to(request.user).filter(lead=lead).first() if is_converted else None,
        "has_lost_its_deal": is_converted and not Deal.objects.present().filter(lead=lead).exists(),
    }
