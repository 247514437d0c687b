"""Making a deal of a lead."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from crm.models import Lead
from crm.rules.errors import RuleError
from crm.rules.leads import LeadConflict
from crm.views.authorising import editable_or_403
from crm.views.dialogs import close_dialog, render_dialog
from crm.views.lead_answers import act, announced, show_conflict
from crm.views.lead_checklist import checklist_context
from crm.views.requests import PersonRequest, posted
from pipeline.forms.converting import LeadConvertForm
from pipeline.models import Deal
from pipeline.rules.converting import convert_lead, reopen_converted_lead
from pipeline.rules.refusals import StageRequires


@require_http_methods(["GET", "HEAD", "POST"])
def lead_convert(request: PersonRequest, pk: int) -> HttpResponse:
    """Ask what the lead becomes, and make it so; a lead that is a deal already leads to its deal."""
    lead = editable_or_403(Lead.objects.select_related("source", "owner"), request.user, pk=pk)
    first = Deal.objects.visible_to(request.user).filter(lead=lead).first()
    if first is not None:
        return _converted(request, lead, first)
    chosen = {"stage": request.GET["stage"]} if "stage" in request.GET else {}
    form = LeadConvertForm(posted(request), lead=lead, user=request.user, initial=chosen)
    status = None
    if request.method == "POST" and form.is_valid():
        try:
            deal = convert_lead(
                lead,
                into=form.conversion(),
                seen_version=form.cleaned_data["version"],
                by=request.user,
                now=timezone.now(),
            )
        except LeadConflict as refusal:
            show_conflict(form, refusal)
            status = 409
        except StageRequires as refusal:
            form.show_missing(refusal)
        except RuleError as refusal:
            form.add_error(None, refusal.message)
        else:
            return _converted(request, lead, deal)
    context = {
        **checklist_context(lead),
        "title": _("Convert %(lead)s") % {"lead": lead},
        "action": reverse("lead_convert", args=[pk]),
        "submit": _("Convert"),
    }
    return render_dialog(request, form, context, template="pipeline/lead_convert.html", status=status)


@require_POST
def lead_reopen_converted(request: PersonRequest, pk: int) -> HttpResponse:
    """Take a lead into work again whose deal was deleted."""
    lead = editable_or_403(Lead.objects.select_related("source", "owner"), request.user, pk=pk)
    return act(
        request,
        lead,
        rule=lambda seen: reopen_converted_lead(lead, seen_version=seen, by=request.user, now=timezone.now()),
        done=_("“%(lead)s” is open again.") % {"lead": lead},
    )


def _converted(request: PersonRequest, lead: Lead, deal: Deal) -> HttpResponse:
    messages.success(request, _("“%(lead)s” is now the deal “%(deal)s”.") % {"lead": lead, "deal": deal})
    if not request.htmx:
        return redirect(deal)
    return announced(close_dialog(request, to=deal, event="deal-changed"))
