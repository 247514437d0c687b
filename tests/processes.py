"""Processes that a test starts and kills, among them the web server as it runs in production."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

START_SECONDS = 60.0


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


class WebServer(Process):
    """Gunicorn on this test's database, with as many processes and threads as the demo's."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = int(listener.getsockname()[1])
        command = [sys.executable, "-m", "gunicorn", "--config", "python:config.serving"]
        command += ["--bind", f"127.0.0.1:{self.port}", "--log-level", "error", "--graceful-timeout", "30"]
        environment = {**os.environ, "VORONKA_ENV": "test", "DATABASE_URL": database_url()}
        super().__init__(command, environment, folder / "gunicorn.log")
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> WebServer:
        """Start it and wait until it answers."""
        super().start()
        assert wait_until(self._answers, START_SECONDS), self.log.read_text()
        return self

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def database_url() -> str:
    """The address of the database of this very test run, for other processes."""
    found = connection.settings_dict
    host, name = str(found["HOST"]), found["NAME"]
    if host.startswith("/"):
        return f"postgresql://{found['USER']}@/{host}/{name}"
    return f"postgresql://{found['USER']}:{found['PASSWORD']}@{host}:{found['PORT'] or 5432}/{name}"
