"""Who goes through a sequence: enrolling a person or a segment, looking at where each stands, pausing and stopping."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm.forms.sequences import ME, EnrolPersonForm, EnrolSegmentForm
from crm.models import Contact, Enrolment, Lead, Sequence, kind_of, subjects_seen_by
from crm.rules.errors import NotAllowed, RuleError
from crm.rules.sequences import reasons, stopping
from crm.rules.sequences.enrolling import WHY_LEFT_OUT, Candidate, Terms, enrol_person, require_use, sift
from crm.rules.sequences.intake import Preview, enrol_segment, preview_segment
from crm.rules.sequences.planning import Planned, plan_for
from crm.views.addresses import page_of, whole_number
from crm.views.authorising import (
    editable_or_403,
    may_edit,
    visible_or_404,
    visible_subject_or_404,
    writer_or_403,
)
from crm.views.dialogs import close_dialog, render_dialog
from crm.views.requests import PersonRequest, posted

PER_PAGE = 50
SHOWN_IN_PREVIEW = 10
"""People of whom a preview says what they get when."""
PEOPLE = ("lead", "contact")

form_methods = require_http_methods(["GET", "HEAD", "POST"])


@dataclass(frozen=True)
class Standing:
    """An enrolment as a list shows it; `person` is None where one may not see them."""

    enrolment: Enrolment
    person: Lead | Contact | None
    why: str


@dataclass(frozen=True)
class Foreseen:
    """Somebody in a preview, and what they get when."""

    candidate: Candidate
    planned: list[Planned]


# --- Where people stand -----------------------------------------------------------------------------------------------


@require_safe
def sequence_people(request: PersonRequest, pk: int) -> HttpResponse:
    """Everybody who is or was in a sequence, of those the person may see; `?state=` narrows it."""
    sequence = visible_or_404(Sequence.objects, request.user, pk=pk)
    rows = Enrolment.objects.visible_to(request.user).filter(sequence=sequence)
    state = request.GET.get("state", "")
    if state and state not in Enrolment.State:
        raise Http404
    rows = rows.filter(state=state) if state else rows
    page = page_of(rows.select_related("step__template", "sender"), request, size=PER_PAGE)
    context = {
        "sequence": sequence,
        "state": state,
        "states": Enrolment.State.choices,
        "page": page,
        "standings": standings(list(page.object_list), request),
        "now": timezone.now(),
    }
    return render(request, "crm/sequence_people.html", context)


@require_safe
def person_sequences(request: PersonRequest, subject_kind: str, pk: int) -> HttpResponse:
    """The sequences that a lead or contact is or was in."""
    person = _person_or_404(request, subject_kind, pk)
    rows = Enrolment.objects.about(person).select_related("sequence", "step__template", "sender")[:PER_PAGE]
    context = {
        "person": person,
        "subject_kind": subject_kind,
        "standings": [Standing(row, person, reasons.label_of(row.reason)) for row in rows],
        "may_edit": may_edit(person, request.user),
        "is_open": getattr(person, "is_open", True),  # a contact always is
        "now": timezone.now(),
    }
    template = "crm/_person_sequences.html" if request.htmx else "crm/person_sequences.html"
    return render(request, template, context)


def standings(rows: list[Enrolment], request: PersonRequest) -> list[Standing]:
    """Return enrolments with their people, two queries for all."""
    seen = subjects_seen_by(request.user, rows)
    return [
        Standing(row, seen.get((row.subject_type_id, row.subject_id)), reasons.label_of(row.reason)) for row in rows
    ]


@require_POST
def enrolment_pause(request: PersonRequest, pk: int) -> HttpResponse:
    """Let one person wait where they stand."""
    return _change(request, pk, stopping.pause_enrolment, _("Paused."))


@require_POST
def enrolment_resume(request: PersonRequest, pk: int) -> HttpResponse:
    """Go on with one person."""
    return _change(request, pk, stopping.resume_enrolment, _("It goes on."))


@require_POST
def enrolment_stop(request: PersonRequest, pk: int) -> HttpResponse:
    """Take one person out."""
    return _change(request, pk, stopping.stop_enrolment, _("Taken out of the sequence."))


def _change(request: PersonRequest, pk: int, rule: Callable[..., None], words: str) -> HttpResponse:
    enrolment = editable_or_403(Enrolment.objects, request.user, pk=pk)
    try:
        rule(enrolment, by=request.user, now=timezone.now())
    except stopping.EnrolmentEnded as refusal:
        messages.warning(request, refusal.message)
    else:
        messages.success(request, words)
    person = enrolment.subject
    if not request.htmx:
        return redirect("person_sequences", kind_of(person), person.pk)
    return close_dialog(request, to=None, event="sequence-changed")


# --- Enrolling one person ---------------------------------------------------------------------------------------------


@form_methods
def person_enrol(request: PersonRequest, subject_kind: str, pk: int) -> HttpResponse:
    """Take a lead or contact into a sequence; what they will get when is said before."""
    person = _person_or_404(request, subject_kind, pk)
    if not may_edit(person, request.user):
        raise NotAllowed(_("You may look at this, but not change it."))
    now = timezone.now()
    asked = {name: request.GET[name] for name in ("sequence", "language") if name in request.GET}
    form = EnrolPersonForm(posted(request), by=request.user, initial=asked)
    sequence = _chosen_sequence(form)
    if request.method == "POST" and form.is_valid():
        terms = Terms(request.user, request.user, form.cleaned_data["language"])
        try:
            enrol_person(form.cleaned_data["sequence"], person=person, terms=terms, now=now)
        except RuleError as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, _("“%(person)s” is enrolled.") % {"person": person})
            return close_dialog(request, to=person, event="sequence-changed")
    context = {
        "title": _("Enrol %(person)s in a sequence") % {"person": person},
        "action": reverse("person_enrol", args=[subject_kind, pk]),
        "submit": _("Enrol"),
        "person": person,
        "sequence": sequence,
        "foreseen": _foresee(sequence, person, request, now) if sequence is not None else None,
    }
    return render_dialog(request, form, context, template="crm/person_enrol.html")


def _chosen_sequence(form: EnrolPersonForm) -> Sequence | None:
    """The one in the address or the form, else the first there is."""
    field: Any = form.fields["sequence"]
    wanted = whole_number(str(form["sequence"].value() or ""))
    rows = field.queryset
    chosen: Sequence | None = (rows.filter(pk=wanted).first() if wanted else None) or rows.first()
    return chosen


def _foresee(sequence: Sequence, person: Any, request: PersonRequest, now: dt.datetime) -> Foreseen:
    terms = Terms(request.user, request.user)
    (candidate,) = sift(sequence, [person], terms)
    planned = [] if candidate.why_not else plan_for(sequence, person=person, sender=request.user, now=now)
    return Foreseen(candidate, planned)


# --- Enrolling a segment ----------------------------------------------------------------------------------------------


@form_methods
def sequence_enrol(request: PersonRequest, pk: int) -> HttpResponse:
    """Choose a segment, look at who would get what when and who is left out, and enrol them."""
    person = writer_or_403(request.user)
    sequence = visible_or_404(Sequence.objects, person, pk=pk)
    is_asked = request.method == "POST" or "segment" in request.GET
    said_by = request.POST if request.method == "POST" else request.GET
    form = EnrolSegmentForm(said_by if is_asked else None, by=person)
    context: dict[str, Any] = {"sequence": sequence, "form": form}
    status = 200
    try:
        require_use(sequence, person)
        if is_asked and form.is_valid():
            said, now = form.cleaned_data, timezone.now()
            terms = Terms(person, person if said["sender"] == ME else None, said["language"])
            if request.method == "POST":
                enrol_segment(sequence, segment=said["segment"], terms=terms, now=now)
                messages.success(request, _("They are being enrolled; you can leave this page."))
                return redirect(sequence)
            preview = preview_segment(sequence, segment=said["segment"], terms=terms, now=now)
            context |= {"preview": preview, "left_out": _left_out(preview), "now": now}
            context["foreseen"] = [_foreseen(sequence, one, now) for one in preview.first[:SHOWN_IN_PREVIEW]]
    except RuleError as refusal:
        context["refusal"], status = refusal, 422
    if is_asked and form.errors:
        status = 422
    return render(request, "crm/sequence_enrol.html", context, status=status)


def _foreseen(sequence: Sequence, candidate: Candidate, now: dt.datetime) -> Foreseen:
    assert candidate.sender is not None
    return Foreseen(candidate, plan_for(sequence, person=candidate.person, sender=candidate.sender, now=now))


def _left_out(preview: Preview) -> list[tuple[str, int, list[Candidate]]]:
    return [(str(WHY_LEFT_OUT[why]), count, preview.examples[why]) for why, count in preview.left_out.most_common()]


def _person_or_404(request: PersonRequest, subject_kind: str, pk: int) -> Any:
    if subject_kind not in PEOPLE:
        raise Http404
    return visible_subject_or_404(subject_kind, pk, request.user)
