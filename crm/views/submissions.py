"""What the lead forms kept out: looked at, let in, or thrown out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from crm.models import LeadForm, Submission
from crm.rules.capturing import (
    NotKeptOut,
    keep_submission,
    release_submission,
    throw_out_submission,
)
from crm.views.addresses import page_of
from crm.views.authorising import visible_or_404
from crm.views.requests import PersonRequest
from crm.views.undoable import say_undoable

PAGE = 50


@require_safe
def submission_list(request: PersonRequest) -> HttpResponse:
    """What was kept out and waits for somebody's eye, and which forms there are; reps have leads to look at instead."""
    user = request.user
    if user.visible_owner_ids is not None and not user.is_manager:
        raise PermissionDenied(_("Managers and admins look through what was kept out."))
    rows = Submission.objects.visible_to(user).kept_out().select_related("form")
    context = {
        "page": page_of(rows, request, size=PAGE),
        "forms": LeadForm.objects.public(),
        "may_decide": user.may_write,
        "now": timezone.now(),
    }
    return render(request, "crm/submission_list.html", context)


@require_POST
def submission_release(request: PersonRequest, pk: int) -> HttpResponse:
    """Let a submission in."""

    def release(submission: Submission) -> None:
        fresh = release_submission(submission, by=request.user, now=timezone.now())
        messages.success(request, _("“%(lead)s” is among the leads.") % {"lead": fresh.lead})

    return _decided(request, pk, release)


@require_POST
def submission_throw_out(request: PersonRequest, pk: int) -> HttpResponse:
    """Throw a submission out, for good unless it is taken back at once."""

    def throw_out(submission: Submission) -> None:
        throw_out_submission(submission, by=request.user)
        say_undoable(request, _("Thrown out."), undo_url=reverse("submission_keep", args=[pk]))

    return _decided(request, pk, throw_out)


@require_POST
def submission_keep(request: PersonRequest, pk: int) -> HttpResponse:
    """Take back a submission that was thrown out."""
    return _decided(request, pk, lambda submission: keep_submission(submission, by=request.user))


def _decided(request: PersonRequest, pk: int, decide: Callable[[Submission], Any]) -> HttpResponse:
    submission = visible_or_404(Submission.objects, request.user, pk=pk)
    try:
        decide(submission)
    except NotKeptOut as refusal:
        messages.warning(request, refusal.message)
    return redirect("submission_list")
