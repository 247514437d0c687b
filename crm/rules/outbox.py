"""The outbox: rows are queued in the transaction that causes them, claimed by one sender at a time, and finished once.

Time is the database's clock throughout. Attempts are counted before the work, so that a row that kills its sender is
given up in the end; finishing names the lease, so that a sender who was thought dead cannot overwrite another's result.
Each attempt is written into the ledger by a trigger (`crm/models/outbox.py`), whatever statement makes it.
"""

from __future__ import annotations

import datetime as dt
import os
import socket
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from email.utils import make_msgid
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from django.utils.functional import Promise

from crm.models import OutboxRow

if TYPE_CHECKING:
    from crm.rules.sending import Postbox

MAX_ATTEMPTS = 12
"""With the waits below: a mail server may be away for about five hours."""
FIRST_WAIT = dt.timedelta(seconds=15)
LONGEST_WAIT = dt.timedelta(hours=1)
LATE_AFTER = dt.timedelta(minutes=2)
"""For so long a row may wait: after that people are told."""
LATE_NEWS = "late_news"
"""The digest of stale rows of several kinds, and of kinds without a digest of their own (crm/rules/late_news.py)."""


# --- Senders: one per kind of row -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sent:
    """It left; `answer` is what the other side said, `then` what is written in the transaction that says so."""

    answer: str = ""
    then: Callable[[], object] | None = None


@dataclass(frozen=True)
class NotNeeded:
    """There is no reason to send it any more; `answer` says why, `then` is written in the same transaction."""

    answer: str
    then: Callable[[], object] | None = None


@dataclass(frozen=True)
class Later:
    """Not before `until`: the recipient's quiet hours."""

    until: dt.datetime


Outcome = Sent | NotNeeded | Later


Send = Callable[[OutboxRow, "Postbox"], Outcome]


@dataclass(frozen=True)
class Sender:
    """How rows of one kind are sent.

    `may_repeat`: whether a row whose sender died is sent again (a reminder to ourselves: yes, with the same Message-ID)
    or becomes *unclear* and is shown to a person (mail to customers). `digest`: the kind into which stale rows merge.
    `unsent` is called in the transaction that makes a row dead or unclear, to tell whom it concerns; `left` when a
    person finds that an unclear row had left after all. Where thousands fall due together, `at_once` rows are claimed
    in one go and `prepare` reads for all of them what `send` would ask for one by one: only of kinds that may repeat,
    since a sender that dies leaves all of them to be sent again.
    """

    kind: str
    send: Send
    may_repeat: bool = True
    digest: str = ""
    label: str | Promise = ""
    unsent: Callable[[OutboxRow], object] | None = None
    left: Callable[[OutboxRow], object] | None = None
    at_once: int = 1
    prepare: Callable[[Sequence[OutboxRow]], Send] | None = None


_senders: dict[str, Sender] = {}


def register(sender: Sender) -> Sender:
    """Make `sender` the one for its kind."""
    _senders[sender.kind] = sender
    return sender


def sender_of(kind: str) -> Sender:
    """Return the sender of a kind; a kind nobody sends (of a newer version, say) waits and is tried again."""
    if kind not in _senders:
        raise LookupError(f"nobody sends rows of kind {kind!r}")
    return _senders[kind]


def known_kinds() -> frozenset[str]:
    """Every kind that somebody sends."""
    return frozenset(_senders)


def label_of(kind: str) -> str:
    """Return a kind in words, or as it is where nobody says."""
    return str(_senders[kind].label or kind) if kind in _senders else kind


def note_that_it_left(row: OutboxRow) -> None:
    """Write what follows from an unclear row having left after all."""
    if row.kind in _senders and (left := _senders[row.kind].left):
        left(row)


def digests() -> dict[str, str]:
    """Return, for each kind whose stale rows merge, the kind of their digest."""
    return {sender.kind: sender.digest for sender in _senders.values() if sender.digest}


# --- Queueing -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Intent:
    """Something to send once: `key` is unique for ever, `payload` holds ids, never contents.

    `due_at` is when it should leave; `available_at` where it is tried earlier or later than that.
    """

    kind: str
    key: str
    recipient_id: int | None
    due_at: dt.datetime = field(default_factory=timezone.now)
    payload: dict[str, Any] = field(default_factory=dict)
    available_at: dt.datetime | None = None


def queue(intents: Iterable[Intent]) -> None:
    """Write an outbox row for each intent whose key there is none for yet; part of the caller's transaction."""
    rows = [_row(intent) for intent in intents]
    OutboxRow.objects.bulk_create(rows, ignore_conflicts=True, batch_size=2_000)


def cancel(rows: QuerySet[OutboxRow], *, answer: str) -> int:
    """Withdraw those of `rows` that nobody has begun to send; return how many."""
    waiting = rows.filter(state=OutboxRow.State.WAITING)
    return waiting.update(state=OutboxRow.State.CANCELLED, finished_at=Now(), answer=answer)


def retry(row: OutboxRow) -> bool:
    """Let a row that was given up (or is unclear) be sent after all, as a person decided; false when it was neither."""
    rows = OutboxRow.objects.for_a_person().filter(pk=row.pk)
    return bool(rows.update(state=OutboxRow.State.WAITING, attempts=0, available_at=Now(), finished_at=None))


def _row(intent: Intent) -> OutboxRow:
    return OutboxRow(
        kind=intent.kind,
        dedupe_key=intent.key,
        recipient_id=intent.recipient_id,
        payload=intent.payload,
        due_at=intent.due_at,
        available_at=intent.available_at or intent.due_at,
        message_id=make_msgid(domain=urlsplit(settings.PUBLIC_BASE_URL).hostname or "localhost"),
    )


# --- Claiming and finishing -----------------------------------------------------------------------------------------


def claim() -> OutboxRow | None:
    """Take the next due row for this sender alone, its attempt counted; None when nothing is due.

    Rows that must not be taken (given up, perhaps sent already) are set aside on the way.
    """
    return next(iter(claim_some(most=1)), None)


def claim_some(*, most: int | None = None) -> list[OutboxRow]:
    """Take the next due row, and with it others of its kind where its sender takes several at once; [] for none."""
    while True:
        with transaction.atomic():
            row = _next_due()
            if row is None:
                return []
            if not _set_aside(row):
                return _take([row, *_others_like(row, most)])


def finish(row: OutboxRow, *, state: OutboxRow.State, answer: str = "") -> bool:
    """Close a claimed row; false when its lease has passed to somebody else, who will close it."""
    if state == OutboxRow.State.SENT:
        return _mark_sent(row, answer)
    with transaction.atomic():
        is_mine = _release(row, answer, state=state, finished_at=Now())
        if is_mine:
            _tell_if_unsent(row, state)
    return is_mine


def put_back(row: OutboxRow, *, until: dt.datetime) -> bool:
    """Let a claimed row wait until then, as if it had not been tried."""
    state = OutboxRow.State.WAITING
    return _release(row, "not before then", state=state, available_at=until, attempts=F("attempts") - 1)


def try_again(row: OutboxRow, *, answer: str) -> bool:
    """Let a claimed row that was certainly not sent wait, longer each time; give it up after `MAX_ATTEMPTS`."""
    if row.attempts >= MAX_ATTEMPTS:
        return finish(row, state=OutboxRow.State.DEAD, answer=answer)
    return _release(row, answer, state=OutboxRow.State.WAITING, available_at=Now() + wait_after(row.attempts))


def wait_for_server(row: OutboxRow, *, answer: str) -> bool:
    """Let a claimed row wait until the mail server answers somebody: that it is away is no fault of the row."""
    since, state = row.away_since or Now(), OutboxRow.State.WAITING
    return _release(
        row, answer, state=state, away_since=since, available_at=Now() + LONGEST_WAIT, attempts=F("attempts") - 1
    )


def server_is_away() -> bool:
    """Whether the mail server did not answer who asked it last: rows wait for it."""
    return OutboxRow.objects.held().exists()


def ask_server_again() -> int:
    """Let one of the rows that wait for the mail server try whether it is back; return how many do: one or none."""
    first = OutboxRow.objects.held().order_by("away_since", "pk")[:1]
    return OutboxRow.objects.waiting().filter(pk__in=first.values("pk")).update(available_at=Now())


def go_on_after_silence() -> int:
    """Let everything that waited for the mail server go on, as late as it is; return how many rows that is."""
    held = OutboxRow.objects.held().select_for_update(skip_locked=True)  # another may be waking the rest
    ids = list(held.values_list("pk", flat=True))
    rows = OutboxRow.objects.waiting().filter(pk__in=ids)
    return rows.update(available_at=Coalesce("away_since", "available_at"), away_since=None)


def leave_uncertain(row: OutboxRow, *, answer: str) -> bool:
    """The connection broke when the row may have been accepted: repeat it later, or show it to a person."""
    if not sender_of(row.kind).may_repeat:
        return finish(row, state=OutboxRow.State.UNCLEAR, answer=answer)
    if row.attempts >= MAX_ATTEMPTS:
        return finish(row, state=OutboxRow.State.DEAD, answer=answer)
    # It stays in flight, so that no digest takes it up: it must be repeated under its own Message-ID.
    return _release(row, answer, lease_until=Now() + wait_after(row.attempts))


def wait_after(attempts: int) -> dt.timedelta:
    """Return how long to wait after so many attempts: 15 s, 30 s, 1 min … 1 h."""
    return min(FIRST_WAIT * 2 ** max(attempts - 1, 0), LONGEST_WAIT)


def _next_due() -> OutboxRow | None:
    # Two plain questions, each answered by its partial index, rather than one with OR that would sort all due rows.
    rows = OutboxRow.objects.flowing().select_for_update(skip_locked=True)
    waiting = rows.filter(state=OutboxRow.State.WAITING, available_at__lte=Now()).order_by("available_at")
    abandoned = rows.filter(state=OutboxRow.State.IN_FLIGHT, lease_until__lt=Now()).order_by("lease_until")
    return waiting.first() or abandoned.first()


def _set_aside(row: OutboxRow) -> bool:
    """Close a row that no sender may take; its last sender died without a word."""
    if row.state != OutboxRow.State.IN_FLIGHT:
        return False
    if not sender_of(row.kind).may_repeat:
        state = OutboxRow.State.UNCLEAR
    elif row.attempts >= MAX_ATTEMPTS:
        state = OutboxRow.State.DEAD
    else:
        return False
    changes = {"finished_at": Now(), "lease_until": None, "answer": row.answer or "its sender died"}
    OutboxRow.objects.filter(pk=row.pk).update(state=state, **changes)
    _tell_if_unsent(row, state)
    return True


def _tell_if_unsent(row: OutboxRow, state: str) -> None:
    if state in {OutboxRow.State.DEAD, OutboxRow.State.UNCLEAR} and row.kind in _senders:
        unsent = _senders[row.kind].unsent
        if unsent:
            row.state = state
            unsent(row)


def _others_like(row: OutboxRow, most: int | None) -> Iterable[OutboxRow]:
    """Lock further waiting rows of the same kind, where its sender takes several at once."""
    sender = _senders.get(row.kind)
    if sender is None or not sender.may_repeat or row.state != OutboxRow.State.WAITING:
        return []
    at_once = sender.at_once if most is None else min(most, sender.at_once)
    if at_once < 2:
        return []
    rows = OutboxRow.objects.select_for_update(skip_locked=True).exclude(pk=row.pk)
    waiting = rows.filter(state=OutboxRow.State.WAITING, kind=row.kind, available_at__lte=Now())
    return waiting.order_by("available_at", "recipient_id")[: at_once - 1]


def _take(rows: Sequence[OutboxRow]) -> list[OutboxRow]:
    owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:12]}"[-100:]
    OutboxRow.objects.filter(pk__in=[row.pk for row in rows]).update(
        state=OutboxRow.State.IN_FLIGHT,
        attempts=F("attempts") + 1,
        claimed_at=Now(),
        lease_until=Now() + dt.timedelta(seconds=settings.OUTBOX_LEASE_SECONDS),
        lease_owner=owner,
        away_since=None,
    )
    for row in rows:
        row.state, row.attempts, row.lease_owner = OutboxRow.State.IN_FLIGHT, row.attempts + 1, owner
    return list(rows)


def _mark_sent(row: OutboxRow, answer: str) -> bool:
    """As `_release` does; in SQL, since it runs once a mail (bench/outbox.py) and is always the same statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE crm_outboxrow SET state = %s, answer = %s, lease_until = NULL, finished_at = statement_timestamp()"
            " WHERE id = %s AND state = %s AND lease_owner = %s",
            [OutboxRow.State.SENT, answer[:2000], row.pk, OutboxRow.State.IN_FLIGHT, row.lease_owner],
        )
        return cursor.rowcount > 0


def _release(row: OutboxRow, answer: str, **changes: Any) -> bool:
    """Write what became of a claimed row; false when its lease has passed to somebody else."""
    mine = OutboxRow.objects.filter(pk=row.pk, state=OutboxRow.State.IN_FLIGHT, lease_owner=row.lease_owner)
    return mine.update(**{"lease_until": None, "answer": answer[:2000], **changes}) > 0
