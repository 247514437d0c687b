"""PostgreSQL restarted under load: 503 with Retry-After meanwhile, back by itself, and nothing acknowledged is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import psycopg2
import pytest
from django.conf import settings

from config.embedded.postgres import DATABASE_NAME, EmbeddedPostgres
from tests.processes import WebServer, wait_until
from tests.reliability.browsing import Answer, Browser

pytestmark = pytest.mark.reliability

PEOPLE = 6
AWAY_SECONDS = 6.0
BUSY_SECONDS = 4.0
MOST_UNTIL_503 = 3.0
MOST_UNTIL_BACK = 60.0
MAKE_PERSON = """
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from crm.models import User
person = User.objects.create(email="rep@restart.test", name="Rep", role="rep")
session = SessionStore()
session[SESSION_KEY] = str(person.pk)
session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
session[HASH_SESSION_KEY] = person.get_session_auth_hash()
session.create()
print("session:", session.session_key)
"""


class Database:
    """A PostgreSQL of the test's own that keeps its promises on disk; reached as by production, not embedded."""

    def __init__(self) -> None:
        self.server = EmbeddedPostgres("restarted-pg")
        self.server.ensure()
        self.url = f"postgresql://postgres@/{self.server.socket_folder}/{DATABASE_NAME}"
        self.environment = {**os.environ, "VORONKA_ENV": "test", "DATABASE_URL": self.url}

    def prepare(self) -> str:
        """Make the tables and one person; return the key of their session."""
        self._manage("migrate", "-v0")
        self._manage("createcachetable")
        said = self._manage("shell", "-v0", "-c", MAKE_PERSON)
        return said.partition("session:")[2].strip()

    def stop(self, how: signal.Signals) -> None:
        """Stop the server and keep it from being started again."""
        keeper = self.server._keeper_pid()
        assert keeper is not None
        os.kill(keeper, signal.SIGSTOP)
        os.kill(self._server_pid(), how)
        self._keeper = keeper

    def start(self) -> None:
        """Let the keeper find that it is gone."""
        os.kill(self._keeper, signal.SIGCONT)

    def remove(self) -> None:
        """Stop it for good."""
        self.server.stop(even_if_used=True)
        self.server.wait_until_stopped()

    def names(self) -> set[str]:
        """The leads it holds."""
        with psycopg2.connect(host=str(self.server.socket_folder), user="postgres", dbname=DATABASE_NAME) as session:
            cursor = session.cursor()
            cursor.execute("SELECT name FROM crm_lead")
            return {name for (name,) in cursor.fetchall()}

    def _server_pid(self) -> int:
        return int((self.server.data / "postmaster.pid").read_text().split()[0])

    def _manage(self, *arguments: str) -> str:
        command = [sys.executable, "-W", "ignore", "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=settings.BASE_DIR, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def database(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """The server, in a folder of its own."""
    monkeypatch.setenv("VORONKA_VAR", str(folder))
    database = Database()
    yield database
    database.remove()


class Crowd:
    """People who write leads down one after another, and keep every answer."""

    def __init__(self, port: int, session: str) -> None:
        self.answers: list[tuple[float, str, Answer]] = []
        self._port, self._session = port, session
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(number,), daemon=True) for number in range(PEOPLE)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def acknowledged(self) -> list[str]:
        """The leads that somebody was told are written down."""
        return [name for _at, name, answer in self.answers if answer.status == 302]

    def _write(self, number: int) -> None:
        browser, turn = Browser(self._port, self._session), 0
        while not self._is_over.is_set():
            turn += 1
            name = f"Lead {number}-{turn}"
            answer = browser.post("/leads/new/", [("name", name), ("email", f"lead{number}.{turn}@example.test")])
            self.answers.append((time.monotonic(), name, answer))
            if answer.status == 503:
                time.sleep(0.2)


def test_a_restart_under_load_is_answered_and_loses_nothing(database: Database, folder: Path) -> None:
    """Once stopped in order, once killed, while people go on writing."""
    session = database.prepare()
    site = WebServer(folder)
    site.environment = database.environment
    site.start()
    try:
        with Crowd(site.port, session) as crowd:
            for how in (signal.SIGINT, signal.SIGKILL):
                goes_on(crowd, "before", 60)
                time.sleep(BUSY_SECONDS)
                gone_at = time.monotonic()
                database.stop(how)
                time.sleep(AWAY_SECONDS)
                back_at = time.monotonic()
                database.start()
                goes_on(crowd, "again", MOST_UNTIL_BACK)
                meanwhile = [answer.seconds for at, _name, answer in list(crowd.answers) if gone_at < at < back_at]
                print(
                    f"\n{how.name}: {len(meanwhile)} answers meanwhile, the slowest in {max(meanwhile):.2f} s; "
                    f"writing again {time.monotonic() - back_at:.1f} s after its start"
                )
                assert max(meanwhile) < MOST_UNTIL_503
    finally:
        site.kill()

    statuses = Counter(answer.status for _at, _name, answer in crowd.answers)
    lost = set(crowd.acknowledged()) - database.names()
    print(f"{dict(statuses)}; {len(crowd.acknowledged())} acknowledged, {len(lost)} lost")
    refusals = [answer for _at, _name, answer in crowd.answers if answer.status == 503]
    assert all(int(answer.headers["retry-after"]) > 0 for answer in refusals)
    assert refusals
    assert not lost
    assert set(statuses) == {302, 503}, next(
        a.body[:2000] for _at, _name, a in crowd.answers if a.status not in {302, 503}
    )


def goes_on(crowd: Crowd, when: str, seconds: float) -> None:
    """Wait until everybody has written some more."""
    so_far = len(crowd.acknowledged())
    assert wait_until(lambda: len(crowd.acknowledged()) > so_far + PEOPLE, seconds), (when, crowd.answers[-3:])
