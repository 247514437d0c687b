"""An alarm by mail when the queue stands still: to every admin, once an hour, ahead of everything that waits."""

from __future__ import annotations

import datetime as dt

from django.db.models import Min
from django.utils.translation import gettext_lazy

from crm.models import OutboxRow, User
from crm.rules import outbox
from crm.rules.outbox import Intent, NotNeeded, Outcome, Sender, Sent
from crm.rules.sending import Postbox, mail

ALARM = "alarm"
AHEAD_OF_ALL = dt.timedelta(days=3650)


def raise_alarm_if_late(*, now: dt.datetime) -> bool:
    """Queue an alarm when the oldest due row has waited for longer than two minutes; return whether it has."""
    oldest = OutboxRow.objects.due_or_held().exclude(kind=ALARM).with_wait().aggregate(at=Min("waits_since"))["at"]
    if oldest is None or oldest > now - outbox.LATE_AFTER:
        return False
    hour = now.astimezone(dt.UTC).strftime("%Y-%m-%dT%H")
    admins = User.objects.active().filter(role=User.Role.ADMIN)
    outbox.queue(
        Intent(
            ALARM,
            f"{ALARM}:{admin.pk}:{hour}",
            recipient_id=admin.pk,
            due_at=now,
            available_at=now - AHEAD_OF_ALL,
            payload={"late_since": oldest.isoformat()},
        )
        for admin in admins
    )
    return True


def send_alarm(row: OutboxRow, postbox: Postbox) -> Outcome:
    """Tell one admin how long the oldest row has waited, quiet hours or not."""
    if row.recipient is None or not row.recipient.is_active:
        return NotNeeded("nobody to tell: the account is closed")
    waiting = OutboxRow.objects.due_or_held().exclude(kind=ALARM).count()
    context = {"late_since": dt.datetime.fromisoformat(row.payload["late_since"]), "waiting": waiting}
    return Sent(postbox.send(mail(row, row.recipient, ALARM, context)))


outbox.register(Sender(ALARM, send_alarm, label=gettext_lazy("Alarms")))
