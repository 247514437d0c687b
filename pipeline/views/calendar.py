"""The calendar of follow-ups: a day, a week or a month, of oneself, somebody or a team.

The page is an agenda, complete without script and what a phone shows; on wider screens script lays it out in a grid,
in which a follow-up is dragged to another time. The grid knows no zones: it gets and sends the clock of the reader.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from dateutil.relativedelta import relativedelta
from django.db.models import Q
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from crm.models import FollowUp, User, subjects_seen_by
from crm.rules.availability import availability_of
from crm.rules.repeating import ahead_of
from crm.views.next_step import state_of
from crm.views.requests import PersonRequest

VIEWS = ("day", "week", "month")
LONGEST = dt.timedelta(days=62)
MOST = 1_000
"""So many follow-ups are shown at once; of more, the calendar says that there are."""
FIRST, LAST = dt.date(2000, 1, 1), dt.date(2099, 12, 31)


@dataclass
class Entry:
    """One follow-up in the calendar; `coming` is one that a series will bring, which cannot be moved yet."""

    row: FollowUp
    about: Any
    state: str
    may_change: bool
    coming: bool = False

    @property
    def local(self) -> dt.datetime:
        """When it is due, on the reader's clock."""
        return timezone.localtime(self.row.due_at)

    def as_event(self, *, names_people: bool) -> dict[str, Any]:
        """Return what the grid wants of it."""
        title = f"{self.row.title} · {self.about}" if self.about else self.row.title
        end = timezone.localtime(self.row.due_at + dt.timedelta(minutes=self.row.duration_minutes))
        kind = f"{self.about._meta.model_name}" if self.about else ""
        return {
            "id": str(self.row.uid),
            "title": f"{self.row.assignee}: {title}" if names_people else title,
            "start": f"{self.local:%Y-%m-%dT%H:%M:%S}",
            "end": f"{max(end, self.local):%Y-%m-%dT%H:%M:%S}",
            "editable": self.may_change,
            "startEditable": self.may_change,
            "durationEditable": self.may_change,
            "classNames": [f"is-{self.state}", f"is-{self.row.kind}"],
            "extendedProps": {
                "version": self.row.version,
                "move": reverse("follow_up_move", args=[self.row.pk]) if self.may_change else "",
                "edit": reverse("follow_up_edit", args=[self.row.pk]) if self.may_change else "",
                "page": self.about.get_absolute_url() if self.about else "",
                "kind": kind,
            },
        }


@dataclass(frozen=True)
class Span:
    """What an address asks to see: which view, on which day, whose."""

    view: str
    on: dt.date
    of: str
    people: Any
    starts: dt.date = field(init=False)
    ends: dt.date = field(init=False)

    def __post_init__(self) -> None:
        starts, step = _begin(self.view, self.on), _step(self.view)
        object.__setattr__(self, "starts", starts)
        object.__setattr__(self, "ends", starts + step)

    @property
    def before(self) -> dt.date:
        """A day of the span before this one."""
        return max(self.starts - _step(self.view), FIRST)

    @property
    def after(self) -> dt.date:
        """A day of the one after."""
        return min(self.ends, LAST)

    @property
    def last(self) -> dt.date:
        """The last day."""
        return self.ends - dt.timedelta(days=1)


@require_safe
def calendar(request: PersonRequest) -> HttpResponse:
    """Show a day, week or month."""
    span = _span(request)
    now = timezone.now()
    entries = entries_of(request.user, span.people, _midnight(span.starts), _midnight(span.ends), now)
    days: dict[dt.date, list[Entry]] = {}
    for entry in entries:
        days.setdefault(entry.local.date(), []).append(entry)
    context = {
        "span": span,
        "days": sorted(days.items()),
        "today": timezone.localdate(now),
        "now": now,
        "people": User.objects.visible_to(request.user).order_by("name", "pk") if _sees_others(request.user) else (),
        "is_cut": len(entries) >= MOST,
        "views": VIEWS,
    }
    return render(request, "pipeline/calendar.html", context)


@require_safe
def calendar_events(request: PersonRequest) -> HttpResponse:
    """Give the follow-ups due from `?start=` until `?end=`, as the grid reads them."""
    span = _span(request)
    start, end = _day(request.GET.get("start", "")), _day(request.GET.get("end", ""))
    if not start < end <= start + LONGEST:
        raise Http404
    entries = entries_of(request.user, span.people, _midnight(start), _midnight(end), timezone.now())
    return JsonResponse([entry.as_event(names_people=span.of != "mine") for entry in entries], safe=False)


def entries_of(reader: User, people: Any, start: dt.datetime, end: dt.datetime, now: dt.datetime) -> list[Entry]:
    """Return the follow-ups of `people` that `reader` sees, with what series will bring; by when they are due."""
    mine = FollowUp.objects.visible_to(reader).filter(people).select_related("assignee", "series__assignee")
    rows = list(mine.filter(due_at__gte=start, due_at__lt=end).order_by("due_at", "pk")[:MOST])
    series = mine.open().filter(series__isnull=False, series__ended_at=None, due_at__lt=end)[:MOST]
    hours = availability_of({row.series.assignee for row in series if row.series})
    coming = [
        one
        for row in series
        for one in ahead_of(row, until=end, hours=hours[row.series.assignee_id].hours, now=now)
        if one.due_at >= start
    ]
    seen = subjects_seen_by(reader, [*rows, *coming])
    editable = reader.editable_owner_ids
    entries = []
    for row in sorted([*rows, *coming], key=lambda row: (row.due_at, row.pk or 0)):
        is_mine = reader.may_write and (editable is None or row.assignee_id in editable)
        state = "done" if row.done_at else "coming" if row.pk is None else state_of(row.due_at, now)
        about = seen.get((row.subject_type_id, row.subject_id))
        may_change = is_mine and row.pk is not None and row.done_at is None
        entries.append(Entry(row, about, state, may_change, coming=row.pk is None))
    return entries


# --- What the address asks for --------------------------------------------------------------------------------------


def _span(request: PersonRequest) -> Span:
    view = request.GET.get("view") or "week"
    if view not in VIEWS:
        raise Http404
    day = request.GET.get("on")
    of = request.GET.get("of") or ("mine" if request.user.may_write else "team")
    people = {"mine": Q(assignee=request.user), "team": Q()}.get(of)
    if people is None:
        if not of.isdecimal() or len(of) > 18 or not User.objects.visible_to(request.user).filter(pk=of).exists():
            raise Http404
        people = Q(assignee_id=int(of))
    return Span(view, _day(day) if day else timezone.localdate(), of, people)


def _day(text: str) -> dt.date:
    try:
        day = dt.date.fromisoformat(text[:10])
    except ValueError as error:
        raise Http404 from error
    if not FIRST <= day <= LAST:
        raise Http404
    return day


def _begin(view: str, day: dt.date) -> dt.date:
    if view == "month":
        return day.replace(day=1)
    return day - dt.timedelta(days=day.weekday()) if view == "week" else day


def _step(view: str) -> relativedelta:
    return {"day": relativedelta(days=1), "week": relativedelta(days=7), "month": relativedelta(months=1)}[view]


def _midnight(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))


def _sees_others(person: User) -> bool:
    ids = person.visible_owner_ids
    return ids is None or len(ids) > 1
