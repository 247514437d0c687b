"""Mailboxes, and messages as they come over the wire."""

from __future__ import annotations

import datetime as dt
import itertools
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

import factory
from django.utils import timezone

from crm.models import Mailbox
from crm.rules.sealing import seal

_numbers = itertools.count()


class MailboxFactory(factory.django.DjangoModelFactory[Mailbox]):
    """A mailbox without encryption; `password` is sealed as a person's would be."""

    class Meta:
        model = Mailbox

    class Params:
        password = "secret"

    name = factory.Sequence(lambda n: f"Mailbox {n}")
    address = factory.Sequence(lambda n: f"box{n}@example.test")
    host = "127.0.0.1"
    port = 143
    security = Mailbox.Security.NONE
    username = factory.Sequence(lambda n: f"box{n}")
    secret = factory.LazyAttribute(lambda box: seal(box.password))
    reads_from = factory.LazyFunction(lambda: timezone.localdate() - dt.timedelta(days=2))


def message(
    *,
    sender: str = "Anna <anna@customer.test>",
    to: str = "rita@example.test",
    subject: str = "Your offer",
    text: str = "Hello",
    html: str = "",
    at: dt.datetime | None = None,
    message_id: str = "",
    **headers: str,
) -> bytes:
    """Return a message as a server hands it over; further headers with _ for -."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Date"] = format_datetime(at or timezone.now())
    mail["Message-ID"] = message_id or f"<{next(_numbers)}.{timezone.now():%s%f}@customer.test>"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    if html:
        mail.add_alternative(html, subtype="html")
    return mail.as_bytes()


def raw(*lines: str, **_more: Any) -> bytes:
    """Return a message written line by line."""
    return "\r\n".join(lines).encode()
