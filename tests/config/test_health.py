"""What probes are told."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone

from config import health
from crm.models import Heartbeat

pytestmark = pytest.mark.django_db


@pytest.fixture
def swept(redis_url: str) -> Heartbeat:
    """Everything is well."""
    return Heartbeat.objects.create(name=health.SWEEPER, at=timezone.now())


def test_the_process_answers_without_a_login(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.usefixtures("swept")
def test_ready_when_every_part_is(client: Client) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["parts"] == dict.fromkeys(("database", "redis", "migrations", "sweeper"), "ok")


def test_a_silent_sweeper_is_named(client: Client, swept: Heartbeat) -> None:
    Heartbeat.objects.update(at=timezone.now() - dt.timedelta(minutes=3))

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["parts"]["sweeper"].startswith("silent for 180 s")
    assert answer.json()["parts"]["database"] == "ok"


@pytest.mark.usefixtures("swept")
def test_a_waiting_migration_is_counted(client: Client) -> None:
    MigrationRecorder(connection).migration_qs.filter(app="metrics").delete()

    assert "not applied" in client.get("/readyz").json()["parts"]["migrations"]


@pytest.mark.usefixtures("swept")
def test_an_absent_broker_is_named_without_its_address(client: Client, settings: object) -> None:
    settings.REDIS_URL = "redis://:secret@127.0.0.1:1/0"  # type: ignore[attr-defined]

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["parts"]["redis"] == "unreachable (ConnectionError)"
    assert "secret" not in answer.content.decode()


def test_parts_are_named_though_the_connection_broke_on_the_way(
    client: Client, monkeypatch: pytest.MonkeyPatch, swept: Heartbeat
) -> None:
    """PostgreSQL goes away while the answer is made: it stays an answer for a probe, not a page for people."""

    def broken() -> None:
        monkeypatch.setattr(connection, "errors_occurred", True)
        monkeypatch.setattr(connection, "is_usable", lambda: False)
        raise health.Trouble("gone")

    monkeypatch.setitem(health.PARTS, "database", broken)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["parts"]["database"]) == (503, "gone")
