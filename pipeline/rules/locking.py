"""Who was first: locks and the comparison of versions that decide between two movers.

Lock order everywhere: pipeline (advisory) → stage → deals by id.
"""

from __future__ import annotations

from django.db import connection
from django.utils.translation import gettext as _

from crm.models import User
from crm.rules.errors import NotAllowed
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


def claim(deal: Deal, *, seen_version: int, by: User | None) -> Deal:
    """Return the deal locked and as it is now, its version raised for whoever claims it to save.

    Raises NotAllowed where `by` (None: a stage rule) may not change it, and DealConflict where its version is no longer
    the one seen. Who waits for the lock is compared with what the one before left behind, so that one of two wins.
    """
    deals = Deal.objects.all() if by is None else Deal.objects.editable_by(by)
    # Without joins: PostgreSQL looks again at the locked row alone, once it gets it.
    fresh: Deal | None = deals.select_for_update(no_key=True).filter(pk=deal.pk).first()
    if fresh is None:
        raise NotAllowed(_("You may see this deal but not change it."))
    if fresh.version != seen_version or fresh.deleted_at is not None:
        raise DealConflict(fresh)
    fresh.version += 1
    return fresh
