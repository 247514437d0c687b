"""While somebody is away, their substitute does what falls due; what is still open comes back afterwards.

A duty reads the absences of today: nothing has to happen at the very midnight at which one begins or ends.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import cast

from django.db import transaction
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext_lazy, ngettext

from crm.models import Absence, FollowUp, HandOver, Notification, OutboxRow, Subject, User
from crm.rules import outbox
from crm.rules.availability import substitute_for
from crm.rules.follow_ups import FollowUpClosed, reassign_follow_up
from crm.rules.notice_kinds import NoticeKind, register
from crm.rules.outbox import Intent, NotNeeded, Outcome, Sender
from crm.rules.sending import Postbox
from crm.rules.telling import News, tell
from crm.rules.wall_clock import WallTime

HAND_OVER = "hand_over"
KIND = register(
    NoticeKind(HAND_OVER, gettext_lazy("Next steps taken over from somebody who is away"), icon="users", is_own=True)
)
DAY = dt.timedelta(days=1)
GATHERED_FOR = dt.timedelta(seconds=30)
"""So long the news of what is handed over waits for the rest of it: one notice, not one of each."""


def follow_absences(*, now: dt.datetime) -> tuple[int, int]:
    """Hand over what falls due while its assignee is away, bring back what is left; return how many of each."""
    today = now.date()
    around = Absence.objects.filter(starts_on__lte=today + DAY, ends_on__gte=today - DAY)
    given = sum(_hand_over(absence, now=now) for absence in around.select_related("user"))
    return given, _bring_back(now=now)


def _hand_over(absence: Absence, *, now: dt.datetime) -> int:
    """Give the follow-ups due in an absence that has begun to who stands in on this day."""
    person = absence.user
    day = WallTime.of(now, person.time_zone).local.date()
    if not absence.starts_on <= day <= absence.ends_on or (taker := substitute_for(person, on=day)) is None:
        return 0
    first, last = (dt.datetime.combine(on, dt.time(), dt.UTC) for on in (absence.starts_on, absence.ends_on + DAY))
    due = FollowUp.objects.open().filter(assignee=person, due_local__gte=first, due_local__lt=last)
    return sum(_give(row, absence, person, taker, now) for row in due.exclude(hand_overs__absence=absence))


def _give(follow_up: FollowUp, absence: Absence, giver: User, taker: User, now: dt.datetime) -> bool:
    """Hand over one, write down for whom, and have it told: all of that or, where the duty dies, nothing."""
    if cast("Subject | None", follow_up.subject) is None:
        return False
    try:
        with transaction.atomic():
            reassign_follow_up(follow_up, to=taker, by=None, now=now)
            HandOver.objects.create(follow_up=follow_up, absence=absence, giver=giver, taker=taker, at=now)
            outbox.queue([_news_of(absence, taker, now)])
    except FollowUpClosed:
        return False
    return True


def _news_of(absence: Absence, taker: User, now: dt.datetime) -> Intent:
    """What tells the taker of all that is handed over at this time; it leaves once the duty has gone through them."""
    key = f"{HAND_OVER}:{absence.pk}:{taker.pk}:{now.astimezone(dt.UTC):%Y%m%d%H%M%S%f}"
    payload = {"absence": absence.pk, "at": now.isoformat()}
    return Intent(HAND_OVER, key, taker.pk, payload=payload, due_at=now, available_at=now + GATHERED_FOR)


def _bring_back(*, now: dt.datetime) -> int:
    """Return to who is back (or was never away: the absence was changed or deleted) what their substitute left open."""
    lasting = HandOver.objects.lasting().select_related("follow_up", "absence", "giver", "taker")
    today = now.date()
    over = Q(absence=None) | Q(absence__ends_on__lt=today + DAY) | Q(absence__starts_on__gt=today - DAY)
    return sum(_return(each, now=now) for each in lasting.filter(over) if not _is_away(each, now))


def _is_away(hand_over: HandOver, now: dt.datetime) -> bool:
    absence = hand_over.absence
    if absence is None:
        return False
    day = WallTime.of(now, hand_over.giver.time_zone).local.date()
    return bool(absence.starts_on <= day <= absence.ends_on)


def _return(hand_over: HandOver, *, now: dt.datetime) -> bool:
    with transaction.atomic():
        HandOver.objects.filter(pk=hand_over.pk).update(returned_at=now)
        return _give_back(hand_over, now=now)


def _give_back(hand_over: HandOver, *, now: dt.datetime) -> bool:
    follow_up = hand_over.follow_up
    if not follow_up.is_open or follow_up.assignee_id != hand_over.taker_id or not hand_over.giver.is_active:
        return False
    try:
        reassign_follow_up(follow_up, to=hand_over.giver, by=None, now=now)
    except FollowUpClosed:
        return False
    return True


def givers_of(follow_ups: Iterable[FollowUp]) -> dict[int, User]:
    """Return, by the follow-up's id, for whom somebody else does it just now."""
    lasting = HandOver.objects.lasting().filter(follow_up__in=[row.pk for row in follow_ups])
    return {each.follow_up_id: each.giver for each in lasting.select_related("giver")}


def send_hand_over(row: OutboxRow, postbox: Postbox) -> Outcome:
    """Tell the substitute how many next steps are theirs now, and whose they are; those that went back do not count."""
    absence = Absence.objects.select_related("user").filter(pk=row.payload["absence"]).first()
    person = row.recipient
    if absence is None or person is None:
        return NotNeeded("the absence is gone")
    given = HandOver.objects.lasting().filter(absence=absence, taker=person).select_related("follow_up")
    if at := row.payload.get("at"):  # rows that an older version queued, before a night of rest say, tell of all
        given = given.filter(at=dt.datetime.fromisoformat(at))
    if not (follow_ups := [each.follow_up for each in given.order_by("follow_up__due_at", "pk")]):
        return NotNeeded("all of it went back")
    follow_up, count = follow_ups[0], len(follow_ups)
    with translation.override(person.language):
        text = ngettext(
            "%(count)d next step of %(person)s is yours until %(day)s",
            "%(count)d next steps of %(person)s are yours until %(day)s",
            count,
        ) % {"count": count, "person": absence.user, "day": f"{absence.ends_on:%d.%m.%Y}"}
    notice = Notification.of_step(follow_up, user=person, kind=KIND.key, dedupe_key=row.dedupe_key, text=text)
    return tell(row, News(person, [notice], HAND_OVER, {"text": text, "absence": absence}), postbox)


outbox.register(Sender(HAND_OVER, send_hand_over, digest=outbox.LATE_NEWS, label=KIND.label))
