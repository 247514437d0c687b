"""A filter of a list as a chip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


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
