"""Background jobs about deals: they call rules and count."""

from __future__ import annotations

import logging

from celery import shared_task
from django.utils import timezone

from crm.models import ScoreModel
from pipeline.models import StageTotal
from pipeline.rules import lead_outcomes, rotting
from pipeline.rules.automation import carrying_out, changing, coming_true, people, planning, writing

logger = logging.getLogger(__name__)

# Imported for the senders and the kinds of action they register.
assert carrying_out.__name__
assert planning.FOLLOW_UPS
assert writing.SEND_TEMPLATE
assert people.NOTIFY
assert changing.MOVE


@shared_task
def remind_of_rotting() -> None:
    """Every ten minutes: deals that have outstayed their stage's limit."""
    count = rotting.remind_of_rotting(now=timezone.now())
    if count:
        logger.info("%d deals have begun to rot.", count)


@shared_task
def fire_on_staying() -> None:
    """Every minute: stays that have lasted as long as a stage rule says."""
    count = coming_true.fire_on_staying(now=timezone.now())
    if count:
        logger.info("%d stage rules came true by staying.", count)


@shared_task
def compact_totals() -> None:
    """Every minute: add up the rows from which the board's headers are summed."""
    StageTotal.objects.compact()


@shared_task(soft_time_limit=240, time_limit=300)
def learn_score() -> None:
    """Nightly: learn from what became of leads; the jobs that score find a new model by themselves."""
    from crm.rules.scoring.training import learn_score as learn  # scikit-learn takes seconds to import

    now = timezone.now()
    attempt = learn(lead_outcomes.known_outcomes(now=now), now=now)
    if attempt is not None:
        logger.info("Score: %s, from %d outcomes.", attempt.state, attempt.outcomes)


@shared_task(soft_time_limit=240, time_limit=300)
def learn_first_score() -> None:
    """At a worker's start: learn where nothing was learned yet."""
    if not ScoreModel.objects.exists():
        learn_score()
