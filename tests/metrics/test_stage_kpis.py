"""The funnel and the time in stages."""

from __future__ import annotations

import datetime as dt

import pytest

from metrics.kpi import StageResult
from metrics.scope import Period
from pipeline.models import Pipeline, Stage
from tests.metrics.lives import JULY, JUNE, LETTERS, at, figures, live

pytestmark = pytest.mark.django_db


def funnel(period: Period = JUNE, **filters: object) -> dict[str, StageResult]:
    letters = {slug: letter for letter, slug in LETTERS.items()}
    found = figures(period, **filters)["stage_conversion"].stages or ()
    return {letters.get(stage.stage, stage.stage): stage for stage in found}


def counts(stage: StageResult) -> tuple[int | None, ...]:
    """Reached, passed, pending, lost."""
    return stage.denominator, stage.numerator, stage.pending, stage.lost


def test_skipping_is_passing():
    live([("P", at(6, 1)), ("N", at(6, 5))])
    found = funnel()
    assert [counts(found[letter]) for letter in "PQMRN"] == [(1, 1, 0, 0)] * 4 + [(1, 0, 1, 0)]
    assert found["C"].denominator == 0
    assert found["C"].value is None
    assert found["C"].reason


def test_beginning_ahead_reaches_what_lies_behind():
    live([("R", at(6, 1))], lost_at=at(6, 9))
    found = funnel()
    assert [counts(found[letter]) for letter in "PQMR"] == [(1, 1, 0, 0)] * 3 + [(1, 0, 0, 1)]


def test_moving_back_undoes_nothing_and_is_no_second_reach():
    live([("P", at(5, 1)), ("R", at(5, 5)), ("P", at(6, 1)), ("Q", at(6, 3)), ("N", at(6, 5))])
    found = funnel()
    assert [found[letter].denominator for letter in "PQMRN"] == [0, 0, 0, 0, 1]


def test_a_win_out_of_any_stage_reaches_all_that_lie_between():
    live([("P", at(5, 1)), ("Q", at(5, 20))], won_at=at(6, 10))  # imported without a stay in the won stage
    found = funnel()
    assert [counts(found[letter]) for letter in "PQ"] == [(0, 0, 0, 0)] * 2
    assert [counts(found[letter]) for letter in "MRNCF"] == [(1, 1, 0, 0)] * 5


def test_what_happens_later_counts_for_the_reach():
    live([("P", at(6, 30)), ("Q", at(7, 2))])
    assert counts(funnel()["P"]) == (1, 1, 0, 0)
    assert counts(funnel(JULY)["Q"]) == (1, 0, 1, 0)


def test_an_unknown_beginning_reached_its_stage_at_no_known_time():
    live([("M", None), ("P", at(6, 2)), ("R", at(6, 5))])
    found = funnel()
    assert [found[letter].denominator for letter in "PQMR"] == [0, 0, 0, 1]


def test_undone_stays_reach_nothing():
    deal = live([("P", at(6, 1)), ("R", at(6, 10))])
    deal.visits.filter(stage__slug="proposal").update(reverted_at=at(6, 10))
    deal.visits.filter(stage__slug="prospecting").update(left_at=None)
    type(deal).objects.filter(pk=deal.pk).update(stage=Stage.objects.get(slug="prospecting"))
    assert counts(funnel()["P"]) == (1, 0, 1, 0)
    assert funnel()["R"].denominator == 0


def test_an_archived_stage_keeps_its_past_and_no_more():
    live([("P", at(6, 1)), ("M", at(6, 3)), ("R", at(6, 9))])
    live([("P", at(7, 1)), ("R", at(7, 9))])
    Stage.objects.filter(slug="meeting").update(is_archived=True)
    assert counts(funnel()["M"]) == (1, 1, 0, 0)
    assert "M" not in funnel(JULY)


def test_two_pipelines_are_told_apart():
    other = Pipeline.objects.create(name="Other", slug="other", position=9)
    stage = Stage.objects.create(pipeline=other, name="Prospecting", slug="prospecting", position=1)
    live([("P", at(6, 1))])
    deal = live([("P", at(6, 1))])
    deal.visits.update(stage=stage)
    type(deal).objects.filter(pk=deal.pk).update(pipeline=other, stage=stage)
    assert [counts(funnel()[f"{slug}/prospecting"]) for slug in ("sales", "other")] == [(1, 0, 1, 0)] * 2
    assert list(funnel(pipeline=other)) == ["P"]


def test_time_in_stage_over_stays_that_ended_in_the_period():
    for days in (1, 2, 3, 4, 10):
        live([("P", at(6, 15) - dt.timedelta(days=days)), ("Q", at(6, 15))])
    live([("P", at(6, 1)), ("Q", at(7, 1))])  # ended in July
    live([("P", None), ("Q", at(6, 15))])  # began nobody knows when
    stages = {stage.stage: stage for stage in figures()["stage_duration"].stages or ()}
    prospecting = stages["prospecting"]
    assert (prospecting.n, prospecting.median, prospecting.mean) == (5, 3.0, 4.0)
    assert (prospecting.p10, prospecting.p25, prospecting.p75, prospecting.p90) == pytest.approx((1.4, 2, 4, 7.6))
    assert stages["qualification"].n == 0
    assert stages["qualification"].as_json(figures()["stage_duration"].unit) == {
        "stage": "qualification", "median": None, "reason": "no stay ended", "n": 0,
    }  # fmt: skip


def test_elapsed_days_do_not_depend_on_the_clock(settings):
    settings.TIME_ZONE = "Europe/Berlin"
    live([("P", dt.datetime(2026, 3, 28, 12, tzinfo=dt.UTC)), ("Q", dt.datetime(2026, 3, 30, 12, tzinfo=dt.UTC))])
    march = figures(Period(dt.date(2026, 3, 1), dt.date(2026, 4, 1)))["stage_duration"].stages or ()
    assert march[0].median == 2.0
