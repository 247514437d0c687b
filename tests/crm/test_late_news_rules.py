"""What an outage has held up, of several kinds: one mail, each part told as its kind tells it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from crm.models import FollowUp, Lead, Notification, OutboxRow, User
from crm.rules.delivering import deliver_due
from crm.rules.digests import merge_stale
from crm.rules.follow_ups import Plan, complete_follow_up, plan_follow_up
from crm.rules.outbox import Intent, queue
from crm.rules.wall_clock import WallTime
from tests.factories import LeadFactory

pytestmark = pytest.mark.django_db

Mails = list[EmailMultiAlternatives]


@pytest.fixture
def lead(rep: User) -> Lead:
    return LeadFactory(owner=rep, name="Daria Fomina")


def given(lead: Lead, rep: User, by: User, title: str) -> FollowUp:
    """A next step that somebody gave to `rep`, of which they are to hear, and to be reminded."""
    plan = Plan(title, WallTime.of(timezone.now() + dt.timedelta(hours=1), rep.time_zone), rep)
    return plan_follow_up(lead, plan=plan, by=by, now=timezone.now())


def outage(*, hours: int = 3) -> None:
    """As if all that waits had been due so long ago."""
    long_ago = timezone.now() - dt.timedelta(hours=hours)
    OutboxRow.objects.waiting().update(due_at=long_ago, available_at=long_ago)


def test_all_kinds_come_in_one_mail(lead: Lead, rep: User, manager: User, mailoutbox: Mails) -> None:
    for title in ("Send the offer", "Ask for the drawing"):
        given(lead, rep, manager, title)
    complete_follow_up(given(lead, rep, manager, "Done by now"), by=rep, now=timezone.now())
    outage()

    merge_stale()
    assert merge_stale() == 0
    deliver_due(seconds=5)
    deliver_due(seconds=5)

    (digest,) = mailoutbox
    assert (digest.to, digest.subject) == ([rep.email], "3 notices came late")
    assert "=== 2 reminders came late" in digest.body
    assert "Send the offer" in digest.body
    assert digest.body.count("/settings/") == 1
    assert Notification.objects.filter(user=rep, kind="reminder").count() == 2
    assert not OutboxRow.objects.waiting().exists()


def test_quiet_hours_hold_for_it_too(lead: Lead, rep: User, manager: User, mailoutbox: Mails) -> None:
    now = timezone.now()
    rep.quiet_from, rep.quiet_until = (now - dt.timedelta(hours=2)).time(), (now + dt.timedelta(hours=2)).time()
    rep.save()
    given(lead, rep, manager, "Call")
    outage()

    merge_stale()
    deliver_due(seconds=5)

    assert not mailoutbox
    row = OutboxRow.objects.get(kind="late_news")
    assert (row.state, row.available_at > now) == (OutboxRow.State.WAITING, True)


def test_what_cannot_be_told_keeps_nobody_else(lead: Lead, rep: User, manager: User, mailoutbox: Mails) -> None:
    given(lead, rep, manager, "Call")
    queue([Intent("new_lead", "new_lead:broken", rep.pk, payload={})])
    outage()

    merge_stale()
    deliver_due(seconds=5)

    assert len(mailoutbox) == 1
    broken = OutboxRow.objects.get(dedupe_key="new_lead:broken")
    assert (broken.state, broken.merged_into) == (OutboxRow.State.DEAD, None)
