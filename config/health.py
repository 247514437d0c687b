"""Whether the process lives (/healthz) and whether it can do its work (/readyz), for probes and for operators."""

from __future__ import annotations

from collections.abc import Callable

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from crm.models import Heartbeat
from crm.rules.sweeping import MAY_BE_SILENT_FOR, SWEEPER


class Trouble(Exception):
    """Why a part is not ready, in a few words that name no secret."""


@require_safe
@login_not_required
@never_cache
def healthz(_request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@require_safe
@login_not_required
@never_cache
def readyz(_request: HttpRequest) -> HttpResponse:
    """Each part by name; 503 when one of them is not ready."""
    parts = {name: _state(part) for name, part in PARTS.items()}
    is_ready = all(state == "ok" for state in parts.values())
    answer = {"status": "ok" if is_ready else "not ready", "parts": parts}
    response = JsonResponse(answer, status=200 if is_ready else 503)
    # A probe asks every few seconds; Django would log an error each time, the answer itself says more.
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001
    return response


def _state(part: Callable[[], None]) -> str:
    try:
        part()
    except Trouble as trouble:
        return str(trouble)
    except Exception as error:  # noqa: BLE001 (a probe reports whatever is wrong, and must itself not fail)
        return f"unreachable ({type(error).__name__})"
    return "ok"


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _redis() -> None:
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as client:
        client.ping()


def _migrations() -> None:
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        raise Trouble(f"{len(waiting)} migrations not applied")


def _sweeper() -> None:
    heartbeat = Heartbeat.objects.filter(name=SWEEPER).first()
    if heartbeat is None:
        raise Trouble("has never run")
    silence = timezone.now() - heartbeat.at
    if silence > MAY_BE_SILENT_FOR:
        raise Trouble(f"silent for {int(silence.total_seconds())} s")


PARTS = {"database": _database, "redis": _redis, "migrations": _migrations, "sweeper": _sweeper}
