"""The steps of a sequence: added, changed, moved, taken out; each says first whom it concerns."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from crm.forms.sequences import StepForm
from crm.models import Enrolment, Sequence, SequenceStep
from crm.rules.errors import RecordConflict, RuleError
from crm.rules.sequences import steps as rules
from crm.rules.sequences.figures import had_already
from crm.views.addresses import whole_number
from crm.views.authorising import editable_or_403
from crm.views.dialogs import close_dialog, render_dialog
from crm.views.requests import PersonRequest, posted
from crm.views.sequences import Question, ask, refused, say_conflict, version_seen

form_methods = require_http_methods(["GET", "HEAD", "POST"])
UP, DOWN = "up", "down"


@form_methods
def sequence_step_create(request: PersonRequest, pk: int, kind: str) -> HttpResponse:
    """Add a step at the end, or behind the one that `?behind=` names."""
    sequence = editable_or_403(Sequence.objects, request.user, pk=pk)
    if kind not in SequenceStep.Kind:
        raise Http404
    steps = list(sequence.steps.present())
    behind = whole_number(request.GET.get("behind"))
    place = next((index + 1 for index, step in enumerate(steps) if step.pk == behind), len(steps))
    form = _form(request, SequenceStep(sequence=sequence, kind=kind), steps, steps[place:])
    status = None
    if request.method == "POST" and form.is_valid():
        said = {"fields": form.said(), "seen_version": form.cleaned_data["version"], "by": request.user}
        try:
            rules.add_step(sequence, kind=kind, behind=behind, **said)
        except RuleError as refusal:
            status = _say(form, refusal)
        else:
            return close_dialog(request, to=sequence, event="sequence-changed")
    context = {
        "title": _("New step: %(kind)s") % {"kind": SequenceStep.Kind(kind).label},
        "action": request.get_full_path(),
        "submit": _("Add step"),
        "concerns": _coming(sequence, steps[:place]),
    }
    return render_dialog(request, form, context, template="crm/sequence_step.html", status=status)


@form_methods
def sequence_step_edit(request: PersonRequest, pk: int, step_pk: int) -> HttpResponse:
    """Change a step for those who have not had it."""
    sequence, step = _step_or_404(request, pk, step_pk)
    steps = list(sequence.steps.present())
    form = _form(request, step, steps, steps[_place(steps, step) + 1 :])
    status = None
    if request.method == "POST" and form.is_valid():
        said = {"fields": form.said(), "seen_version": form.cleaned_data["version"], "by": request.user}
        try:
            rules.edit_step(step, **said)
        except RuleError as refusal:
            status = _say(form, refusal)
        else:
            messages.success(request, _("Saved."))
            return close_dialog(request, to=sequence, event="sequence-changed")
    context = {
        "title": f"{_place(steps, step) + 1}. {step.get_kind_display()}",
        "action": reverse("sequence_step_edit", args=[pk, step_pk]),
        "submit": _("Save"),
        "concerns": [*_standing(step), *_done(step)],
    }
    return render_dialog(request, form, context, template="crm/sequence_step.html", status=status)


@form_methods
def sequence_step_move(request: PersonRequest, pk: int, step_pk: int, way: str) -> HttpResponse:
    """Move a step one place up or down."""
    if way not in {UP, DOWN}:
        raise Http404
    sequence, step = _step_or_404(request, pk, step_pk)
    if request.method == "POST":
        try:
            places = -1 if way == UP else 1
            rules.move_step(step, by_places=places, seen_version=version_seen(request), by=request.user)
        except RuleError as refusal:
            return refused(request, sequence, refusal)
        return close_dialog(request, to=sequence, event="sequence-changed")
    title = _("Move “%(step)s” up?") if way == UP else _("Move “%(step)s” down?")
    concerns = [*_standing(step), *_done(step), _("Nobody gets a step a second time, wherever it stands.")]
    question = Question(title % {"step": step}, _("Move"), concerns)
    return ask(request, sequence, question)


@form_methods
def sequence_step_remove(request: PersonRequest, pk: int, step_pk: int) -> HttpResponse:
    """Take a step out; whoever stands before it goes on with the next."""
    sequence, step = _step_or_404(request, pk, step_pk)
    if request.method == "POST":
        try:
            moved = rules.remove_step(step, seen_version=version_seen(request), by=request.user, now=timezone.now())
        except RuleError as refusal:
            return refused(request, sequence, refusal)
        words = ngettext(
            "Taken out; %(count)s person goes on with the next step.",
            "Taken out; %(count)s people go on with the next step.",
            moved,
        )
        messages.success(request, words % {"count": moved} if moved else _("Taken out."))
        return close_dialog(request, to=sequence, event="sequence-changed")
    title = _("Take “%(step)s” out?") % {"step": step}
    concerns = [*_standing(step, is_leaving=True), *_done(step)]
    return ask(request, sequence, Question(title, _("Take out"), concerns, is_danger=True))


# --- Whom it concerns -------------------------------------------------------------------------------------------------


def _standing(step: SequenceStep, *, is_leaving: bool = False) -> list[str]:
    count = Enrolment.objects.alive().filter(step=step).count()
    if is_leaving:
        words = ngettext(
            "%(count)s person stands before this step and goes on with the next one.",
            "%(count)s people stand before this step and go on with the next one.",
            count,
        )
    else:
        words = ngettext(
            "%(count)s person stands before this step and gets it as you leave it here.",
            "%(count)s people stand before this step and get it as you leave it here.",
            count,
        )
    return [words % {"count": count}] if count else []


def _done(step: SequenceStep) -> list[str]:
    count = had_already(step)
    words = ngettext(
        "%(count)s person has had it: nothing changes for them.",
        "%(count)s people have had it: nothing changes for them.",
        count,
    )
    return [words % {"count": count}] if count else []


def _coming(sequence: Sequence, before: list[SequenceStep]) -> list[str]:
    alive = Enrolment.objects.filter(sequence=sequence).alive()
    coming = alive.filter(step__in=before).count()
    past = alive.exclude(step__in=before).count()
    words = []
    if coming:
        text = ngettext("%(count)s person will come to it.", "%(count)s people will come to it.", coming)
        words.append(text % {"count": coming})
    if past:
        text = ngettext(
            "%(count)s person is past it and does not go back.",
            "%(count)s people are past it and do not go back.",
            past,
        )
        words.append(text % {"count": past})
    return words


# --- Small parts ------------------------------------------------------------------------------------------------------


def _step_or_404(request: PersonRequest, pk: int, step_pk: int) -> tuple[Sequence, SequenceStep]:
    sequence = editable_or_403(Sequence.objects, request.user, pk=pk)
    return sequence, get_object_or_404(sequence.steps.present().select_related("template"), pk=step_pk)


def _form(request: PersonRequest, step: SequenceStep, steps: list[SequenceStep], later: list[SequenceStep]) -> StepForm:
    numbers = {one.pk: number + (step.pk is None) for number, one in enumerate(steps, start=1)}
    initial = {"version": step.sequence.version}
    return StepForm(posted(request), instance=step, initial=initial, by=request.user, later=later, numbers=numbers)


def _say(form: StepForm, refusal: RuleError) -> int:
    if isinstance(refusal, RecordConflict):
        return say_conflict(form, refusal)
    form.add_error(None, refusal.message)
    return 422


def _place(steps: list[SequenceStep], step: SequenceStep) -> int:
    return next(index for index, one in enumerate(steps) if one.pk == step.pk)
