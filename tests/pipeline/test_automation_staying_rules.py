"""Rules about staying: once a stay, asked again before anything is done, and not for what was brought in."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.utils import timezone

from crm.models import (
    User,
)
from crm.rules.delivering import deliver_due
from pipeline.models import Deal, LossReason, RuleFiring, Stage, StageRule, StageVisit
from pipeline.rules.automation.coming_true import fire_on_staying
from pipeline.rules.automation.words import sentence_of
from pipeline.rules.moving import Loss, lose_deal, move_deal, undo_move
from tests.factories import DealFactory
from tests.factories.records import bring_in
from tests.factories.stage_rules import let_time_pass, rule_for

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


def staying(deal: Deal, days: float) -> None:
    """Let the deal have stood in its first stage for so many days."""
    at = timezone.now() - dt.timedelta(days=days)
    StageVisit.objects.filter(deal=deal).update(recorded_at=at)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute("UPDATE pipeline_stagevisit SET entered_at = %s WHERE deal_id = %s", [at, deal.pk])
        cursor.execute(
            "UPDATE pipeline_deal SET created_at = %s, stage_entered_at = %s WHERE id = %s", [at, at, deal.pk]
        )


def test_staying_fires_once_a_stay(deal: Deal, rep: User, stages: Stages) -> None:
    rule = rule_for(stages["prospecting"], TAG, trigger="staying", days=5)
    now = timezone.now()
    staying(deal, 4)
    assert fire_on_staying(now=now) == 0
    assert fire_on_staying(now=now + dt.timedelta(days=1, minutes=1)) == 1
    assert fire_on_staying(now=now + dt.timedelta(days=2)) == 0
    carry_on(3 * 86_400)
    assert came_of(rule) == ["Add a tag (seen)"]


def test_staying_is_asked_again_before_anything_is_done(deal: Deal, rep: User, stages: Stages) -> None:
    moved_on = rule_for(stages["prospecting"], TAG, trigger="staying", days=5)
    staying(deal, 5.1)
    fire_on_staying(now=timezone.now())
    move(deal, stages["meeting"], rep)
    carry_on()
    assert came_of(moved_on) == ["not needed: the deal had moved on"]


def test_undone_departure_does_not_lose_the_rule_about_staying(deal: Deal, rep: User, stages: Stages) -> None:
    rule = rule_for(stages["prospecting"], TAG, trigger="staying", days=5)
    staying(deal, 5.1)
    fire_on_staying(now=timezone.now())
    moved = move(deal, stages["meeting"], rep)
    deliver_due(seconds=5)
    undo_move(moved, seen_version=moved.version, by=rep, now=timezone.now())
    fire_on_staying(now=timezone.now())
    carry_on()
    assert came_of(rule) == ["Add a tag (seen)"]


def test_what_lasted_before_the_rule_or_was_brought_in_fires_nothing(deal: Deal, rep: User, stages: Stages) -> None:
    now = timezone.now()
    staying(deal, 40)
    rule_for(stages["prospecting"], TAG, trigger="staying", days=5)  # in force for 30 days
    DealFactory(owner=rep, created_at=now - dt.timedelta(days=20))  # recorded today, as by an import
    assert fire_on_staying(now=now) == 0


def test_lost_deals_do_not_stay(deal: Deal, rep: User, stages: Stages) -> None:
    rule_for(stages["prospecting"], TAG, trigger="staying", days=2)
    staying(deal, 2.1)
    fresh = Deal.objects.get(pk=deal.pk)
    loss = Loss(LossReason.objects.get(name="Price"))
    lose_deal(fresh, loss=loss, seen_version=fresh.version, by=rep, now=timezone.now())
    assert fire_on_staying(now=timezone.now()) == 0


# --- What is brought in ---------------------------------------------------------------------------------------------


def test_an_import_fires_nothing_and_its_undoing_neither(rep: User, stages: Stages) -> None:
    rule_for(stages["meeting"], TAG)
    rule_for(stages["prospecting"], TAG, trigger="leaving")
    rule_for(stages["meeting"], TAG, trigger="staying", days=3)
    now = timezone.now()
    entered = f"{now - dt.timedelta(days=10):%Y-%m-%d}"
    rows = f"external_id,name,stage,created_at\n1,Pumps,meeting,{entered}\n2,Fans,meeting,{now:%Y-%m-%d}\n"
    assert bring_in("deals", rows, owner_default=rep).created == 2
    assert fire_on_staying(now=now) == 0
    assert not RuleFiring.objects.exists()

    # From then on they are deals as any other: the one that reaches three days here is noticed.
    assert fire_on_staying(now=now + dt.timedelta(days=3, minutes=1)) == 1
    assert RuleFiring.objects.get().deal.name == "Fans"
