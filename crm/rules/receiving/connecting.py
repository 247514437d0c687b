"""A connection to somebody's mail server: opened with a verdict, never to where we should not knock."""

from __future__ import annotations

import datetime as dt
import imaplib
import ipaddress
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _
from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError, MailboxLoginError

from crm.models import Mailbox
from crm.rules.errors import RuleError
from crm.rules.sealing import unseal

SECONDS = 20
"""For the connection, and for each answer."""
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class MailboxTrouble(RuleError):
    """The mailbox cannot be read now; the message says why."""

    code = "mailbox_trouble"


class LoginRefused(MailboxTrouble):
    """The server does not take the name and password."""

    code = "login_refused"


@dataclass(frozen=True)
class Fetched:
    """One message as the server gave it; `is_cut` where it is larger than what is read."""

    content: bytes
    is_cut: bool


class Reading:
    """An open connection, for reading alone: nothing is marked, moved or deleted."""

    def __init__(self, connection: BaseMailBox) -> None:
        self._connection = connection

    def open_folder(self, name: str) -> int:
        """Turn to a folder and return its UIDVALIDITY."""
        try:
            self._connection.folder.set(name, readonly=True)
            return int(self._connection.folder.status(name, ["UIDVALIDITY"])["UIDVALIDITY"])
        except (ImapToolsError, KeyError, ValueError) as error:
            words = _("There is no folder “%(name)s”, or it cannot be opened.")
            raise MailboxTrouble(words % {"name": name}) from error

    def uids_after(self, last: int, *, day: dt.date) -> list[int]:
        """Return the UIDs above `last` of messages that came in on or after a day, in order."""
        since = f"{day.day}-{_MONTHS[day.month - 1]}-{day.year}"  # English whatever the locale
        found = self._connection.uids(f"UID {last + 1}:* SINCE {since}")
        return sorted(uid for uid in map(int, filter(str.isdecimal, found)) if uid > last)

    def fetch(self, uid: int, *, most: int) -> Fetched | None:
        """Return the message, its first `most` bytes where it is larger; None where it is gone by now."""
        said, answer = self._connection.client.uid("FETCH", str(uid), f"(UID RFC822.SIZE BODY.PEEK[]<0.{most}>)")
        if said != "OK":
            raise MailboxTrouble(_("The server does not hand over a message."))
        for part in answer:
            if isinstance(part, tuple) and len(part) == 2 and isinstance(part[1], bytes):
                size = _SIZE.search(part[0])
                return Fetched(part[1], is_cut=bool(size and int(size[1]) > len(part[1])))
        return None


@contextmanager
def connected(mailbox: Mailbox) -> Iterator[Reading]:
    """Open a connection for as long as the block lasts; MailboxTrouble or LoginRefused where that cannot be."""
    refuse_inside(mailbox.host, mailbox.port)
    password = unseal(mailbox.secret)
    try:
        connection = _opened(mailbox)
    except (OSError, imaplib.IMAP4.error, ImapToolsError) as error:
        raise MailboxTrouble(_why(error)) from error
    try:
        _log_in(connection, mailbox.username, password)
        yield Reading(connection)
    except MailboxTrouble:
        raise
    except (OSError, imaplib.IMAP4.error, ImapToolsError, EOFError) as error:
        raise MailboxTrouble(_why(error)) from error
    finally:
        with suppress(OSError, imaplib.IMAP4.error, ImapToolsError):
            connection.logout()


def refuse_inside(host: str, port: int) -> None:
    """Raise MailboxTrouble for a host inside our own network, unless the operator named it (MAILBOX_HOSTS_INSIDE)."""
    if host.lower() in settings.MAILBOX_HOSTS_INSIDE:
        return
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise MailboxTrouble(_("There is no server “%(host)s”.") % {"host": host}) from error
    if not all(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]).is_global for entry in found):
        raise MailboxTrouble(_("“%(host)s” lies inside our own network. Ask your administrator.") % {"host": host})


def _opened(mailbox: Mailbox) -> BaseMailBox:
    context = ssl.create_default_context()
    match mailbox.security:
        case Mailbox.Security.STARTTLS:
            return MailBoxStartTls(mailbox.host, mailbox.port, timeout=SECONDS, ssl_context=context)
        case Mailbox.Security.NONE:
            return MailBoxUnencrypted(mailbox.host, mailbox.port, timeout=SECONDS)
    return MailBox(mailbox.host, mailbox.port, timeout=SECONDS, ssl_context=context)


def _log_in(connection: BaseMailBox, username: str, password: str) -> None:
    try:
        connection.login(username, password, initial_folder=None)
    except (MailboxLoginError, imaplib.IMAP4.error, UnicodeError) as error:
        words = _("The server does not take the user name and password. Some want an app password.")
        raise LoginRefused(words) from error


def _why(error: BaseException) -> str:
    """In words that a person can act on; what strangers' servers say is not repeated."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _("The server's certificate cannot be trusted.")
    if isinstance(error, ssl.SSLError):
        return _("The server does not speak this kind of encryption at this port.")
    if isinstance(error, TimeoutError):
        return _("The server does not answer.")
    if isinstance(error, ConnectionError):
        return _("The server refuses the connection, or ended it.")
    return _("The server answers something that is not understood.")
