"""A filter of a list as a chip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Chip:
    """One filter as components/filter_chip.html wants it."""

    label: str
    value: str
    field: Any
    is_set: bool
    query: list[tuple[str, str]]
    clear_url: str
