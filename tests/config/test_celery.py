"""The broker wakes workers, and is never needed."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest
from celery import Celery
from django.db import transaction

from config.celery import Job, app, broker_url


@pytest.mark.parametrize(
    ("redis", "celery"),
    [
        ("unix:///run/v.sock?db=0", "redis+socket:///run/v.sock?virtual_host=0"),
        ("redis://:key@host:6379/1", "redis://:key@host:6379/1"),
        ("rediss://host/0", "rediss://host/0"),
    ],
)
def test_a_redis_url_in_celerys_spelling(redis: str, celery: str) -> None:
    assert broker_url(redis) == celery


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("state", ["absent", "frozen"])
def test_a_broker_that_does_not_answer_costs_no_request(
    state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Job, "_broker_away_until", 0.0)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        if state == "frozen":
            listener.listen()  # connections are taken by the kernel, and nobody reads them
        lonely = Celery("lonely", task_cls=Job, set_as_current=False, broker=f"redis+socket://{tmp_path}/s")
        lonely.conf.update({key: value for key, value in app.conf.items() if key.startswith(("broker_t", "task_p"))})

        @lonely.task(name=f"tests.wake_{state}", shared=False)
        def wake_nobody() -> None:
            """Never runs."""

        took = [_seconds(wake_nobody) for _attempt in range(2)]

    assert took[0] < 6  # two seconds are the timeout
    assert took[1] < 1, "the broker is left alone for a while"


def _seconds(job: Job) -> float:
    started = time.monotonic()
    with transaction.atomic():
        job.delay_on_commit()
    return time.monotonic() - started


def test_every_job_of_the_beat_schedule_exists() -> None:
    app.loader.import_default_modules()

    missing = {entry["task"] for entry in app.conf.beat_schedule.values()} - set(app.tasks)

    assert not missing
