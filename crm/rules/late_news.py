"""What an outage has held up, of several kinds: one mail for all, each part written by the sender of its kind."""

from __future__ import annotations

import logging

from celery.exceptions import SoftTimeLimitExceeded
from django.core.mail import EmailMultiAlternatives
from django.utils.translation import gettext_lazy

from crm.models import OutboxRow
from crm.rules import outbox
from crm.rules.outbox import LATE_NEWS, Later, NotNeeded, Outcome, Sender, Sent
from crm.rules.sending import Postbox, mail

logger = logging.getLogger(__name__)

FOOT = "\n-- \n"
"""Where the foot of a mail begins: one foot is enough for all."""


class Tray(Postbox):
    """Keeps what it is given, for the one mail."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[EmailMultiAlternatives] = []

    def send(self, message: EmailMultiAlternatives) -> str:
        """Keep the message."""
        self.messages.append(message)
        return "in the digest"


def send_late_news(row: OutboxRow, postbox: Postbox) -> Outcome:
    """Tell a person of all that was merged into the row, but for what there is no reason to tell any more."""
    tray, person = Tray(), row.recipient
    parts = row.merged.select_related("recipient").order_by("due_at", "pk")
    outcomes = [(part, _written(part, tray)) for part in parts]
    if postponed := [outcome for _part, outcome in outcomes if isinstance(outcome, Later)]:
        return postponed[0]

    def then() -> None:
        for part, outcome in outcomes:
            _close(part, outcome)

    if not tray.messages or person is None:
        is_told = any(isinstance(outcome, Sent) for _part, outcome in outcomes)
        return Sent("in the page", then) if is_told else NotNeeded("nothing of it is left to tell", then)
    told = [(message.subject, str(message.body).partition(FOOT)[0].strip()) for message in tray.messages]
    return Sent(postbox.send(mail(row, person, LATE_NEWS, {"told": told})), then)


def _written(part: OutboxRow, tray: Tray) -> Outcome | None:
    """Let the sender of its kind write one part; None where that fails, which must not keep the others."""
    try:
        return outbox.sender_of(part.kind).send(part, tray)
    except SoftTimeLimitExceeded:
        raise
    except Exception:
        logger.exception("Row %s could not be told of in a digest.", part.pk)
        return None


def _close(part: OutboxRow, outcome: Outcome | None) -> None:
    """Write what follows from a part having been told of; one that failed is shown to an operator."""
    if outcome is None:
        part.state, part.merged_into, part.answer = OutboxRow.State.DEAD, None, "could not be written for a digest"
        part.save(update_fields=["state", "merged_into", "answer"])
    elif not isinstance(outcome, Later) and outcome.then:
        outcome.then()


outbox.register(Sender(LATE_NEWS, send_late_news, label=gettext_lazy("Late notices, merged")))
