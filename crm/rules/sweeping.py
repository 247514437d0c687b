"""The sweep: the one duty that finds what is due without anybody's memory but the database's."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection
from django.db.models import DurationField, ExpressionWrapper, F
from django.db.models.functions import Now
from django.utils import timezone

from crm.models import Heartbeat, OutboxRow
from crm.rules.alarms import raise_alarm_if_late
from crm.rules.digests import merge_stale
from crm.rules.outbox import ask_server_again

SWEEPER = "sweeper"
MAY_BE_SILENT_FOR = dt.timedelta(minutes=2)
SWEEP_LOCK = 7_002
"""The advisory lock that lets one sweeper work at a time, however many beats send for one."""
COUNTED = 1_000


@contextmanager
def alone(lock: int) -> Iterator[bool]:
    """Hold an advisory `lock` while inside (it dies with its session); false when another session holds it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [lock])
        (is_mine,) = cursor.fetchone()
    try:
        yield is_mine
    finally:
        if is_mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [lock])


def sweep() -> int:
    """Show that the sweeper lives, merge what is stale, raise the alarm when nothing leaves; return how many are due.

    Counted up to a thousand; zero, too, when another sweeper is at work.
    """
    with alone(SWEEP_LOCK) as is_mine:
        if not is_mine:
            return 0
        Heartbeat.objects.update_or_create(name=SWEEPER, defaults={"at": Now()})
        merge_stale()
        ask_server_again()
        raise_alarm_if_late(now=timezone.now())
        return OutboxRow.objects.due()[:COUNTED].count()


def due_before_next_sweep() -> dict[int, int]:
    """Return how many rows fall due before the next sweep, by whole seconds from now, counted up to a thousand."""
    next_sweep = Now() + dt.timedelta(seconds=settings.SWEEP_SECONDS)
    soon = OutboxRow.objects.flowing().waiting().filter(available_at__gt=Now(), available_at__lte=next_sweep)
    until = ExpressionWrapper(F("available_at") - Now(), output_field=DurationField())
    waits = soon.order_by("available_at").values_list(until, flat=True)[:COUNTED]
    return Counter(math.ceil(wait.total_seconds()) for wait in waits)


def sweeper_is_silent(now: dt.datetime | None = None) -> bool:
    """Say whether nothing has swept for two minutes (or ever): reminders do not leave."""
    heartbeat = Heartbeat.objects.filter(name=SWEEPER).first()
    return heartbeat is None or (now or timezone.now()) - heartbeat.at > MAY_BE_SILENT_FOR
