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
    (currency, rate, day; one row for each day of all periods), yields columns `i` and `key` first, and holds the slots
    `{key}` and `{narrow}`.

    `dimensions` says which SQL expression holds each dimension; a team is its owner's unless there is an expression for
    it, and of a segment the expression is the lead's id. `unassigned` is the condition under which a row nobody owns is
    still visible, where there are such rows. `is_list` facts have several rows for one period and key; `is_shared` ones
    are the same for every group.
    """

    name: str
    sql: str
    dimensions: Mapping[str, str] = field(default_factory=dict)
    unassigned: str = ""
    is_list: bool = False
    is_shared: bool = False

    def __post_init__(self) -> None:
        FACTS[self.name] = self

    def key(self, by: str | None) -> str:
        """The SQL expression that groups by dimension `by`."""
        if by is None:
            return "NULL::bigint"
        if by == "team" and "team" not in self.dimensions:
            return f"(SELECT u.team_id FROM crm_user u WHERE u.id = {self.dimensions['owner']})"
        return self.dimensions[by]


def rate_on(day: str, *, currency: str) -> str:
    """The join that finds, as `r.rate`, what `currency` was worth on `day`."""
    return f"LEFT JOIN rates r ON r.currency = {currency} AND r.day = {day}"


def missing_rate(amount: str, *, currency: str, day: str) -> str:
    """The aggregate that names the first currency and day of an `amount` without a rate, or null."""
    return f"min({currency} || ' ' || ({day})::text) FILTER (WHERE {amount} IS NOT NULL AND r.rate IS NULL)"


def about(row: str) -> str:
    """The joins that find, as `d` and `l`, the deal or lead an activity or follow-up is about, where it is one.

    Where no filter or grouping reads them PostgreSQL leaves the joins out.
    """
    return (
        f"LEFT JOIN pipeline_deal d ON d.id = {row}.subject_id AND {row}.subject_type_id = %(deal_type)s "
        f"LEFT JOIN crm_lead l ON l.id = {row}.subject_id AND {row}.subject_type_id = %(lead_type)s"
    )
