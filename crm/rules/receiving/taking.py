"""Takes one message out of a folder, together with how far the folder was read: whole or not at all.

Whatever a message holds, those behind it are read: one that cannot be understood or kept is shown to a person with its
original, and one that kills who reads it is tried so only a few times.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass

from celery.exceptions import SoftTimeLimitExceeded
from django.db import InterfaceError, OperationalError

from crm.models import Email, Mailbox, MailFolder, Receipt, User
from crm.rules.receiving.connecting import Fetched
from crm.rules.receiving.keeping import Arrival, arrival_of, keep, store
from crm.rules.receiving.leases import LeaseLost, holding
from crm.rules.receiving.parsing import Mail, not_understood, parse, unreadable

logger = logging.getLogger(__name__)

MOST_TRIES = 3
"""Readers that may die of a message, by a kill or out of time, before it is kept without being understood."""
_NOT_ITS_FAULT = (LeaseLost, SoftTimeLimitExceeded, OperationalError, InterfaceError)
"""The reader's time is up, or the database is away: the same message comes next time."""
Kept = tuple[str, Email | None, User | None]
"""What became of a message, the e-mail it became, and whom it concerns."""


@dataclass(frozen=True)
class Piece:
    """A message as it lies in a folder; `fetched` is None where it is gone by now."""

    mailbox: Mailbox
    folder: MailFolder
    is_sent: bool
    uid_validity: int
    uid: int
    fetched: Fetched | None
    now: dt.datetime

    def key(self, mail: Mail) -> str:
        """The message's own; a copy among the sent ones has another: it proves that we wrote it, which others claim."""
        return hashlib.sha256(f"sent\n{mail.key}".encode()).hexdigest() if self.is_sent else mail.key


def take(piece: Piece) -> str:
    """Take one message; return what became of it. Raises only what is not the message's fault."""
    if piece.fetched is None:
        with holding(piece.mailbox):
            _advance(piece)
        return "gone"
    mail = _understood(piece, piece.fetched) if _count_try(piece) <= MOST_TRIES else None
    if mail is not None and (outcome := _attempted(piece, mail, _whole)):
        return outcome
    bare = _bare(piece.fetched.content, mail)
    return _attempted(piece, bare, _plainly) or _taken(piece, bare, _noted)


def _understood(piece: Piece, fetched: Fetched) -> Mail | None:
    try:
        return parse(fetched.content, is_cut=fetched.is_cut)
    except _NOT_ITS_FAULT:
        raise
    except Exception:
        logger.exception("Message %s of mailbox %s cannot be understood.", piece.uid, piece.mailbox.pk)
        return None


def _bare(raw: bytes, mail: Mail | None) -> Mail:
    return not_understood(raw) if mail is None else unreadable(mail, raw)


def _attempted(piece: Piece, mail: Mail, way: Callable[[Piece, Mail], Kept]) -> str:
    """Take a message in one way; "" where that fails by what it holds."""
    try:
        return _taken(piece, mail, way)
    except _NOT_ITS_FAULT:
        raise
    except Exception:
        logger.exception("Message %s of mailbox %s cannot be kept.", piece.uid, piece.mailbox.pk)
        return ""


def _taken(piece: Piece, mail: Mail, way: Callable[[Piece, Mail], Kept]) -> str:
    with holding(piece.mailbox):
        outcome = _once(piece, mail, way)
        _advance(piece)
    return outcome


def _once(piece: Piece, mail: Mail, way: Callable[[Piece, Mail], Kept]) -> str:
    if Receipt.objects.filter(mailbox=piece.mailbox, key=piece.key(mail)).exists():
        return Receipt.Outcome.KNOWN
    outcome, email, person = way(piece, mail)
    Receipt.objects.create(
        mailbox=piece.mailbox,
        folder=piece.folder,
        uid_validity=piece.uid_validity,
        uid=piece.uid,
        key=piece.key(mail),
        outcome=outcome,
        email=email,
        person=person,
        at=piece.now,
    )
    return outcome


# --- Ways to keep a message -------------------------------------------------------------------------------------------


def _arrival(piece: Piece, mail: Mail) -> Arrival:
    return arrival_of(mail, piece.mailbox, is_sent=piece.is_sent, now=piece.now)


def _whole(piece: Piece, mail: Mail) -> Kept:
    arrival = _arrival(piece, mail)
    return *keep(arrival), arrival.person


def _plainly(piece: Piece, mail: Mail) -> Kept:
    """Who seems to have written it, what it is called, and its original as a file: a person looks at it."""
    arrival = _arrival(piece, mail)
    email = Email(
        direction="in",
        author=arrival.person,
        from_address=mail.sender[1],
        from_name=mail.sender[0],
        to_address=piece.mailbox.address,
        subject_line=mail.subject_line,
        is_cut=True,
        created_at=arrival.now,
        at=arrival.at,
    )
    return Receipt.Outcome.BROKEN, store(email, mail), arrival.person


def _noted(piece: Piece, _mail: Mail) -> Kept:
    """That it was there; it stays in the mailbox."""
    return Receipt.Outcome.BROKEN, None, None if piece.mailbox.team_id else piece.mailbox.owner


# --- How far the folder was read --------------------------------------------------------------------------------------


def _count_try(piece: Piece) -> int:
    """Count a try before it is made, so that one that ends in death has counted."""
    folder = piece.folder
    is_again = (folder.tried_uid_validity, folder.tried_uid) == (piece.uid_validity, piece.uid)
    folder.tries = folder.tries + 1 if is_again else 1
    folder.tried_uid_validity, folder.tried_uid = piece.uid_validity, piece.uid
    folder.save(update_fields=["tries", "tried_uid_validity", "tried_uid"])
    return folder.tries


def _advance(piece: Piece) -> None:
    folder = piece.folder
    folder.uid_validity, folder.last_uid = piece.uid_validity, piece.uid
    folder.save(update_fields=["uid_validity", "last_uid"])
