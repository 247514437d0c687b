"""`make demo`: web server, worker and beat as one foreground group, on the embedded servers where no URL names others.

The group is one: Ctrl-C or SIGTERM stops all of it, a part that dies is started again, and the kernel ends the parts
when this process is killed. Nothing is kept in memory that a restart would miss.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import IO

from config import embedded

LOGINS = ("rep@demo.test", "manager@demo.test", "admin@demo.test", "viewer@demo.test")
RESTART_SECONDS = 1.0
STOP_SECONDS = 20.0
START_SECONDS = 60.0


class Part:
    """One process of the group, its output passed on line by line with its name in front."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name = name
        self.command = command
        self.process: subprocess.Popen[str] | None = None
        self.started_at = 0.0

    def start(self) -> None:
        """Start it in a session of its own: Ctrl-C reaches this process alone, which then stops the parts in order."""
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            [*embedded.keeper_program(), "run", "SIGTERM", *self.command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        threading.Thread(target=self._pass_on, args=(self.process.stdout,), daemon=True).start()

    def start_again_if_dead(self) -> None:
        """Bring it back, a second after its last start at the earliest."""
        if self.process is None or self.process.poll() is None or time.monotonic() - self.started_at < RESTART_SECONDS:
            return
        _say(f"{self.name} ended with status {self.process.returncode}; starting it again.")
        self.start()

    def stop(self) -> None:
        """Ask it to finish what it has in hand."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def wait(self, deadline: float) -> None:
        """Wait for its end, and no longer than until the deadline."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def _pass_on(self, output: IO[str]) -> None:
        for line in output:
            print(f"{self.name:<7}| {line}", end="", flush=True)


def main() -> None:
    """Run the group until a signal ends it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    os.environ["VORONKA_ENV"] = "demo"
    port = os.environ.setdefault("PORT", "8000")
    lock = _be_the_only_one()
    _refuse_unusable_port(port)
    ensure_servers = _servers()
    parts = _parts(port)
    try:
        ensure_servers()
        subprocess.run([sys.executable, "manage.py", "prepare_demo"], cwd=embedded.BASE_DIR, check=True)
        for part in parts:
            part.start()
        _announce(port, parts)
        while True:
            time.sleep(0.5)
            ensure_servers()
            for part in parts:
                part.start_again_if_dead()
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
    except embedded.EmbeddedServerError as error:
        sys.exit(str(error))
    finally:
        _stop(parts)
        lock.close()


def stop() -> None:
    """End a demo that runs in this folder, then whatever embedded server is left."""
    try:
        with _lock_path().open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.kill(int(lock.read()), signal.SIGTERM)
                fcntl.flock(lock, fcntl.LOCK_EX)
    except FileNotFoundError:
        pass
    embedded.stop_all()


def _parts(port: str) -> list[Part]:
    web = ["-m", "gunicorn", "--config", "python:config.serving", "--bind", f"127.0.0.1:{port}"]
    web += ["--log-level", "warning", "--graceful-timeout", "5"]
    # The warning about running as root is for servers that strangers reach.
    celery = ["-W", "ignore:::celery.platforms", "-m", "celery", "--app", "config", "--quiet"]
    worker = [*celery, "worker", "--concurrency", "2", "--loglevel", "warning", "--without-gossip", "--without-mingle"]
    beat = [*celery, "beat", "--loglevel", "warning", "--pidfile", ""]
    beat += ["--schedule", str(embedded.var_folder() / "beat")]
    return [Part(name, [sys.executable, *rest]) for name, rest in (("web", web), ("worker", worker), ("beat", beat))]


def _servers() -> Callable[[], None]:
    """Something that brings the embedded servers up, or back up; nothing to do for those that a URL names."""
    servers: list[embedded.EmbeddedServer] = []
    if not os.environ.get("DATABASE_URL"):
        servers.append(embedded.postgres())
    if not os.environ.get("REDIS_URL"):
        servers.append(embedded.valkey())

    def ensure() -> None:
        for server in servers:
            server.ensure()

    return ensure


def _announce(port: str, parts: list[Part]) -> None:
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + START_SECONDS
    while not _answers(f"{url}/healthz"):
        for part in parts:
            part.start_again_if_dead()
        if time.monotonic() > deadline:
            sys.exit("The web server does not answer; its messages stand above.")
        time.sleep(0.1)
    logins = "\n".join(f"    {login:<20} password demo" for login in LOGINS)
    print(f"\n  Voronka runs at {url}/\n\n{logins}\n\n  Mail: {url}/dev/mail/   Stop: Ctrl-C\n", flush=True)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 (our own address)
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _stop(parts: list[Part]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _say("Stopping …")
    deadline = time.monotonic() + STOP_SECONDS
    for part in parts:
        part.stop()
    for part in parts:
        part.wait(deadline)
    for server in (embedded.postgres(), embedded.valkey()):
        server.stop()
    for server in (embedded.postgres(), embedded.valkey()):
        if not server.wait_until_stopped(seconds=10):
            _say(f"{server.name} stays up: another process uses it.")
    _say("Stopped. What you entered is kept; `make demo` goes on with it.")


def _leave(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _lock_path() -> Path:
    return embedded.var_folder() / "demo.lock"


def _be_the_only_one() -> IO[str]:
    _lock_path().parent.mkdir(parents=True, exist_ok=True)
    lock = _lock_path().open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit("The demo of this folder runs already. Stop it with Ctrl-C there, or with `make stop`.")
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def _refuse_unusable_port(text: str) -> None:
    port = int(text) if text.isdecimal() and len(text) <= 5 else 0
    if not 0 < port < 1 << 16:
        sys.exit(f"PORT is {text!r}; it must be a number from 1 to 65535, as in PORT=8123 make demo.")
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            sys.exit(f"Port {port} cannot be used ({error.strerror}). Choose another: PORT={port + 1} make demo")


def _say(text: str) -> None:
    print(f"demo   | {text}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["stop"]:
        stop()
    else:
        main()
