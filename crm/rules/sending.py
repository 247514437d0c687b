"""Mail to one person at a time: written in their language, under the Message-ID of its row, with an honest verdict.

The verdict is what matters: refused for good, not now, or perhaps accepted before the connection broke.
"""

from __future__ import annotations

import smtplib
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import requests
from anymail.exceptions import AnymailError
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.template.loader import render_to_string
from django.utils import timezone, translation
from urllib3.exceptions import NewConnectionError

from crm.models import OutboxRow, User
from crm.rules.wall_clock import zone_of

AWAY = frozenset({401, 402, 403, 407, 408, 421, 429, 503})
"""A provider's answers that concern every message: a wrong or unpaid key, too many requests, closed for now."""


class NotSent(Exception):
    """Certainly not sent; tried again later."""


class ServerAway(NotSent):
    """Nobody answers at the mail server: the other rows need not be tried now either."""


class Refused(Exception):
    """The server will never take this message for this recipient (5xx)."""


class PerhapsSent(Exception):
    """The connection broke, or time ran out, when the server may have accepted the message already."""


class Postbox:
    """A connection to the mail server for a run of messages: opened at the first, dropped after a failure.

    While it `is_closed` nobody is asked, since the server did not answer a moment ago: each message is told so at once.
    `has_answered` says that the server took a message, or said why not.
    """

    def __init__(self, *, is_closed: bool = False) -> None:
        self._connection: BaseEmailBackend | None = None
        self.is_closed, self.has_answered = is_closed, False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._drop()

    def send(self, message: EmailMultiAlternatives) -> str:
        """Hand over one message to one recipient; return the server's answer or raise the verdict."""
        if self.is_closed:
            raise ServerAway("the mail server does not answer")
        try:
            answer = self._hand_over(message)
        except (ServerAway, PerhapsSent):
            raise
        except (NotSent, Refused):
            self.has_answered = True
            raise
        self.has_answered = True
        return answer

    def _hand_over(self, message: EmailMultiAlternatives) -> str:
        connection = self._open()
        try:
            connection.send_messages([message])
        except AnymailError as error:
            self._drop()
            raise _providers_verdict(error) from error
        except smtplib.SMTPRecipientsRefused as error:
            code, words = next(iter(error.recipients.values()))
            raise _verdict(code, words) from error
        except smtplib.SMTPResponseException as error:
            self._drop()
            raise _verdict(error.smtp_code, error.smtp_error) from error
        except (smtplib.SMTPException, OSError, SoftTimeLimitExceeded) as error:
            self._drop()
            raise PerhapsSent(_words(error)) from error
        return "accepted"

    def _open(self) -> BaseEmailBackend:
        if self._connection is None:
            connection = get_connection()
            try:
                connection.open()
            except (smtplib.SMTPException, OSError, SoftTimeLimitExceeded) as error:
                raise ServerAway(_words(error)) from error
            self._connection = connection
        return self._connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.close()
        except (smtplib.SMTPException, OSError):
            return  # it is gone already, which is what was wanted


def _verdict(code: int, words: bytes | str) -> NotSent | Refused:
    said = words.decode(errors="replace") if isinstance(words, bytes) else words
    return Refused(f"{code} {said}") if code >= 500 else NotSent(f"{code} {said}")


def _providers_verdict(error: AnymailError) -> NotSent | Refused | PerhapsSent:
    """What a provider's answer, or its silence, says of one message.

    A wrong key, too many requests or a closed door concern every row, not this one. A fault of the provider's own may
    come after it took the message, and so may a broken connection, but for one that never came about.
    """
    words = " ".join(str(error).split())[:2000]
    status = getattr(error, "status_code", None)
    if status in AWAY or isinstance(error, requests.ConnectTimeout):
        return ServerAway(words)
    if status is None and isinstance(error, requests.ConnectionError):
        return ServerAway(words) if _never_connected(error) else PerhapsSent(words)
    if status is None and isinstance(error, requests.RequestException) and not isinstance(error, ValueError):
        return PerhapsSent(words)
    is_fault_of_theirs = status is not None and (status >= 500 or status < 400)
    return PerhapsSent(words) if is_fault_of_theirs else Refused(words)


def _never_connected(error: BaseException) -> bool:
    """Whether nobody listened, or the name is unknown: looked up in what caused the error."""
    cause: BaseException | None = error.__cause__
    reasons = [getattr(argument, "reason", argument) for argument in (cause.args if cause else ())]
    return any(isinstance(reason, NewConnectionError) for reason in reasons)


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def mail(row: OutboxRow, recipient: User, template: str, context: Mapping[str, Any]) -> EmailMultiAlternatives:
    """Write the message of `row` from templates/emails/<template>.{subject.txt,txt,html}, as `recipient` reads."""
    with translation.override(recipient.language), timezone.override(zone_of(recipient.time_zone)):
        full = {**context, "recipient": recipient, "base_url": settings.PUBLIC_BASE_URL}
        subject = " ".join(render_to_string(f"emails/{template}.subject.txt", full).split())
        message = EmailMultiAlternatives(
            subject=subject,
            body=render_to_string(f"emails/{template}.txt", full).strip() + "\n",
            to=[recipient.email],
            headers={"Message-ID": row.message_id, "Auto-Submitted": "auto-generated"},
        )
        message.attach_alternative(render_to_string(f"emails/{template}.html", full), "text/html")
    return message
