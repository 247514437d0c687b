"""A real browser on a live server: what every e2e test may ask for.

`log_in(person)` gives a page of that person in a window of their own; two calls are two people. A page that logs an
error, throws, or breaks the content security policy fails its test, unless the test says which errors it expects.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from crm.models import User

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
)  # fmt: skip
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
PATIENCE_MS = 20_000
HERE = Path(__file__).resolve().parent

LogIn = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of this folder is an e2e test."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.e2e)


def chromium() -> str | None:
    """The path of this machine's Chromium: CHROMIUM's, else the first one found."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium; without one the test is skipped, in CI it fails."""
    path = chromium()
    if path is None and os.environ.get("CI"):
        pytest.fail("CI must have a Chromium: install one, or name it by CHROMIUM.")
    if path is None:
        pytest.skip("No Chromium found; install one, or name it by CHROMIUM.")
    # Playwright's loop runs in this very thread; Django then takes every query of the test for one in a coroutine.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


class Complaints(list[str]):
    """What the pages of a test complained of; a test adds what it expects to `expected`, by any part of the text."""

    def __init__(self) -> None:
        super().__init__()
        self.expected: list[str] = []

    def listen(self, page: Page) -> None:
        """Hear what this page says."""
        page.on("console", self._on_console)
        page.on("pageerror", self._on_error)

    def unexpected(self) -> list[str]:
        """Those that no test asked for."""
        return [text for text in self if not any(part in text for part in self.expected)]

    def _on_console(self, message: ConsoleMessage) -> None:
        url = str(message.location.get("url", ""))
        # 409 and 422 are answers of ours that the browser logs as failures, and a test may cut the line; a missing
        # static file is a failure.
        is_missing_file = settings.STATIC_URL in url and "the server responded" in message.text
        is_answer = message.text.startswith("Failed to load resource") and not is_missing_file
        if message.type == "error" and not is_answer:
            self.append(f"{message.text} ({url})")

    def _on_error(self, error: Error) -> None:
        self.append(f"thrown: {error.message}\n{error.stack or ''}")


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """The errors of this test's pages; those not expected fail it at the end."""
    complaints = Complaints()
    yield complaints
    assert not complaints.unexpected()


NO_DIALLER = """document.addEventListener("click", (event) => {
  if (event.target.closest?.("a[href^='tel:'], a[href^='mailto:']")) event.preventDefault();
})"""
"""Without a program for such links Chromium asks which to open, and until it is told passes no click on to the page."""


@pytest.fixture
def log_in(browser: Browser, live_server: LiveServer, complaints: Complaints) -> Iterator[LogIn]:
    """Call with a person for a page in a window of their own; options are those of Playwright's `new_context`."""
    opened: list[BrowserContext] = []

    def log_in(person: User, **options: Any) -> Page:
        context = browser.new_context(
            base_url=live_server.url,
            **{"viewport": DESKTOP, "reduced_motion": "reduce", "locale": person.language, **options},
        )
        opened.append(context)
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": session_of(person), "url": live_server.url}]
        )
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(NO_DIALLER)
        context.on("page", complaints.listen)
        return context.new_page()

    yield log_in
    for context in opened:
        context.close()


def session_of(person: User) -> str:
    """The key of a new session in which this person is logged in."""
    client = Client()
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    return str(client.cookies[settings.SESSION_COOKIE_NAME].value)


@pytest.fixture(autouse=True)
def _lasting_data(transactional_db: None) -> None:
    """The live server is another thread: what a test writes is committed, and flushed after it."""
