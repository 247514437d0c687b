"""The list of follow-ups: filters in the address, and many of them done, moved or handed over at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import F
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from crm.forms.repeats import in_words
from crm.models import FollowUp, User, subjects_seen_by
from crm.rules import follow_up_bulk as bulk
from crm.rules.hand_overs import givers_of
from crm.rules.repeating import repeat_of
from crm.views.addresses import way_back
from crm.views.authorising import writer_or_403
from crm.views.next_step import state_of
from crm.views.requests import PersonRequest
from pipeline.forms.follow_up_filters import DONE, HAND_OVER, BulkForm, FollowUpFilter
from pipeline.views.record_lists import menu_of_filter, read_list

TABS = {
    "open": gettext_lazy("Open"),
    "overdue": gettext_lazy("Overdue"),
    "done": gettext_lazy("Done"),
    "all": gettext_lazy("All"),
}
ORDERS = {
    "due": ("due_at", "pk"),
    "title": ("title", "pk"),
    "assignee": ("assignee__name", "due_at", "pk"),
    "done": (F("done_at").asc(nulls_first=True), "pk"),
}
ALWAYS = ("assignee", "team", "kind", "about", "due_from", "due_to")


@dataclass(frozen=True)
class Tab:
    """One state of the list."""

    key: str
    label: str
    is_here: bool


@require_safe
def follow_up_list(request: PersonRequest) -> HttpResponse:
    """Show the follow-ups of the people one sees, one's own unless asked otherwise, fifty at a time."""
    state = request.GET.get("state") or "open"
    if state not in TABS:
        raise Http404
    now = timezone.now()
    rows = _in_state(FollowUp.objects.visible_to(request.user), state, now)
    filters = FollowUpFilter(request.GET, queryset=rows.select_related("assignee", "series"), request=request)
    if menu := menu_of_filter(request, filters):
        return menu
    found = read_list(request, filters, orders=ORDERS, always=ALWAYS)
    _dress(found.rows, request.user, now)
    context = {
        "found": found,
        "now": now,
        "state": state,
        "tabs": [Tab(key, str(label), key == state) for key, label in TABS.items()],
        "form": BulkForm(person=request.user) if request.user.may_write and state != "done" else None,
    }
    return render(request, "pipeline/follow_up_list.html", context, status=422 if filters.form.errors else 200)


@require_POST
def follow_up_bulk(request: PersonRequest) -> HttpResponse:
    """Do one thing with all that are chosen; those that cannot be changed are counted and left as they are."""
    person = writer_or_403(request.user)
    form = BulkForm(request.POST, person=person)
    back = way_back(request, "back") or "follow_up_list"
    if not form.is_valid():
        for errors in form.errors.values():
            messages.error(request, str(errors[0]))
        return redirect(back)
    said, now = form.cleaned_data, timezone.now()
    rows = list(FollowUp.objects.visible_to(person).filter(pk__in=said["chosen"]).select_related("assignee", "series"))
    if said["act"] == DONE:
        changed = bulk.complete_all(rows, by=person, now=now)
    elif said["act"] == HAND_OVER:
        changed = bulk.hand_over_all(rows, to=said["to"], by=person, now=now)
    else:
        changed = bulk.move_all(rows, to=said["day"], by=person, now=now)
    _say(request, changed)
    return redirect(back)


def _say(request: PersonRequest, changed: bulk.Changed) -> None:
    count = changed.count
    messages.success(request, ngettext("%(count)d changed.", "%(count)d changed.", count) % {"count": count})
    if changed.left:
        words = ngettext(
            "%(count)d was left: done meanwhile, or not yours to change.",
            "%(count)d were left: done meanwhile, or not yours to change.",
            changed.left,
        )
        messages.warning(request, words % {"count": changed.left})


def _in_state(rows: Any, state: str, now: Any) -> Any:
    if state == "open":
        return rows.open()
    if state == "overdue":
        return rows.overdue(now)
    return rows.filter(done_at__isnull=False) if state == "done" else rows


def _dress(rows: list[Any], reader: User, now: Any) -> None:
    """Add what a row says beside the follow-up: its record, its state, how it repeats, for whom it is done."""
    seen, givers = subjects_seen_by(reader, rows), givers_of(rows)
    editable = reader.editable_owner_ids
    for row in rows:
        row.about = seen.get((row.subject_type_id, row.subject_id))
        row.state = "done" if row.done_at else state_of(row.due_at, now)
        row.repeats = in_words(repeat) if (repeat := repeat_of(row)) else ""
        row.giver = givers.get(row.pk)
        row.may_change = reader.may_write and (editable is None or row.assignee_id in editable)
