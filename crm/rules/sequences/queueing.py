"""A person's next action in a sequence is a row of the outbox, named by the serial it was written for."""

from __future__ import annotations

from collections.abc import Iterable

from crm.models import Enrolment, OutboxRow
from crm.rules import outbox

SEQUENCE = "sequence"


def queue_next(enrolments: Iterable[Enrolment]) -> None:
    """Write the row that goes on with each of `enrolments`, at its time."""
    outbox.queue(
        [
            outbox.Intent(
                SEQUENCE,
                key_of(enrolment),
                recipient_id=None,
                due_at=enrolment.due_at,
                payload={"enrolment": enrolment.pk, "serial": enrolment.serial},
            )
            for enrolment in enrolments
            if enrolment.due_at is not None
        ]
    )


def cancel_next(enrolment: Enrolment, *, answer: str) -> None:
    """Withdraw the row that would go on with the enrolment; one in flight finds that its serial has passed."""
    outbox.cancel(OutboxRow.objects.filter(dedupe_key=key_of(enrolment)), answer=answer)


def key_of(enrolment: Enrolment) -> str:
    """The key of the enrolment's next action."""
    return f"{SEQUENCE}:{enrolment.pk}:{enrolment.serial}"
