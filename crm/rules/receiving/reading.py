"""Reads mailboxes: folder after folder, message after message, each from where the last reader stopped."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections import Counter

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db.models import F, Q
from django.utils import translation

from crm.models import Mailbox, MailFolder
from crm.rules.receiving.connecting import Reading, connected
from crm.rules.receiving.leases import LeaseLost, free, let_go, take_lease
from crm.rules.receiving.reaching import SECONDS, MailboxTrouble
from crm.rules.receiving.taking import Piece, take
from crm.rules.receiving.troubles import note_trouble
from crm.rules.sealing import SealBroken, is_sealed_with_present_key, seal, unseal

logger = logging.getLogger(__name__)

RESTS_IN_TROUBLE = dt.timedelta(minutes=10)
"""Servers lock accounts out after many wrong passwords."""
MOST_IN_TROUBLE = 5
"""In one round; each may hold a worker until its time is over."""


def due_mailboxes(*, now: dt.datetime) -> list[int]:
    """Return the mailboxes to read now, who waited longest first: those that nobody reads.

    Of those in trouble only some that have rested, behind all others: servers that hang hold up nobody else's mail.
    """
    due = Mailbox.objects.to_read().filter(free()).order_by(F("tried_at").asc(nulls_first=True), "pk")
    well, rested = Q(trouble="") | Q(tried_at=None), Q(tried_at__lte=now - RESTS_IN_TROUBLE)
    in_trouble = due.exclude(well).filter(rested)[:MOST_IN_TROUBLE]
    return [mailbox.pk for mailbox in (*due.filter(well), *in_trouble)]


def read_mailbox(pk: int, *, seconds: float, now: dt.datetime) -> Counter[str]:
    """Read what is new for at most so many seconds; count what became of it. `more` counts what is left for next time.

    Does nothing where somebody else is reading it. Trouble is written down, and told to its owner once.
    """
    found: Counter[str] = Counter()
    mailbox = take_lease(pk, now=now)
    if mailbox is None:
        return found
    try:
        deadline, last = time.monotonic() + seconds, seconds + SECONDS  # the last message may be a slow one
        with translation.override(mailbox.owner.language), connected(mailbox, seconds=last) as reading:
            for name, is_sent in _folders(mailbox):
                found += _read_folder(mailbox, name, reading, is_sent=is_sent, deadline=deadline, now=now)
        _note_read(mailbox, now)
    except (MailboxTrouble, SealBroken) as trouble:
        note_trouble(mailbox, trouble, now=now)
        found["trouble"] += 1
    except LeaseLost:
        logger.warning("Mailbox %s is read by somebody else by now.", mailbox.pk)
    except SoftTimeLimitExceeded:
        found["more"] += 1  # a slow server: what was kept is kept
    finally:
        let_go(mailbox)
    return found


def _folders(mailbox: Mailbox) -> list[tuple[str, bool]]:
    return [(mailbox.folder, False), *([(mailbox.sent_folder, True)] if mailbox.sent_folder else [])]


def _read_folder(
    mailbox: Mailbox, name: str, reading: Reading, *, is_sent: bool, deadline: float, now: dt.datetime
) -> Counter[str]:
    found: Counter[str] = Counter()
    folder = MailFolder.objects.get_or_create(mailbox=mailbox, name=name, defaults={"is_sent": is_sent})[0]
    uid_validity = reading.open_folder(name)
    last = folder.last_uid if folder.uid_validity == uid_validity else 0
    uids = reading.uids_after(last, day=mailbox.reads_from)
    for number, uid in enumerate(uids):
        if time.monotonic() > deadline:
            found["more"] += len(uids) - number
            break
        fetched = reading.fetch(uid, most=settings.MAILBOX_MESSAGE_MAX_BYTES)
        found[take(Piece(mailbox, folder, is_sent, uid_validity, uid, fetched, now))] += 1
    return found


def _note_read(mailbox: Mailbox, now: dt.datetime) -> None:
    changes = {"last_read_at": now, "trouble": "", "trouble_since": None}
    if not is_sealed_with_present_key(mailbox.secret):
        changes["secret"] = seal(unseal(mailbox.secret))
    Mailbox.objects.filter(pk=mailbox.pk).update(**changes)
