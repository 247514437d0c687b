"""`make demo` as its user sees it: real processes, killed in every way that a day brings."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from config.embedded.server import socket_folder

pytestmark = [
    pytest.mark.reliability,
    pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc"),
]
WAIT_SECONDS = 60.0


class Demo:
    """One `dev.py demo`, in a folder and on a port of its own."""

    def __init__(self, var: Path) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
        keep = {
            key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "REDIS_URL", "VORONKA_ENV"}
        }
        self.environment = {**keep, "VORONKA_VAR": str(var), "PORT": str(self.port)}
        self.var = var
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it serves."""
        command = [sys.executable, "dev.py", "demo"]
        with (self.var / "demo.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=settings.BASE_DIR, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Wait until web, database, Redis and the sweeper all say so."""
        _wait_for(self.is_ready, lambda: f"{self.parts()}\n{(self.var / 'demo.log').read_text()[-3000:]}")

    def parts(self) -> dict[str, str]:
        """What /readyz says of each part; nothing while it cannot be asked."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as answer:
                return json.load(answer)["parts"]
        except urllib.error.HTTPError as error:
            with contextlib.suppress(ValueError):
                return json.load(error).get("parts", {})
            return {}
        except (OSError, ValueError):
            return {}

    def is_ready(self) -> bool:
        """Whether every part is well."""
        parts = self.parts()
        return bool(parts) and set(parts.values()) == {"ok"}

    def run(self, code: str) -> str:
        """What a few lines of Python print in `manage.py shell` beside the running demo."""
        command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", code]
        environment = {**self.environment, "VORONKA_ENV": "demo"}
        environment.pop("PYTEST_VERSION", None)
        result = subprocess.run(
            command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=True
        )
        return result.stdout.strip()

    def processes(self, word: str = "") -> list[int]:
        """Every process that belongs to this demo, by its environment, whose command line holds the word."""
        mark = f"VORONKA_VAR={self.var}\0".encode()
        return [
            pid for pid in _process_ids() if mark in _read(pid, "environ") and word.encode() in _read(pid, "cmdline")
        ]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stop it as Ctrl-C or a service manager does; its exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(WAIT_SECONDS)

    def kill_everything(self) -> None:
        """What a power cut leaves: nothing running, files as they were."""
        for pid in self.processes():
            if pid != os.getpid():
                _kill(pid)
        if self.process is not None:
            self.process.wait(WAIT_SECONDS)
        _wait_for(lambda: not self.processes(), lambda: str(self.processes()))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo in a folder with a space in its name."""
    var = tmp_path_factory.mktemp("demo group") / "var folder"
    var.mkdir()
    demo = Demo(var)
    try:
        demo.start()
        yield demo
    finally:
        demo.kill_everything()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("VORONKA_VAR", str(var))
            for name in ("pg", "valkey"):  # a closed folder's sockets lie outside of it
                shutil.rmtree(socket_folder(name), ignore_errors=True)


PARTS = {
    "web": "gunicorn",
    "worker": "worker--concurrency",
    "beat": "beat--loglevel",
    "postgres": "bin/postgres",
    "valkey": "valkey-server",
    "keepers": "keeper.py",
}


@pytest.mark.parametrize("part", PARTS)
def test_a_killed_part_comes_back(demo: Demo, part: str) -> None:
    word = PARTS[part].replace("--", "\0--")
    killed = demo.processes(word)
    assert killed, f"found no process of {part}"
    for pid in killed:
        _kill(pid)

    _wait_for(lambda: bool(demo.processes(word)), lambda: f"{part} did not come back")
    demo.wait_until_ready()

    assert not set(killed) & set(demo.processes())


def test_a_second_demo_in_the_same_folder_says_why_it_does_not_start(demo: Demo) -> None:
    command = [sys.executable, "dev.py", "demo"]
    second = subprocess.run(
        command, cwd=settings.BASE_DIR, env=demo.environment, capture_output=True, text=True, check=False
    )

    assert second.returncode == 1
    assert "runs already" in second.stderr


def test_stopping_ends_every_process_and_keeps_the_data(demo: Demo) -> None:
    demo.run("from crm.models import Team; Team.objects.create(name='Kept after a stop')")

    assert demo.stop(signal.SIGINT) == 0
    _wait_for(lambda: not demo.processes(), lambda: str(demo.processes()))
    demo.start()

    assert demo.run("from crm.models import Team; print(Team.objects.filter(name='Kept after a stop').count())") == "1"


def test_killing_the_whole_group_loses_nothing_that_was_acknowledged(demo: Demo) -> None:
    demo.run("from crm.models import Team; Team.objects.create(name='Kept after kill -9')")

    demo.kill_everything()
    demo.start()

    assert demo.run("from crm.models import Team; print(Team.objects.filter(name='Kept after kill -9').count())") == "1"


def test_killing_the_supervisor_alone_ends_its_parts(demo: Demo) -> None:
    assert demo.process is not None
    demo.process.kill()
    demo.process.wait()

    _wait_for(lambda: not demo.processes("gunicorn"), lambda: str(demo.processes("gunicorn")))
    _wait_for(lambda: not demo.processes("celery"), lambda: str(demo.processes("celery")))
    demo.start()


def _wait_for(condition: Callable[[], bool], explanation: Callable[[], str]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, explanation()
        time.sleep(0.1)


def _process_ids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _read(pid: int, name: str) -> bytes:
    """A file of /proc; empty for a process that has gone, is a zombie or is somebody else's."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
