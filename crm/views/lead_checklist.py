"""The checklist by which a lead is qualified, answered where it stands: on the lead's page and in the list's panel."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from crm.forms.qualifying import AnswerForm
from crm.models import Lead, QualifyingQuestion
from crm.rules.errors import NotAllowed, RuleError
from crm.rules.qualifying import answer_question, asked_about, checklist_of
from crm.views.authorising import editable_or_403
from crm.views.requests import PersonRequest


@require_POST
def lead_answer(request: PersonRequest, pk: int, question_pk: int) -> HttpResponse:
    """Write down what is known about one question, and show the checklist as it is now."""
    lead = editable_or_403(Lead.objects.select_related("source", "owner"), request.user, pk=pk)
    question = next((asked for asked in asked_about(lead) if asked.pk == question_pk), None)
    if question is None:
        raise Http404
    form = AnswerForm(request.POST, known=_known(lead, question))
    refusal = _answer(lead, question, form, request)
    if request.htmx:
        context = checklist_context(lead) | {"may_edit": True}
        if refusal:
            context |= {"refused": form, "refused_question": question}
        return render(request, "crm/_lead_checklist.html", context, status=422 if refusal else 200)
    if refusal:
        messages.error(request, refusal)
    return redirect(lead)


def checklist_context(lead: Lead) -> dict[str, Any]:
    """What crm/_lead_checklist.html and crm/_lead_answers.html show of a lead."""
    lines = checklist_of(lead)
    return {"lead": lead, "checklist": lines, "checklist_known": sum(line.is_known for line in lines)}


def _known(lead: Lead, question: QualifyingQuestion) -> str:
    lines = {line.question.pk: line for line in checklist_of(lead)}
    return lines[question.pk].value


def _answer(lead: Lead, question: QualifyingQuestion, form: AnswerForm, request: PersonRequest) -> str:
    """Do as the form says; return why not, which the form then says too, or nothing."""
    if not form.is_valid():
        return " ".join(str(error) for errors in form.errors.values() for error in errors)
    try:
        answer_question(lead, question, **form.cleaned_data, by=request.user, now=timezone.now())
    except NotAllowed:
        raise
    except RuleError as refusal:
        form.add_error("answer", refusal.message)
        return refusal.message
    return ""
