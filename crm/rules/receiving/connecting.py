"""A connection to somebody's mail server, opened with a verdict: what is wrong is said in words to act on."""

from __future__ import annotations

import datetime as dt
import imaplib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.utils.translation import gettext as _
from imap_tools import BaseMailBox
from imap_tools.errors import ImapToolsError, MailboxLoginError

from crm.models import Mailbox
from crm.rules.receiving.bounded import BoundedMailBox
from crm.rules.receiving.reaching import Deadline, MailboxTrouble
from crm.rules.sealing import unseal

GOODBYE_SECONDS = 2
_NONSENSE = (ValueError, LookupError, TypeError, AttributeError, AssertionError, ArithmeticError)
"""What imaplib and imap_tools raise at answers that they do not expect."""
_LITERAL = re.compile(rb"\{(\d{1,15})\}$")
_SIZE = re.compile(rb"RFC822\.SIZE (\d{1,15})")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class LoginRefused(MailboxTrouble):
    """The server does not take the name and password."""

    code = "login_refused"


@dataclass(frozen=True)
class Fetched:
    """One message as the server gave it; `is_cut` where it is larger than what is read."""

    content: bytes
    is_cut: bool


class Reading:
    """An open connection, for reading alone: nothing is marked, moved or deleted. All may raise MailboxTrouble."""

    def __init__(self, connection: BaseMailBox) -> None:
        self._connection = connection

    def open_folder(self, name: str) -> int:
        """Turn to a folder and return its UIDVALIDITY."""
        with _understanding():
            try:
                self._connection.folder.set(name, readonly=True)
                found = int(self._connection.folder.status(name, ["UIDVALIDITY"])["UIDVALIDITY"])
            except (ImapToolsError, KeyError, ValueError) as error:
                words = _("There is no folder “%(name)s”, or it cannot be opened.")
                raise MailboxTrouble(words % {"name": name}) from error
            return _number(found)

    def uids_after(self, last: int, *, day: dt.date) -> list[int]:
        """Return the UIDs above `last` of messages that came in on or after a day, in order."""
        since = f"{day.day}-{_MONTHS[day.month - 1]}-{day.year}"  # English whatever the locale
        with _understanding():
            found = self._connection.uids(f"UID {last + 1}:* SINCE {since}")
            return sorted({_number(uid) for uid in map(int, filter(str.isdecimal, found)) if uid > last})

    def fetch(self, uid: int, *, most: int) -> Fetched | None:
        """Return the message, its first `most` bytes where it is larger; None where it is gone by now."""
        with _understanding():
            said, answer = self._connection.client.uid("FETCH", str(uid), f"(UID RFC822.SIZE BODY.PEEK[]<0.{most}>)")
            if said != "OK":
                raise MailboxTrouble(_("The server does not hand over a message."))
            for part in answer:
                if isinstance(part, tuple) and len(part) == 2 and isinstance(part[1], bytes):
                    return _fetched(part[0], part[1], most)
            return None


def _fetched(said: bytes, content: bytes, most: int) -> Fetched:
    sizes = [int(found) for found in (*_SIZE.findall(said)[:1], *_LITERAL.findall(said))]
    return Fetched(content[:most], is_cut=max(sizes, default=0) > len(content[:most]))


def _number(found: int) -> int:
    """Return a UID or UIDVALIDITY: what has more than 32 bits is neither (RFC 3501)."""
    if not 0 <= found < 1 << 32:
        raise ValueError(found)
    return found


@contextmanager
def connected(mailbox: Mailbox, *, seconds: float) -> Iterator[Reading]:
    """Open a connection for as long as the block lasts, at most so many seconds; MailboxTrouble where that cannot be.

    What goes wrong in the block beside the reading is no trouble of the mailbox, and raised as it is.
    """
    password = unseal(mailbox.secret)
    with _understanding():
        connection = BoundedMailBox(mailbox, Deadline(seconds))
    try:
        with _understanding():
            _log_in(connection, mailbox.username, password)
        yield Reading(connection)
    finally:
        connection.leave(GOODBYE_SECONDS)


@contextmanager
def _understanding() -> Iterator[None]:
    """Take whatever comes of a server's answers for trouble with it: it may say what no program expects."""
    try:
        yield
    except MailboxTrouble:
        raise
    except (OSError, imaplib.IMAP4.error, ImapToolsError, EOFError, *_NONSENSE) as error:
        raise MailboxTrouble(_why(error)) from error


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
