"""The statements of the engine against an independent count in plain Python, over invented histories."""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics.scope import Period
from pipeline.models import Contract, Deal
from tests.factories import ContractFactory, UserFactory
from tests.metrics.lives import LETTERS, at, figures, live

pytestmark = pytest.mark.django_db

BEGINNING = at(5, 20)
JUNE = Period(dt.date(2026, 6, 1), dt.date(2026, 7, 1))
START, END = at(6, 1), at(7, 1)
OPEN_STAGES = "PQMRNC"


@dataclass(frozen=True)
class Life:
    """A deal's stays (stage, since), and how and when it ended."""

    stays: list[tuple[str, dt.datetime]]
    outcome: str
    ended: dt.datetime | None
    amount: int | None


@st.composite
def lives(draw: st.DrawFn) -> Life:
    # Whole days, so that boundaries are met again and again.
    moments = draw(st.lists(st.integers(0, 60), min_size=2, max_size=6, unique=True).map(sorted))
    times = [BEGINNING + dt.timedelta(days=number) for number in moments]
    stages = draw(st.lists(st.sampled_from(OPEN_STAGES), min_size=len(times) - 1, max_size=len(times) - 1))
    stays = list(zip(stages, times[:-1], strict=True))
    outcome = draw(st.sampled_from(["open", "won", "lost"]))
    ended = None if outcome == "open" else times[-1]
    return Life(stays, outcome, ended, draw(st.one_of(st.none(), st.integers(0, 1000))))


def build(life: Life, owner: object) -> Deal:
    stays = [*life.stays, ("F", life.ended)] if life.outcome == "won" else life.stays
    ends = {"won": {"won_at": life.ended}, "lost": {"lost_at": life.ended}, "open": {}}[life.outcome]
    return live(stays, life.amount, owner=owner, **ends)


def reaches(life: Life) -> dict[str, dt.datetime]:
    """When each stage was first reached, by a stay in it or in any later one."""
    stays = [*life.stays, *([("F", life.ended)] if life.outcome == "won" else [])]
    letters = "PQMRNCF"
    found = {}
    for letter in letters:
        later = [since for stage, since in stays if letters.index(stage) >= letters.index(letter)]
        if later:
            found[letter] = min(later)
    return found


def closed(found: list[Life], outcome: str) -> list[Life]:
    return [life for life in found if life.outcome == outcome and life.ended and START <= life.ended < END]


def stay_days(life: Life, stage: str) -> Iterator[float]:
    times = [since for _stage, since in life.stays] + [life.ended]
    for (name, since), until in zip(life.stays, times[1:], strict=True):
        if name == stage and until is not None and START <= until < END:
            yield (until - since).total_seconds() / 86400


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=st.lists(lives(), max_size=8))
def test_deals(db, found):
    Deal.objects.all().delete()
    owner = UserFactory()
    for life in found:
        build(life, owner)
    june = figures(JUNE)
    won, lost = closed(found, "won"), closed(found, "lost")
    assert (june["won_deals"].value, june["lost_deals"].value) == (len(won), len(lost))
    assert june["won_value"].value == sum(life.amount or 0 for life in won)
    cycles = [(life.ended - life.stays[0][1]).total_seconds() / 86400 for life in won]
    assert june["sales_cycle"].value == (pytest.approx(statistics.fmean(cycles)) if cycles else None)
    assert june["sales_cycle"].median == (pytest.approx(statistics.median(cycles)) if cycles else None)
    amounts = [Decimal(life.amount) for life in won if life.amount is not None]
    assert june["average_deal_size"].median == (statistics.median(amounts) if amounts else None)
    opened = [life for life in found if life.stays[0][1] <= END and (life.ended is None or life.ended > END)]
    assert june["open_deals"].value == len(opened)
    assert june["open_value"].value == sum(life.amount or 0 for life in opened)
    chances = dict(zip(OPEN_STAGES, (10, 20, 35, 50, 65, 85), strict=True))
    standing = [next(stage for stage, since in reversed(life.stays) if since <= END) for life in opened]
    weighted = sum(
        Decimal(life.amount or 0) * chances[stage] / 100 for life, stage in zip(opened, standing, strict=True)
    )
    assert june["weighted_value"].value == weighted
    check_stages(found, june)


def check_stages(found, june):
    letters = {slug: letter for letter, slug in LETTERS.items()}
    for stage in june["stage_conversion"].stages:
        letter = letters[stage.stage]
        following = "PQMRNCF"["PQMRNCF".index(letter) + 1 :]
        cohort = [life for life in found if START <= reaches(life).get(letter, BEGINNING) < END]
        passed = [life for life in cohort if life.outcome == "won" or any(name in reaches(life) for name in following)]
        pending = [life for life in cohort if life not in passed and life.outcome == "open"]
        assert (stage.denominator, stage.numerator) == (len(cohort), len(passed)), stage
        assert (stage.pending, stage.lost) == (len(pending), len(cohort) - len(passed) - len(pending)), stage
    for stage in june["stage_duration"].stages:
        days = [day for life in found for day in stay_days(life, letters[stage.stage])]
        assert stage.n == len(days)
        assert stage.median == (pytest.approx(statistics.median(days)) if days else None)


@st.composite
def terms(draw: st.DrawFn) -> tuple[int, dt.date, dt.date | None, int]:
    """A customer (by number), the first day, the first day without it, and the monthly value."""
    start = dt.date(2026, 5, 20) + dt.timedelta(days=draw(st.integers(0, 45)))
    length = draw(st.one_of(st.none(), st.integers(1, 40)))
    end = None if length is None else start + dt.timedelta(days=length)
    return draw(st.integers(0, 3)), start, end, draw(st.integers(0, 100))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=st.lists(terms(), max_size=10))
def test_contracts(db, found):
    Contract.objects.all().delete()
    companies = [ContractFactory(starts_on=dt.date(2020, 1, 1), ends_on=dt.date(2020, 1, 2)).company for _ in range(4)]
    for number, start, end, value in found:
        ContractFactory(company=companies[number], starts_on=start, ends_on=end, monthly_value=value)

    def running(number: int, day: dt.date) -> list[int]:
        return [v for who, start, end, v in found if who == number and start <= day and (end is None or day < end)]

    days = [JUNE.start + dt.timedelta(days=number) for number in range(JUNE.days)]
    there = [number for number in range(4) if running(number, days[0])]
    left = [number for number in there if any(not running(number, day) for day in days)]
    before = sum(sum(running(number, days[0])) for number in there)
    after = sum(sum(running(number, days[-1])) for number in there)
    lost = sum(sum(running(n, days[0])) - min(sum(running(n, day)) for day in days) for n in there)
    june = figures(JUNE)
    assert (june["churn_rate"].numerator, june["churn_rate"].denominator) == (len(left), len(there))
    if before:
        assert (june["revenue_churn"].numerator, june["revenue_churn"].denominator) == (lost, before)
        assert june["net_revenue_retention"].numerator == after
    else:
        assert june["revenue_churn"].value is None
