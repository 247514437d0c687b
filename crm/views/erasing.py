"""What is held about a person, on their request: a copy of it for them, and its erasure."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from crm.forms.erasing import EraseForm
from crm.models import Contact, Lead, kind_of
from crm.rules.erasing import copy_of, erase_person, held_about, person_of, require_say, same_address
from crm.views.authorising import editable_or_403
from crm.views.dialogs import render_dialog
from crm.views.requests import PersonRequest, posted

PEOPLE: dict[str, Any] = {"lead": Lead, "contact": Contact}


@require_http_methods(["GET", "HEAD", "POST"])
def person_erase(request: PersonRequest, subject_kind: str, pk: int) -> HttpResponse:
    """Say what is held about a person and, once their name is typed, erase it for good."""
    record = _person_or_403(request, subject_kind, pk)
    form = EraseForm(posted(request), record=record, alike=same_address(record, by=request.user))
    if request.method == "POST" and form.is_valid():
        erase_person(person_of(*form.chosen()), by=request.user, now=timezone.now())
        messages.success(request, _("The person is erased. The numbers stay."))
        return redirect(record)
    person = person_of(record)
    require_say(person, request.user)
    context = {
        "title": _("Erase this person"),
        "action": reverse("person_erase", args=[subject_kind, pk]),
        "submit": _("Erase for good"),
        "danger": True,
        "record": record,
        "held": held_about(person, by=request.user, now=timezone.now()),
        "copy_url": reverse("person_copy", args=[subject_kind, pk]),
    }
    return render_dialog(request, form, context, template="crm/person_erase.html")


@require_safe
def person_copy(request: PersonRequest, subject_kind: str, pk: int) -> HttpResponse:
    """Everything held about a person, for them to have: JSON, as a file."""
    record = _person_or_403(request, subject_kind, pk)
    copy = copy_of(person_of(record), by=request.user, now=timezone.now())
    answer = JsonResponse(copy, json_dumps_params={"ensure_ascii": False, "indent": 1})
    answer["Content-Disposition"] = f'attachment; filename="{kind_of(record)}-{pk}.json"'
    answer["Cache-Control"] = "no-store"
    return answer


def _person_or_403(request: PersonRequest, kind: str, pk: int) -> Any:
    """Return the lead or contact: 404 for who may not see it, 403 for who may not change it or leads nobody."""
    if kind not in PEOPLE:
        raise Http404
    record = editable_or_403(PEOPLE[kind].objects, request.user, pk=pk)
    if not request.user.is_in_charge:
        raise PermissionDenied(_("Only managers and admins may do this."))
    return record
