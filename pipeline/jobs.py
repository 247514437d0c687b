"""Background jobs about deals: they call rules and count."""

from __future__ import annotations

import logging

from celery import shared_task
from django.utils import timezone

from pipeline.models import StageTotal
from pipeline.rules import rotting

logger = logging.getLogger(__name__)


@shared_task
def remind_of_rotting() -> None:
    """Every ten minutes: deals that have outstayed their stage's limit."""
    count = rotting.remind_of_rotting(now=timezone.now())
    if count:
        logger.info("%d deals have begun to rot.", count)


@shared_task
def compact_totals() -> None:
    """Every minute: add up the rows from which the board's headers are summed."""
    StageTotal.objects.compact()
