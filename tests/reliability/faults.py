"""What goes wrong again and again: workers killed in the middle of their work, a broker that forgets everything."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Iterator, Sequence

from django.db.models import QuerySet

from crm.models import OutboxRow
from crm.rules.daily_digests import DAILY
from tests.processes import Process, wait_until
from tests.reliability.conftest import Broker, MailServer

FLUSH_SECONDS = 5.0
State = OutboxRow.State
ENDED = (State.SENT, State.DEAD, State.CANCELLED, State.UNCLEAR, State.MERGED)


def rows() -> QuerySet[OutboxRow]:
    """The rows a test is about; beat plans everybody's daily digest at twenty past each hour, which no test expects."""
    return OutboxRow.objects.exclude(kind=DAILY)


def open_rows() -> int:
    """How many rows somebody has still to do something about, which no person need do."""
    return rows().exclude(state__in=ENDED).count()


@contextlib.contextmanager
def flushed_every(broker: Broker, seconds: float = FLUSH_SECONDS) -> Iterator[list[float]]:
    """Make the broker forget everything again and again; yields the times at which it did."""
    times: list[float] = []
    is_over = threading.Event()

    def flush() -> None:
        while not is_over.wait(seconds):
            broker.flush()
            times.append(time.monotonic())

    thread = threading.Thread(target=flush)
    thread.start()
    try:
        yield times
    finally:
        is_over.set()
        thread.join()


def kill_again_and_again(
    most: int, workers: Sequence[Process], beats: Sequence[Process], mail_server: MailServer, chance: random.Random
) -> int:
    """Kill one of `workers` whenever some mail has left since the last time, and start all anew that have died.

    Returns how often, which is less than `most` only where nothing was left to send before.
    """
    for kills in range(most):
        so_far = mail_server.count()

        def has_gone_on(so_far: int = so_far) -> bool:
            return mail_server.count() > so_far or not open_rows()

        assert wait_until(has_gone_on, 90)
        if not open_rows():
            return kills
        chance.choice(workers).kill()
        for member in (*workers, *beats):
            if not member.is_alive():
                member.start()
    return most
