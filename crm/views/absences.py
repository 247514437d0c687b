"""A person's own absences, in their settings."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from crm.forms.absences import AbsenceForm
from crm.jobs import follow_absences
from crm.models import Absence
from crm.rules.absences import call_off_absence, plan_absence
from crm.views.authorising import writer_or_403
from crm.views.dialogs import close_dialog, render_dialog
from crm.views.requests import PersonRequest, posted


@require_http_methods(["GET", "HEAD", "POST"])
def absence_create(request: PersonRequest) -> HttpResponse:
    """Say that one will be away, and who stands in."""
    person = writer_or_403(request.user)
    form = AbsenceForm(posted(request), person=person)
    if request.method == "POST" and form.is_valid():
        plan_absence(person, leave=form.said(), by=person)
        follow_absences.delay_on_commit()  # type: ignore[attr-defined]  # Job's, see config/celery.py
        return close_dialog(request, to=reverse("user_settings") + "#absences", event="absences-changed")
    context = {"title": _("I will be away"), "action": reverse("absence_create"), "submit": _("Save")}
    return render_dialog(request, form, context)


@require_POST
def absence_delete(request: PersonRequest, pk: int) -> HttpResponse:
    """Take back an absence of one's own that is not over yet."""
    person = writer_or_403(request.user)
    mine = Absence.objects.not_over(timezone.localdate()).filter(user=person)
    call_off_absence(get_object_or_404(mine, pk=pk), by=person)
    follow_absences.delay_on_commit()  # type: ignore[attr-defined]  # Job's, see config/celery.py
    messages.success(request, _("You are not away; what was handed over and is still open comes back to you."))
    return redirect(reverse("user_settings") + "#absences")
