"""Reads the lead list that an address asks for: its tab, filters and page, most urgent first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.core.paginator import Page
from django.db import connection
from django.db.models import F, Q
from django.http import Http404, QueryDict
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.forms.lead_filters import LeadFilterForm
from crm.models import Lead, User
from crm.templatetags.formats import day
from crm.templatetags.leads import MOST_COUNTED
from crm.views.addresses import page_of
from crm.views.chips import Chip
from crm.views.requests import PersonRequest

PAGE = 20

TABS = {
    "inbox": _("Inbox"),
    "waiting": _("Waiting for an answer"),
    "mine": _("Mine"),
    "unassigned": _("Unassigned"),
    "nurturing": pgettext_lazy("leads", "Nurturing"),
    "all": _("All"),
}

READ_WHEN_OPENED = ("segment", "source", "owner", "team")
"""Filters whose choices are rows: most pages are left without anybody looking at them."""
BESIDE = ("page", "lead", "menu")
"""What an address says beside filters and tab."""
NAMED = ("status", "score", "state")
"""Filters whose choices have names of their own."""
BY_SCORE = (F("score").desc(nulls_last=True), "-pk")

IS_ANY = Q(pk__isnull=False)
IS_ALIVE = Q(status__in=Lead.ALIVE)
IS_WAITING = Q(status=Lead.Status.NEW, first_response_at=None)
IS_NURTURED = Q(status=Lead.Status.NURTURING)
IS_IN_HAND = Q(status__in=[status for status in Lead.ALIVE if status != Lead.Status.NURTURING]) & ~IS_WAITING


FOLLOWS = {
    "inbox": ("part_waiting", "part_back", "part_in_hand", "part_aside"),
    "waiting": ("part_waiting",),
    "nurturing": ("part_back", "part_aside"),
}
"""Tabs whose counts are sums of the parts of the whole inbox, and are not asked for beside them."""


@dataclass(frozen=True)
class Part:
    """A stretch of the list: which leads stand in it, and in which order."""

    condition: Q
    order: tuple[Any, ...]

    def of(self, leads: Any) -> Any:
        """Return the part's leads in their order."""
        return leads.filter(self.condition).order_by(*self.order)


class InParts:
    """Parts one after the other, counted beforehand and cut as one list: each keeps an order that an index serves.

    Where the counts end at `MOST_COUNTED` so does what is paged; `iterator` reads on to the end.
    """

    def __init__(self, parts: list[Any], counts: list[int]) -> None:
        self._parts = parts
        self._ends = [min(end, MOST_COUNTED) for end in accumulate(counts)]
        self.is_cut = sum(counts) > MOST_COUNTED

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, cut: slice) -> list[Any]:
        start, stop = cut.start or 0, min(cut.stop, len(self))
        rows: list[Any] = []
        for part, begins, ends in zip(self._parts, [0, *self._ends], self._ends, strict=False):
            if begins < stop and ends > start:
                rows += part[max(start - begins, 0) : min(stop, ends) - begins]
        return rows

    def iterator(self) -> Iterator[Any]:
        """Read all rows, as a queryset's own `iterator` does."""
        for part in self._parts:
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
    is_by_score: bool
    in_hand_address: str
    """The list with a lead in hand, up to the lead's number."""

    @property
    def is_narrowed(self) -> bool:
        """Whether a filter keeps leads away."""
        return any(self.filters.cleaned_data.values())


def read_inbox(request: PersonRequest, now: dt.datetime) -> Inbox:
    """Read the list for `request`; a tab, person or source that does not exist is 404."""
    user: User = request.user
    filters = LeadFilterForm(request.GET, user=user)
    filters.is_valid()
    if filters.names_nothing_known:
        raise Http404
    status = filters.cleaned_data.get("status", "")
    is_closed = bool(status) and status not in Lead.ALIVE
    view = _view_asked(request, is_closed=is_closed)
    found = filters.narrow(Lead.objects.visible_to(user))
    is_by_score = request.GET.get("sort") == "score"
    counts, leads = _counted(found, view, Q(status=status) if status else IS_ANY, user, now, is_by_score=is_by_score)
    elsewhere: dict[str, str | None] = {"status": None} if is_closed else {}
    return Inbox(
        view=view,
        filters=filters,
        tabs=[
            Tab(key, str(label), counts.get(key), _address(request, view=key, **elsewhere), key == view)
            for key, label in TABS.items()
        ],
        leads=leads,
        page=page_of(leads, request, size=PAGE),
        waiting=counts["waiting"],
        late=counts["late"],
        chips=[
            chip_of(request, filters, name)
            for name in ("segment", "source", "score", "state", "owner", "team", "status")
            if name in filters.fields
        ],
        dates=_date_chip(request, filters),
        kept=_kept(request, but=("q", *BESIDE)),
        is_by_score=is_by_score,
        in_hand_address=_in_hand_address(request),
    )


def chip_named(request: PersonRequest, name: str) -> Chip | None:
    """Return the filter whose menu is opened; None where there is none of that name."""
    filters = LeadFilterForm(request.GET, user=request.user)
    filters.is_valid()
    is_known = name in READ_WHEN_OPENED and not filters.names_nothing_known
    return chip_of(request, filters, name) if is_known else None


def _view_asked(request: PersonRequest, *, is_closed: bool) -> str:
    """The tab; a status that only closed leads have is looked for among all."""
    view = request.GET.get("view", "inbox")
    if view not in TABS:
        raise Http404
    return "all" if is_closed else view


def _counted(
    found: Any, view: str, of_status: Q, user: User, now: dt.datetime, *, is_by_score: bool
) -> tuple[dict[str, int], Any]:
    """Count every tab, and the parts of the one that is open, in one statement; return its leads too."""
    tabs = {
        "inbox": IS_ALIVE,
        "waiting": IS_WAITING,
        "mine": IS_ALIVE & Q(owner=user),
        "unassigned": IS_ALIVE & Q(owner=None),
        "nurturing": IS_NURTURED,
    }
    parts = _parts(timezone.localdate(now))
    wanted = {key: found.filter(condition) for key, condition in tabs.items()} | {"late": found.late(now)}
    shown = found.select_related("owner", "source", "campaign")
    if view == "all":
        counts = _count(wanted | {"all": found.filter(of_status)})
        order = BY_SCORE if is_by_score else ("-created_at", "-pk")
        return counts, InParts([shown.filter(of_status).order_by(*order)], [counts.pop("all")])
    here = tabs[view] & of_status
    follows = FOLLOWS if here == IS_ALIVE & IS_ANY else {}
    asked = {key: rows for key, rows in wanted.items() if key not in follows}
    counts = _count(asked | {name: found.filter(here & part.condition) for name, part in parts.items()})
    counts |= {key: sum(counts[name] for name in names) for key, names in follows.items()}
    if is_by_score:
        return counts, InParts([shown.filter(here).order_by(*BY_SCORE)], [sum(counts[name] for name in parts)])
    return counts, InParts([part.of(shown.filter(here)) for part in parts.values()], [counts[name] for name in parts])


def _count(wanted: dict[str, Any]) -> dict[str, int]:
    """Count each of the querysets to one more than `MOST_COUNTED`, all in one statement.

    Each compiles itself, once: as a subquery of another it would be resolved a second time, which took longer than
    the counting.
    """
    counts, values = dict.fromkeys(wanted, 0), []
    asked: dict[str, str] = {}
    for name, rows in wanted.items():
        with suppress(EmptyResultSet):
            statement, given = rows.order_by().values("pk")[: MOST_COUNTED + 1].query.sql_with_params()
            asked[name] = f"(SELECT count(*) FROM ({statement}) counted)"  # noqa: S608 (the ORM wrote it)
            values += given
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(asked.values()) or 'NULL'}", values)
        return counts | dict(zip(asked, cursor.fetchone(), strict=False))


def _parts(today: dt.date) -> dict[str, Part]:
    """Unanswered leads by when their clock runs out, those back from nurturing, those in hand, those put aside."""
    is_back = IS_NURTURED & Q(nurture_until__lte=today)
    is_aside = IS_NURTURED & (Q(nurture_until__gt=today) | Q(nurture_until=None))
    return {
        "part_waiting": Part(IS_WAITING, ("answer_by", "pk")),
        "part_back": Part(is_back, ("nurture_until", "pk")),
        "part_in_hand": Part(IS_IN_HAND, ("-created_at", "-pk")),
        "part_aside": Part(is_aside, (F("nurture_until").asc(nulls_last=True), "pk")),
    }


def chip_of(request: PersonRequest, filters: LeadFilterForm, name: str) -> Chip:
    """Return one filter; the menu of one whose choices are rows only where `?menu=` asks for it."""
    is_open = request.GET.get("menu") == name
    chosen = filters.cleaned_data.get(name)
    words = dict(getattr(filters.fields[name], "choices", ())).get(str(chosen)) if name in NAMED else chosen
    return Chip(
        label=str(filters[name].label),
        value=str(words or _("any")),
        field=filters[name],
        is_set=bool(chosen),
        query=_kept(request, but=(name, *BESIDE)),
        clear_url=_address(request, **{name: None}),
        menu_url="" if is_open or name not in READ_WHEN_OPENED else _address(request, menu=name),
        is_open=is_open,
    )


def _date_chip(request: PersonRequest, filters: LeadFilterForm) -> Chip:
    since, until = filters.cleaned_data.get("since"), filters.cleaned_data.get("until")
    words = f"{day(since) if since else '…'} – {day(until) if until else '…'}"
    return Chip(
        label=str(_("Came in")),
        value=strip_tags(words) if since or until else str(_("any day")),
        field=filters["since"],
        is_set=bool(since or until),
        query=_kept(request, but=("since", "until", *BESIDE)),
        clear_url=_address(request, since=None, until=None),
    )


def _kept(request: PersonRequest, *, but: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(name, str(value)) for name, value in request.GET.items() if value and name not in but]


def _in_hand_address(request: PersonRequest) -> str:
    query: QueryDict = request.GET.copy()
    for name in ("lead", "menu"):
        query.pop(name, None)
    return f"?{query.urlencode()}&lead=" if query else "?lead="


def _address(request: PersonRequest, **changes: str | None) -> str:
    query: QueryDict = request.GET.copy()
    for name in BESIDE:
        query.pop(name, None)
    for name, value in changes.items():
        query.pop(name, None)
        if value is not None:
            query[name] = value
    return f"?{query.urlencode()}"
