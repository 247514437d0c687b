"""Background work: the Celery app, its one set of promises, and the whole beat schedule.

What must happen is a row in PostgreSQL before it is a message here (see ``crm/models/outbox.py``): a lost message costs
seconds, never a reminder. So results are ignored, nothing is scheduled through the broker for longer than a sweep's
round, and a broker that is away is no error.
"""

from __future__ import annotations

import functools
import logging
import os
import time
from typing import Any

from celery import Celery
from celery.contrib.django.task import DjangoTask
from celery.schedules import crontab
from celery.signals import beat_init, celeryd_init, worker_ready
from kombu.exceptions import OperationalError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

BROKER_TIMEOUT_SECONDS = 2
# A few may wait behind busy workers; were it shorter than that wait, none would ever run.
SWEEP_EXPIRES = 30
BROKER_REST_SECONDS = 15  # the sweep comes round in that time anyway
logger = logging.getLogger(__name__)


class Job(DjangoTask):
    """A task whose start is a courtesy: without a broker the sweep finds the same rows a little later."""

    _broker_away_until = 0.0

    def delay_on_commit(self, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]  # as Celery's own does
        """Start after the transaction's commit, if the broker is there; never raises for its absence."""
        from django.db import transaction  # this module is imported before Django is set up

        transaction.on_commit(functools.partial(self._nudge, args, kwargs))

    def start_in(self, seconds: int) -> None:
        """Start so long after the commit, less than a sweep's round: what is forgotten meanwhile the next one finds."""
        from django.db import transaction  # as above

        transaction.on_commit(functools.partial(self._nudge, (), {}, countdown=seconds or None))

    def _nudge(self, args: tuple[Any, ...], kwargs: dict[str, Any], **options: Any) -> None:
        now = time.monotonic()
        if now < Job._broker_away_until:
            return
        if Job._broker_away_until:
            Job._broker_away_until = now + BROKER_REST_SECONDS  # one tries whether it is back, the others do not wait
        try:
            self.apply_async(args, kwargs, **options)
        except (OperationalError, OSError) as error:
            Job._broker_away_until = time.monotonic() + BROKER_REST_SECONDS
            logger.warning("The broker is away (%s); %s waits for the next sweep.", error, self.name)
        else:
            Job._broker_away_until = 0.0


def broker_url(redis_url: str) -> str:
    """Celery's spelling of a Redis URL: ``unix:///path?db=0`` → ``redis+socket:///path?virtual_host=0``."""
    if redis_url.startswith("unix://"):
        return redis_url.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=", 1)
    return redis_url


app = Celery("voronka", task_cls=Job)


DUTIES = {
    "compact-totals": {"task": "pipeline.jobs.compact_totals", "schedule": 60.0, "options": {"expires": 60}},
    "remind-of-rotting": {
        "task": "pipeline.jobs.remind_of_rotting",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
    "fire-on-staying": {"task": "pipeline.jobs.fire_on_staying", "schedule": 60.0, "options": {"expires": 60}},
    "read-mailboxes": {"task": "crm.jobs.read_mailboxes", "schedule": 60.0, "options": {"expires": 60}},
    "plan-digests": {"task": "crm.jobs.plan_digests", "schedule": crontab(minute=20)},
    "follow-absences": {"task": "crm.jobs.follow_absences", "schedule": 600.0, "options": {"expires": 600}},
    "bring-back-leads": {"task": "crm.jobs.bring_back_leads", "schedule": crontab(minute=5)},
    "check-duplicates": {"task": "crm.jobs.check_duplicates", "schedule": 30.0, "options": {"expires": 30}},
    "compare-all": {"task": "crm.jobs.compare_all", "schedule": crontab(hour=2, minute=40)},
    "score-leads": {"task": "crm.jobs.score_leads", "schedule": 60.0, "options": {"expires": 60}},
    "learn-score": {"task": "pipeline.jobs.learn_score", "schedule": crontab(hour=2, minute=30)},
    "throw-away": {"task": "crm.jobs.throw_away", "schedule": crontab(hour=3, minute=15)},
}
"""What comes round beside the sweep; each is harmless when it runs twice, or late."""


class CeleryConfig:
    """Every Celery setting, in one place; read when first needed, after Django's."""

    task_serializer = "json"
    result_serializer = "json"
    accept_content = ("json",)
    task_ignore_result = True
    task_acks_late = True
    task_reject_on_worker_lost = True
    worker_prefetch_multiplier = 1
    task_soft_time_limit = 60
    task_time_limit = 90
    task_publish_retry = False
    worker_hijack_root_logger = False
    broker_connection_retry_on_startup = True
    broker_connection_timeout = BROKER_TIMEOUT_SECONDS
    broker_transport_options = {
        "socket_timeout": BROKER_TIMEOUT_SECONDS,
        "socket_connect_timeout": BROKER_TIMEOUT_SECONDS,
        "visibility_timeout": 600,
        "max_retries": 0,  # of publishing; who publishes goes on without, see Job (workers have retries of their own)
    }
    timezone = "UTC"

    @property
    def beat_schedule(self) -> dict[str, Any]:
        from django.conf import settings

        sweep = {"task": "crm.jobs.sweep", "schedule": settings.SWEEP_SECONDS, "options": {"expires": SWEEP_EXPIRES}}
        return {"sweep": sweep, **DUTIES}

    @property
    def broker_url(self) -> str:
        from django.conf import settings

        return broker_url(settings.REDIS_URL)


app.config_from_object(CeleryConfig())
app.autodiscover_tasks(related_name="jobs")


@celeryd_init.connect
@beat_init.connect
def start_embedded_broker(**_kwargs: Any) -> None:
    """Bring the embedded Valkey up before a worker or beat looks for it."""
    from django.conf import settings

    from config import embedded

    if settings.IS_REDIS_EMBEDDED:
        embedded.valkey(test=settings.IS_TEST).ensure()


@worker_ready.connect
def sweep_at_once(**_kwargs: Any) -> None:
    """What fell due while no worker ran does not wait for beat's first round as well."""
    app.send_task("crm.jobs.sweep", expires=15)


@worker_ready.connect
def learn_at_once(**_kwargs: Any) -> None:
    """Where nothing was ever learned, as after the first start, nobody waits for the night."""
    app.send_task("pipeline.jobs.learn_first_score", expires=60)
