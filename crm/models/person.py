"""One person in all their records: what names them wherever it stands, and how far somebody may look for it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from django.db import models
from django.db.models import Q

from crm.models.access import within

if TYPE_CHECKING:
    from crm.models.accounts import User

ERASED = "∅"
"""What stands where a text was that must not be empty; the audit log's trigger lets nothing else replace a value."""

SHORTEST_PART = 3
"""Shorter words of a name are left in other texts: they would be found everywhere."""
FEWEST_DIGITS = 6
"""With fewer a phone number names nobody."""

Ids = Mapping[str, frozenset[int]]


@dataclass(frozen=True)
class Reach:
    """How far `user` may look: at what they see or, to erase there, at what they may change, their bin included."""

    user: User
    verb: Literal["visible_to", "editable_by"]
    now: dt.datetime

    def over(self, model: type[models.Model], belongs_to: str = "") -> Q:
        """The condition that a row of `model`, or the row or colleague it `belongs_to`, is in reach."""
        if belongs_to:
            related: Any = model._meta.get_field(belongs_to).related_model
            if hasattr(related, "visible_owner_ids"):
                return within(f"{belongs_to}_id", getattr(self.user, _OWNER_IDS[self.verb]))
            return Q(**{f"{belongs_to}__in": related._default_manager.filter(self.over(related)).values("pk")})
        rows = model._default_manager.all()
        if not hasattr(rows, "visible_to"):
            return Q()
        found = Q(pk__in=getattr(rows, self.verb, rows.visible_to)(self.user).values("pk"))
        if self.verb == "editable_by" and hasattr(rows, "in_bin_of"):
            found |= Q(pk__in=rows.in_bin_of(self.user, self.now).values("pk"))
        return found


_OWNER_IDS = {"visible_to": "visible_owner_ids", "editable_by": "editable_owner_ids"}


@dataclass(frozen=True)
class Person:
    """One person in all their records: `own` rows, by model and id, and those `beside` them that may name them.

    A deal with a company is the company's: it stands beside. One without is the person's own. What is tied to neither
    is looked for within `reach` alone; None is everywhere.
    """

    own: Ids
    beside: Ids
    names: tuple[str, ...]
    emails: tuple[str, ...]
    phones: tuple[str, ...]
    reach: Reach | None = None

    @property
    def marks(self) -> tuple[str, ...]:
        """What names them beyond doubt, wherever it stands: whole names of two words, addresses, numbers."""
        return (*(name for name in self.names if " " in name), *self.emails, *self.phones)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        whole = sorted({*self.names, *self.emails, *self.phones}, key=len, reverse=True)
        parts = sorted({part for name in self.names for part in name.split() if len(part) >= SHORTEST_PART})
        sides = [f"(?i:{'|'.join(map(bounded, whole))})"] if whole else []
        return re.compile("|".join((*sides, *map(bounded, parts))) or r"(?!)")

    def strike(self, value: Any) -> Any:
        """Return `value`, a text or JSON, with what names the person taken out of it."""
        if isinstance(value, str):
            return self._pattern.sub(ERASED, value)
        if isinstance(value, list):
            return [self.strike(item) for item in value]
        if isinstance(value, dict):
            return {key: self.strike(item) for key, item in value.items()}
        return value

    def said_in(self, value: Any) -> Any:
        """Return what of `value`, a text or JSON, names the person: the lines of texts that do; None for nothing."""
        if isinstance(value, str):
            return "\n".join(line for line in value.splitlines() if self._pattern.search(line)) or None
        if isinstance(value, list):
            return [said for item in value if (said := self.said_in(item)) is not None] or None
        if isinstance(value, dict):
            return {key: said for key, item in value.items() if (said := self.said_in(item)) is not None} or None
        return None


def bounded(mark: str, *, before: str = r"(?<!\w)") -> str:
    """Return the regular expression for `mark` by itself: no part of a longer word, number or address."""
    if "@" in mark:
        return rf"(?<![.%+-]){before}{re.escape(mark)}(?![\w-]|\.\w)"
    return rf"{before}{re.escape(mark)}(?!\w)"


def is_number(text: str) -> bool:
    """Whether a text in place of a phone number can be one."""
    return sum(character.isdigit() for character in text) >= FEWEST_DIGITS
