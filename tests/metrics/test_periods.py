"""Periods: whole days of the organisation, DST included, and how sure a share is."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest

from metrics.scope import Period
from metrics.statistics import differ, wilson

pytestmark = pytest.mark.django_db


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def period(start: str, end: str) -> Period:
    return Period(day(start), day(end))


def test_days_are_cut_on_the_clock_of_the_organisation(settings):
    settings.TIME_ZONE = "Europe/Berlin"
    spring = period("2026-03-29", "2026-03-30")  # the day has 23 hours
    assert spring.ends_at - spring.starts_at == dt.timedelta(hours=23)
    autumn = period("2026-10-25", "2026-10-26")  # and this one 25
    assert autumn.ends_at - autumn.starts_at == dt.timedelta(hours=25)
    assert spring.starts_at == dt.datetime(2026, 3, 28, 23, tzinfo=dt.UTC)


def test_a_period_ends_after_it_starts():
    for start, end in (("2026-06-01", "2026-06-01"), ("2026-06-02", "2026-06-01")):
        with pytest.raises(ValueError, match="ends after it starts"):
            period(start, end)


@pytest.mark.parametrize(
    ("start", "end", "before"),
    [
        ("2026-03-01", "2026-04-01", ("2026-02-01", "2026-03-01")),  # months by months, however long
        ("2026-01-01", "2026-04-01", ("2025-10-01", "2026-01-01")),
        ("2026-01-01", "2027-01-01", ("2025-01-01", "2026-01-01")),
        ("2026-03-02", "2026-03-09", ("2026-02-23", "2026-03-02")),  # weeks by days
        ("2026-03-31", "2026-04-01", ("2026-03-30", "2026-03-31")),
    ],
)
def test_the_period_before(start, end, before):
    assert period(start, end).before() == period(*before)


def test_a_trend_leads_up_to_the_period():
    months = period("2026-03-01", "2026-04-01").run_up(12)
    assert months[0] == period("2025-04-01", "2025-05-01")
    assert months[-1] == period("2026-03-01", "2026-04-01")
    assert all(earlier.end == later.start for earlier, later in itertools.pairwise(months))


def test_months_are_cut_to_the_period():
    assert list(period("2026-01-15", "2026-03-02").months()) == [
        period("2026-01-15", "2026-02-01"),
        period("2026-02-01", "2026-03-01"),
        period("2026-03-01", "2026-03-02"),
    ]


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [  # as statsmodels.stats.proportion.proportion_confint(method="wilson") gives them
        (2, 3, 0.2077, 0.9385),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (4238, 6711, 0.6199, 0.6430),
        (1, 1, 0.2065, 1.0),
    ],
)
def test_wilson(successes, trials, low, high):
    assert wilson(successes, trials) == pytest.approx((low, high), abs=5e-5)


def test_wilson_says_nothing_about_nothing():
    assert wilson(0, 0) is None


def test_two_shares_differ_only_beyond_chance():
    assert differ((80, 100), (50, 100))
    assert not differ((3, 4), (2, 4))
    assert not differ((0, 0), (50, 100))
