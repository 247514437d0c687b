"""Reminders of follow-ups: times on the assignee's wall clock, each an outbox row that is sent exactly once.

The key of a row is the reminder and its local date: however the zone changes afterwards, one date reminds once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from itertools import groupby

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from crm.models import FollowUp, Notification, OutboxRow, Reminder, User
from crm.rules import outbox
from crm.rules.outbox import Intent, Later, NotNeeded, Outcome, Sender, Sent
from crm.rules.quiet_hours import quiet_until
from crm.rules.sending import Postbox, mail
from crm.rules.wall_clock import WallTime

REMINDER, DIGEST = "reminder", "reminder_digest"
STALE_AFTER = dt.timedelta(minutes=30)
"""Reminders this late (after an outage, or quiet hours) come together in one digest."""
MERGED_AT_ONCE = 2_000


def key_of(reminder: Reminder) -> str:
    """Return the unique key of the row that sends `reminder`."""
    return f"{REMINDER}:{reminder.pk}:{reminder.fires_local.astimezone(dt.UTC):%Y-%m-%d}"


# --- Planning: in the transaction of the follow-up ------------------------------------------------------------------


def set_reminders(follow_up: FollowUp, times: Iterable[WallTime], *, now: dt.datetime) -> None:
    """Remind the assignee at `times` and at no other; times that have passed already are left out."""
    drop_reminders(follow_up)
    ahead = sorted({time for time in times if time.utc > now}, key=lambda time: time.utc)
    reminders = [Reminder(follow_up=follow_up, fires_local=time.as_stored, fires_at=time.utc) for time in ahead]
    outbox.queue(_intent(reminder, follow_up) for reminder in Reminder.objects.bulk_create(reminders))


def drop_reminders(follow_up: FollowUp, *, answer: str = "no longer planned") -> None:
    """Remind of `follow_up` no more."""
    reminders = list(follow_up.reminders.all())
    keys = [key_of(reminder) for reminder in reminders]
    outbox.cancel(OutboxRow.objects.filter(dedupe_key__in=keys), answer=answer)
    Reminder.objects.filter(pk__in=[reminder.pk for reminder in reminders]).delete()


def move_reminders_to_zone(follow_up: FollowUp, zone: str) -> None:
    """Let the reminders fire at the same figures on a clock in `zone`; what was sent already is not sent again."""
    for reminder in follow_up.reminders.all():
        reminder.fires_at = WallTime.stored(reminder.fires_local, zone).utc
        reminder.save(update_fields=["fires_at"])
        rows = OutboxRow.objects.waiting().filter(dedupe_key=key_of(reminder))
        rows.update(due_at=reminder.fires_at, available_at=reminder.fires_at)


def _intent(reminder: Reminder, follow_up: FollowUp) -> Intent:
    return Intent(
        kind=REMINDER,
        key=key_of(reminder),
        recipient=follow_up.assignee,
        due_at=reminder.fires_at,
        payload={"reminder": reminder.pk},
    )


# --- Merging what an outage has held up -----------------------------------------------------------------------------


@transaction.atomic
def merge_stale_reminders() -> int:
    """Put each person's stale reminders (two or more) into one digest row; return how many were merged.

    Only rows that were certainly not sent: those in flight keep their own Message-ID and are repeated under it.
    """
    stale = OutboxRow.objects.waiting().filter(
        kind=REMINDER, recipient__isnull=False, due_at__lt=Now() - STALE_AFTER, available_at__lte=Now()
    )
    locked = stale.select_for_update(skip_locked=True, of=("self",)).order_by("recipient", "due_at", "pk")
    merged = 0
    for _recipient, rows in groupby(locked[:MERGED_AT_ONCE], key=lambda row: row.recipient_id):
        merged += _merge(list(rows))
    return merged


def _merge(rows: Sequence[OutboxRow]) -> int:
    if len(rows) < 2:
        return 0
    key = f"{DIGEST}:{rows[0].pk}"
    outbox.queue([Intent(kind=DIGEST, key=key, recipient=rows[0].recipient)])
    digest = OutboxRow.objects.get(dedupe_key=key)
    changes = {"state": OutboxRow.State.MERGED, "merged_into": digest, "finished_at": Now()}
    return OutboxRow.objects.filter(pk__in=[row.pk for row in rows]).update(**changes)


# --- Sending --------------------------------------------------------------------------------------------------------


def send_reminder(row: OutboxRow, postbox: Postbox) -> Outcome:
    """Remind the assignee in the page and by mail, as they like it; nothing once the follow-up is done or gone."""
    return _remind(row, [row], postbox, template="reminder")


def send_digest(row: OutboxRow, postbox: Postbox) -> Outcome:
    """Remind of all that was merged into the row: a notice in the page for each, one mail for all."""
    return _remind(row, row.merged.all(), postbox, template="reminder_digest")


def _remind(row: OutboxRow, parts: Iterable[OutboxRow], postbox: Postbox, *, template: str) -> Outcome:
    keys = {part.payload["reminder"]: part.dedupe_key for part in parts}
    reminders = [reminder for reminder in _reminders(keys) if reminder.follow_up.is_open]
    if not reminders or not reminders[0].follow_up.assignee.is_active:
        return NotNeeded("done, deleted or planned anew; or nobody to remind")
    person = reminders[0].follow_up.assignee
    if until := quiet_until(person, now=timezone.now()):
        return Later(until)
    if person.reminds_in_page:
        _notify(person, {keys[reminder.pk]: reminder.follow_up for reminder in reminders})
    if not person.reminds_by_email:
        return Sent("in the page")
    context = {"follow_ups": [reminder.follow_up for reminder in reminders], "follow_up": reminders[0].follow_up}
    return Sent(postbox.send(mail(row, person, template, context)))


def _reminders(keys: dict[int, str]) -> Iterable[Reminder]:
    reminders = Reminder.objects.filter(pk__in=keys).select_related("follow_up__assignee", "follow_up__subject_type")
    return reminders.prefetch_related("follow_up__subject").order_by("follow_up__due_at", "pk")


def _notify(person: User, due: dict[str, FollowUp]) -> None:
    """Write a notice for each key there is none for yet: a retry after a failed mail adds none."""
    Notification.objects.bulk_create(
        [
            Notification(
                user=person,
                kind=Notification.Kind.REMINDER,
                dedupe_key=key,
                follow_up=follow_up,
                subject_type_id=follow_up.subject_type_id,
                subject_id=follow_up.subject_id,
                text=follow_up.title,
            )
            for key, follow_up in due.items()
        ],
        ignore_conflicts=True,
    )


outbox.register(Sender(REMINDER, send_reminder))
outbox.register(Sender(DIGEST, send_digest))
