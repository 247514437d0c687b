"""What was changed in several rows of a list, kept with each row of it, so that it can be taken back."""

from __future__ import annotations

import datetime as dt
import functools
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from django.contrib import messages
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.http import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import ngettext

from crm.views.requests import PersonRequest
from pipeline.rules.changing_together import Changed

UNDO = "bulk_undo"
"""Where a session keeps the last change of several records: what it was before is nobody else's to see or send."""

STILL = dt.timedelta(seconds=10)
"""A change of which no row was written for so long has stopped: a row takes some hundredths of a second."""

PageView = Callable[..., HttpResponseBase]


@dataclass
class Taking:
    """A change on its way, in place of the one remembered last. `name` is its list's, `back` that list's address."""

    request: PersonRequest
    name: str
    back: str
    chosen: int
    key: str = field(default_factory=lambda: secrets.token_urlsafe(9))
    changed: list[dict[str, Any]] = field(default_factory=list)

    @property
    def undo_url(self) -> str:
        """Where a POST takes it back."""
        return reverse("bulk_undo", args=[self.key])

    def keep(self, one: Changed) -> None:
        """Remember a row in the transaction that changes it: whatever ends the change then, it can be taken back.

        Raises SessionInterrupted where the person was logged out meanwhile: that ends it, and the row stays as it was.
        """
        self.changed.append(asdict(one))
        self._write(is_told=False)
        try:
            self.request.session.save()
        except UpdateError as error:
            raise SessionInterrupted("The session ended while rows were changed.") from error

    def end(self, *, may_undo: bool) -> str:
        """Say that no row is still to come; return where it is taken back, "" where it cannot be."""
        if self.changed and may_undo:
            self._write(is_told=True)
            return self.undo_url
        if self.changed:
            del self.request.session[UNDO]
        return ""

    def _write(self, *, is_told: bool) -> None:
        self.request.session[UNDO] = {
            "key": self.key, "name": self.name, "back": self.back, "chosen": self.chosen, "changed": self.changed,
            "at": timezone.now().isoformat(), "is_told": is_told,
        }  # fmt: skip


def take(request: PersonRequest, key: str) -> dict[str, Any] | None:
    """Return what the change of that key left to be taken back, which is forgotten by that; None if another did."""
    kept: dict[str, Any] = request.session.get(UNDO) or {}
    if kept.get("key") != key:
        return None
    del request.session[UNDO]
    return kept


def offers_what_stopped(view: PageView) -> PageView:
    """Let a list say, once, that its last change stopped on its way (its process died), with a way to undo it."""

    @functools.wraps(view)
    def offering(request: PersonRequest, *args: Any, **options: Any) -> HttpResponseBase:
        kept = request.session.get(UNDO)
        if kept and not kept["is_told"] and not request.htmx and _is_still(kept):
            words = ngettext(
                "The last change stopped on its way: %(count)d of %(chosen)d was changed.",
                "The last change stopped on its way: %(count)d of %(chosen)d were changed.",
                len(kept["changed"]),
            )
            text = words % {"count": len(kept["changed"]), "chosen": kept["chosen"]}
            # An error's notice stays until it is closed: this one is the only way back.
            messages.error(request, text, extra_tags=reverse("bulk_undo", args=[kept["key"]]))
            request.session[UNDO] = {**kept, "is_told": True}
        return view(request, *args, **options)

    return offering


def _is_still(kept: dict[str, Any]) -> bool:
    return timezone.now() - dt.datetime.fromisoformat(kept["at"]) > STILL
