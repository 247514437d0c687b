"""How what is done to a lead is answered: done, refused (422), or somebody was first (409)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django_htmx.http import trigger_client_event

from crm.forms.leads import LeadEditForm, SeenForm
from crm.models import Lead
from crm.rules.errors import NotAllowed, RuleError
from crm.rules.leads import LeadConflict, WrongStatus
from crm.rules.qualifying import QualifyingAnswersMissing
from crm.views.dialogs import close_dialog, render_dialog
from crm.views.requests import PersonRequest


def lead_changed(request: PersonRequest, lead: Lead, said: str) -> HttpResponse:
    """Say that something was done: list, panel and page hear `lead-changed` and ask again; a plain browser goes on."""
    messages.success(request, said)
    return announced(close_dialog(request, to=lead, event="lead-changed"))


def decide(
    request: PersonRequest, form: Any, context: dict[str, Any], *, rule: Callable[[dict[str, Any]], Any], done: str
) -> HttpResponse:
    """Show the dialog, or do what it says: 422 for what the rule refuses, 409 with the fresh state for a conflict."""
    if request.method == "POST" and form.is_valid():
        try:
            rule(form.cleaned_data)
        except NotAllowed:
            raise
        except LeadConflict as refusal:
            show_conflict(form, refusal)
            return announced(render_dialog(request, form, context, status=409))
        except RuleError as refusal:
            form.add_error(None, refusal.message)
        else:
            return lead_changed(request, context["lead"], done)
    return render_dialog(request, form, context)


def show_conflict(form: Any, refusal: LeadConflict) -> None:
    """Let the form stand for the lead as it is now, with what was typed and a sentence that says who was first."""
    if isinstance(form, LeadEditForm):
        form.show_fresh(refusal.lead)
    else:
        form.renew(refusal.lead.version)
    form.add_error(None, refusal.message)


def act(request: PersonRequest, lead: Lead, *, rule: Callable[[int], Any], done: str) -> HttpResponse:
    """Do what a button says, for the lead as the person saw it."""
    try:
        rule(seen_version(request))
    except LeadConflict as refusal:
        return answer_conflict(request, refusal)
    except (WrongStatus, QualifyingAnswersMissing) as refusal:
        return answer_refusal(request, lead, refusal)
    return lead_changed(request, lead, done)


def seen_version(request: PersonRequest) -> int:
    """The version a button was drawn for; without one it applies to none, and the fresh state is shown."""
    form = SeenForm(request.POST)
    return form.cleaned_data["version"] if form.is_valid() else 0


def answer_conflict(request: PersonRequest, refusal: LeadConflict) -> HttpResponse:
    """409: the fresh state, and who was first."""
    return announced(_sentence(request, refusal.lead, refusal, status=409))


def answer_refusal(request: PersonRequest, lead: Lead, refusal: RuleError) -> HttpResponse:
    """422: why the button did nothing."""
    return _sentence(request, lead, refusal, status=422)


def _sentence(request: PersonRequest, lead: Lead, refusal: RuleError, *, status: int) -> HttpResponse:
    template = "crm/lead_refusal.html"
    page = template if request.htmx else "components/dialog_page.html"
    context = {"lead": lead, "refusal": refusal, "title": lead.name, "dialog_template": template}
    return render(request, page, context, status=status)


def announced(response: HttpResponse) -> HttpResponse:
    """Let everything on the page that shows leads, their timeline or their next step ask again."""
    for event in ("lead-changed", "timeline-changed", "follow-ups-changed"):
        trigger_client_event(response, event)
    return response
