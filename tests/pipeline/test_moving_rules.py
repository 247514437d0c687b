"""The one way to move a deal, and what PostgreSQL refuses whatever the way."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm.models import AuditEntry, User
from crm.rules.errors import NotAllowed
from pipeline.models import ChecklistItem, Deal, LossReason, Stage, StageTotal, StageVisit
from pipeline.rules.deals import delete_deal, edit_deal, open_deal
from pipeline.rules.moving import Loss, MoveDetails, Place, lose_deal, move_deal, undo_move
from pipeline.rules.refusals import DealConflict, LossReasonNeeded, StageRequires, TooLateToUndo, WrongStage
from tests.factories import DealFactory

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 6, 10, 12, tzinfo=dt.UTC)
Stages = dict[str, Stage]


def move(deal: Deal, to: Stage, by: User, **kwargs: object) -> Deal:
    return move_deal(deal, to=to, seen_version=deal.version, by=by, now=kwargs.pop("now", NOW), **kwargs)


def stays_of(deal: Deal) -> list[tuple[str, dt.datetime | None, dt.datetime | None]]:
    visits = deal.visits.standing().order_by("entered_at", "pk")
    return [(visit.stage.slug, visit.entered_at, visit.left_at) for visit in visits]


@pytest.fixture
def deal(rep: User, stages: Stages) -> Deal:
    return DealFactory(owner=rep, created_at=NOW - dt.timedelta(days=3), amount=Decimal(500))


def test_move_tiles_the_life_and_raises_the_version(deal: Deal, rep: User, stages: Stages) -> None:
    moved = move(deal, stages["meeting"], rep)

    assert moved.stage == stages["meeting"]
    assert moved.version == deal.version + 1
    assert stays_of(deal) == [("prospecting", deal.created_at, NOW), ("meeting", NOW, None)]


def test_second_mover_gets_the_fresh_deal(deal: Deal, rep: User, manager: User, stages: Stages) -> None:
    move(deal, stages["meeting"], rep)

    with pytest.raises(DealConflict) as refusal:
        move(deal, stages["close"], manager)

    assert refusal.value.deal.stage == stages["meeting"]
    assert len(stays_of(deal)) == 2


def test_stage_archived_since_it_was_chosen_is_refused(deal: Deal, rep: User, stages: Stages) -> None:
    Stage.objects.filter(pk=stages["meeting"].pk).update(is_archived=True)

    with pytest.raises(WrongStage):
        move(deal, stages["meeting"], rep)

    deal.refresh_from_db()
    assert (deal.stage, deal.version) == (stages["prospecting"], 1)


def test_a_move_is_one_update_of_the_deal(deal: Deal, rep: User, stages: Stages) -> None:
    with CaptureQueriesContext(connection) as asked:
        move(deal, stages["meeting"], rep)

    assert len([one for one in asked.captured_queries if one["sql"].startswith('UPDATE "pipeline_deal"')]) == 1


def test_entering_a_won_stage_wins_and_leaving_it_does_not(deal: Deal, rep: User, stages: Stages) -> None:
    won = move(deal, stages["fulfilment"], rep, details=MoveDetails(amount=Decimal(900)))
    assert (won.outcome, won.won_at, won.amount, won.closing_owner) == ("won", NOW, Decimal(900), rep)

    later = NOW + dt.timedelta(hours=1)
    back = move(won, stages["close"], rep, now=later)
    assert (back.outcome, back.won_at, back.closing_owner) == ("open", None, None)

    again = move(back, stages["fulfilment"], rep, now=later + dt.timedelta(hours=1))
    assert again.won_at == later + dt.timedelta(hours=1)


def test_losing_needs_a_reason_and_keeps_the_stage(deal: Deal, rep: User, stages: Stages) -> None:
    with pytest.raises(LossReasonNeeded):
        lose_deal(deal, loss=Loss(reason=None), seen_version=deal.version, by=rep, now=NOW)

    reason = LossReason.objects.first()
    lost = lose_deal(deal, loss=Loss(reason=reason, note="too dear"), seen_version=deal.version, by=rep, now=NOW)

    assert (lost.outcome, lost.lost_at, lost.stage, lost.loss_reason) == ("lost", NOW, stages["prospecting"], reason)
    assert stays_of(deal) == [("prospecting", deal.created_at, NOW)]
    with pytest.raises(WrongStage):
        lose_deal(lost, loss=Loss(reason=reason), seen_version=lost.version, by=rep, now=NOW)


def test_lost_deal_that_moves_is_open_again_without_a_gap(deal: Deal, rep: User, stages: Stages) -> None:
    lost = lose_deal(deal, loss=Loss(LossReason.objects.first()), seen_version=deal.version, by=rep, now=NOW)
    later = NOW + dt.timedelta(days=5)

    reopened = move(lost, stages["proposal"], rep, now=later)

    assert (reopened.outcome, reopened.lost_at, reopened.loss_reason) == ("open", None, None)
    assert stays_of(deal) == [("prospecting", deal.created_at, later), ("proposal", later, None)]


def test_required_fields_are_asked_for_and_taken_along(deal: Deal, rep: User, stages: Stages) -> None:
    Stage.objects.filter(slug="proposal").update(required_fields=["expected_close_on", "amount"])
    to = Stage.objects.get(slug="proposal")

    with pytest.raises(StageRequires) as refusal:
        move(deal, to, rep)
    assert [item.key for item in refusal.value.missing] == ["expected_close_on"]
    deal.refresh_from_db()
    assert deal.version == 1

    moved = move(deal, to, rep, details=MoveDetails(values={"expected_close_on": dt.date(2026, 7, 1)}))
    assert moved.expected_close_on == dt.date(2026, 7, 1)


def test_required_checklist_item_keeps_a_deal_from_moving_on_but_not_back(
    deal: Deal, rep: User, stages: Stages
) -> None:
    item = ChecklistItem.objects.create(stage=stages["meeting"], name="Decision maker met", is_required=True)
    moved = move(deal, stages["meeting"], rep)

    with pytest.raises(StageRequires) as refusal:
        move(moved, stages["proposal"], rep)
    assert refusal.value.missing[0].key == f"tick-{item.pk}"
    assert move(moved, stages["qualification"], rep).stage == stages["qualification"]


def test_undo_marks_the_stay_and_lets_the_one_before_go_on(
    deal: Deal, rep: User, manager: User, stages: Stages
) -> None:
    moved = move(deal, stages["fulfilment"], rep, now=timezone.now())

    undone = undo_move(moved, seen_version=moved.version, by=rep, now=timezone.now())

    assert (undone.stage, undone.outcome, undone.won_at) == (stages["prospecting"], "open", None)
    assert stays_of(deal) == [("prospecting", deal.created_at, None)]
    assert deal.visits.filter(reverted_at__isnull=False).count() == 1


def test_undo_puts_the_card_back_between_its_neighbours(rep: User, stages: Stages) -> None:
    above, deal, below = (DealFactory(owner=rep, stage="meeting", created_at=NOW) for _ in range(3))
    moved = move(deal, stages["close"], rep, now=timezone.now())

    place = Place(after=above.pk, before=below.pk)
    undo_move(moved, seen_version=moved.version, by=rep, now=timezone.now(), place=place)

    assert list(Deal.objects.filter(stage=stages["meeting"]).in_board_order()) == [above, deal, below]


def test_undoing_a_win_takes_its_amount_back(deal: Deal, rep: User, stages: Stages) -> None:
    won = move(deal, stages["fulfilment"], rep, now=timezone.now(), details=MoveDetails(amount=Decimal(900)))

    undone = undo_move(won, seen_version=won.version, by=rep, now=timezone.now())

    assert (undone.outcome, undone.amount) == ("open", Decimal(500))


def test_undo_is_for_the_mover_and_for_seconds(deal: Deal, rep: User, manager: User, stages: Stages) -> None:
    moved = move(deal, stages["meeting"], rep, now=timezone.now())

    with pytest.raises(TooLateToUndo):
        undo_move(moved, seen_version=moved.version, by=manager, now=timezone.now())
    with pytest.raises(TooLateToUndo):
        undo_move(moved, seen_version=moved.version, by=rep, now=timezone.now() + dt.timedelta(minutes=1))


def test_undo_of_a_loss_is_for_who_lost_it(deal: Deal, rep: User, manager: User) -> None:
    lost = lose_deal(deal, loss=Loss(LossReason.objects.first()), seen_version=deal.version, by=rep, now=timezone.now())

    with pytest.raises(TooLateToUndo):
        undo_move(lost, seen_version=lost.version, by=manager, now=timezone.now())
    undone = undo_move(lost, seen_version=lost.version, by=rep, now=timezone.now())
    assert (undone.outcome, undone.lost_at, undone.loss_reason) == ("open", None, None)
    assert stays_of(deal) == [("prospecting", deal.created_at, None)]


def test_undo_of_opening_a_lost_deal_again_loses_it_as_before(deal: Deal, rep: User, stages: Stages) -> None:
    loss = Loss(LossReason.objects.first(), note="too dear", competitor="Acme")
    lost = lose_deal(deal, loss=loss, seen_version=deal.version, by=rep, now=NOW)
    moved = move(lost, stages["meeting"], rep, now=timezone.now())

    undone = undo_move(moved, seen_version=moved.version, by=rep, now=timezone.now())

    undone.refresh_from_db()
    assert (undone.stage, undone.outcome, undone.lost_at) == (stages["prospecting"], "lost", NOW)
    assert (undone.loss_reason, undone.loss_note, undone.competitor) == (loss.reason, "too dear", "Acme")
    assert undone.closing_owner == rep
    assert stays_of(deal) == [("prospecting", deal.created_at, NOW)]


def test_undo_of_opening_again_where_it_was_lost_loses_it_as_before(deal: Deal, rep: User, stages: Stages) -> None:
    loss = Loss(LossReason.objects.first(), note="too dear", competitor="Acme")
    lost = lose_deal(deal, loss=loss, seen_version=deal.version, by=rep, now=NOW)
    opened = move(lost, stages["prospecting"], rep, now=timezone.now())
    assert opened.is_open

    undone = undo_move(opened, seen_version=opened.version, by=rep, now=timezone.now())

    undone.refresh_from_db()
    assert (undone.outcome, undone.lost_at, undone.loss_note) == ("lost", NOW, "too dear")
    assert stays_of(deal) == [("prospecting", deal.created_at, NOW)]


def test_colleague_sees_but_does_not_move(deal: Deal, colleague: User, viewer: User, stages: Stages) -> None:
    for person in (colleague, viewer):
        assert Deal.objects.visible_to(person).filter(pk=deal.pk).exists()
        with pytest.raises(NotAllowed):
            move(deal, stages["meeting"], person)


def test_card_goes_between_its_neighbours(rep: User, stages: Stages) -> None:
    first, second, third = (DealFactory(owner=rep, stage="meeting", created_at=NOW) for _ in range(3))
    dropped = DealFactory(owner=rep, created_at=NOW)

    move(dropped, stages["meeting"], rep, details=MoveDetails(place=Place(after=first.pk, before=second.pk)))

    order = list(Deal.objects.filter(stage=stages["meeting"]).in_board_order())
    assert order == [first, dropped, second, third]


def test_column_totals_follow_every_change(rep: User, stages: Stages) -> None:
    deal = open_deal(stage=stages["prospecting"], fields={"name": "A", "amount": Decimal(100)}, by=rep, now=NOW)
    edited = edit_deal(deal, fields={"amount": Decimal(250)}, seen_version=deal.version, by=rep)
    moved = move(edited, stages["meeting"], rep, now=NOW + dt.timedelta(hours=1))

    assert totals() == {("meeting", 1, Decimal(250))}
    assert StageTotal.objects.compact() > 0
    assert totals() == {("meeting", 1, Decimal(250))}

    delete_deal(moved, seen_version=moved.version, by=rep, now=NOW)
    assert totals() == set()


def totals() -> set[tuple[str, int, Decimal]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT slug, sum(deals), sum(amount) FROM pipeline_stagetotal t JOIN pipeline_stage s ON s.id = stage_id"
            " GROUP BY slug HAVING sum(deals) <> 0"
        )
        return {(slug, int(count), amount) for slug, count, amount in cursor.fetchall()}


def test_every_change_is_in_the_audit_log(deal: Deal, rep: User, stages: Stages) -> None:
    move(deal, stages["meeting"], rep)

    entry = AuditEntry.objects.about("deal", deal.pk).first()
    assert entry is not None
    assert (entry.actor, entry.action) == (rep, "changed")
    assert entry.before["stage_id"] == stages["prospecting"].pk
    assert entry.after["stage_id"] == stages["meeting"].pk
    Deal.objects.filter(pk=deal.pk).update(name="by hand")
    assert AuditEntry.objects.about("deal", deal.pk).first().after == {"name": "by hand"}
    for statement in ("UPDATE crm_auditentry SET note = 'x'", "DELETE FROM crm_auditentry"):
        with pytest.raises(Exception, match="append_only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


@pytest.mark.parametrize(
    ("entered", "left", "name"),
    [
        (NOW - dt.timedelta(days=1), None, "pipeline_visit_one_open"),
        (NOW - dt.timedelta(days=2), NOW, "pipeline_visit_no_overlap"),
        (NOW - dt.timedelta(days=9), NOW - dt.timedelta(days=8), "leave a gap"),
    ],
)
def test_postgresql_refuses_visits_that_do_not_tile(
    deal: Deal, stages: Stages, entered: dt.datetime, left: dt.datetime | None, name: str
) -> None:
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        StageVisit.objects.create(deal=deal, stage=stages["meeting"], entered_at=entered, left_at=left)


def test_postgresql_refuses_a_stage_without_its_visit(deal: Deal, stages: Stages) -> None:
    with pytest.raises(IntegrityError, match="stands in stage"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE pipeline_deal SET stage_id = %s WHERE id = %s", [stages["close"].pk, deal.pk])
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
