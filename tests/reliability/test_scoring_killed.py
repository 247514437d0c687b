"""The job that learns scores is killed half-way, and so is the one that gives them: nothing is half done."""

from __future__ import annotations

import datetime as dt
import random

import pytest
from django.utils import timezone

from crm.models import Lead, ScoreModel
from crm.rules.scoring.training import learn_score
from pipeline.rules.lead_outcomes import known_outcomes
from tests.factories import DealFactory, LeadFactory, LeadSourceFactory, sales_pipeline
from tests.processes import wait_until
from tests.reliability.conftest import Crew

pytestmark = [pytest.mark.reliability, pytest.mark.django_db(transaction=True)]

OUTCOMES = 300
OPEN = 2_500
DAY = dt.timedelta(days=1)
States = ScoreModel.State


def decided_leads(count: int) -> None:
    """Leads of two sources, one of which nearly always buys."""
    chance, now = random.Random(3), timezone.now()
    sources = [LeadSourceFactory(), LeadSourceFactory()]
    stage = sales_pipeline().stages.get(slug="fulfilment")
    for number in range(count):
        came, is_good = now - (400 - number) * DAY, chance.random() < 0.5
        ended = came + 10 * DAY
        if chance.random() < (0.85 if is_good else 0.15):
            lead = LeadFactory(source=sources[is_good], status="converted", created_at=came, converted_at=ended)
            DealFactory(lead=lead, created_at=ended, outcome="won", won_at=ended + DAY, stage=stage)
        else:
            LeadFactory(source=sources[is_good], status="disqualified", created_at=came, disqualified_at=ended)
    Lead.objects.bulk_create(Lead(name=f"Open {number}", source=sources[number % 2]) for number in range(OPEN))


def test_a_killed_learner_leaves_the_model_in_use_and_the_next_replaces_it(crew: Crew) -> None:
    decided_leads(OUTCOMES)
    now = timezone.now()
    first = learn_score(known_outcomes(now=now), now=now)
    assert first is not None
    assert first.state == States.IN_USE
    worker = crew.worker(concurrency=1)
    crew.tell("pipeline.jobs.learn_score")
    assert wait_until(ScoreModel.objects.filter(state=States.LEARNING).exists, 60, every=0.01), crew.log()
    worker.kill()
    left = ScoreModel.objects.get(state=States.LEARNING)
    assert ScoreModel.objects.in_use() == first

    worker.start()
    crew.tell("pipeline.jobs.learn_score")

    def is_learned() -> bool:
        return not ScoreModel.objects.filter(state=States.LEARNING).exists() and ScoreModel.objects.count() >= 3

    assert wait_until(is_learned, 90), crew.log()
    left.refresh_from_db()
    assert left.state == States.ABANDONED
    assert ScoreModel.objects.in_use() is not None
    print(f"\nkilled at {States.LEARNING}; runs: {list(ScoreModel.objects.values_list('state', flat=True))}")


def test_scores_are_given_to_all_though_those_who_give_them_are_killed(crew: Crew) -> None:
    decided_leads(OUTCOMES)
    now = timezone.now()
    model = learn_score(known_outcomes(now=now), now=now)
    assert model is not None
    worker, kills, so_far = crew.worker(concurrency=1), 0, 0

    def has_gone_on() -> bool:
        nonlocal model
        crew.tell("crm.jobs.score_leads")
        model = ScoreModel.objects.get(pk=model.pk)
        return model.rescored_to > so_far or model.rescored_at is not None

    while kills < 2 and model.rescored_at is None:
        assert wait_until(has_gone_on, 60), crew.log()
        worker.kill()
        kills, so_far = kills + 1, model.rescored_to
        worker.start()

    def is_over() -> bool:
        crew.tell("crm.jobs.score_leads")
        return ScoreModel.objects.get(pk=model.pk).rescored_at is not None

    assert wait_until(is_over, 90, every=1), crew.log()
    scored = Lead.objects.present().alive().filter(score_model=model, score__isnull=False)
    print(f"\n{kills} kills, {scored.count()} of {Lead.objects.present().alive().count()} living leads scored")
    assert kills
    assert scored.count() == OPEN == Lead.objects.present().alive().count()
