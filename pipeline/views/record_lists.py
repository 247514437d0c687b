"""Reads the list of records that an address asks for: filters, order and page, quickly whatever its length."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.forms import ModelChoiceField
from django.http import Http404, HttpResponse, QueryDict
from django.utils.html import strip_tags
from django.utils.translation import gettext as _

from crm.models import User
from crm.templatetags.formats import day
from crm.views.addresses import page_asked
from crm.views.chips import Chip, menu_asked, render_menu
from crm.views.requests import PersonRequest
from pipeline.rules.moving_together import MOST as MOST_TOGETHER

PAGE = 50
BESIDE = ("page", "menu")
"""What an address says beside filters and order."""
MOST = 10_000
"""Counted no further, and paged no further: who wants more narrows the list or exports it."""

Orders = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class RecordList:
    """A page of rows. `count` is None beyond `MOST`; `first` and `last` number the rows shown, from 1."""

    filters: Any
    rows: list[Any]
    matching: Any
    sort: str
    page: int
    has_next: bool
    count: int | None
    chips: list[Chip] = field(default_factory=list)
    kept: list[tuple[str, str]] = field(default_factory=list)

    @property
    def most(self) -> int:
        """So many of all that is found can be changed at once."""
        return MOST_TOGETHER

    @property
    def first(self) -> int:
        """The number of the first row shown."""
        return (self.page - 1) * PAGE + 1

    @property
    def last(self) -> int:
        """The number of the last row shown."""
        return self.first + len(self.rows) - 1

    @property
    def is_narrowed(self) -> bool:
        """Whether a filter keeps rows away."""
        return any(value not in {None, ""} for value in self.filters.form.cleaned_data.values())


def read_list(
    request: PersonRequest, filters: Any, *, orders: Orders, always: Sequence[str] | None = None
) -> RecordList:
    """Read the page that `request` asks for; a filter that names what does not exist or may not be seen is 404.

    `orders` says by which fields each `?sort=` sorts; the first is the one without asking, "-" before a name turns it.
    `always` are the filters that have a chip even while they are not set; None means all.
    """
    matching = ordered(request, filters, orders)
    page = page_asked(request, last=MOST // PAGE)
    rows = list(matching[(page - 1) * PAGE : page * PAGE + 1])
    mark_changeable(rows, request.user)
    if page > 1 and not rows:
        raise Http404
    return RecordList(
        filters=filters,
        rows=rows[:PAGE],
        matching=matching,
        sort=request.GET.get("sort") or next(iter(orders)),
        page=page,
        has_next=len(rows) > PAGE and page * PAGE < MOST,
        count=_count(matching, rows, page),
        chips=chips(request.GET, filters.form, always),
        kept=_kept(request.GET, without="q"),
    )


def mark_changeable(rows: Iterable[Any], reader: User) -> None:
    """Say of each row that `reader` sees whether they may choose it to be changed; the rules decide."""
    owners = reader.editable_owner_ids
    for row in rows:
        is_theirs = owners is None or getattr(row, "owner_id", None) is None or row.owner_id in owners
        row.may_change = reader.may_write and is_theirs and getattr(row, "erased_at", None) is None


def ordered(request: PersonRequest, filters: Any, orders: Orders) -> Any:
    """Return all rows that the filters let through, in the order that the address asks for."""
    if not filters.form.is_valid() and names_nothing_known(filters.form):
        raise Http404
    rows = filters.qs if filters.form.is_valid() else filters.queryset.none()
    sort = request.GET.get("sort") or next(iter(orders))
    fields = orders.get(sort.removeprefix("-"))
    if fields is None:
        raise Http404
    turned = rows.order_by(*fields)
    return turned.reverse() if sort.startswith("-") else turned


def _count(matching: Any, rows: Sequence[Any], page: int) -> int | None:
    if page == 1 and len(rows) <= PAGE:
        return len(rows)
    count = matching.order_by()[: MOST + 1].count()
    return count if count <= MOST else None


def names_nothing_known(form: Any) -> bool:
    """Whether a choice does not exist, or is not the person's to see."""
    return any(form.has_error(name, code="invalid_choice") for name in form.fields)


def chips(query: QueryDict, form: Any, always: Sequence[str] | None) -> list[Chip]:
    """Return a chip for each filter that is set, and for those of `always` (None: for all)."""
    chips = {name: _chip(query, form, name) for name in form.fields if name != "q"}
    return [chip for name, chip in chips.items() if chip.is_set or always is None or name in always]


def menu_of_filter(request: PersonRequest, filters: Any) -> HttpResponse | None:
    """The menu of a filter whose choices are rows, where the page asks for it alone; None where it asks for all."""
    name, form = menu_asked(request), filters.form
    if not name:
        return None
    is_known = isinstance(form.fields.get(name), ModelChoiceField)
    if not form.is_valid() and names_nothing_known(form):
        raise Http404
    return render_menu(request, _chip(request.GET, form, name) if is_known else None)


def _chip(query: QueryDict, form: Any, name: str) -> Chip:
    value = form.cleaned_data.get(name)
    kept = query.copy()
    for gone in (name, *BESIDE):
        kept.pop(gone, None)
    is_set, is_open = value not in {None, ""}, query.get("menu") == name
    is_read_when_opened = isinstance(form.fields[name], ModelChoiceField) and not is_open
    return Chip(
        label=str(form.fields[name].label),
        value=_in_words(form.fields[name], value) if is_set else _("any"),
        field=form[name],
        is_set=is_set,
        query=_kept(query, without=name),
        clear_url=f"?{kept.urlencode()}",
        menu_url=_menu_url(query, name) if is_read_when_opened else "",
        is_open=is_open,
    )


def _menu_url(query: QueryDict, name: str) -> str:
    asked = query.copy()
    asked["menu"] = name
    return f"?{asked.urlencode()}"


def _in_words(form_field: Any, value: Any) -> str:
    if isinstance(form_field, ModelChoiceField):
        return str(value)
    choices = dict(getattr(form_field, "choices", ()))
    if value in choices:
        return str(choices[value])
    return strip_tags(day(value)) if hasattr(value, "isoformat") else str(value)


def _kept(query: QueryDict, *, without: str) -> list[tuple[str, str]]:
    """The rest of the address, as hidden fields of a filter's form."""
    return [(name, str(value)) for name, value in query.items() if name not in {without, *BESIDE} and value]
