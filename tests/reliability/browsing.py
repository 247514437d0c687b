"""A person with a browser, for tests that count answers and time them."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Barrier
from typing import TypeVar
from urllib.parse import urlencode

from django.conf import settings
from django.test import Client

from crm.models import User

TOKEN = "b" * 32
T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    """What came back, and after how many seconds; its headers by their names in lower case."""

    status: int
    seconds: float
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)


class Browser:
    """Somebody logged in, on one connection that is kept open, and opened again where it broke."""

    def __init__(self, port: int, session_key: str) -> None:
        cookies = f"{settings.SESSION_COOKIE_NAME}={session_key}; csrftoken={TOKEN}"
        self.headers = {"Cookie": cookies, "X-CSRFToken": TOKEN}
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    @classmethod
    def of(cls, port: int, person: User) -> Browser:
        """Log `person` in, in this test's database."""
        client = Client()
        client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
        return cls(port, client.cookies[settings.SESSION_COOKIE_NAME].value)

    def get(self, path: str) -> Answer:
        """Ask for a page."""
        return self._ask("GET", path, None, {})

    def post(self, path: str, fields: Sequence[tuple[str, object]] = (), **headers: str) -> Answer:
        """Send a form."""
        form = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        return self._ask("POST", path, urlencode(fields), form)

    def _ask(self, method: str, path: str, body: str | None, more: dict[str, str]) -> Answer:
        started = time.monotonic()
        self._connection.request(method, path, body, self.headers | more)
        answer = self._connection.getresponse()
        text = answer.read().decode()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, time.monotonic() - started, text, headers)


def at_once(acts: Sequence[Callable[[], T]]) -> list[T]:
    """Do all of them at the same instant, each in a thread of its own."""
    start = Barrier(len(acts), timeout=60)

    def begin(act: Callable[[], T]) -> T:
        start.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(begin, acts))


def percentile(seconds: Sequence[float], share: float) -> float:
    """The time within which this share of them lies."""
    return sorted(seconds)[min(len(seconds) - 1, int(share * len(seconds)))]
