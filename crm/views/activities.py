"""Logging what happened, from the composer of a record's page, and correcting it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import trigger_client_event

from crm.forms.activities import ASKED, ActivityForm
from crm.models import Activity
from crm.rules.activities import delete_activity, edit_activity, log_activity, restore_activity
from crm.views.authorising import editable_or_403, editable_subject_or_403, may_edit
from crm.views.dialogs import close_dialog, render_dialog
from crm.views.requests import PersonRequest, posted
from crm.views.timeline import KIND_ICONS
from crm.views.undoable import say_undoable

TABS = ("note", "call", "email", "meeting", "message")


def composer_for(subject: Any, request: PersonRequest) -> dict[str, Any] | None:
    """Return what crm/_composer.html wants, for the kind the address asks for; None to those who may not add."""
    if not may_edit(subject, request.user):
        return None
    return _composer(subject, ActivityForm(kind=_kind_asked(request), now=timezone.now()))


@require_http_methods(["GET", "HEAD", "POST"])
def activity_create(request: PersonRequest, subject_kind: str, subject_pk: int) -> HttpResponse:
    """Log a call, an e-mail, a meeting, a message or a note about a record."""
    subject = editable_subject_or_403(subject_kind, subject_pk, request.user)
    now = timezone.now()
    form = ActivityForm(posted(request), kind=_kind_asked(request), now=now)
    if request.method == "POST" and form.is_valid():
        log_activity(subject, fields=form.said(), by=request.user, now=now)
        if _is_in_dialog(request):
            return trigger_client_event(close_dialog(request, to=subject), "follow-ups-changed")
        if not request.htmx:
            return redirect(subject)
        empty = ActivityForm(kind=form.kind, now=now)
        return trigger_client_event(_show(request, subject, empty), "timeline-changed")
    return _show(request, subject, form)


@require_http_methods(["GET", "HEAD", "POST"])
def activity_edit(request: PersonRequest, pk: int) -> HttpResponse:
    """Correct an activity of one's own, or of one's team."""
    activity = _own_or_403(request, pk)
    form = ActivityForm(posted(request), instance=activity, kind=activity.kind, now=timezone.now())
    if request.method == "POST" and form.is_valid():
        edit_activity(activity, fields=form.said(), by=request.user)
        return close_dialog(request, to=activity.subject)
    context = {
        "title": _("Correct what happened"),
        "action": reverse("activity_edit", args=[pk]),
        "submit": _("Save"),
        "activity": activity,
    }
    return render_dialog(request, form, context, template="crm/activity_dialog.html")


@require_POST
def activity_delete(request: PersonRequest, pk: int) -> HttpResponse:
    """Put an activity into the bin."""
    activity = _own_or_403(request, pk)
    delete_activity(activity, by=request.user, now=timezone.now())
    say_undoable(request, _("Deleted from the timeline."), undo_url=reverse("activity_restore", args=[pk]))
    return close_dialog(request, to=activity.subject)


@require_POST
def activity_restore(request: PersonRequest, pk: int) -> HttpResponse:
    """Take an activity out of the bin."""
    activity = Activity.objects.in_bin_of(request.user, timezone.now()).filter(pk=pk).first()
    if activity is None:
        raise Http404
    editable_subject_or_403(activity.subject_type.model, activity.subject_id, request.user)
    restore_activity(activity, by=request.user, now=timezone.now())
    messages.success(request, _("Back on the timeline."))
    return close_dialog(request, to=activity.subject)


def _own_or_403(request: PersonRequest, pk: int) -> Activity:
    """Return the activity when the person may change both it and what it is about; what it is about decides on 404."""
    activity = Activity.objects.present().filter(pk=pk).first()
    if activity is None:
        raise Http404
    editable_subject_or_403(activity.subject_type.model, activity.subject_id, request.user)
    return editable_or_403(Activity.objects, request.user, pk=pk)


def _kind_asked(request: PersonRequest) -> str:
    kind = request.POST.get("kind") or request.GET.get("kind", "note")
    if kind not in ASKED:
        raise Http404
    return kind


def _composer(subject: Any, form: ActivityForm) -> dict[str, Any]:
    labels = dict(Activity.Kind.choices)
    return {
        "form": form,
        "kind": form.kind,
        "subject": subject,
        "subject_kind": type(subject).__name__.lower(),
        "tabs": [(kind, labels[kind], KIND_ICONS[kind]) for kind in TABS],
    }


def _is_in_dialog(request: PersonRequest) -> bool:
    """Whether a page without a composer asks, such as My day."""
    return bool(request.htmx) and request.htmx.target == "dialog"


def _show(request: PersonRequest, subject: Any, form: ActivityForm) -> HttpResponse:
    if _is_in_dialog(request):
        action = reverse("activity_create", args=[type(subject).__name__.lower(), subject.pk])
        title = _("Log what happened: %(subject)s") % {"subject": subject}
        words = {"title": title, "action": f"{action}?kind={form.kind}", "submit": _("Log")}
        return render_dialog(request, form, words)
    template = "crm/_composer.html" if request.htmx else "crm/activity_create.html"
    context = {"composer": _composer(subject, form), "subject": subject}
    return render(request, template, context, status=422 if form.errors else 200)
