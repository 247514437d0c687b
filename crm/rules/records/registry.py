"""Every kind of record that can be brought in, whichever app it belongs to: each says so once, at the start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from crm.rules.records.context import Kind

_kinds: dict[str, Kind] = {}

KINDS: Mapping[str, Kind] = MappingProxyType(_kinds)
"""Key → kind."""


def register(kinds: Iterable[Kind]) -> None:
    """Make `kinds` known to the wizard and to undoing."""
    _kinds.update({kind.key: kind for kind in kinds})


def offered() -> list[Kind]:
    """The kinds that the wizard offers, in its order."""
    return sorted((kind for kind in _kinds.values() if kind.place), key=lambda kind: kind.place)
