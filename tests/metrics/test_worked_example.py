"""The worked example of the metrics' definitions, figure by figure."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from metrics.engine import Results
from tests.metrics.lives import LETTERS, at, figures, live

pytestmark = pytest.mark.django_db


@pytest.fixture
def june(db: None) -> Results:
    days = zip("PQMRNCF", [at(5, 1), at(5, 5), at(5, 10), at(5, 20), at(6, 1), at(6, 5), at(6, 10)], strict=True)
    noon = [(letter, day + dt.timedelta(hours=12)) for letter, day in days]
    live(noon, 1000, won_at=at(6, 10, 12))
    live([("P", at(6, 1)), ("R", at(6, 3)), ("F", at(6, 11))], 3000, won_at=at(6, 11))
    live([("P", at(6, 2)), ("Q", at(6, 4)), ("P", at(6, 6)), ("Q", at(6, 8))], 500, lost_at=at(6, 18))
    live([("P", at(6, 20)), ("Q", at(6, 25))], 2000)
    live([("P", at(5, 15))], 700, lost_at=at(7, 1))
    return figures(now=at(7, 20))


def test_won_and_lost(june: Results) -> None:
    assert june["won_deals"].value == 2
    assert june["won_value"].value == Decimal(4000)
    assert june["lost_deals"].value == 1  # E is July's


def test_win_rates(june: Results) -> None:
    rate = june["win_rate"]
    assert (rate.numerator, rate.denominator, rate.n) == (2, 3, 3)
    assert rate.value == pytest.approx(2 / 3)
    assert rate.low == pytest.approx(0.2077, abs=5e-5)
    assert rate.high == pytest.approx(0.9385, abs=5e-5)
    assert june["win_rate_value"].value == pytest.approx(4000 / 4500)
    assert june["win_loss_ratio"].value == 2.0


def test_deal_size_and_cycle(june: Results) -> None:
    assert (june["average_deal_size"].value, june["average_deal_size"].median) == (Decimal(2000), Decimal(2000))
    cycle = june["sales_cycle"]
    assert (cycle.value, cycle.median, cycle.n) == (25.0, 25.0, 2)


def test_open_at_the_end(june: Results) -> None:
    assert june["open_deals"].value == 1  # E was lost at that very instant
    assert june["open_value"].value == Decimal(2000)
    assert june["weighted_value"].value == Decimal(400)


def test_velocity(june: Results) -> None:
    assert june["velocity"].value == Decimal("53.33")


def test_stage_conversion(june: Results) -> None:
    stages = {stage.stage: stage for stage in june["stage_conversion"].stages or ()}
    assert list(stages) == [LETTERS[letter] for letter in "PQMRNCF"]
    prospecting, qualification = stages["prospecting"], stages["qualification"]
    assert (prospecting.numerator, prospecting.denominator, prospecting.pending) == (3, 3, 0)
    assert (qualification.numerator, qualification.denominator) == (1, 3)
    assert (qualification.pending, qualification.lost) == (1, 1)


def test_stage_duration(june: Results) -> None:
    stages = {stage.stage: stage for stage in june["stage_duration"].stages or ()}
    assert (stages["qualification"].median, stages["qualification"].n) == (6.0, 2)


def test_nothing_is_not_zero(june: Results) -> None:
    for key in ("lead_conversion", "lead_response_time", "customer_response_rate", "churn_rate", "cac"):
        assert june[key].value is None
        assert june[key].reason, key
