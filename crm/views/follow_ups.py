"""Next steps: planned, done, snoozed, rescheduled, edited and deleted, from whatever page shows them."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import trigger_client_event

from crm.forms.follow_ups import (
    FollowUpForm,
    MoveForm,
    NewFollowUpForm,
    OutcomeForm,
    RescheduleForm,
    SnoozeForm,
    subjects_matching,
)
from crm.models import FollowUp, User
from crm.rules import follow_ups as rules
from crm.rules.errors import RecordConflict
from crm.rules.outcomes import TOUCHES
from crm.rules.recurring import BadRule
from crm.views.addresses import way_back
from crm.views.authorising import editable_subject_or_403, visible_subject_or_404, writer_or_403
from crm.views.dialogs import render_dialog
from crm.views.next_step import next_step_of
from crm.views.requests import PersonRequest, posted
from crm.views.undoable import say_undoable

CHANGED = "follow-ups-changed"
"""What pages that show follow-ups listen to."""


@require_safe
def next_step(request: PersonRequest, subject_kind: str, subject_pk: int) -> HttpResponse:
    """The panel "next step" of a record, asked for again when something changed."""
    subject = visible_subject_or_404(subject_kind, subject_pk, request.user)
    context = {"next_step": next_step_of(subject, request.user)}
    return render(request, "crm/_next_step.html", context)


@require_safe
def follow_up_subjects(request: PersonRequest) -> HttpResponse:
    """Choices for the record a follow-up is about, as one types."""
    person = writer_or_403(request.user)
    found = subjects_matching(request.GET.get("q", "")[:200], person)
    return JsonResponse([{"value": value, "text": text} for value, text in found], safe=False)


@require_http_methods(["GET", "HEAD", "POST"])
def follow_up_new(request: PersonRequest) -> HttpResponse:
    """Plan a next step for a record chosen in the form."""
    person = writer_or_403(request.user)
    form = NewFollowUpForm(posted(request), person=person, initial=_asked(request))
    if request.method == "POST" and form.is_valid():
        subject = form.cleaned_data["subject"]
        return _plan(request, form, subject)
    if not form.is_bound:
        form.fields["subject"].widget.choices = [("", ""), *subjects_matching("", person)]
    return _plan_dialog(request, form, _("New follow-up"), reverse("follow_up_new"), _("Plan"))


@require_http_methods(["GET", "HEAD", "POST"])
def follow_up_add(request: PersonRequest, subject_kind: str, subject_pk: int) -> HttpResponse:
    """Plan the next step of a record."""
    subject = editable_subject_or_403(subject_kind, subject_pk, request.user)
    form = FollowUpForm(posted(request), person=request.user)
    if request.method == "POST" and form.is_valid():
        return _plan(request, form, subject)
    action = reverse("follow_up_add", args=[subject_kind, subject_pk])
    return _plan_dialog(request, form, _("Next step: %(subject)s") % {"subject": subject}, action, _("Plan"))


@require_POST
def follow_up_done(request: PersonRequest, pk: int) -> HttpResponse:
    """Mark as done in one click; the answer asks what came of it and what is next."""
    follow_up = _changeable_or_404(request, pk)
    try:
        rules.complete_follow_up(follow_up, by=_person(request), now=timezone.now())
    except rules.FollowUpClosed as refusal:
        return _refused(request, follow_up, refusal)
    if not request.htmx:
        return redirect("follow_up_next", pk)
    follow_up.refresh_from_db(fields=["done_at"])
    form = OutcomeForm(person=_person(request), asks_response=_is_touch(follow_up))
    return _changed(_ask_outcome(request, follow_up, form))


@require_http_methods(["GET", "HEAD", "POST"])
def follow_up_next(request: PersonRequest, pk: int) -> HttpResponse:
    """What came of a follow-up, and what is next; one that was open, as after a call, is done with it."""
    follow_up = _changeable_or_404(request, pk)
    shown = {
        "outcome": follow_up.outcome,
        "response": follow_up.activity.response if follow_up.activity else None,
        "completes": follow_up.done_at is None,
    }
    form = OutcomeForm(posted(request), initial=shown, person=_person(request), asks_response=_is_touch(follow_up))
    if request.method != "POST" or not form.is_valid():
        return _ask_outcome(request, follow_up, form)
    person = _person(request)
    write = rules.complete_follow_up if form.cleaned_data["completes"] else rules.note_outcome
    try:
        write(
            follow_up,
            outcome=form.cleaned_data["outcome"],
            response=form.cleaned_data["response"],
            next_plan=form.next_plan(_next_assignee(follow_up, person)),
            by=person,
            now=timezone.now(),
        )
    except rules.FollowUpClosed as refusal:
        return _refused(request, follow_up, refusal)
    return _close(request, follow_up)


@require_POST
def follow_up_reopen(request: PersonRequest, pk: int) -> HttpResponse:
    """Take back that it was done or deleted."""
    follow_up = _changeable_or_404(request, pk, deleted_too=True)
    rules.reopen_follow_up(follow_up, by=_person(request), now=timezone.now())
    messages.success(request, _("Open again: %(title)s") % {"title": follow_up.title})
    return _close(request, follow_up)


@require_POST
def follow_up_snooze(request: PersonRequest, pk: int) -> HttpResponse:
    """Put off in one click; 422 for a time that is not offered."""
    follow_up = _changeable_or_404(request, pk)
    form, now = SnoozeForm(request.POST), timezone.now()
    if not form.is_valid():
        return _dialog(request, form, _("Snooze"), reverse("follow_up_snooze", args=[pk]), _("Snooze"))
    try:
        snoozed = rules.snooze_follow_up(
            follow_up, until=form.wall_time(follow_up.assignee, now), by=_person(request), now=now
        )
    except rules.FollowUpClosed as refusal:
        return _refused(request, follow_up, refusal)
    when = date_format(timezone.localtime(snoozed.due_at), "j E, H:i")
    messages.success(request, _("Put off until %(when)s: %(title)s") % {"when": when, "title": snoozed.title})
    return _close(request, follow_up)


@require_http_methods(["GET", "HEAD", "POST"])
def follow_up_reschedule(request: PersonRequest, pk: int) -> HttpResponse:
    """Choose another day and time."""
    follow_up = _changeable_or_404(request, pk)
    form = RescheduleForm(posted(request), initial={"due": rules.plan_of(follow_up).due})
    if request.method == "POST" and form.is_valid():
        try:
            rules.reschedule_follow_up(follow_up, due=form.cleaned_data["due"], by=_person(request), now=timezone.now())
        except rules.FollowUpClosed as refusal:
            return _refused(request, follow_up, refusal)
        return _close(request, follow_up)
    action = reverse("follow_up_reschedule", args=[pk])
    return _dialog(request, form, _("Reschedule: %(title)s") % {"title": follow_up.title}, action, _("Reschedule"))


@require_POST
def follow_up_move(request: PersonRequest, pk: int) -> HttpResponse:
    """Take a follow-up to where it was dragged; the calendar gets its new version and what undoes it, or why not."""
    follow_up, form = _changeable_or_404(request, pk), MoveForm(request.POST)
    if not form.is_valid():
        return JsonResponse({"message": _("That is no time for a follow-up.")}, status=422)
    said, was = form.cleaned_data, rules.plan_of(follow_up)
    plan = replace(was, due=said["due"], duration_minutes=said["duration_minutes"] or was.duration_minutes)
    try:
        moved = rules.edit_follow_up(
            follow_up, plan=plan, by=_person(request), now=timezone.now(), seen_version=said["version"]
        )
    except (rules.FollowUpClosed, RecordConflict) as refusal:
        return JsonResponse({"message": refusal.message}, status=409)
    version = FollowUp.objects.values_list("version", flat=True).get(pk=moved.pk)
    return _changed(JsonResponse({"version": version, **_told_of_move(was, plan)}))


@require_http_methods(["GET", "HEAD", "POST"])
def follow_up_edit(request: PersonRequest, pk: int) -> HttpResponse:
    """Plan it anew: words, time, person, reminders."""
    follow_up, person = _changeable_or_404(request, pk), _person(request)
    form = FollowUpForm(posted(request), person=person, plan=rules.whole_plan_of(follow_up))
    if request.method == "POST" and form.is_valid():
        try:
            rules.edit_follow_up(
                follow_up, plan=form.said(), by=person, now=timezone.now(), with_following=form.with_following
            )
        except rules.FollowUpClosed as refusal:
            return _refused(request, follow_up, refusal)
        except rules.NotAssignable as refusal:
            form.add_error("assignee", refusal.message)
        except BadRule as refusal:
            form.add_error("rule", refusal.message)
        else:
            return _close(request, follow_up)
    context = {
        "title": _("Edit the follow-up"),
        "action": reverse("follow_up_edit", args=[pk]),
        "submit": _("Save"),
        "follow_up": follow_up,
        "guests": follow_up.attendees.invited(),
    }
    return render_dialog(request, form, context, template="crm/follow_up_dialog.html")


@require_POST
def follow_up_delete(request: PersonRequest, pk: int) -> HttpResponse:
    """Put it into the bin."""
    follow_up = _changeable_or_404(request, pk)
    try:
        is_series = request.POST.get("scope") == FollowUpForm.FOLLOWING
        rules.delete_follow_up(follow_up, by=_person(request), now=timezone.now(), with_following=is_series)
    except rules.FollowUpClosed as refusal:
        return _refused(request, follow_up, refusal)
    undo_url = reverse("follow_up_reopen", args=[pk])
    say_undoable(request, _("Deleted: %(title)s") % {"title": follow_up.title}, undo_url=undo_url)
    return _close(request, follow_up)


# --- Who may, and what is answered ----------------------------------------------------------------------------------


def _changeable_or_404(request: PersonRequest, pk: int, *, deleted_too: bool = False) -> FollowUp:
    """Return the follow-up if the person may change it: 403 where they see it or its record, else 404."""
    person = _person(request)
    related = ("assignee", "subject_type", "series", "activity")
    follow_up = FollowUp.objects.select_related(*related).filter(pk=pk).first()
    if follow_up is None or follow_up.subject is None or (follow_up.deleted_at and not deleted_too):
        raise Http404
    if rules.may_change(follow_up, person):
        return follow_up
    if not FollowUp.objects.visible_to(person).filter(pk=pk).exists():
        visible_subject_or_404(follow_up.subject_type.model, follow_up.subject_id, person)
    raise PermissionDenied(_("You may see this follow-up but not change it."))


def _asked(request: PersonRequest) -> dict[str, Any]:
    """The time that a click in a calendar asks for."""
    asked = RescheduleForm(request.GET)
    return {"due": asked.cleaned_data["due"]} if asked.is_valid() else {}


def _person(request: PersonRequest) -> User:
    return request.user


def _plan(request: PersonRequest, form: FollowUpForm, subject: Any) -> HttpResponse:
    try:
        follow_up = rules.plan_follow_up(subject, plan=form.said(), by=_person(request), now=timezone.now())
    except rules.NotAssignable as refusal:
        form.add_error("assignee", refusal.message)
    except BadRule as refusal:
        form.add_error("rule", refusal.message)
    else:
        return _close(request, follow_up)
    return _plan_dialog(request, form, _("New follow-up"), request.path, _("Plan"))


def _plan_dialog(request: PersonRequest, form: FollowUpForm, title: str, action: str, submit: str) -> HttpResponse:
    context = {"title": title, "action": action, "submit": submit}
    return render_dialog(request, form, context, template="crm/follow_up_dialog.html")


def _next_assignee(follow_up: FollowUp, person: User) -> User:
    """The next step is whose the last one was, where the person may give it to them."""
    stays = User.objects.assignable_by(person).filter(pk=follow_up.assignee_id).exists()
    return follow_up.assignee if stays else person


def _ask_outcome(request: PersonRequest, follow_up: FollowUp, form: OutcomeForm) -> HttpResponse:
    title = _("What came of it: %(title)s") if follow_up.done_at is None else _("Done: %(title)s")
    context = {
        "title": title % {"title": follow_up.title},
        "action": reverse("follow_up_next", args=[follow_up.pk]),
        "submit": _("Save"),
        "follow_up": follow_up,
        "is_touch": _is_touch(follow_up),
    }
    return render_dialog(request, form, context, template="crm/follow_up_next.html")


def _is_touch(follow_up: FollowUp) -> bool:
    """Whether doing it means that somebody was spoken or written to: then how it went is asked."""
    return follow_up.kind in TOUCHES


def _dialog(request: PersonRequest, form: Any, title: str, action: str, submit: str) -> HttpResponse:
    return render_dialog(request, form, {"title": title, "action": action, "submit": submit})


def _close(request: PersonRequest, follow_up: FollowUp) -> HttpResponse:
    """Close whatever dialog is open and let the page show what has changed; a plain browser goes back to its page."""
    if not request.htmx:
        return redirect(_page_before(request, follow_up))
    return trigger_client_event(_changed(HttpResponse()), "dialog-close")


def _changed(response: HttpResponse) -> HttpResponse:
    return trigger_client_event(trigger_client_event(response, CHANGED), "timeline-changed")


def _told_of_move(was: rules.Plan, plan: rules.Plan) -> dict[str, Any]:
    """From where to where, on the reader's clock, and what a `MoveForm` is sent to take it back."""
    zone = timezone.get_current_timezone_name()
    before, after = was.due.seen_from(zone).local, plan.due.seen_from(zone).local
    then, hours = _hours(before, was.duration_minutes), _hours(after, plan.duration_minutes)
    return {
        "title": plan.title,
        "from_label": f"{date_format(before, 'D j E')}, {then}",
        "to_label": hours if before.date() == after.date() else f"{date_format(after, 'D j E')}, {hours}",
        "was": {"due": before.isoformat(), "duration_minutes": was.duration_minutes},
    }


def _hours(local: dt.datetime, minutes: int) -> str:
    return f"{local:%H:%M}–{local + dt.timedelta(minutes=minutes):%H:%M}"


def _refused(request: PersonRequest, follow_up: FollowUp, refusal: rules.FollowUpClosed) -> HttpResponse:
    """Somebody was first: say so, and let the page ask for the fresh state (409)."""
    messages.error(request, refusal.message)
    response = _close(request, follow_up)
    if request.htmx:
        response.status_code = 409
    return response


def _page_before(request: PersonRequest, follow_up: FollowUp) -> str:
    """The page the form stood on, if it says so and is ours; else that of the record."""
    subject: Any = follow_up.subject
    return way_back(request, "back") or str(subject.get_absolute_url())
