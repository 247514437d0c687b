"""What a fact is: a SQL statement with room for the periods, a grouping key and what narrows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

FACTS: dict[str, Fact] = {}
"""Every declared fact by its name."""


@dataclass(frozen=True)
class Fact:
    """One kind of fact over periods.

    `sql` begins after the common tables `periods` (i, starts, ends, as_of, first_day, end_day, last_day) and `rates`
    (currency, rate, since, until), yields columns `i` and `key` first, and holds the slots `{key}` and `{narrow}`.
    `dimensions` says which SQL expression holds each dimension. `unassigned` is the condition under which a row nobody
    owns is still visible, where there are such rows. `is_list` facts have several rows for one period and key.
    """

    name: str
    sql: str
    dimensions: Mapping[str, str] = field(default_factory=dict)
    unassigned: str = ""
    is_list: bool = False

    def __post_init__(self) -> None:
        FACTS[self.name] = self

    def key(self, by: str | None) -> str:
        """The SQL expression that groups by dimension `by`."""
        if by is None:
            return "NULL::bigint"
        if by == "team":
            return f"(SELECT u.team_id FROM crm_user u WHERE u.id = {self.dimensions['owner']})"
        return self.dimensions[by]


def rate_on(day: str, *, currency: str) -> str:
    """The join that finds, as `r.rate`, what `currency` was worth on `day`."""
    return f"LEFT JOIN rates r ON r.currency = {currency} AND {day} >= r.since AND {day} < r.until"


def missing_rate(amount: str, *, currency: str, day: str) -> str:
    """The aggregate that names the first currency and day of an `amount` without a rate, or null."""
    return f"min({currency} || ' ' || ({day})::text) FILTER (WHERE {amount} IS NOT NULL AND r.rate IS NULL)"
