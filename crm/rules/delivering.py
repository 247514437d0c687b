"""Empties the outbox: claims what is due, row by row, and sends it."""

from __future__ import annotations

import logging
import time
from collections import Counter

from django.db import transaction

from crm.models import OutboxRow
from crm.rules import outbox
from crm.rules.sending import NotSent, PerhapsSent, Postbox, Refused, ServerAway

logger = logging.getLogger(__name__)


def deliver_due(*, seconds: float) -> Counter[str]:
    """Send due rows one after another until none is left or `seconds` have passed; count what became of them.

    A mail server that does not answer ends the run: the other rows wait for the next, without an attempt lost.
    """
    became: Counter[str] = Counter()
    deadline = time.monotonic() + seconds
    with Postbox() as postbox:
        while time.monotonic() < deadline:
            row = outbox.claim()
            if row is None:
                break
            verdict = deliver(row, postbox)
            became[verdict] += 1
            if verdict == "server away":
                break
    return became


def deliver(row: OutboxRow, postbox: Postbox) -> str:
    """Send one claimed row and write down what became of it; returns that in a word or two."""
    try:
        outcome = outbox.sender_of(row.kind).send(row, postbox)
    except Refused as refusal:
        outbox.finish(row, state=OutboxRow.State.DEAD, answer=str(refusal))
        return "refused"
    except ServerAway as failure:
        outbox.try_again(row, answer=str(failure))
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
            with transaction.atomic():
                if outbox.finish(row, state=OutboxRow.State.SENT, answer=answer) and then:
                    then()
            return "sent"
        case outbox.NotNeeded(answer):
            outbox.finish(row, state=OutboxRow.State.CANCELLED, answer=answer)
            return "not needed"
        case outbox.Later(until):
            outbox.put_back(row, until=until)
            return "later"
