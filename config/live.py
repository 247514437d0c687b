"""The stream that tells open pages at once that something is new (server-sent events).

It carries no contents, only "the bell is 3-17 now": the page then asks the view, which decides who sees what. One
question a second to the database serves every open page of the process; Redis is not asked at all.
"""

from __future__ import annotations

import asyncio
import io
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.core.handlers.asgi import ASGIRequest
from django.db import DatabaseError, close_old_connections
from django.urls import reverse

from crm.models import Notification

PATH = reverse("live")
LOOK_SECONDS = 1.0
COMMENT_SECONDS = 15.0
"""Proxies close what is silent for longer."""
RIGHTS_SECONDS = 30.0
"""How soon a stream ends after its session has."""
LONGEST_SECONDS = 3600.0
MOST_STREAMS_OF_ONE = 8
"""A browser opens one for all its tabs (static/js/live.js); the rest ask now and then instead."""

logger = logging.getLogger(__name__)
_database = ThreadPoolExecutor(max_workers=1, thread_name_prefix="live")


@dataclass(eq=False)
class Listener:
    """One open stream: whose it is, and what it was last told."""

    user_id: int
    told: str | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)
    is_over: bool = False

    def tell(self, bell: str) -> None:
        """Wake the stream where the bell has changed."""
        if bell != self.told:
            self.told = bell
            self.news.set()

    def end(self) -> None:
        """Let the stream finish."""
        self.is_over = True
        self.news.set()


_listeners: set[Listener] = set()
_watch: asyncio.Task[None] | None = None


async def stream(scope: Any, receive: Any, send: Any) -> None:
    """Keep telling the person whose session it is; 204, on which a browser does not ask again, to anybody else."""
    user_id = await _in_thread(_person_of, scope)
    if user_id is None or Counter(each.user_id for each in _listeners)[user_id] >= MOST_STREAMS_OF_ONE:
        await _answer(send, 204)
        await send({"type": "http.response.body"})
        return
    await _answer(send, 200)
    listener = _join(Listener(user_id))
    gone = asyncio.create_task(_wait_until_gone(receive, listener))
    try:
        async for text in _told(listener, scope):
            await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
        await send({"type": "http.response.body"})
    finally:
        _listeners.discard(listener)
        gone.cancel()


def end_all() -> None:
    """Let every stream finish, for the server stops."""
    for listener in tuple(_listeners):
        listener.end()


async def _told(listener: Listener, scope: Any) -> AsyncIterator[str]:
    yield "retry: 3000\n\n"
    started = checked = time.monotonic()
    while not listener.is_over and time.monotonic() - started < LONGEST_SECONDS:
        try:
            await asyncio.wait_for(listener.news.wait(), COMMENT_SECONDS)
            listener.news.clear()
            if not listener.is_over:
                yield f"event: bell\ndata: {listener.told}\n\n"
        except TimeoutError:
            yield ": still here\n\n"
        if time.monotonic() - checked > RIGHTS_SECONDS:
            if await _in_thread(_person_of, scope) != listener.user_id:
                return
            checked = time.monotonic()


async def _wait_until_gone(receive: Any, listener: Listener) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    listener.end()


def _join(listener: Listener) -> Listener:
    global _watch  # noqa: PLW0603 (one task a process, started by the first who listens)
    _listeners.add(listener)
    if _watch is None or _watch.done():
        _watch = asyncio.create_task(_look_while_somebody_listens())
    return listener


async def _look_while_somebody_listens() -> None:
    while _listeners:
        bells = await _in_thread(_bells, frozenset(each.user_id for each in _listeners))
        for listener in _listeners:
            if bells is not None:
                listener.tell(bells.get(listener.user_id, "0-0"))
        await asyncio.sleep(LOOK_SECONDS)


async def _in_thread(function: Any, *arguments: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(_database, function, *arguments)


def _bells(user_ids: frozenset[int]) -> dict[int, str] | None:
    """Each person's bell; nothing while the database is away."""
    close_old_connections()
    try:
        return {user_id: str(unread) for user_id, unread in Notification.objects.unread_of(user_ids).items()}
    except DatabaseError as error:
        logger.warning("Open pages are told nothing for now: %s", error)
        return None


def _person_of(scope: Any) -> int | None:
    """Whose session the request carries; nobody's while the database is away."""
    close_old_connections()
    request = ASGIRequest(scope, io.BytesIO())
    store = import_module(settings.SESSION_ENGINE).SessionStore
    request.session = store(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    try:
        person = get_user(request)
    except DatabaseError:
        return None
    return person.pk if person.is_authenticated and person.is_active else None


async def _answer(send: Any, status: int) -> None:
    headers = {"cache-control": "no-store", "x-accel-buffering": "no", "x-content-type-options": "nosniff"}
    if status == 200:
        headers["content-type"] = "text/event-stream"
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
