"""What every test may ask for: the cast, and servers that a test may start and kill.

The database needs no fixture: without DATABASE_URL the settings use an embedded PostgreSQL of the tests' own, started
by the first connection and stopped some seconds after the last test.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone, translation

from config import embedded
from crm.models import Team, User
from pipeline.models import Pipeline, Stage
from tests.factories import TeamFactory, UserFactory, sales_pipeline
from tests.processes import WebServer, wait_until


@pytest.fixture(autouse=True)
def _own_language_and_clock() -> Iterator[None]:
    """A request leaves its person's language and time zone active in the thread: the next test begins without."""
    yield
    translation.deactivate()
    timezone.deactivate()


@pytest.fixture(scope="session", autouse=True)
def _patient_flush() -> Iterator[None]:
    """Empty the tables after a test once nobody is at work in them any more.

    A page that is closed leaves its request behind, a killed worker its query; emptied under their feet, the tables
    and they wait for each other. Whoever comes in between again and again is sent away in the end.
    """
    flush = connection.ops.execute_sql_flush

    def flush_in_peace(statements: list[str]) -> None:
        for attempt in range(5):
            wait_until(_nobody_else_is_at_work, 10)
            if attempt > 1:
                _send_others_away()
            with contextlib.suppress(OperationalError):  # a deadlock: somebody came in between
                return flush(statements)
        return flush(statements)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection.ops, "execute_sql_flush", flush_in_peace)
        yield


def _nobody_else_is_at_work() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND xact_start IS NOT NULL AND backend_type = 'client backend')"
        )
        return bool(cursor.fetchone()[0])


def _send_others_away() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )


@pytest.fixture(scope="session")
def redis_url() -> str:
    """A running Redis-compatible server: REDIS_URL's, else the embedded one of the tests."""
    if settings.IS_REDIS_EMBEDDED:
        embedded.valkey(test=True).ensure()
    return settings.REDIS_URL


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a path short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="vr-") as path:
        yield Path(path)


@pytest.fixture
def web_server(folder: Path, transactional_db: None) -> Iterator[WebServer]:
    """The site as production serves it, on this test's database."""
    server = WebServer(folder).start()
    yield server
    server.kill()


# --- The cast -------------------------------------------------------------------------------------------------------


@pytest.fixture
def north(db: None) -> Team:
    """The team of rep and colleague, led by manager; it shares its records."""
    return TeamFactory(name="North")


@pytest.fixture
def rep(north: Team) -> User:
    """A rep of North."""
    return UserFactory(name="Rita Rep", email="rita@example.test", team=north)


@pytest.fixture
def colleague(north: Team) -> User:
    """Another rep of North, whose records rep sees but does not change."""
    return UserFactory(name="Carl Colleague", email="carl@example.test", team=north)


@pytest.fixture
def manager(north: Team) -> User:
    """Leads North."""
    manager = UserFactory(name="Mara Manager", email="mara@example.test", role=User.Role.MANAGER)
    north.leaders.add(manager)
    return manager


@pytest.fixture
def outsider(db: None) -> User:
    """A rep of another team, who sees nothing of North."""
    return UserFactory(name="Otto Outsider", email="otto@example.test", team=TeamFactory(name="South"))


@pytest.fixture
def viewer(db: None) -> User:
    """Sees all, changes nothing."""
    return UserFactory(name="Vera Viewer", email="vera@example.test", role=User.Role.VIEWER)


@pytest.fixture
def admin(db: None) -> User:
    """Sees and changes all."""
    return UserFactory(name="Ada Admin", email="ada@example.test", role=User.Role.ADMIN)


@pytest.fixture
def sales(db: None) -> Pipeline:
    """The default pipeline with its seven stages."""
    return sales_pipeline()


@pytest.fixture
def stages(sales: Pipeline) -> dict[str, Stage]:
    """The stages of the default pipeline by slug."""
    return {stage.slug: stage for stage in sales.stages.all()}


@pytest.fixture
def web(client: Client, rep: User) -> Client:
    """The rep's browser, without script."""
    client.force_login(rep)
    return client
