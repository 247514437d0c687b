"""Scores: what they look at, what they are the sum of, how they are learned, and what a kill leaves behind."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import pytest
from django.utils import timezone

from crm.models import Lead, ScoreModel, ScoreRule
from crm.rules.activities import log_activity
from crm.rules.leads import create_lead, edit_lead
from crm.rules.scoring import applying, training
from crm.rules.scoring.additive import AdditiveModel
from crm.rules.scoring.facts import read_histories
from crm.rules.scoring.outcomes import Outcome
from tests.factories import ActivityFactory, LeadFactory, LeadSourceFactory

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
WEIGHTS: dict[str, Any] = {
    "version": 1,
    "base": -1.0,
    "features": [
        {"key": "source", "kind": "category", "weights": {"7": 1.5}, "other": -0.5, "unknown": -0.25},
        {"key": "inbound", "kind": "number", "cuts": [1.0, 3.0], "weights": [-0.4, 0.3, 0.9], "unknown": 0.0},
        {"key": "words", "kind": "words", "mean": 0.1, "weights": {"price": 0.8}},
    ],
}


def _outcomes(count: int, *, tells: bool = True, since: dt.datetime = NOW - 300 * DAY) -> list[Outcome]:
    """Leads of two sources, one of which nearly always buys (or, with `tells` false, neither)."""
    rng = random.Random(3)
    good, bad = LeadSourceFactory(), LeadSourceFactory()
    outcomes = []
    for number in range(count):
        created_at = since + number * dt.timedelta(hours=6)
        is_good = rng.random() < 0.5
        lead = LeadFactory(source=good if is_good else bad, created_at=created_at, status=Lead.Status.WORKING)
        is_customer = rng.random() < (0.85 if is_good else 0.15) if tells else rng.random() < 0.5
        outcomes.append(Outcome(lead.pk, is_customer, created_at, created_at + 5 * DAY))
    return outcomes


# --- The sum --------------------------------------------------------------------------------------------------------


def test_start_and_points_make_the_score() -> None:
    judgement = AdditiveModel(WEIGHTS).judge({"source": "7", "inbound": 5.0, "words": ("price", "other")})

    absent = 100 * (judgement.probability - judgement.start) * -0.1 / (1.5 + 0.9 + 0.8 - 0.1)
    total = 100 * judgement.start + sum(judgement.points(reason) for reason in judgement.reasons) + absent
    assert total == pytest.approx(100 * judgement.probability)
    assert [(reason.feature, reason.value) for reason in judgement.reasons] == [
        ("source", "7"), ("inbound", "5"), ("words", "price"),
    ]  # fmt: skip


def test_what_was_never_seen_has_a_weight_of_its_own() -> None:
    model = AdditiveModel(WEIGHTS)

    assert model.judge({"source": "8", "inbound": 0.0}).reasons[0].weight == -0.5
    assert model.judge({"source": None, "inbound": 0.0}).reasons[-1].weight == -0.25


def test_weights_of_another_version_are_refused() -> None:
    with pytest.raises(ValueError, match="version 2"):
        AdditiveModel({**WEIGHTS, "version": 2})


# --- What is known at a moment --------------------------------------------------------------------------------------


def test_a_moment_knows_nothing_of_what_came_later(rep: Any) -> None:
    lead = create_lead(fields={"name": "Ann", "owner": rep}, by=rep, now=timezone.now())
    before = timezone.now()
    ActivityFactory(subject=lead, direction="in", at=before + DAY, response="positive")
    edit_lead(lead, fields={"company_name": "Written at conversion"}, seen_version=lead.version, by=rep)
    history = read_histories([lead.pk], with_changes=True)[lead.pk]

    assert (history.facts_at(before)["company"], history.facts_at(before)["inbound"]) == ("no", 0.0)
    later = history.facts_at(timezone.now() + 2 * DAY)
    assert (later["company"], later["inbound"], later["positive"]) == ("yes", 1.0, 1.0)


def test_moments_that_teach_end_with_the_lead() -> None:
    outcome = Outcome(1, is_customer=True, created_at=NOW, ended_at=NOW + 4 * DAY)

    moments = training.moments_of(outcome)

    assert [(moment - NOW).days for moment in moments] == [0, 1, 3]
    assert all(moment < outcome.ended_at for moment in moments)


# --- Learning -------------------------------------------------------------------------------------------------------


def test_below_200_outcomes_nothing_is_learned_and_rules_score() -> None:
    attempt = training.learn_score(_outcomes(199), now=NOW)

    assert attempt is not None
    assert (attempt.state, attempt.outcomes, attempt.parameters) == ("too_few", 199, None)
    ScoreRule.objects.all().delete()
    ScoreRule.objects.create(condition="has_phone", points=12, name="Left a phone number", name_ru="Есть телефон")
    lead = applying.score_lead(LeadFactory(phone="+7 495 000"), now=NOW)
    assert (lead.score, lead.score_model_id) == (62, None)
    assert lead.score_reasons[1]["points"] == 12


def test_a_learned_model_is_measured_on_later_leads_and_scores() -> None:
    outcomes = _outcomes(240)
    attempt = training.learn_score(outcomes, now=NOW)

    assert attempt is not None
    assert attempt.state == "in_use"
    assert attempt.held_out == 48
    assert attempt.auc is not None
    assert attempt.auc > 0.75
    assert len(attempt.calibration) == 5
    good = LeadFactory(source_id=Lead.objects.get(pk=next(o.lead_id for o in outcomes if o.is_customer)).source_id)
    scored = applying.score_lead(good, now=NOW)
    assert scored.score is not None
    assert scored.score > 60
    assert scored.score == sum(reason["points"] for reason in scored.score_reasons)
    assert scored.score_model == attempt


def test_what_tells_nothing_is_not_used() -> None:
    attempt = training.learn_score(_outcomes(240, tells=False), now=NOW)

    assert attempt is not None
    assert attempt.state == "poor"
    assert ScoreModel.objects.in_use() is None


def test_a_worse_model_does_not_replace_the_one_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = _outcomes(240)
    first = training.learn_score(outcomes, now=NOW)
    fit = training.fit
    monkeypatch.setattr(training, "fit", lambda examples: {**fit(examples), "base": -2.0})

    second = training.learn_score(outcomes, now=NOW + DAY)

    assert second is not None
    assert second.state in {"rejected", "poor"}
    assert second.rival_brier is not None
    assert ScoreModel.objects.in_use() == first


def test_a_run_that_was_killed_leaves_the_model_in_use_and_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = _outcomes(240)
    first = training.learn_score(outcomes, now=NOW)

    def killed(_examples: Any) -> dict[str, Any]:
        raise KeyboardInterrupt

    with monkeypatch.context() as half_way:
        half_way.setattr(training, "fit", killed)
        with pytest.raises(KeyboardInterrupt):
            training.learn_score(outcomes, now=NOW + DAY)
    left = ScoreModel.objects.get(state="learning")
    assert ScoreModel.objects.in_use() == first

    third = training.learn_score(outcomes, now=NOW + 2 * DAY)

    left.refresh_from_db()
    assert left.state == "abandoned"
    assert third is not None
    assert ScoreModel.objects.in_use() == third


# --- Applying -------------------------------------------------------------------------------------------------------


@pytest.fixture
def rules() -> None:
    """Rules to score by; those of the migrations may be gone after a test that empties the tables."""
    ScoreRule.objects.all().delete()
    for condition, points in (("positive", 25), ("has_phone", 10)):
        ScoreRule.objects.create(condition=condition, points=points, name=condition, name_ru=condition)


@pytest.mark.usefixtures("rules")
def test_a_lead_is_scored_as_it_comes_in_and_due_again_once_touched(rep: Any) -> None:
    lead = create_lead(fields={"name": "Ann", "owner": rep, "phone": "+7"}, by=rep, now=timezone.now())
    assert lead.score is not None
    assert not Lead.objects.to_score().exists()
    before = lead.score

    log_activity(lead, fields={"kind": "call", "direction": "out", "response": "positive"}, by=rep, now=timezone.now())
    assert Lead.objects.to_score().count() == 1
    assert applying.score_due(now=timezone.now(), seconds=5) == 1

    lead.refresh_from_db()
    assert lead.score > before


@pytest.mark.usefixtures("rules")
def test_all_are_scored_anew_in_steps_that_go_on_where_one_was_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applying, "STEP", 2)
    leads = [LeadFactory() for _number in range(5)]
    attempt = ScoreModel.objects.create(state="too_few", started_at=NOW)
    steps = iter([1.0, 1.0, 1.0, 9.0])
    monkeypatch.setattr(applying.time, "monotonic", lambda: next(steps, 9.0))

    assert applying.rescore_all(now=NOW, seconds=5)

    attempt.refresh_from_db()
    assert attempt.rescored_to == leads[3].pk
    monkeypatch.undo()
    assert not applying.rescore_all(now=NOW, seconds=5)
    attempt.refresh_from_db()
    assert attempt.rescored_at == NOW
    assert not Lead.objects.filter(score=None).exists()
