"""Months of expected closing, by cases."""

from __future__ import annotations

import datetime as dt

import pytest

from pipeline.rules.closing_months import day_in, month_key

TODAY = dt.date(2026, 11, 22)


@pytest.mark.parametrize(
    ("day", "key"),
    [
        (None, "none"), (dt.date(2026, 10, 31), "earlier"), (dt.date(2026, 11, 1), "2026-11"),
        (dt.date(2027, 4, 30), "2027-04"), (dt.date(2027, 5, 1), "later"), (dt.date(9999, 12, 31), "later"),
    ],
)  # fmt: skip
def test_a_day_lies_in_one_column(day: dt.date | None, key: str) -> None:
    assert month_key(day, TODAY) == key


@pytest.mark.parametrize(
    ("month", "was", "becomes"),
    [
        (dt.date(2026, 12, 1), dt.date(2026, 11, 30), dt.date(2026, 12, 30)),
        (dt.date(2027, 2, 1), dt.date(2027, 1, 31), dt.date(2027, 2, 28)),  # clamped to its end
        (dt.date(2027, 1, 1), None, dt.date(2027, 1, 31)),
        (dt.date(2026, 11, 1), dt.date(2026, 12, 24), dt.date(2026, 11, 24)),
        (dt.date(2026, 11, 1), dt.date(2026, 12, 5), TODAY),  # never a day that is over
    ],
)
def test_the_same_day_in_another_month(month: dt.date, was: dt.date | None, becomes: dt.date) -> None:
    assert day_in(month, was=was, today=TODAY) == becomes
