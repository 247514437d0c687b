"""What stage rules do by themselves: once a stay, after the time to undo, in one transaction, and never in circles."""

from __future__ import annotations

import datetime as dt
import threading
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from crm.models import (
    FollowUp,
    Notification,
    OutboxRow,
    Team,
    User,
)
from crm.rules.delivering import deliver_due
from crm.rules.outbox import retry
from pipeline.models import Deal, LossReason, RuleFiring, Stage, StageRule, StageVisit
from pipeline.rules.automation import coming_true, kinds
from pipeline.rules.automation.coming_true import MOST_DEPTH, fire_on_staying
from pipeline.rules.automation.words import sentence_of
from pipeline.rules.deals import delete_deal, open_deal
from pipeline.rules.moving import Loss, lose_deal, move_deal, undo_move
from tests.factories import DealFactory, LeadSourceFactory
from tests.factories.stage_rules import let_time_pass, list_of, rule_for

pytestmark = pytest.mark.django_db

Stages = dict[str, Stage]
TAG = ("add_tag", {"tag": "seen"})


@pytest.fixture
def deal(rep: User, stages: Stages) -> Deal:
    deal: Deal = DealFactory(owner=rep, name="Dryer", created_at=timezone.now() - dt.timedelta(days=3))
    let_time_pass()
    return deal


def move(deal: Deal, to: Stage, by: User) -> Deal:
    deal = Deal.objects.get(pk=deal.pk)
    return move_deal(deal, to=to, seen_version=deal.version, by=by, now=timezone.now())


def carry_on(seconds: float = 60) -> None:
    """Let so much time pass, and do what is due."""
    let_time_pass(seconds)
    deliver_due(seconds=10)


def came_of(rule: StageRule) -> list[str]:
    return [sentence_of(firing) for firing in rule.firings.order_by("pk")]


# --- When rules come true -------------------------------------------------------------------------------------------


def test_entering_fires_after_the_time_to_undo_and_once(deal: Deal, rep: User, stages: Stages) -> None:
    rule = rule_for(stages["meeting"], TAG)
    move(deal, stages["meeting"], rep)

    deliver_due(seconds=5)
    assert rule.firings.get().state == "waiting"

    for _ in range(3):
        carry_on()
    firing = rule.firings.get()
    assert (firing.state, firing.visit) == ("done", deal.visits.present().get())
    assert Deal.objects.get(pk=deal.pk).tags == ["seen"]
    assert OutboxRow.objects.get(kind="stage_rule").state == "sent"


def test_opening_in_a_stage_is_entering_it(rep: User, stages: Stages) -> None:
    rule = rule_for(stages["meeting"], TAG)
    open_deal(stage=stages["meeting"], fields={"name": "New"}, by=rep, now=timezone.now())
    carry_on()
    assert came_of(rule) == ["Add a tag (seen)"]


def test_leaving_fires_when_the_deal_moves_on(deal: Deal, rep: User, stages: Stages) -> None:
    rule = rule_for(stages["prospecting"], TAG, trigger="leaving")
    move(deal, stages["meeting"], rep)
    carry_on()
    assert came_of(rule) == ["Add a tag (seen)"]


def test_losing_a_deal_leaves_nothing_and_ends_what_waits(deal: Deal, rep: User, stages: Stages) -> None:
    leaving = rule_for(stages["meeting"], TAG, trigger="leaving")
    entering = rule_for(stages["meeting"], TAG)
    moved = move(deal, stages["meeting"], rep)
    loss = Loss(LossReason.objects.get(name="Price"))
    lose_deal(moved, loss=loss, seen_version=moved.version, by=rep, now=timezone.now())
    carry_on()
    assert not leaving.firings.exists()
    assert came_of(entering) == ["not needed: the deal was lost"]


def test_each_stay_fires_anew(deal: Deal, rep: User, stages: Stages) -> None:
    rule = rule_for(stages["meeting"], ("follow_ups", {"list": list_of("Agree the agenda").pk}))
    for slug in ("meeting", "proposal", "meeting"):
        move(deal, stages[slug], rep)
        carry_on()
    assert came_of(rule) == ["Create follow-ups (Agree the agenda)"] * 2
    assert FollowUp.objects.open().count() == 2


def test_rule_that_is_off_or_of_another_stage_does_not_fire(deal: Deal, rep: User, stages: Stages) -> None:
    off = rule_for(stages["meeting"], TAG, is_active=False)
    other = rule_for(stages["proposal"], TAG)
    late = rule_for(stages["meeting"], TAG)
    move(deal, stages["meeting"], rep)
    StageRule.objects.filter(pk=late.pk).update(is_active=False)
    carry_on()
    assert not RuleFiring.objects.filter(rule__in=[off, other]).exists()
    assert came_of(late) == ["not needed: the rule was switched off"]


def test_deleted_deal_is_left_alone(deal: Deal, rep: User, stages: Stages) -> None:
    rule = rule_for(stages["meeting"], TAG)
    moved = move(deal, stages["meeting"], rep)
    delete_deal(moved, seen_version=moved.version, by=rep, now=timezone.now())
    carry_on()
    assert came_of(rule) == ["not needed: the deal was deleted"]


# --- Back and forth within the time to undo -------------------------------------------------------------------------


def test_undone_move_fires_nothing(deal: Deal, rep: User, stages: Stages) -> None:
    rules = [rule_for(stages["prospecting"], TAG, trigger="leaving"), rule_for(stages["meeting"], TAG)]
    moved = move(deal, stages["meeting"], rep)
    undo_move(moved, seen_version=moved.version, by=rep, now=timezone.now())
    carry_on()
    assert [came_of(rule) for rule in rules] == [["not needed: the move was taken back"]] * 2
    assert Deal.objects.get(pk=deal.pk).tags == []
    assert {row.state for row in OutboxRow.objects.filter(kind="stage_rule")} == {"cancelled"}


def test_leaving_again_after_an_undo_fires_once(deal: Deal, rep: User, stages: Stages) -> None:
    rule = rule_for(stages["prospecting"], TAG, trigger="leaving")
    moved = move(deal, stages["meeting"], rep)
    undo_move(moved, seen_version=moved.version, by=rep, now=timezone.now())
    let_time_pass(60)
    move(deal, stages["proposal"], rep)
    carry_on()
    carry_on()
    assert came_of(rule) == ["Add a tag (seen)"]
    assert rule.firings.get().serial == 2


def test_moving_there_and_back_within_seconds_fires_nothing(deal: Deal, rep: User, stages: Stages) -> None:
    rules = [
        rule_for(stages["prospecting"], TAG),
        rule_for(stages["prospecting"], TAG, trigger="leaving"),
        rule_for(stages["meeting"], TAG),
        rule_for(stages["meeting"], TAG, trigger="leaving"),
    ]
    move(deal, stages["meeting"], rep)
    let_time_pass(9)
    move(deal, stages["prospecting"], rep)
    carry_on()
    assert Deal.objects.get(pk=deal.pk).tags == []
    assert [firing.state for rule in rules for firing in rule.firings.all()] == ["dropped", "dropped"]


def test_there_and_back_after_the_time_to_undo_fires_all(deal: Deal, rep: User, stages: Stages) -> None:
    rules = [
        rule_for(stages["prospecting"], TAG, trigger="leaving"),
        rule_for(stages["meeting"], TAG),
        rule_for(stages["meeting"], TAG, trigger="leaving"),
        rule_for(stages["prospecting"], TAG),
    ]
    move(deal, stages["meeting"], rep)
    let_time_pass(16)
    move(deal, stages["prospecting"], rep)
    carry_on()
    assert [rule.firings.get().state for rule in rules] == ["done"] * 4


def test_passing_through_a_stage_within_seconds_does_not_count_as_being_there(
    deal: Deal, rep: User, stages: Stages
) -> None:
    left = rule_for(stages["prospecting"], TAG, trigger="leaving")
    passed = [rule_for(stages["meeting"], TAG), rule_for(stages["meeting"], TAG, trigger="leaving")]
    entered = rule_for(stages["proposal"], TAG)
    move(deal, stages["meeting"], rep)
    let_time_pass(5)
    move(deal, stages["proposal"], rep)
    carry_on()
    assert [came_of(rule) for rule in passed] == [["not needed: the deal moved on within seconds"], []]
    assert (left.firings.get().state, entered.firings.get().state) == ("done", "done")


# --- Conditions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "fields"),
    [
        ({"least_amount": Decimal(1000)}, {"amount": Decimal(1000)}),
        ({"tag": "key"}, {"tags": ["a", "key"]}),
        ({"is_unplanned": True}, {"next_step_at": None}),
    ],
)
def test_conditions_are_met_or_not(
    rep: User, stages: Stages, condition: dict[str, Any], fields: dict[str, Any]
) -> None:
    rule = rule_for(stages["meeting"], TAG, **condition)
    fails = {"amount": Decimal(999), "next_step_at": timezone.now()}
    meets, misses = DealFactory(owner=rep, **fields), DealFactory(owner=rep, **fails)
    let_time_pass()
    for deal in (meets, misses):
        move(deal, stages["meeting"], rep)
    assert [firing.deal for firing in rule.firings.all()] == [meets]


def test_sources_and_teams_are_conditions(rep: User, outsider: User, north: Team, stages: Stages) -> None:
    source = LeadSourceFactory()
    of_source, of_team = rule_for(stages["meeting"], TAG), rule_for(stages["meeting"], TAG)
    of_source.sources.add(source)
    of_team.teams.add(north)
    deals = [DealFactory(owner=rep, source=source), DealFactory(owner=outsider)]
    let_time_pass()
    for deal in deals:
        move(deal, stages["meeting"], deal.owner)
    assert [firing.deal for firing in of_source.firings.all()] == [deals[0]]
    assert [firing.deal for firing in of_team.firings.all()] == [deals[0]]


# --- Circles --------------------------------------------------------------------------------------------------------


def test_circle_of_rules_stops_and_admins_are_told(deal: Deal, rep: User, admin: User, stages: Stages) -> None:
    rule_for(stages["meeting"], ("move", {"stage": stages["proposal"].pk}), name="There")
    rule_for(stages["proposal"], ("move", {"stage": stages["meeting"].pk}), name="Back")
    move(deal, stages["meeting"], rep)
    for _ in range(MOST_DEPTH + 4):
        carry_on()
    firings = list(RuleFiring.objects.order_by("depth"))
    assert [firing.state for firing in firings] == ["done"] * MOST_DEPTH + ["stopped"]
    assert sentence_of(firings[-1]) == "stopped: rules in a circle: rules set each other off in a circle"
    (notice,) = Notification.objects.filter(user=admin)
    assert "was stopped" in notice.text


def test_slow_circle_stops_too(deal: Deal, rep: User, admin: User, stages: Stages) -> None:
    rule_for(stages["meeting"], ("move", {"stage": stages["proposal"].pk}), trigger="staying", days=1)
    rule_for(stages["proposal"], ("move", {"stage": stages["meeting"].pk}), trigger="staying", days=1)
    move(deal, stages["meeting"], rep)
    for day in range(1, MOST_DEPTH + 4):
        StageVisit.objects.update(recorded_at=timezone.now() - dt.timedelta(days=1, seconds=30))
        fire_on_staying(now=timezone.now() + dt.timedelta(days=day, minutes=1))
        carry_on(day * 86_400 + 120)
    states = list(RuleFiring.objects.order_by("depth").values_list("state", flat=True))
    assert states == ["done"] * MOST_DEPTH + ["stopped"]


# --- Faults ---------------------------------------------------------------------------------------------------------


def test_an_action_that_breaks_leaves_nothing_behind_and_is_tried_again(
    deal: Deal, rep: User, admin: User, stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_act: kinds.Act, _values: kinds.Values) -> str:
        raise OSError("the disk is full")

    kind = kinds.ActionKind("break", "Break", broken)
    monkeypatch.setitem(kinds._kinds, "break", kind)
    rule = rule_for(stages["meeting"], TAG, ("break", {}))
    move(deal, stages["meeting"], rep)
    carry_on()
    assert (rule.firings.get().state, Deal.objects.get(pk=deal.pk).tags) == ("waiting", [])

    OutboxRow.objects.filter(kind="stage_rule").update(attempts=11)
    carry_on()
    firing = rule.firings.get()
    assert (firing.state, firing.error) == ("failed", "OSError: the disk is full")
    deliver_due(seconds=5)
    assert "could not be carried out" in Notification.objects.get(user=admin).text

    monkeypatch.setitem(kinds._kinds, "break", kinds.ActionKind("break", "Break", lambda _act, _values: "mended"))
    retry(OutboxRow.objects.get(kind="stage_rule"))
    carry_on()
    assert came_of(rule) == ["Add a tag (seen); Break (mended)"]


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_and_two_workers_fire_once(rep: User, stages: Stages) -> None:
    rule = rule_for(stages["prospecting"], ("follow_ups", {"list": list_of("Call").pk}), trigger="staying", days=1)
    at = timezone.now() - dt.timedelta(days=1, minutes=5)
    deals = [DealFactory(owner=rep, created_at=at) for _ in range(20)]
    StageVisit.objects.update(recorded_at=at)
    barrier = threading.Barrier(4)

    def sweep() -> None:
        barrier.wait()
        fire_on_staying(now=timezone.now())
        deliver_due(seconds=20)
        connection.close()

    threads = [threading.Thread(target=sweep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    fire_on_staying(now=timezone.now())
    deliver_due(seconds=20)
    assert rule.firings.filter(state="done").count() == len(deals)
    assert FollowUp.objects.count() == len(deals)


def test_times_fit_together() -> None:
    assert coming_true.DUE_AFTER > coming_true.UNDO_WITHIN >= dt.timedelta(seconds=10)
