"""The daily digest: one mail a day, at the person's own hour, of what they chose to hear of once a day.

A row a person and local date is queued ahead, so that it leaves once however often the duty runs. Other subjects add
sections (deals without a next step, say): each is asked when the digest is written, never before.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm.models import Notification, OutboxRow, User
from crm.rules import outbox
from crm.rules.notifications import Told, told_to
from crm.rules.outbox import Intent, Later, NotNeeded, Outcome, Sender, Sent
from crm.rules.quiet_hours import quiet_until
from crm.rules.sending import Postbox, mail
from crm.rules.wall_clock import WallTime

DAILY = "daily_digest"
MOST_LINES = 50


@dataclass(frozen=True)
class Line:
    """One thing in a digest: its words and the path of its page."""

    text: str
    path: str = ""


@dataclass(frozen=True)
class Section:
    """Some lines under a title; `more` counts those left out. `then` runs in the transaction that says it was sent."""

    title: str | Promise
    lines: Sequence[Line]
    more: int = 0
    then: Callable[[], object] | None = field(default=None, compare=False)


Source = Callable[[User, dt.datetime], Section | None]
sources: list[Source] = []
"""What a digest is made of, in order: each says what a person is to hear now, or None."""


def plan_digests(*, now: dt.datetime) -> int:
    """Queue the next digest of everybody who can log in; return how many that is."""
    intents = [_next_digest(person, now) for person in User.objects.active().iterator(chunk_size=2_000)]
    outbox.queue(intents)
    return len(intents)


def move_digest(person: User, *, now: dt.datetime) -> None:
    """Let the digest that waits for `person` leave at their hour as it is now; what is past already leaves at once."""
    for row in OutboxRow.objects.waiting().filter(kind=DAILY, recipient=person):
        day = dt.date.fromisoformat(row.dedupe_key.rpartition(":")[2])
        at = max(WallTime(dt.datetime.combine(day, person.digest_at), person.time_zone).utc, now)
        OutboxRow.objects.waiting().filter(pk=row.pk).update(due_at=at, available_at=at, away_since=None)


def _next_digest(person: User, now: dt.datetime) -> Intent:
    today = WallTime.of(now, person.time_zone).local.date()
    times = (WallTime(dt.datetime.combine(day, person.digest_at), person.time_zone) for day in _days_from(today))
    at = next(time for time in times if time.utc > now)
    key = f"{DAILY}:{person.pk}:{at.local:%Y-%m-%d}"
    return Intent(DAILY, key, recipient_id=person.pk, due_at=at.utc)


def _days_from(day: dt.date) -> Sequence[dt.date]:
    return [day + dt.timedelta(days=ahead) for ahead in range(3)]


def send_daily(row: OutboxRow, postbox: Postbox) -> Outcome:
    """Write one person's digest of this day; nothing where there is nothing to say."""
    person, now = row.recipient, timezone.now()
    if person is None or not person.is_active:
        return NotNeeded("nobody to tell: the account is closed")
    if until := quiet_until(person, now=now):
        return Later(until)
    sections = [section for source in sources if (section := source(person, now)) and section.lines]
    if not sections:
        return NotNeeded("nothing to say today")
    answer = postbox.send(mail(row, person, DAILY, {"sections": sections, "now": now}))

    def then() -> None:
        for section in sections:
            if section.then:
                section.then()

    return Sent(answer, then)


def kept_notices(person: User, _now: dt.datetime) -> Section | None:
    """What was kept for the digest since the last one, but for what the person may no longer read."""
    kept = list(Notification.objects.filter(user=person, awaits_digest=True).order_by("at", "pk"))
    told = [each for each in told_to(person, kept) if each.text]
    _keep_no_longer({notice.pk for notice in kept} - {each.notice.pk for each in told})
    lines = [_line(each) for each in told[:MOST_LINES]]

    def then() -> None:
        _keep_no_longer({each.notice.pk for each in told})

    return Section(_("What happened"), lines, len(told) - len(lines), then)


def _line(told: Told) -> Line:
    text = f"{told.kind.label}: {told.text}" if told.kind else told.text
    return Line(text, told.subject.get_absolute_url() if told.subject else "")


def _keep_no_longer(pks: Collection[int]) -> None:
    Notification.objects.filter(pk__in=pks).update(awaits_digest=False)


sources.append(kept_notices)
outbox.register(Sender(DAILY, send_daily, label=_("Daily digests")))
