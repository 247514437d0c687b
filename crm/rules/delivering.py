"""Empties the outbox: claims what is due, row by row, and sends it."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence

from django.conf import settings
from django.db import transaction

from crm.models import OutboxRow
from crm.rules import outbox
from crm.rules.digests import merge_stale
from crm.rules.sending import NotSent, PerhapsSent, Postbox, Refused, ServerAway

logger = logging.getLogger(__name__)


def deliver_due(*, seconds: float) -> Counter[str]:
    """Send due rows one after another until none is left or `seconds` have passed; count what became of them.

    What needs a mail server that does not answer waits for it, no attempt lost; everything else goes on. A sweep lets
    one row ask whether it is back, and the first answer sets all of them going.
    """
    became: Counter[str] = Counter()
    deadline = time.monotonic() + seconds
    with Postbox(is_closed=outbox.server_is_away()) as postbox:
        while time.monotonic() < deadline:
            rows = outbox.claim_some()
            if not rows:
                break
            postbox.has_answered = False
            became.update(_deliver_some(rows, postbox))
            is_away = outbox.server_is_away()
            if is_away and postbox.has_answered:
                _go_on_after_silence()
            elif postbox.is_closed and not is_away:
                break  # it answers somebody else by now: the next run asks it anew
    return became


def _go_on_after_silence() -> None:
    """Set going what waited for the mail server; what is stale by now goes into digests before anybody claims it."""
    with transaction.atomic():
        outbox.go_on_after_silence()
        merge_stale()


def _deliver_some(rows: Sequence[OutboxRow], postbox: Postbox) -> list[str]:
    """Send rows claimed together; what is not begun before half of their lease is over waits for the next run."""
    began, verdicts = time.monotonic(), []
    send = _prepared(rows)
    for number, row in enumerate(rows):
        is_late = time.monotonic() - began > settings.OUTBOX_LEASE_SECONDS / 2
        if number and is_late:
            outbox.put_back(row, until=row.available_at)  # as late as it was: the alarm counts from there
            continue
        if row.away_since is not None:
            postbox.is_closed = False  # the one that asks whether the server is back
        verdicts.append(deliver(row, postbox, send=send))
        if verdicts[-1] == "server away":
            postbox.is_closed = True
    return verdicts


def _prepared(rows: Sequence[OutboxRow]) -> outbox.Send | None:
    """What sends these rows, having read for all of them; None where each is to be asked for itself."""
    try:
        prepare = outbox.sender_of(rows[0].kind).prepare
        return prepare(rows) if prepare and len(rows) > 1 else None
    except Exception:
        # One bad row must not keep the others: each is then asked for itself.
        logger.exception("Rows %s could not be read together.", [row.pk for row in rows])
        return None


def deliver(row: OutboxRow, postbox: Postbox, *, send: outbox.Send | None = None) -> str:
    """Send one claimed row and write down what became of it; returns that in a word or two."""
    try:
        outcome = (send or outbox.sender_of(row.kind).send)(row, postbox)
    except Refused as refusal:
        outbox.finish(row, state=OutboxRow.State.DEAD, answer=str(refusal))
        return "refused"
    except ServerAway as failure:
        outbox.wait_for_server(row, answer=str(failure))
        return "server away"
    except NotSent as failure:
        outbox.try_again(row, answer=str(failure))
        return "not now"
    except PerhapsSent as failure:
        outbox.leave_uncertain(row, answer=str(failure))
        return "uncertain"
    except Exception as error:
        # One bad row must not keep the others: it is tried again, and shown to a person in the end.
        logger.exception("Outbox row %s (%s) could not be sent.", row.pk, row.kind)
        outbox.try_again(row, answer=f"{type(error).__name__}: {error}")
        return "failed"
    return _close(row, outcome)


def _close(row: OutboxRow, outcome: outbox.Outcome) -> str:
    match outcome:
        case outbox.Sent(answer, then):
            _finish(row, OutboxRow.State.SENT, answer, then)
            return "sent"
        case outbox.NotNeeded(answer, then):
            _finish(row, OutboxRow.State.CANCELLED, answer, then)
            return "not needed"
        case outbox.Later(until):
            outbox.put_back(row, until=until)
            return "later"


def _finish(row: OutboxRow, state: OutboxRow.State, answer: str, then: Callable[[], object] | None) -> None:
    """Close the row and, in the same transaction, write what follows; nothing where the row is another's by now."""
    if then is None:
        outbox.finish(row, state=state, answer=answer)
        return
    with transaction.atomic():
        if outbox.finish(row, state=state, answer=answer):
            then()
