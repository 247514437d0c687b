"""What a stage gives to a deal that enters it, and what it says when the deal stays too long."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from crm.models import AuditEntry, FollowUp, Notification, OutboxRow, User
from crm.rules.delivering import deliver_due
from crm.rules.digests import merge_stale
from crm.rules.follow_ups import complete_follow_up
from pipeline.models import Deal, EntryFollowUp, Stage
from pipeline.rules.deals import open_deal
from pipeline.rules.moving import move_deal, undo_move
from pipeline.rules.rotting import remind_of_rotting
from tests.factories import DealFactory

pytestmark = pytest.mark.django_db

Stages = dict[str, Stage]
NOW = dt.datetime(2026, 6, 10, 12, tzinfo=dt.UTC)


@pytest.fixture
def entry(stages: Stages) -> EntryFollowUp:
    return EntryFollowUp.objects.create(
        stage=stages["meeting"], name="Agree the agenda", name_ru="Согласовать повестку", kind="call", after_days=2
    )


@pytest.fixture
def deal(rep: User, stages: Stages) -> Deal:
    return DealFactory(owner=rep, created_at=NOW - dt.timedelta(days=3))


def move(deal: Deal, to: Stage, by: User, now: dt.datetime = NOW) -> Deal:
    return move_deal(deal, to=to, seen_version=deal.version, by=by, now=now)


def test_entering_gives_the_follow_up_on_the_owners_clock(
    deal: Deal, entry: EntryFollowUp, rep: User, stages: Stages
) -> None:
    User.objects.filter(pk=rep.pk).update(time_zone="Europe/Berlin", language="ru")
    deal = Deal.objects.get(pk=deal.pk)

    moved = move(deal, stages["meeting"], rep)

    follow_up = moved.follow_ups.get()
    assert (follow_up.title, follow_up.kind, follow_up.assignee) == ("Согласовать повестку", "call", rep)
    assert follow_up.due_at == dt.datetime(2026, 6, 12, 8, tzinfo=dt.UTC)
    moved.refresh_from_db()
    assert moved.next_step_at == follow_up.due_at
    assert OutboxRow.objects.waiting().count() == 1


def test_opening_in_the_stage_gives_it_too(entry: EntryFollowUp, rep: User, stages: Stages) -> None:
    deal = open_deal(stage=stages["meeting"], fields={"name": "New"}, by=rep, now=NOW)

    deal.refresh_from_db()
    assert deal.next_step_at == dt.datetime(2026, 6, 12, 10, tzinfo=dt.UTC)


def test_each_stay_gives_it_once(deal: Deal, entry: EntryFollowUp, rep: User, stages: Stages) -> None:
    deal = move(deal, stages["meeting"], rep)
    deal = move(deal, stages["proposal"], rep, NOW + dt.timedelta(days=1))
    assert deal.follow_ups.count() == 1

    move(deal, stages["meeting"], rep, NOW + dt.timedelta(days=2))
    assert deal.follow_ups.count() == 2


def test_undone_move_takes_it_back(deal: Deal, entry: EntryFollowUp, rep: User, stages: Stages) -> None:
    now = timezone.now()
    deal = move(deal, stages["meeting"], rep, now)

    undone = undo_move(deal, seen_version=deal.version, by=rep, now=now)

    assert not FollowUp.objects.open().exists()
    undone.refresh_from_db()
    assert undone.next_step_at is None
    assert not OutboxRow.objects.waiting().exists()


def test_undone_move_keeps_what_was_done(deal: Deal, entry: EntryFollowUp, rep: User, stages: Stages) -> None:
    now = timezone.now()
    deal = move(deal, stages["meeting"], rep, now)
    follow_up = deal.follow_ups.get()
    complete_follow_up(follow_up, by=rep, now=now)

    undo_move(Deal.objects.get(pk=deal.pk), seen_version=deal.version, by=rep, now=now)

    follow_up.refresh_from_db()
    assert follow_up.done_at is not None
    assert follow_up.deleted_at is None


# --- Rotting --------------------------------------------------------------------------------------------------------


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


def test_audit_names_the_mover_of_the_deal_and_the_system_for_its_follow_up(
    deal: Deal, entry: EntryFollowUp, rep: User, stages: Stages
) -> None:
    moved = move(deal, stages["meeting"], rep)

    assert AuditEntry.objects.about("deal", deal.pk)[0].actor == rep
    assert AuditEntry.objects.about("follow_up", moved.follow_ups.get().pk)[0].actor is None
