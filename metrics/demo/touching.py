"""Touches and follow-ups of the invented company's leads and deals."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field
from functools import partial

from django.contrib.contenttypes.models import ContentType

from crm.models import Activity, FollowUp, Lead
from crm.models.follow_ups import default_reminders
from metrics.demo import vocabulary as words
from metrics.demo.loading import Table
from metrics.demo.people import Rep
from pipeline.models import Deal

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)

_activities = partial(
    Table, Activity, "subject_type", "subject_id", "kind", "direction", "response", "at", "author", "title",
    "body", "duration_minutes", "recorded_at",
)  # fmt: skip
_follow_ups = partial(
    Table, FollowUp, "subject_type", "subject_id", "kind", "title", "note", "assignee", "author", "due_local",
    "time_zone", "due_at", "done_at", "done_by", "outcome", "version", "created_at", "remind_before",
)  # fmt: skip


@dataclass
class Touching:
    """What was said and what is to be done, until and from `now` on."""

    rng: random.Random
    now: dt.datetime
    activities: Table = field(default_factory=_activities)
    follow_ups: Table = field(default_factory=_follow_ups)

    def __post_init__(self) -> None:
        kinds = ContentType.objects.get_for_models(Lead, Deal)
        self.lead_type, self.deal_type = kinds[Lead].pk, kinds[Deal].pk

    def touch(self, kind_of: int, pk: int, at: dt.datetime, rep: Rep, *, is_out: bool) -> bool:
        """Somebody was in touch about a record of that content type; return whether it was a sign of interest."""
        kind = self.rng.choices(("call", "email", "meeting", "message", "note"), (34, 40, 10, 8, 8))[0]
        titles = {"call": (words.CALLS, words.CALLS_RU)}.get(kind, (words.MAILS, words.MAILS_RU))[rep.is_russian]
        body = self.rng.choice((words.NOTES, words.NOTES_RU)[rep.is_russian]) if self.rng.random() < 0.3 else ""
        direction = "" if kind == "note" else "out" if is_out else "in"
        response = (
            self.rng.choices(("none", "negative", "neutral", "positive"), (45, 10, 20, 25))[0] if is_out else "none"
        )
        minutes = self.rng.choice((5, 10, 14, 25)) if kind == "call" else None
        title = "" if kind == "note" else self.rng.choice(titles)
        text = body or (self.rng.choice((words.NOTES, words.NOTES_RU)[rep.is_russian]) if kind == "note" else "")
        self.activities.add(kind_of, pk, kind, direction, response, at, rep.user.pk, title, text, minutes, at)
        return kind != "note" and (direction == "in" or response == "positive")

    def plan(self, pk: int, rep: Rep, *, due_at: dt.datetime, done_at: dt.datetime | None = None) -> None:
        """A follow-up of a deal, done or still to be done."""
        kind, title, title_ru = self.rng.choice(words.STEPS)
        made_at = min(due_at - DAY, self.now - HOUR)
        self.follow_ups.add(
            self.deal_type, pk, kind, title_ru if rep.is_russian else title, "", rep.user.pk, rep.user.pk, due_at,
            "UTC", due_at, done_at, rep.user.pk if done_at else None, "", 1, made_at, default_reminders(),
        )  # fmt: skip
