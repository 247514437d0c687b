"""Sequences: the list of them, the page of one with its steps and figures, and whether it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from crm.forms.sequences import QuestionForm, SequenceForm
from crm.models import Enrolment, Sequence, SequenceStep
from crm.rules.errors import RecordConflict, RuleError
from crm.rules.sequences import keeping
from crm.rules.sequences.figures import (
    Figures,
    StepFigures,
    figures_by_sequence,
    figures_of,
    people_by_state,
    standing_before,
)
from crm.rules.sequences.intake import intakes_of
from crm.views.addresses import whole_number
from crm.views.authorising import editable_or_403, may_edit, visible_or_404, writer_or_403
from crm.views.dialogs import close_dialog, render_dialog
from crm.views.requests import PersonRequest, posted
from crm.views.undoable import say_undoable

MOST = 200
form_methods = require_http_methods(["GET", "HEAD", "POST"])


@dataclass(frozen=True)
class Listed:
    """A sequence as the list shows it."""

    sequence: Sequence
    figures: Figures
    people: Mapping[str, int]

    @property
    def under_way(self) -> int:
        """People who are neither through nor stopped."""
        return self.people.get(Enrolment.State.ACTIVE, 0) + self.people.get(Enrolment.State.PAUSED, 0)


@dataclass(frozen=True)
class StepRow:
    """A step as the page shows it."""

    step: SequenceStep
    number: int
    standing: int
    figures: StepFigures | None
    goes_to: int | None
    is_first: bool
    is_last: bool


@require_safe
def sequence_list(request: PersonRequest) -> HttpResponse:
    """Sequences one may use, with what came of them."""
    sequences = list(Sequence.objects.visible_to(request.user).select_related("owner")[:MOST])
    figures, people = figures_by_sequence(sequences), people_by_state(sequences)
    listed = [Listed(one, figures.get(one.pk, Figures()), people.get(one.pk, {})) for one in sequences]
    return render(request, "crm/sequence_list.html", {"listed": listed})


@form_methods
def sequence_create(request: PersonRequest) -> HttpResponse:
    """Begin a new sequence, a draft."""
    person = writer_or_403(request.user)
    form = SequenceForm(posted(request), initial={"version": 0})
    if request.method == "POST" and form.is_valid():
        return on_to(request, keeping.create_sequence(fields=form.said(), by=person).get_absolute_url())
    context = {"title": _("New sequence"), "action": reverse("sequence_create"), "submit": _("Go on to its steps")}
    return render_dialog(request, form, context)


@require_safe
def sequence_detail(request: PersonRequest, pk: int) -> HttpResponse:
    """A sequence: its steps, who stands where, and what came of each."""
    sequence = visible_or_404(Sequence.objects.select_related("owner"), request.user, pk=pk)
    return render(request, "crm/sequence_detail.html", page_of(sequence, request))


@form_methods
def sequence_edit(request: PersonRequest, pk: int) -> HttpResponse:
    """Say how a sequence runs."""
    sequence = editable_or_403(Sequence.objects, request.user, pk=pk)
    form = SequenceForm(posted(request), instance=sequence, initial={"version": sequence.version})
    status = None
    if request.method == "POST" and form.is_valid():
        unchanged = Sequence.objects.get(pk=pk)
        try:
            keeping.edit_sequence(
                unchanged, fields=form.said(), seen_version=form.cleaned_data["version"], by=request.user
            )
        except RecordConflict as refusal:
            status = say_conflict(form, refusal)
        else:
            messages.success(request, _("Saved."))
            return close_dialog(request, to=sequence, event="sequence-changed")
    context = {
        "title": _("How “%(sequence)s” runs") % {"sequence": sequence},
        "action": reverse("sequence_edit", args=[pk]),
        "submit": _("Save"),
    }
    return render_dialog(request, form, context, status=status)


@require_POST
def sequence_start(request: PersonRequest, pk: int) -> HttpResponse:
    """Let it run, or go on."""
    sequence = editable_or_403(Sequence.objects, request.user, pk=pk)
    try:
        keeping.start_sequence(sequence, seen_version=version_seen(request), by=request.user, now=timezone.now())
    except RuleError as refusal:
        return refused(request, sequence, refusal)
    messages.success(request, _("“%(sequence)s” is running.") % {"sequence": sequence})
    return redirect(sequence)


@require_POST
def sequence_pause(request: PersonRequest, pk: int) -> HttpResponse:
    """Let everybody in it wait."""
    sequence = editable_or_403(Sequence.objects, request.user, pk=pk)
    try:
        keeping.pause_sequence(sequence, seen_version=version_seen(request), by=request.user, now=timezone.now())
    except RuleError as refusal:
        return refused(request, sequence, refusal)
    waiting = Enrolment.objects.filter(sequence=sequence, state=Enrolment.State.ACTIVE).count()
    words = ngettext("Paused: %(count)s person waits.", "Paused: %(count)s people wait.", waiting)
    messages.success(request, words % {"count": waiting})
    return redirect(sequence)


@form_methods
def sequence_delete(request: PersonRequest, pk: int) -> HttpResponse:
    """Say for whom it would end, and put it into the bin."""
    sequence = editable_or_403(Sequence.objects, request.user, pk=pk)
    if request.method != "POST":
        title = _("Delete “%(sequence)s”?") % {"sequence": sequence}
        return ask(request, sequence, Question(title, _("Delete"), _ends_for(sequence), is_danger=True))
    try:
        keeping.delete_sequence(sequence, seen_version=version_seen(request), by=request.user, now=timezone.now())
    except RuleError as refusal:
        return refused(request, sequence, refusal)
    undo_url = reverse("sequence_restore", args=[pk])
    say_undoable(request, _("“%(sequence)s” is deleted.") % {"sequence": sequence}, undo_url=undo_url)
    return on_to(request, reverse("sequence_list"))


@require_POST
def sequence_restore(request: PersonRequest, pk: int) -> HttpResponse:
    """Take it out of the bin; it does not run."""
    now = timezone.now()
    sequence = Sequence.objects.in_bin_of(request.user, now).filter(pk=pk).first()
    if sequence is None:
        raise Http404
    restored = keeping.restore_sequence(sequence, by=request.user, now=now)
    messages.success(request, _("“%(sequence)s” is back. It does not run until you start it.") % {"sequence": restored})
    return redirect(restored)


def _ends_for(sequence: Sequence) -> list[str]:
    alive = Enrolment.objects.filter(sequence=sequence).alive().count()
    words = ngettext(
        "It ends for %(count)s person who is under way, and that for good.",
        "It ends for %(count)s people who are under way, and that for good.",
        alive,
    )
    kept = _("The sequence itself can be taken back for 30 days.")
    return [words % {"count": alive}, kept] if alive else [_("Nobody is under way in it."), kept]


# --- Shared with the views of steps -----------------------------------------------------------------------------------


def page_of(sequence: Sequence, request: PersonRequest) -> dict[str, Any]:
    """Return what the page of a sequence shows; eight queries, however many people are in it."""
    steps = list(sequence.steps.present().select_related("template", "template_b"))
    total, by_step = figures_of(sequence)
    people = people_by_state([sequence]).get(sequence.pk, {})
    return {
        "sequence": sequence,
        "rows": _rows(steps, standing_before(sequence), by_step),
        "total": total,
        "people": [(state, label, people.get(state, 0)) for state, label in Enrolment.State.choices],
        "people_count": sum(people.values()),
        "has_people": any(people.get(state) for state in (Enrolment.State.ACTIVE, Enrolment.State.PAUSED)),
        "intakes": intakes_of(sequence, seen_by=request.user),
        "may_edit": may_edit(sequence, request.user),
        "kinds": SequenceStep.Kind.choices,
        "now": timezone.now(),
    }


def refused(request: PersonRequest, sequence: Sequence, refusal: RuleError) -> HttpResponse:
    """Show the page as it is now, with what was refused."""
    status = 409 if isinstance(refusal, RecordConflict) else 422
    fresh = Sequence.objects.select_related("owner").get(pk=sequence.pk)
    if request.htmx:
        context = {"title": _("Nothing was changed"), "message": refusal.message, "sequence": fresh}
        return render(request, "crm/sequence_refusal.html", context, status=status)
    return render(request, "crm/sequence_detail.html", page_of(fresh, request) | {"refusal": refusal}, status=status)


@dataclass(frozen=True)
class Question:
    """Something to be sure about, and whom it concerns."""

    title: str
    submit: str
    concerns: list[str]
    is_danger: bool = False


def ask(request: PersonRequest, sequence: Sequence, question: Question) -> HttpResponse:
    """Ask before something is done to a sequence, as it is now."""
    context = {
        "title": question.title,
        "action": request.get_full_path(),
        "submit": question.submit,
        "danger": question.is_danger,
        "concerns": question.concerns or [_("Nobody stands before it.")],
        "version": sequence.version,
    }
    return render_dialog(request, QuestionForm(), context, template="crm/sequence_step.html")


def say_conflict(form: Any, refusal: RecordConflict) -> int:
    """Say in a form that somebody was first, and let it be sent again over what they wrote; returns 409."""
    form.add_error(None, refusal.message)
    typed = form.data.copy()
    typed["version"] = str(refusal.record.version)
    form.data = typed
    return 409


def _rows(steps: list[SequenceStep], standing: Mapping[int, int], by_step: Mapping[int, StepFigures]) -> list[StepRow]:
    numbers = {step.pk: number for number, step in enumerate(steps, start=1)}
    return [
        StepRow(
            step=step,
            number=number,
            standing=standing.get(step.pk, 0),
            figures=by_step.get(step.pk),
            goes_to=numbers.get(step.goes_to_id or 0),
            is_first=number == 1,
            is_last=number == len(steps),
        )
        for number, step in enumerate(steps, start=1)
    ]


def on_to(request: PersonRequest, url: str) -> HttpResponse:
    """Leave a dialog for another page, loaded whole: it has styles of its own, and dialogs to open."""
    return HttpResponseClientRedirect(url) if request.htmx else redirect(url)


def version_seen(request: PersonRequest) -> int:
    """Return the version that a question without fields was asked about."""
    return whole_number(request.POST.get("version")) or 0
