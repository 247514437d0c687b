"""The builder of segments: a plain form whose buttons add and remove conditions, quick with htmx, counting live."""

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

from crm.forms.segment_builder import changed, laid_out, new_condition, read_conditions
from crm.forms.segments import SegmentForm
from crm.models import Segment, User
from crm.rules import segments as rules
from crm.rules.errors import NotAllowed, RuleError
from crm.rules.segments.tree import read
from crm.views.authorising import editable_or_403, writer_or_403
from crm.views.requests import PersonRequest, posted

SAVE = "save"
PREVIEWED = 5

form_methods = require_http_methods(["GET", "HEAD", "POST"])


@form_methods
def segment_create(request: PersonRequest, about: str) -> HttpResponse:
    """Build a new segment of leads or of contacts."""
    writer_or_403(request.user)
    if about not in Segment.About:
        raise Http404
    return _build(request, Segment(about=about, owner=request.user, version=0))


@form_methods
def segment_edit(request: PersonRequest, pk: int) -> HttpResponse:
    """Change a segment; what somebody else wrote since is said, and what was put together here is kept."""
    return _build(request, editable_or_403(Segment.objects, request.user, pk=pk))


@require_POST
def segment_preview(request: PersonRequest, about: str) -> HttpResponse:
    """Count those whom the conditions would find now, of those the person may see, and show the first."""
    writer_or_403(request.user)
    if about not in Segment.About:
        raise Http404
    return render(request, "crm/_segment_found.html", _found(read_conditions(request.POST), about, request.user))


def _build(request: PersonRequest, segment: Segment) -> HttpResponse:
    """Draw the form; or do what the pressed button says, and draw it again; or save, and go to the list."""
    form = SegmentForm(posted(request), instance=segment, initial={"version": segment.version})
    about, act = segment.about, request.POST.get("do", SAVE)
    tree = _conditions(request, segment)
    focus, status = "", 200
    errors: dict[str, str] = {}
    if request.method == "POST" and act != SAVE:
        tree, focus = changed(tree, act, about=about)
        form = _as_typed(request, segment)
    elif request.method == "POST":
        saved, errors, status = _save(form, segment, tree, request.user)
        if saved is not None:
            messages.success(request, _("“%(segment)s” is saved.") % {"segment": saved})
            return redirect(saved.get_absolute_url())
    context = {
        "form": form,
        "segment": segment,
        "about": about,
        "root": laid_out(tree, about=about, reader=request.user, errors=errors, focus=focus),
        "action": reverse("segment_edit", args=[segment.pk]) if segment.pk else reverse("segment_create", args=[about]),
        "list_url": f"{reverse('segment_list')}?about={about}",
    }
    if request.htmx.target == "segment-conditions":
        answer = render(request, "crm/segment_builder.html#conditions", context)
        return trigger_client_event(answer, "segment-changed", after="settle")
    return render(request, "crm/segment_builder.html", context | _found(tree, about, request.user), status=status)


def _conditions(request: PersonRequest, segment: Segment) -> dict[str, Any]:
    if request.method == "POST":
        return read_conditions(request.POST)
    if segment.pk:
        kept: dict[str, Any] = segment.conditions
        return kept
    return {"join": "all", "of": [new_condition(segment.about)]}


def _as_typed(request: PersonRequest, segment: Segment) -> SegmentForm:
    """The other fields as they stand, without a word about what is not filled in yet."""
    typed = {name: request.POST.get(name, "") for name in ("name", "shared_with", "version")}
    return SegmentForm(instance=segment, initial=typed)


def _save(
    form: SegmentForm, segment: Segment, tree: dict[str, Any], by: User
) -> tuple[Segment | None, dict[str, str], int]:
    """Save; else return what is wrong with each condition, and 422 or, where somebody was first, 409."""
    _checked, errors = read(tree, about=segment.about)
    if not form.is_valid() or errors:
        return None, errors, 422
    said = form.cleaned_data
    fields = {"name": said["name"], "shared_with": said["shared_with"], "conditions": tree}
    try:
        if not segment.pk:
            return rules.create_segment(about=segment.about, fields=fields, by=by), {}, 200
        kept = Segment.objects.get(pk=segment.pk)
        return rules.edit_segment(kept, fields=fields, seen_version=said["version"], by=by), {}, 200
    except NotAllowed:
        raise
    except rules.SegmentConflict as refusal:
        form.data = form.data.copy()  # type: ignore[attr-defined]
        form.data["version"] = str(refusal.segment.version)  # type: ignore[index]
        form.add_error(None, refusal.message)
        return None, {}, 409
    except RuleError as refusal:
        form.add_error("name" if refusal.code == rules.NameTaken.code else None, refusal.message)
        return None, {}, 422


def _found(raw: dict[str, Any], about: str, user: User) -> dict[str, Any]:
    """Whom the conditions find that are complete already, and how many are not."""
    tree, wrong = read(raw, about=about)
    rows = rules.rows_seen(about, user)
    context: dict[str, Any] = {"about": about, "incomplete": len(wrong) if tree else 0, "sentence": ""}
    if tree is None:
        return context
    found = rules.narrowed(rows, tree, about=about, asking=rules.Asking(timezone.now(), user))
    context["sentence"] = rules.sentence(tree, about=about, reader=user)
    context["count"] = rules.count_quickly(found)
    if context["count"]:
        context["first"] = rules.first_quickly(found.select_related("owner", "company"), PREVIEWED)
    return context
