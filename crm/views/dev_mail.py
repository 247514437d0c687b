"""Reading the mail that went to files: while developing and in the demo, never in production."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

SHOWN = 200
SEPARATOR = b"-" * 79  # what Django's file backend writes after each message


@dataclass(frozen=True)
class Letter:
    """One mail: `name` is its file and its place in it."""

    name: str
    at: dt.datetime
    message: EmailMessage

    @property
    def subject(self) -> str:
        """Its subject."""
        return str(self.message.get("Subject", ""))

    @property
    def recipient(self) -> str:
        """To whom it went."""
        return str(self.message.get("To", ""))

    @property
    def headers(self) -> list[tuple[str, str]]:
        """All headers, as sent."""
        return [(name, str(value)) for name, value in self.message.items()]

    @property
    def text(self) -> str:
        """Its plain text."""
        return _content(self.message, "plain")

    @property
    def html(self) -> str:
        """Its HTML."""
        return _content(self.message, "html")


@require_safe
@login_not_required
def mail_list(request: HttpRequest) -> HttpResponse:
    """The newest mails."""
    letters = [letter for path in _files()[:SHOWN] for letter in _letters(path)]
    letters.sort(key=lambda letter: letter.at, reverse=True)
    return render(request, "dev/mail_list.html", {"letters": letters[:SHOWN], "folder": "var/mail"})


@require_safe
@login_not_required
def mail_detail(request: HttpRequest, name: str) -> HttpResponse:
    """One mail: its text, and its HTML in a frame without rights."""
    return render(request, "dev/mail_detail.html", {"letter": _letter_or_404(name)})


@require_safe
@login_not_required
@xframe_options_sameorigin
@csp(  # type: ignore[arg-type]  # its types know only views without further arguments
    {"default-src": [NONE], "style-src": [UNSAFE_INLINE], "frame-ancestors": [SELF], "sandbox": True}
)
def mail_html(_request: HttpRequest, name: str) -> HttpResponse:
    """The HTML of one mail, for that frame: nothing runs in it and nothing is loaded from elsewhere."""
    return HttpResponse(_letter_or_404(name).html)


def _files() -> list[Path]:
    folder = Path(settings.MAIL_DIR)
    files = folder.glob("*.log") if folder.is_dir() else []
    return sorted(files, key=lambda path: path.stat().st_mtime, reverse=True)


def _letters(path: Path) -> Iterator[Letter]:
    at = dt.datetime.fromtimestamp(path.stat().st_mtime, tz=timezone.get_current_timezone())
    parts = path.read_bytes().split(b"\n" + SEPARATOR + b"\n")
    for number, part in enumerate(parts):
        if not part.strip():
            continue
        message = email.message_from_bytes(part.lstrip(b"\n"), policy=email.policy.default)
        assert isinstance(message, EmailMessage)  # what this policy makes
        yield Letter(f"{path.stem}.{number}", _date_of(message) or at, message)


def _date_of(message: EmailMessage) -> dt.datetime | None:
    """When it was written; "-0000" says UTC without saying where."""
    sent = getattr(message["Date"], "datetime", None)
    return sent.replace(tzinfo=sent.tzinfo or dt.UTC) if sent else None


def _letter_or_404(name: str) -> Letter:
    stem, _dot, _number = name.rpartition(".")
    for path in _files():
        if path.stem == stem:
            for letter in _letters(path):
                if letter.name == name:
                    return letter
    raise Http404


def _content(message: EmailMessage, kind: str) -> str:
    body = message.get_body(preferencelist=(kind,))
    return str(body.get_content()) if body is not None else ""
