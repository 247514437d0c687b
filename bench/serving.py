"""A database of its own, a real server, and somebody logged in who asks it again and again."""

from __future__ import annotations

import http.client
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def use_database(name: str) -> None:
    """Point this process and its children at a data folder under var/bench/, and set Django up."""
    os.environ["VORONKA_VAR"] = str(ROOT / "var" / "bench" / name)
    os.environ["VORONKA_ENV"] = "demo"
    os.environ["DJANGO_SETTINGS_MODULE"] = "bench.settings"
    sys.path.insert(0, str(ROOT))
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, check=True)
    subprocess.run([sys.executable, "manage.py", "createcachetable"], cwd=ROOT, check=True)
    subprocess.run([sys.executable, "manage.py", "collectstatic", "--noinput", "-v0"], cwd=ROOT, check=True)
    import django

    django.setup()


def session_for(email: str) -> str:
    """Log somebody in without the slow hash of a password; return the session's key."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from crm.models import User

    person = User.objects.get(email=email)
    session = SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.create()
    return str(session.session_key)


@contextmanager
def serving() -> Iterator[int]:
    """Run gunicorn with one worker, as `make demo` does with two; yield its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "--config", "python:config.serving", "--bind", f"127.0.0.1:{port}"]
    server = subprocess.Popen([*command, "--workers", "1", "--log-level", "error"], cwd=ROOT)
    try:
        for _attempt in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait(timeout=20)


class Visitor:
    """Keeps one connection open and times what it asks."""

    def __init__(self, port: int, session: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.cookies = {"sessionid": session, "csrftoken": "b" * 32}

    def ask(self, path: str, fields: str | None = None, **headers: str) -> tuple[float, int, bytes]:
        """Send one request; return seconds, status and body."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {"Cookie": cookie, "X-CSRFToken": self.cookies["csrftoken"], **headers}
        if fields is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        started = time.perf_counter()
        self.connection.request("POST" if fields is not None else "GET", path, fields, sent)
        answer = self.connection.getresponse()
        body = answer.read()
        return time.perf_counter() - started, answer.status, body


def medians(asks: dict[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Ask everything in turn, `rounds` times, so that all meet the same machine; return the median seconds of each."""
    for ask in asks.values():
        ask()
    times: dict[str, list[float]] = {name: [] for name in asks}
    for _round in range(rounds):
        for name, ask in asks.items():
            times[name].append(ask())
    return {name: statistics.median(taken) for name, taken in times.items()}
