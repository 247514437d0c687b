"""Background jobs: what beat starts exists, and a sender's lease outlives the job that holds it."""

from __future__ import annotations

import pytest
from django.conf import settings

from config.celery import app
from crm import jobs
from crm.models import Heartbeat
from pipeline import jobs as pipeline_jobs


def test_what_beat_starts_exists() -> None:
    app.loader.import_default_modules()
    scheduled = {duty["task"] for duty in app.conf.beat_schedule.values()}

    assert scheduled <= set(app.tasks)
    assert "crm.jobs.sweep" in scheduled


def test_lease_outlives_the_job_so_that_no_two_send_one_row() -> None:
    assert jobs.deliver.time_limit < settings.OUTBOX_LEASE_SECONDS
    assert jobs.DELIVERING_SECONDS < jobs.deliver.soft_time_limit < jobs.deliver.time_limit


@pytest.mark.django_db
def test_duties_do_their_work_with_nothing_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    woken = []
    monkeypatch.setattr(jobs.deliver, "apply_async", lambda *_args, **_kwargs: woken.append(1))
    for job in (
        jobs.sweep,
        jobs.deliver,
        jobs.bring_back_leads,
        jobs.throw_away,
        pipeline_jobs.remind_of_rotting,
        pipeline_jobs.compact_totals,
    ):
        job()

    assert Heartbeat.objects.filter(name="sweeper").exists()
    assert not woken
