"""Reads mailboxes: message after message, each kept together with how far the folder was read, one reader at a time.

A reader holds a lease; it is renewed, and asked for, in the transaction that keeps a message. A reader that was thought
dead finds its lease gone and keeps nothing; one that is killed has kept whole messages only.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import translation

from crm.models import Email, Mailbox, MailFolder, Receipt
from crm.rules.audit import acting, coming_through
from crm.rules.receiving.connecting import MailboxTrouble, Reading, connected
from crm.rules.receiving.keeping import Arrival, arrival_of, keep
from crm.rules.receiving.parsing import Mail, parse, unreadable
from crm.rules.receiving.troubles import note_trouble
from crm.rules.sealing import SealBroken, is_sealed_with_present_key, seal, unseal

logger = logging.getLogger(__name__)

LEASE = dt.timedelta(seconds=120)
RESTS_IN_TROUBLE = dt.timedelta(minutes=10)
"""Servers lock accounts out after many wrong passwords."""


class LeaseLost(Exception):
    """Somebody else reads the mailbox by now."""


def due_mailboxes(*, now: dt.datetime) -> list[int]:
    """Return the mailboxes to read now: nobody reads them, and one in trouble has rested."""
    rested = Q(trouble="") | Q(tried_at=None) | Q(tried_at__lte=now - RESTS_IN_TROUBLE)
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    return list(Mailbox.objects.to_read().filter(rested, free).order_by("pk").values_list("pk", flat=True))


def read_mailbox(pk: int, *, seconds: float, now: dt.datetime) -> Counter[str]:
    """Read what is new for at most so many seconds; count what became of it. `more` counts what is left for next time.

    Does nothing where somebody else is reading it. Trouble is written down, and told to its owner once.
    """
    found: Counter[str] = Counter()
    mailbox = _lease(pk, now)
    if mailbox is None:
        return found
    try:
        with translation.override(mailbox.owner.language), connected(mailbox) as reading:
            deadline = time.monotonic() + seconds
            for name, is_sent in _folders(mailbox):
                folder = MailFolder.objects.get_or_create(mailbox=mailbox, name=name, defaults={"is_sent": is_sent})[0]
                found += _read_folder(mailbox, folder, reading, deadline=deadline, now=now)
        _note_read(mailbox, now)
    except (MailboxTrouble, SealBroken) as trouble:
        note_trouble(mailbox, trouble, now=now)
        found["trouble"] += 1
    except LeaseLost:
        logger.warning("Mailbox %s is read by somebody else by now.", mailbox.pk)
    except SoftTimeLimitExceeded:
        found["more"] += 1  # a slow server: what was kept is kept
    finally:
        _let_go(mailbox)
    return found


def _folders(mailbox: Mailbox) -> list[tuple[str, bool]]:
    return [(mailbox.folder, False), *([(mailbox.sent_folder, True)] if mailbox.sent_folder else [])]


def _read_folder(
    mailbox: Mailbox, folder: MailFolder, reading: Reading, *, deadline: float, now: dt.datetime
) -> Counter[str]:
    found: Counter[str] = Counter()
    uid_validity = reading.open_folder(folder.name)
    last = folder.last_uid if folder.uid_validity == uid_validity else 0
    uids = reading.uids_after(last, day=mailbox.reads_from)
    for number, uid in enumerate(uids):
        if time.monotonic() > deadline:
            found["more"] += len(uids) - number
            break
        fetched = reading.fetch(uid, most=settings.MAILBOX_MESSAGE_MAX_BYTES)
        mail = parse(fetched.content, is_cut=fetched.is_cut) if fetched else None
        found[_keep_one(mailbox, folder, mail, uid=(uid_validity, uid), now=now)] += 1
    return found


def _keep_one(
    mailbox: Mailbox, folder: MailFolder, mail: Mail | None, *, uid: tuple[int, int], now: dt.datetime
) -> str:
    """Keep one message and how far the folder was read, together or not at all."""
    try:
        with _holding(mailbox):
            outcome = _keep_once(mailbox, folder, mail, uid=uid, now=now)
            _advance(folder, uid)
            return outcome
    except (OperationalError, InterfaceError):
        raise  # the database is away: the same message comes next time
    except (DatabaseError, ValueError, LookupError, RecursionError, AttributeError, TypeError) as error:
        logger.exception("A message of mailbox %s could not be kept.", mailbox.pk, exc_info=error)
    with _holding(mailbox):
        # One bad message must not keep the others: a person is told that it is there.
        _keep_once(mailbox, folder, unreadable(mail) if mail else None, uid=uid, now=now, is_plain=True)
        _advance(folder, uid)
    return Receipt.Outcome.BROKEN


def _keep_once(
    mailbox: Mailbox,
    folder: MailFolder,
    mail: Mail | None,
    *,
    uid: tuple[int, int],
    now: dt.datetime,
    is_plain: bool = False,
) -> str:
    if mail is None:
        return "gone"
    if Receipt.objects.filter(mailbox=mailbox, key=mail.key).exists():
        return Receipt.Outcome.KNOWN
    arrival = arrival_of(mail, mailbox, now=now)
    outcome, email = _plainly(arrival) if is_plain else keep(arrival)
    Receipt.objects.create(
        mailbox=mailbox,
        folder=folder,
        uid_validity=uid[0],
        uid=uid[1],
        key=mail.key,
        outcome=outcome,
        email=email,
        person=arrival.person,
        at=now,
    )
    return outcome


def _plainly(arrival: Arrival) -> tuple[str, Email]:
    mail = arrival.mail
    email = Email.objects.create(
        direction="in",
        author=arrival.person,
        from_address=mail.sender[1],
        from_name=mail.sender[0],
        to_address=arrival.mailbox.address,
        subject_line=mail.subject_line,
        is_cut=True,
        created_at=arrival.now,
        at=arrival.at,
    )
    return Receipt.Outcome.BROKEN, email


def _advance(folder: MailFolder, uid: tuple[int, int]) -> None:
    folder.uid_validity, folder.last_uid = uid
    folder.save(update_fields=["uid_validity", "last_uid"])


# --- The lease --------------------------------------------------------------------------------------------------------


def _lease(pk: int, now: dt.datetime) -> Mailbox | None:
    owner = uuid.uuid4().hex
    free = Mailbox.objects.to_read().filter(Q(lease_until=None) | Q(lease_until__lt=Now()), pk=pk)
    if not free.update(lease_until=Now() + LEASE, lease_owner=owner, tried_at=now):
        return None
    return Mailbox.objects.select_related("owner").get(pk=pk)


@contextmanager
def _holding(mailbox: Mailbox) -> Iterator[None]:
    """Open a transaction that begins by renewing the lease, and so keeps nothing where it is lost."""
    with coming_through("mail"), acting(None):
        mine = Mailbox.objects.filter(pk=mailbox.pk, lease_owner=mailbox.lease_owner)
        if not mine.update(lease_until=Now() + LEASE):
            raise LeaseLost
        yield


def _let_go(mailbox: Mailbox) -> None:
    mine = Mailbox.objects.filter(pk=mailbox.pk, lease_owner=mailbox.lease_owner)
    mine.update(lease_until=None, lease_owner="")


def _note_read(mailbox: Mailbox, now: dt.datetime) -> None:
    changes = {"last_read_at": now, "trouble": "", "trouble_since": None}
    if not is_sealed_with_present_key(mailbox.secret):
        changes["secret"] = seal(unseal(mailbox.secret))
    Mailbox.objects.filter(pk=mailbox.pk).update(**changes)
