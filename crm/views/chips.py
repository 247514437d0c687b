"""A filter of a list as a chip, and its menu where that is read once it is opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render

from crm.views.requests import PersonRequest


@dataclass(frozen=True)
class Chip:
    """One filter as components/filter_chip.html wants it; with `menu_url` its menu is read from there once opened."""

    label: str
    value: str
    field: Any
    is_set: bool
    query: list[tuple[str, str]]
    clear_url: str
    menu_url: str = ""
    is_open: bool = False


def menu_asked(request: PersonRequest) -> str:
    """Name the filter whose menu, and nothing else, the page asks for; "" where it asks for all."""
    name = request.GET.get("menu", "")
    return name if name and request.htmx.target == f"menu-{name}" else ""


def render_menu(request: PersonRequest, chip: Chip | None) -> HttpResponse:
    """Show the menu of one filter; Http404 where there is none of that name."""
    if chip is None:
        raise Http404
    return render(request, "components/filter_menu.html", {"chip": chip})
