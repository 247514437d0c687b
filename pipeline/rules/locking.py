"""Who was first: locks and the compare-and-set that decide between two movers.

Lock order everywhere: pipeline (advisory) → stage → deals by id.
"""

from __future__ import annotations

from django.db import connection
from django.db.models import F

from pipeline.models import Deal
from pipeline.rules.refusals import DealConflict

PIPELINE_LOCKS = 7_001
"""The advisory lock space of pipelines: shared by moves, exclusive for changing stages."""


def share_pipeline(pipeline_id: int) -> None:
    """Keep the pipeline's stages as they are until this transaction ends; movers do not wait for each other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [PIPELINE_LOCKS, pipeline_id])


def seize_pipeline(pipeline_id: int) -> None:
    """Wait for all moves of the pipeline and keep new ones out until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [PIPELINE_LOCKS, pipeline_id])


def claim(deal: Deal, *, seen_version: int) -> Deal:
    """Raise the deal's version if it is still the one seen, and return the locked deal; else raise `DealConflict`."""
    won = Deal.objects.present().filter(pk=deal.pk, version=seen_version).update(version=F("version") + 1)
    fresh = Deal.objects.select_related("stage", "pipeline", "company", "contact", "owner").get(pk=deal.pk)
    if not won:
        raise DealConflict(fresh)
    return fresh
