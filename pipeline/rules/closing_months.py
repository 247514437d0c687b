"""Months in which deals are expected to close: this one, the next few, and what lies before, after or nowhere."""

from __future__ import annotations

import datetime as dt

from dateutil.relativedelta import relativedelta

AHEAD = 6
"""So many months are told apart, this one included: further ahead hardly anybody knows more than "later"."""

EARLIER, LATER, NONE = "earlier", "later", "none"


def months_ahead(today: dt.date) -> list[dt.date]:
    """Return the first days of the months told apart, and of the one after the last."""
    first = today.replace(day=1)
    return [first + relativedelta(months=number) for number in range(AHEAD + 1)]


def month_key(day: dt.date | None, today: dt.date) -> str:
    """Return the month of `day` as "2026-12", or which side of the months told apart it lies on."""
    starts = months_ahead(today)
    if day is None:
        return NONE
    if day < starts[0]:
        return EARLIER
    return LATER if day >= starts[-1] else f"{day:%Y-%m}"


def day_in(month: dt.date, *, was: dt.date | None, today: dt.date) -> dt.date:
    """Return the same day as `was` in the month that begins on `month`, its last where it has no such day or none was.

    Never a day that is over: who puts a deal into this month means what is left of it.
    """
    return max(month + relativedelta(day=was.day if was else 31), today)
