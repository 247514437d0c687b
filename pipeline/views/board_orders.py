"""How the cards of a column lie, and what lies above and below one of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from pipeline.views.board_cards import Row


@dataclass(frozen=True)
class Order:
    """By one field of a deal, ties by its id; deals in which it is empty lie last.

    `read` makes a value of what an address says, and raises ValueError where it says none.
    """

    field: str
    read: Callable[[str], Any]
    is_latest_first: bool = False

    def laid(self, deals: Any) -> Any:
        """`deals` (a queryset) from the top of the column to its end."""
        sign = "-" if self.is_latest_first else ""
        return deals.order_by(f"{sign}{self.field}", f"{sign}pk")

    def place(self, row: Row) -> str:
        """Where a card lies, as an address says it."""
        value = getattr(row, self.field)
        return f"{'' if value is None else value}~{row.pk}"

    def below(self, place: str) -> Q:
        """What lies below `place`; ValueError where it is none."""
        said, _tilde, pk = place.rpartition("~")
        value = self.read(said) if said else None
        nearer = self._beyond(value, int(pk), "lt" if self.is_latest_first else "gt")
        return nearer if value is None else nearer | Q(**{self.field: None})

    def above(self, row: Row) -> Q:
        """What lies above the card of `row`."""
        value = getattr(row, self.field)
        nearer = self._beyond(value, row.pk, "gt" if self.is_latest_first else "lt")
        return nearer | Q(**{f"{self.field}__isnull": False}) if value is None else nearer

    def _beyond(self, value: Any, pk: int, way: str) -> Q:
        beside = Q(**{self.field: value, f"pk__{way}": pk})
        return beside if value is None else Q(**{f"{self.field}__{way}": value}) | beside


def _moment(said: str) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(said).astimezone(dt.UTC)
    except OverflowError as error:  # before the first year, or after the last
        raise ValueError(said) from error


BY_RANK = Order("rank", str)
BY_WIN = Order("won_at", _moment, is_latest_first=True)
BY_CLOSE = Order("expected_close_on", dt.date.fromisoformat)
"""Soonest first; what has no date comes last."""
