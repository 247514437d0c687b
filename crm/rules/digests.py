"""Merging what an outage (or a night) has held up: one digest in place of many stale rows for the same person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter

from django.db import transaction
from django.db.models.functions import Now

from crm.models import OutboxRow
from crm.rules import outbox
from crm.rules.outbox import Intent

STALE_AFTER = dt.timedelta(minutes=30)
MERGED_AT_ONCE = 5_000


@transaction.atomic
def merge_stale() -> int:
    """Put each person's stale rows (two or more) into one digest row; return how many were merged.

    Only rows that were certainly not sent: those in flight keep their own Message-ID and are repeated under it. Nothing
    is sent here, so a crash leaves either the rows or their digest.
    """
    stale = (
        OutboxRow.objects.flowing()
        .waiting()
        .filter(
            kind__in=outbox.digests(), recipient__isnull=False, due_at__lt=Now() - STALE_AFTER, available_at__lte=Now()
        )
    )
    locked = stale.select_for_update(skip_locked=True).order_by("recipient_id", "kind", "due_at", "pk")
    return sum(_merge(list(rows)) for _whose, rows in groupby(locked[:MERGED_AT_ONCE], key=attrgetter("recipient_id")))


def _merge(rows: Sequence[OutboxRow]) -> int:
    """Merge one person's rows, by kind where the kind has a digest of its own, and what there is then into one."""
    if len(rows) < 2:
        return 0
    parts: list[OutboxRow] = []
    for kind, alike in groupby(rows, key=attrgetter("kind")):
        same, digest = list(alike), outbox.digests()[kind]
        is_own = digest != outbox.LATE_NEWS and len(same) > 1
        parts += [_digest(digest, same)] if is_own else same
    if len(parts) > 1:
        _digest(outbox.LATE_NEWS, parts)
    return len(rows)


def _digest(kind: str, rows: Sequence[OutboxRow]) -> OutboxRow:
    key = f"{kind}:{rows[0].pk}"  # a row is merged once, so its id names the digest
    outbox.queue([Intent(kind=kind, key=key, recipient_id=rows[0].recipient_id)])
    digest = OutboxRow.objects.get(dedupe_key=key)
    changes = {"state": OutboxRow.State.MERGED, "merged_into": digest, "finished_at": Now()}
    OutboxRow.objects.filter(pk__in=[row.pk for row in rows]).update(**changes)
    return digest
