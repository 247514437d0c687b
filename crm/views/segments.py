"""Segments: the list of them, the builder with its live count, and what is done with one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm.forms.segments import SegmentShareForm
from crm.models import Segment, User
from crm.rules import segments as rules
from crm.rules.errors import NotAllowed, RuleError
from crm.views.addresses import whole_number
from crm.views.authorising import editable_or_403, visible_or_404, writer_or_403
from crm.views.dialogs import close_dialog, render_dialog
from crm.views.requests import PersonRequest, posted
from crm.views.undoable import say_undoable

MOST = 500
"""More segments a list does not show; nobody finds his way among so many."""


@dataclass(frozen=True)
class Listed:
    """A segment as the list shows it."""

    segment: Segment
    sentence: str
    may_edit: bool


@require_safe
def segment_list(request: PersonRequest) -> HttpResponse:
    """Segments one may use, of leads or of contacts; their counts come by themselves."""
    return _show_list(request, _about_asked(request.GET.get("about", rules.LEAD)))


@require_safe
def segment_count(request: PersonRequest, pk: int) -> HttpResponse:
    """How many the segment finds now, of those the person may see."""
    segment = visible_or_404(Segment.objects.select_related("owner"), request.user, pk=pk)
    found = rules.people_in(segment, seen_by=request.user, now=timezone.now())
    return render(request, "crm/segment_count.html", {"segment": segment, "count": rules.count_quickly(found)})


@require_POST
def segment_duplicate(request: PersonRequest, pk: int) -> HttpResponse:
    """Copy a segment into one of one's own, and go on to change it."""
    writer_or_403(request.user)
    segment = visible_or_404(Segment.objects, request.user, pk=pk)
    copy = rules.duplicate_segment(segment, by=request.user)
    messages.success(request, _("“%(segment)s” is yours to change.") % {"segment": copy})
    return redirect("segment_edit", pk=copy.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def segment_share(request: PersonRequest, pk: int) -> HttpResponse:
    """Say who else may use a segment."""
    segment = editable_or_403(Segment.objects, request.user, pk=pk)
    form = SegmentShareForm(posted(request), instance=segment, initial={"version": segment.version})
    status = None
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            rules.edit_segment(
                Segment.objects.get(pk=pk),
                fields={"shared_with": said["shared_with"]},
                seen_version=said["version"],
                by=request.user,
            )
        except rules.SegmentConflict as refusal:
            form.add_error(None, refusal.message)
            form.data = form.data | {"version": str(refusal.segment.version)}  # type: ignore[operator]
            status = 409
        except NotAllowed:
            raise
        except RuleError as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, _("Saved."))
            return close_dialog(request, to=_list_of(segment), event="segments-changed")
    context = {
        "title": _("Who may use “%(segment)s”?") % {"segment": segment},
        "action": reverse("segment_share", args=[pk]),
        "submit": _("Save"),
    }
    return render_dialog(request, form, context, status=status)


@require_POST
def segment_delete(request: PersonRequest, pk: int) -> HttpResponse:
    """Put the segment into the bin, with a way back; one that something works by stays, and says what that is."""
    segment = editable_or_403(Segment.objects, request.user, pk=pk)
    seen = whole_number(request.POST.get("version")) or 0
    try:
        rules.delete_segment(segment, seen_version=seen, by=request.user, now=timezone.now())
    except rules.SegmentConflict as refusal:
        return _show_list(request, segment.about, refusal=refusal, status=409)
    except rules.SegmentInUse as refusal:
        return _show_list(request, segment.about, refusal=refusal, status=422)
    undo_url = reverse("segment_restore", args=[segment.pk])
    say_undoable(request, _("“%(segment)s” is deleted.") % {"segment": segment}, undo_url=undo_url)
    return redirect(_list_of(segment))


@require_POST
def segment_restore(request: PersonRequest, pk: int) -> HttpResponse:
    """Take the segment out of the bin."""
    now = timezone.now()
    segment = Segment.objects.in_bin_of(request.user, now).filter(pk=pk).first()
    if segment is None:
        raise Http404
    restored = rules.restore_segment(segment, by=request.user, now=now)
    messages.success(request, _("“%(segment)s” is back.") % {"segment": restored})
    return redirect(_list_of(restored))


def _show_list(
    request: PersonRequest, about: str, *, refusal: RuleError | None = None, status: int = 200
) -> HttpResponse:
    user: User = request.user
    rows = Segment.objects.visible_to(user).filter(about=about).select_related("owner")
    changeable = set(Segment.objects.editable_by(user).filter(about=about).values_list("pk", flat=True))
    listed = [
        Listed(segment, rules.sentence(segment.conditions, about=about, reader=user), may_edit=segment.pk in changeable)
        for segment in rows[:MOST]
    ]
    context: dict[str, Any] = {"about": about, "listed": listed, "refusal": refusal, "kinds": Segment.About.choices}
    return render(request, "crm/segment_list.html", context, status=status)


def _about_asked(text: str) -> str:
    if text not in Segment.About:
        raise Http404
    return text


def _list_of(segment: Segment) -> str:
    return f"{reverse('segment_list')}?about={segment.about}"
