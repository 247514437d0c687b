"""Reminders of follow-ups: times on the assignee's wall clock, each an outbox row that is sent exactly once.

The key of a row is the reminder and its local date: however the zone changes afterwards, one date reminds once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext_lazy

from crm.models import FollowUp, Notification, OutboxRow, Reminder, Subject, User, subjects_seen_by
from crm.rules import outbox
from crm.rules.notice_kinds import NoticeKind, channels_of_many, register
from crm.rules.outbox import Intent, NotNeeded, Outcome, Send, Sender
from crm.rules.sending import Postbox
from crm.rules.telling import News, keep_all, tell
from crm.rules.wall_clock import WallTime

NO_LONGER = "done, deleted or planned anew"
REMINDER, DIGEST = "reminder", "reminder_digest"
KIND = register(NoticeKind("reminder", gettext_lazy("Reminders of next steps"), icon="bell"))


def key_of(reminder: Reminder) -> str:
    """Return the unique key of the row that sends `reminder`."""
    return f"{REMINDER}:{reminder.pk}:{reminder.fires_local.astimezone(dt.UTC):%Y-%m-%d}"


# --- Planning: in the transaction of the follow-up ------------------------------------------------------------------


def set_reminders(follow_up: FollowUp, times: Sequence[WallTime], *, now: dt.datetime) -> None:
    """Remind the assignee at `times` that lie ahead; where none does, when it is due, or at once if that is past."""
    drop_reminders(follow_up)
    made = Reminder.objects.bulk_create(_reminders_at(follow_up, times, now=now))
    outbox.queue(_intent(reminder, follow_up) for reminder in made)


def remind_of_loaded(*, now: dt.datetime) -> int:
    """Give open follow-ups that were loaded in bulk the reminders they ask for, those still ahead; return how many."""
    loaded = FollowUp.objects.open().filter(due_at__gt=now, reminders__isnull=True).select_related("assignee")
    found = []
    for follow_up in loaded.iterator(chunk_size=2_000):
        due = WallTime.stored(follow_up.due_local, follow_up.time_zone)
        times = [replace(due, local=due.local - dt.timedelta(minutes=before)) for before in follow_up.remind_before]
        found += _reminders_at(follow_up, times, now=now)
    made = Reminder.objects.bulk_create(found, batch_size=2_000)
    outbox.queue(_intent(reminder, reminder.follow_up) for reminder in made)
    return len(made)


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
        rows.update(due_at=reminder.fires_at, available_at=reminder.fires_at, away_since=None)


def _reminders_at(follow_up: FollowUp, times: Sequence[WallTime], *, now: dt.datetime) -> list[Reminder]:
    ahead = sorted({time for time in times if time.utc > now}, key=lambda time: time.utc)
    if times and not ahead:
        due = WallTime.stored(follow_up.due_local, follow_up.time_zone)
        ahead = [due if due.utc > now else WallTime.of(now, follow_up.time_zone)]
    return [Reminder(follow_up=follow_up, fires_local=time.as_stored, fires_at=time.utc) for time in ahead]


def _intent(reminder: Reminder, follow_up: FollowUp) -> Intent:
    return Intent(
        kind=REMINDER,
        key=key_of(reminder),
        recipient_id=follow_up.assignee_id,
        due_at=reminder.fires_at,
        payload={"reminder": reminder.pk},
    )


# --- Sending --------------------------------------------------------------------------------------------------------


def send_reminder(row: OutboxRow, postbox: Postbox) -> Outcome:
    """Remind the assignee in the page and by mail, as they like it; nothing once the follow-up is done or gone."""
    return _remind(row, [row], postbox, template=REMINDER)


def send_digest(row: OutboxRow, postbox: Postbox) -> Outcome:
    """Remind of all that was merged into the row: a notice in the page for each, one mail for all."""
    return _remind(row, row.merged.all(), postbox, template=DIGEST)


def prepare_reminders(rows: Sequence[OutboxRow]) -> Send:
    """Read, and write into the page, for many rows at once what `send_reminder` would for each."""
    ids = [row.payload["reminder"] for row in rows]
    found = Reminder.objects.filter(pk__in=ids).select_related("follow_up__assignee__team")
    reminders = {reminder.pk: reminder for reminder in found if reminder.follow_up.is_open}
    people = {reminder.follow_up.assignee_id: reminder.follow_up.assignee for reminder in reminders.values()}
    seen = {
        pk: subjects_seen_by(
            person, [each.follow_up for each in reminders.values() if each.follow_up.assignee_id == pk]
        )
        for pk, person in people.items()
    }
    channels = channels_of_many(people.values(), KIND.key)

    def news_of(row: OutboxRow, reminder: Reminder) -> News:
        follow_up, person = reminder.follow_up, people[reminder.follow_up.assignee_id]
        step = Step(follow_up, seen[person.pk].get(_subject_key(follow_up)))
        notices = [_notice(person, follow_up, row.dedupe_key)]
        return News(person, notices, REMINDER, {"steps": [step], "step": step}, channels[person.pk])

    due = [row for row in rows if row.payload["reminder"] in reminders]
    kept = keep_all([news_of(row, reminders[row.payload["reminder"]]) for row in due])
    news = {row.pk: each for row, each in zip(due, kept, strict=True)}

    def send(row: OutboxRow, postbox: Postbox) -> Outcome:
        return tell(row, news[row.pk], postbox) if row.pk in news else NotNeeded(NO_LONGER)

    return send


def _remind(row: OutboxRow, parts: Iterable[OutboxRow], postbox: Postbox, *, template: str) -> Outcome:
    keys = {part.payload["reminder"]: part.dedupe_key for part in parts}
    reminders = Reminder.objects.filter(pk__in=keys).select_related("follow_up__assignee")
    due = [reminder for reminder in reminders.order_by("follow_up__due_at", "pk") if reminder.follow_up.is_open]
    if not due:
        return NotNeeded(NO_LONGER)
    person = due[0].follow_up.assignee
    seen = subjects_seen_by(person, (reminder.follow_up for reminder in due))
    steps = [Step(reminder.follow_up, seen.get(_subject_key(reminder.follow_up))) for reminder in due]
    notices = [_notice(person, step.follow_up, keys[reminder.pk]) for reminder, step in zip(due, steps, strict=True)]
    return tell(row, News(person, notices, template, {"steps": steps, "step": steps[0]}), postbox)


def _subject_key(follow_up: FollowUp) -> tuple[int, int]:
    return follow_up.subject_type_id, follow_up.subject_id


@dataclass(frozen=True)
class Step:
    """A follow-up as a mail names it: with its record, where the reader may see that."""

    follow_up: FollowUp
    subject: Subject | None


def _notice(person: User, follow_up: FollowUp, key: str) -> Notification:
    return Notification.of_step(follow_up, user=person, kind=KIND.key, dedupe_key=key, text=follow_up.title)


outbox.register(
    Sender(
        REMINDER,
        send_reminder,
        digest=DIGEST,
        label=gettext_lazy("Reminders"),
        at_once=25,
        prepare=prepare_reminders,
    )
)
outbox.register(Sender(DIGEST, send_digest, label=gettext_lazy("Late reminders, merged")))
