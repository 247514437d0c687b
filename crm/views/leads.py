"""What a person does with a lead: add, take, give, edit, qualify, disqualify, put aside, delete.

List, page and conversion, which show what lies above leads, are `pipeline.views.leads`.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from crm.forms.leads import (
    LeadAssignForm,
    LeadDisqualifyForm,
    LeadEditForm,
    LeadForm,
    LeadNurtureForm,
)
from crm.models import Lead
from crm.rules import leads as rules
from crm.views.authorising import editable_or_403, visible_or_404, writer_or_403
from crm.views.dialogs import render_dialog
from crm.views.lead_answers import act, answer_conflict, answer_refusal, decide, lead_changed, seen_version
from crm.views.requests import PersonRequest, posted
from crm.views.undoable import say_undoable

form_methods = require_http_methods(["GET", "HEAD", "POST"])


@form_methods
def lead_create(request: PersonRequest) -> HttpResponse:
    """Add a lead by hand, such as somebody who has just called."""
    user = writer_or_403(request.user)
    form = LeadForm(posted(request), user=user, initial={"team": user.team_id})
    if request.method == "POST" and form.is_valid():
        lead = rules.create_lead(fields=form.cleaned_data, by=user, now=timezone.now())
        messages.success(request, _("“%(lead)s” is in the inbox.") % {"lead": lead})
        return redirect(lead)
    context = {"title": _("New lead"), "action": reverse("lead_create"), "submit": _("Add")}
    return render_dialog(request, form, context)


@form_methods
def lead_edit(request: PersonRequest, pk: int) -> HttpResponse:
    """Correct the facts of a lead; what somebody else wrote since is shown, and what was typed is kept."""
    lead = _editable(request, pk)
    form = LeadEditForm(posted(request), instance=lead, user=request.user, initial={"version": lead.version})
    context = _dialog(lead, "lead_edit", _("Edit the lead"), _("Save"))
    return decide(
        request,
        form,
        context,
        rule=lambda said: rules.edit_lead(lead, fields=said, seen_version=said["version"], by=request.user),
        done=_("Saved."),
    )


@form_methods
def lead_assign(request: PersonRequest, pk: int) -> HttpResponse:
    """Give the lead to somebody, or to nobody."""
    lead = _editable(request, pk)
    initial = {"version": lead.version, "owner": lead.owner_id}
    form = LeadAssignForm(posted(request), user=request.user, initial=initial)
    context = _dialog(lead, "lead_assign", _("Whose lead is it?"), _("Assign"))
    return decide(
        request,
        form,
        context,
        rule=lambda said: rules.assign_lead(lead, to=said["owner"], seen_version=said["version"], by=request.user),
        done=_("Assigned."),
    )


@require_POST
def lead_claim(request: PersonRequest, pk: int) -> HttpResponse:
    """Take an unassigned lead; who comes second is told who was first."""
    lead = visible_or_404(Lead.objects, request.user, pk=pk)
    writer_or_403(request.user)
    try:
        rules.claim_lead(lead, by=request.user)
    except rules.LeadConflict as refusal:
        return answer_conflict(request, refusal)
    return lead_changed(request, lead, _("“%(lead)s” is yours.") % {"lead": lead})


@require_POST
def lead_qualify(request: PersonRequest, pk: int) -> HttpResponse:
    """Mark the lead as worth a deal."""
    lead = _editable(request, pk)
    return act(
        request,
        lead,
        rule=lambda seen: rules.qualify_lead(lead, seen_version=seen, by=request.user, now=timezone.now()),
        done=_("“%(lead)s” is qualified.") % {"lead": lead},
    )


@require_POST
def lead_reopen(request: PersonRequest, pk: int) -> HttpResponse:
    """Take a disqualified or nurtured lead into work again."""
    lead = _editable(request, pk)
    return act(
        request,
        lead,
        rule=lambda seen: rules.reopen_lead(lead, seen_version=seen, by=request.user, now=timezone.now()),
        done=_("“%(lead)s” is open again.") % {"lead": lead},
    )


@form_methods
def lead_disqualify(request: PersonRequest, pk: int) -> HttpResponse:
    """Close the lead as no customer, for a reason."""
    lead = _editable(request, pk)
    form = LeadDisqualifyForm(posted(request), initial={"version": lead.version})
    context = _dialog(lead, "lead_disqualify", _("Disqualify %(lead)s") % {"lead": lead}, _("Disqualify"))
    return decide(
        request,
        form,
        {**context, "danger": True},
        rule=lambda said: rules.disqualify_lead(
            lead, reason=said["reason"], seen_version=said["version"], by=request.user, now=timezone.now()
        ),
        done=_("“%(lead)s” is disqualified.") % {"lead": lead},
    )


@form_methods
def lead_nurture(request: PersonRequest, pk: int) -> HttpResponse:
    """Put the lead aside until a day."""
    lead = _editable(request, pk)
    form = LeadNurtureForm(posted(request), initial={"version": lead.version, "until": lead.nurture_until})
    context = _dialog(lead, "lead_nurture", _("Put %(lead)s aside") % {"lead": lead}, _("Nurture"))
    return decide(
        request,
        form,
        context,
        rule=lambda said: rules.nurture_lead(
            lead, until=said["until"], seen_version=said["version"], by=request.user, now=timezone.now()
        ),
        done=_("“%(lead)s” comes back on its day.") % {"lead": lead},
    )


@require_POST
def lead_delete(request: PersonRequest, pk: int) -> HttpResponse:
    """Put the lead into the bin, with a way back."""
    lead = _editable(request, pk)
    try:
        rules.delete_lead(lead, seen_version=seen_version(request), by=request.user, now=timezone.now())
    except rules.LeadConflict as refusal:
        return answer_conflict(request, refusal)
    except rules.WrongStatus as refusal:
        return answer_refusal(request, lead, refusal)
    say_undoable(
        request, _("“%(lead)s” is deleted.") % {"lead": lead}, undo_url=reverse("lead_restore", args=[lead.pk])
    )
    return redirect("lead_list")


@require_POST
def lead_restore(request: PersonRequest, pk: int) -> HttpResponse:
    """Take the lead out of the bin, as it was."""
    now = timezone.now()
    lead = Lead.objects.in_bin_of(request.user, now).filter(pk=pk).first()
    if lead is None:
        raise Http404
    rules.restore_lead(lead, by=request.user, now=now)
    messages.success(request, _("“%(lead)s” is back.") % {"lead": lead})
    return redirect(lead)


def _editable(request: PersonRequest, pk: int) -> Lead:
    lead: Lead = editable_or_403(Lead.objects.select_related("source", "owner"), request.user, pk=pk)
    return lead


def _dialog(lead: Lead, url_name: str, title: str, submit: str) -> dict[str, Any]:
    return {"lead": lead, "title": title, "submit": submit, "action": reverse(url_name, args=[lead.pk])}
