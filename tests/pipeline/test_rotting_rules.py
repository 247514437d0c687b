"""What is said when a deal stays too long in a stage."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from crm.models import Notification, OutboxRow, User
from crm.rules.delivering import deliver_due
from crm.rules.digests import merge_stale
from pipeline.models import Deal, Stage
from pipeline.rules.moving import move_deal
from pipeline.rules.rotting import remind_of_rotting
from tests.factories import DealFactory

pytestmark = pytest.mark.django_db

Stages = dict[str, Stage]
NOW = dt.datetime(2026, 6, 10, 12, tzinfo=dt.UTC)


def move(deal: Deal, to: Stage, by: User, now: dt.datetime = NOW) -> Deal:
    return move_deal(deal, to=to, seen_version=deal.version, by=by, now=now)


@pytest.fixture
def rotting(rep: User, stages: Stages) -> Deal:
    Stage.objects.filter(slug="prospecting").update(rotting_days=5)
    deal: Deal = DealFactory(owner=rep, name="Dryer", created_at=timezone.now() - dt.timedelta(days=5, minutes=5))
    return deal


def test_rotting_reminds_once_per_stay(
    rotting: Deal, rep: User, stages: Stages, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    now = timezone.now()
    for later in range(3):
        remind_of_rotting(now=now + dt.timedelta(days=later))
        merge_stale()
        deliver_due(seconds=5)

    assert [mail.subject for mail in mailoutbox] == ["Rotting: Dryer"]
    notice = Notification.objects.get()
    assert (notice.user, notice.subject) == (rep, rotting)
    assert "Prospecting for 5 days" in notice.text

    back = move(move(rotting, stages["meeting"], rep, now), stages["prospecting"], rep, now)
    remind_of_rotting(now=now + dt.timedelta(days=6))
    assert OutboxRow.objects.filter(kind="rotting").count() == 2
    assert back.visits.present().count() == 1


def test_fresh_closed_and_limitless_deals_do_not_rot(rep: User, stages: Stages) -> None:
    Stage.objects.filter(slug="prospecting").update(rotting_days=5)
    Stage.objects.filter(slug="meeting").update(rotting_days=None)
    long_ago = timezone.now() - dt.timedelta(days=50)
    DealFactory(owner=rep, created_at=timezone.now() - dt.timedelta(days=4))
    DealFactory(owner=rep, created_at=long_ago, lost_at=timezone.now())
    DealFactory(owner=rep, created_at=long_ago, stage="meeting")
    DealFactory(owner=rep, created_at=long_ago, deleted_at=timezone.now())

    assert remind_of_rotting(now=timezone.now()) == 0


def test_moved_on_before_the_reminder_leaves_is_not_told_of(
    rotting: Deal, rep: User, stages: Stages, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    remind_of_rotting(now=timezone.now())
    move(rotting, stages["meeting"], rep, timezone.now())

    deliver_due(seconds=5)

    assert OutboxRow.objects.get(kind="rotting").state == "cancelled"
    assert not mailoutbox


def test_history_that_was_brought_in_makes_one_mail(
    rep: User, stages: Stages, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    Stage.objects.filter(slug="prospecting").update(rotting_days=5)
    for amount in range(25):
        DealFactory(owner=rep, amount=amount, created_at=timezone.now() - dt.timedelta(days=50))

    assert remind_of_rotting(now=timezone.now()) == 25
    merge_stale()
    deliver_due(seconds=5)

    assert [mail.subject for mail in mailoutbox] == ["25 deals stay too long"]
    assert Notification.objects.count() == 20
