"""A server that is started when it is asked for and shared by every process that asks."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import IO

BASE_DIR = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 60.0
_KEEPER = Path(__file__).resolve().parent / "keeper.py"
# A socket's path may have 107 bytes, and servers and URLs each quote odd characters in a way of their own.
_SAFE_SOCKET_PATH = re.compile(r"[A-Za-z0-9/._-]{1,80}")


class EmbeddedServerError(RuntimeError):
    """The server did not start; the message carries the end of its log."""


def var_folder() -> Path:
    """Where everything lies that a run makes: ``$VORONKA_VAR``, else ``var/`` beside the code."""
    return Path(os.environ.get("VORONKA_VAR") or BASE_DIR / "var").resolve()


class EmbeddedServer(ABC):
    """A server in a folder of its own, shared by every process that calls ``ensure``."""

    stop_signal: signal.Signals
    way = "run"  # config/keeper.py's word for how it is started

    def __init__(self, name: str) -> None:
        self.name = name
        self.folder = var_folder() / name
        self.socket_folder = socket_folder(name)
        self._users_lock: IO[str] | None = None
        self._thread_lock = threading.Lock()

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether it takes connections now; quick enough to be asked before each new connection."""

    @abstractmethod
    def prepare(self) -> None:
        """Make what the server needs before its first start, and clear what a killed one left."""

    @abstractmethod
    def command(self) -> list[str]:
        """The program and its arguments."""

    def ensure(self) -> None:
        """Return once the server takes connections, and keep it running until this process ends."""
        with self._thread_lock:
            self._count_as_user()
            if self.is_ready():
                return
            with _locked(self.folder / "start.lock"):
                self._start()

    def stop(self, *, even_if_used: bool = False) -> None:
        """Ask the keeper to stop the server: at once, or (the default) as soon as nobody uses it."""
        keeper = self._keeper_pid()
        if self._users_lock is not None:
            self._users_lock.close()
            self._users_lock = None
        if keeper is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(keeper, signal.SIGINT if even_if_used else signal.SIGTERM)

    def wait_until_stopped(self, seconds: float = START_SECONDS) -> bool:
        """Wait for the keeper to have gone; false when it is still there after ``seconds``."""
        deadline = time.monotonic() + seconds
        while self._keeper_pid() is not None:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def log_tail(self) -> str:
        """The last lines the server wrote, for an error message."""
        with contextlib.suppress(FileNotFoundError):
            return "\n".join((self.folder / "server.log").read_text(errors="replace").splitlines()[-15:])
        return "(it wrote no log)"

    def _count_as_user(self) -> None:
        if self._users_lock is None:
            for folder in (var_folder(), var_folder() / "run", self.folder):
                folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            _make_private(self.socket_folder)
            self._users_lock = (self.folder / "users.lock").open("a")
            fcntl.flock(self._users_lock, fcntl.LOCK_SH)  # waits while a keeper is just stopping the server

    def _start(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready():
            if self._keeper_pid() is None:
                self.prepare()
                self._spawn_keeper()
            if time.monotonic() > deadline:
                message = f"{self.name} did not start within {START_SECONDS:.0f} s:\n{self.log_tail()}"
                raise EmbeddedServerError(message)
            time.sleep(0.02)

    def _spawn_keeper(self) -> None:
        with (self.folder / "server.log").open("ab") as log:
            subprocess.Popen(
                [*keeper_program(), "keep", str(self.folder), self.way, self.stop_signal.name, *self.command()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )
        deadline = time.monotonic() + 5
        while self._keeper_pid() is None and time.monotonic() < deadline:
            time.sleep(0.01)

    def _keeper_pid(self) -> int | None:
        """The living keeper's process id; it holds keeper.lock for as long as it lives."""
        try:
            with (self.folder / "keeper.lock").open() as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    return int(lock.read() or 0) or None
        except FileNotFoundError:
            pass
        return None


def keeper_program() -> list[str]:
    """The beginning of every command line of config/keeper.py."""
    return [sys.executable, "-I", "-S", str(_KEEPER)]


def socket_folder(name: str) -> Path:
    """In ``var/``, or in the temporary folder where that path will not do (root's server may be run by another)."""
    inside = var_folder() / "run" / name
    if _SAFE_SOCKET_PATH.fullmatch(str(inside)) and (os.geteuid() != 0 or is_open_to_others(var_folder().parent)):
        return inside
    place = hashlib.sha256(str(inside).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"voronka-{os.geteuid()}-{place}"


def is_open_to_others(folder: Path) -> bool:
    """Whether a stranger may pass through every folder on the way."""
    return all(place.stat().st_mode & 0o001 for place in (folder, *folder.parents) if place.exists())


def _make_private(folder: Path) -> None:
    """Make a folder that nobody else may enter: who reaches the socket is let in without a password."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.is_symlink() or (os.geteuid() != 0 and folder.stat().st_uid != os.geteuid()):  # a stranger's, in /tmp
        raise EmbeddedServerError(f"{folder} belongs to another user; remove it or set VORONKA_VAR.")
    folder.chmod(0o700)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
