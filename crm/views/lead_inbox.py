"""Reads the lead list that an address asks for: its tab, filters and page, most urgent first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, F, Q
from django.http import Http404, HttpRequest, QueryDict
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.translation import gettext_lazy as _

from crm.forms.lead_filters import LeadFilterForm
from crm.models import Lead, User
from crm.templatetags.formats import day

PAGE = 25

TABS = {
    "inbox": _("Inbox"),
    "waiting": _("Waiting for an answer"),
    "mine": _("Mine"),
    "unassigned": _("Unassigned"),
    "nurturing": _("Nurturing"),
    "all": _("All"),
}

IS_WAITING = Q(status=Lead.Status.NEW, first_response_at=None)
IS_ALIVE = Q(status__in=Lead.ALIVE)


class InParts:
    """Querysets one after the other, counted and cut as one list: each part keeps an order that an index serves."""

    def __init__(self, *parts: Any) -> None:
        self.parts = parts
        self._ends: list[int] | None = None

    def __len__(self) -> int:
        if self._ends is None:
            self._ends = list(accumulate(part.count() for part in self.parts))
        return self._ends[-1]

    def __getitem__(self, cut: Any) -> Any:
        start, stop = cut.start or 0, min(cut.stop, len(self))
        rows: list[Any] = []
        for part, begins, ends in zip(self.parts, [0, *(self._ends or [])], self._ends or [], strict=False):
            if begins < stop and ends > start:
                rows += part[max(start - begins, 0) : stop - begins]
        return rows

    def iterator(self) -> Iterator[Any]:
        """Read all rows, as a queryset's own `iterator` does."""
        for part in self.parts:
            yield from part.iterator()


@dataclass(frozen=True)
class Tab:
    """One of the list's tabs; `count` is None where counting would tell nobody anything."""

    key: str
    label: str
    count: int | None
    url: str
    is_here: bool


@dataclass(frozen=True)
class Chip:
    """One filter as components/filter_chip.html wants it."""

    label: str
    value: str
    field: Any
    is_set: bool
    query: list[tuple[str, str]]
    clear_url: str


@dataclass(frozen=True)
class Inbox:
    """The lead list as an address asks for it."""

    view: str
    filters: LeadFilterForm
    tabs: list[Tab]
    leads: Any
    page: Page
    waiting: int
    late: int
    chips: list[Chip]
    dates: Chip
    kept: list[tuple[str, str]]

    @property
    def is_narrowed(self) -> bool:
        """Whether a filter keeps leads away."""
        return any(self.filters.cleaned_data.values())


def read_inbox(request: HttpRequest, now: dt.datetime) -> Inbox:
    """Read the list for `request`; a tab, person or source that does not exist is 404."""
    user: User = request.user  # type: ignore[assignment]
    filters = LeadFilterForm(request.GET, user=user)
    is_valid = filters.is_valid()
    if filters.names_nothing_known:
        raise Http404
    view = _view_asked(request, filters if is_valid else None)
    found = filters.narrow(Lead.objects.visible_to(user))
    counts = _counts(found, user)
    leads = _ordered(_of_view(found, view, user), view, now)
    return Inbox(
        view=view,
        filters=filters,
        tabs=[
            Tab(key, str(label), counts.get(key), _address(request, view=key), key == view)
            for key, label in TABS.items()
        ],
        leads=leads,
        page=Paginator(leads, PAGE).get_page(request.GET.get("page")),
        waiting=counts["waiting"],
        late=found.late(now).count() if counts["waiting"] else 0,
        chips=[
            _chip(request, filters, name) for name in ("source", "owner", "team", "status") if name in filters.fields
        ],
        dates=_date_chip(request, filters),
        kept=_kept(request, but=("q", "page", "lead")),
    )


def _view_asked(request: HttpRequest, filters: LeadFilterForm | None) -> str:
    """The tab; a status that only closed leads have is looked for among all."""
    view = request.GET.get("view", "inbox")
    if view not in TABS:
        raise Http404
    status = filters.cleaned_data.get("status") if filters else ""
    return "all" if status and status not in Lead.ALIVE else view


def _of_view(leads: Any, view: str, user: User) -> Any:
    if view == "all":
        return leads
    if view == "waiting":
        return leads.waiting()
    alive = leads.alive()
    return {
        "inbox": alive,
        "mine": alive.filter(owner=user),
        "unassigned": alive.unassigned(),
        "nurturing": alive.filter(status=Lead.Status.NURTURING),
    }[view]


def _counts(leads: Any, user: User) -> dict[str, int]:
    """Count every tab of living leads in one pass."""
    counts: dict[str, int] = leads.alive().aggregate(
        inbox=Count("pk"),
        waiting=Count("pk", filter=IS_WAITING),
        mine=Count("pk", filter=Q(owner=user)),
        unassigned=Count("pk", filter=Q(owner=None)),
        nurturing=Count("pk", filter=Q(status=Lead.Status.NURTURING)),
    )
    return counts


def _ordered(leads: Any, view: str, now: dt.datetime) -> Any:
    """Unanswered leads by when their clock runs out, those that are back today, those in hand, those put aside."""
    leads = leads.select_related("owner", "source", "campaign")
    waiting = leads.waiting().with_answer_by().order_by("answer_by", "pk")
    if view == "all":
        return leads.order_by("-created_at", "-pk")
    if view == "waiting":
        return waiting
    today = timezone.localdate(now)
    back = leads.nurtured_until(today).order_by("nurture_until", "pk")
    aside = leads.filter(status=Lead.Status.NURTURING).exclude(nurture_until__lte=today)
    aside = aside.order_by(F("nurture_until").asc(nulls_last=True), "pk")
    if view == "nurturing":
        return InParts(back, aside)
    in_hand = leads.exclude(IS_WAITING).exclude(status=Lead.Status.NURTURING).order_by("-created_at", "-pk")
    return InParts(waiting, back, in_hand, aside)


def _chip(request: HttpRequest, filters: LeadFilterForm, name: str) -> Chip:
    chosen = filters.cleaned_data.get(name)
    words = dict(Lead.Status.choices).get(chosen, chosen) if name == "status" else chosen
    return Chip(
        label=str(filters[name].label),
        value=str(words or _("any")),
        field=filters[name],
        is_set=bool(chosen),
        query=_kept(request, but=(name, "page", "lead")),
        clear_url=_address(request, **{name: None}),
    )


def _date_chip(request: HttpRequest, filters: LeadFilterForm) -> Chip:
    since, until = filters.cleaned_data.get("since"), filters.cleaned_data.get("until")
    words = f"{day(since) if since else '…'} – {day(until) if until else '…'}"
    return Chip(
        label=str(_("Came in")),
        value=strip_tags(words) if since or until else str(_("any day")),
        field=filters["since"],
        is_set=bool(since or until),
        query=_kept(request, but=("since", "until", "page", "lead")),
        clear_url=_address(request, since=None, until=None),
    )


def _kept(request: HttpRequest, *, but: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in request.GET.items() if value and name not in but]


def _address(request: HttpRequest, **changes: str | None) -> str:
    query: QueryDict = request.GET.copy()
    for name in ("page", "lead"):
        query.pop(name, None)
    for name, value in changes.items():
        query.pop(name, None)
        if value is not None:
            query[name] = value
    return f"?{query.urlencode()}"
