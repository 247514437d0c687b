"""Several deals moved together over HTTP: each by its own rule, those that stay named with the reason."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm.models import AuditEntry, User
from pipeline.models import Deal, Stage
from pipeline.rules.deals import edit_deal
from tests.factories import DealFactory

pytestmark = pytest.mark.django_db
Stages = dict[str, Stage]
BOARD = {"X-Board": "drag", "HX-Request": "true"}


def move(client: Client, deals: list[Deal], to: Stage, **more: Any) -> Any:
    said = {"chosen": [f"{deal.pk}:{deal.version}" for deal in deals], "to": to.pk, **more}
    return client.post(reverse("deal_move_together"), said, headers=BOARD)


def places(*deals: Deal) -> list[str]:
    return [Deal.objects.select_related("stage").get(pk=deal.pk).stage.slug for deal in deals]


def test_all_move_and_lie_on_top_in_their_order(client: Client, rep: User, stages: Stages) -> None:
    client.force_login(rep)
    first, second = DealFactory(owner=rep, stage="meeting"), DealFactory(owner=rep, stage="proposal")
    below = DealFactory(owner=rep, stage="negotiation")

    answer = move(client, [first, second], stages["negotiation"])

    assert answer.status_code == 200
    assert [one["pk"] for one in answer.json()["moved"]] == [first.pk, second.pk]
    assert all(f'id="deal-{one["pk"]}"' in one["card"] for one in answer.json()["moved"])
    assert answer.json()["refused"] == ""
    column = Deal.objects.filter(stage=stages["negotiation"]).in_board_order()
    assert list(column) == [first, second, below]
    assert AuditEntry.objects.about("deal", first.pk).first().actor == rep


def test_those_refused_stay_and_are_named_with_the_reason(
    client: Client, rep: User, colleague: User, stages: Stages
) -> None:
    Stage.objects.filter(pk=stages["negotiation"].pk).update(required_fields=["amount"])
    ready = DealFactory(owner=rep, stage="meeting", amount=Decimal(5))
    lacking = DealFactory(owner=rep, stage="meeting", name="Cheese <vat>", amount=None)
    changed = DealFactory(owner=rep, stage="meeting", name="Changed meanwhile", amount=Decimal(5))
    foreign = DealFactory(owner=colleague, stage="meeting", name="Colleague's", amount=Decimal(5))
    edit_deal(changed, fields={"amount": Decimal(6)}, seen_version=changed.version, by=rep)
    client.force_login(rep)

    answer = move(client, [ready, lacking, changed, foreign], stages["negotiation"]).json()

    assert [one["pk"] for one in answer["moved"]] == [ready.pk]
    assert places(ready, lacking, changed, foreign) == ["negotiation", "meeting", "meeting", "meeting"]
    assert "Cheese &lt;vat&gt;" in answer["refused"]
    assert "Before this move the deal needs: Amount." in answer["refused"]
    assert "changed in the meantime" in answer["refused"]
    assert "not change it" in answer["refused"]


def test_what_one_may_not_see_is_counted_and_not_named(
    client: Client, rep: User, outsider: User, stages: Stages
) -> None:
    foreign = DealFactory(owner=rep, name="Secret")
    client.force_login(outsider)
    answer = move(client, [foreign], stages["meeting"]).json()
    assert answer["moved"] == []
    assert "1 deal is no longer here" in answer["refused"]
    assert "Secret" not in answer["refused"]
    assert places(foreign) == ["prospecting"]


def test_a_retry_with_the_same_key_gets_the_first_answer(client: Client, rep: User, stages: Stages) -> None:
    client.force_login(rep)
    deals = [DealFactory(owner=rep), DealFactory(owner=rep)]
    move(client, deals[:1], stages["meeting"], key="k1")
    Deal.objects.get(pk=deals[0].pk)

    again = move(client, deals, stages["meeting"], key="k1").json()

    assert again["refused"] == ""
    assert [one["pk"] for one in again["moved"]] == [deal.pk for deal in deals], "also what the first try moved"
    assert {one["from_label"] for one in again["moved"]} == {stages["prospecting"].label}
    assert places(*deals) == ["meeting", "meeting"]
    assert deals[0].visits.count() == 2


def test_what_lies_there_already_is_left_out_of_the_answer(client: Client, rep: User, stages: Stages) -> None:
    client.force_login(rep)
    assert move(client, [DealFactory(owner=rep, stage="meeting")], stages["meeting"], key="k2").json()["moved"] == []


def test_without_script_it_is_said_on_the_page_one_comes_back_to(client: Client, rep: User, stages: Stages) -> None:
    Stage.objects.filter(pk=stages["close"].pk).update(required_fields=["amount"])
    deal, lacking = DealFactory(owner=rep, amount=Decimal(1)), DealFactory(owner=rep, amount=None, name="Vat")
    client.force_login(rep)
    said = {
        "chosen": [f"{deal.pk}:1", f"{lacking.pk}:1"], "to": stages["close"].pk, "back": "/board/sales/?owner=1",
    }  # fmt: skip
    answer = client.post(reverse("deal_move_together"), said)
    assert answer["Location"] == "/board/sales/?owner=1"
    texts = [str(message) for message in get_messages(answer.wsgi_request)]
    assert texts[0] == "Changed: 1."
    assert texts[1].startswith("Left as it was: “Vat”. ")


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({}, 422),
        ({"chosen": ["x"]}, 422),
        ({"chosen": ["7"]}, 422),
        ({"chosen": ["7:1:1"]}, 422),
        ({"chosen": [f"{pk}:1" for pk in range(1, 202)]}, 422),
        ({"chosen": ["7:1"], "to": "999999"}, 404),
    ],
)
def test_bad_input_is_refused(client: Client, rep: User, stages: Stages, said: dict[str, Any], status: int) -> None:
    client.force_login(rep)
    answer = client.post(reverse("deal_move_together"), {"to": stages["meeting"].pk, **said}, headers=BOARD)
    assert answer.status_code == status


def test_deals_are_not_won_together_and_that_is_said(client: Client, rep: User, stages: Stages) -> None:
    client.force_login(rep)
    deal = DealFactory(owner=rep)
    answer = move(client, [deal], stages["fulfilment"])
    assert answer.status_code == 422
    assert answer.content.decode() == "Win deals one by one: each is asked for its amount and day."
    assert places(deal) == ["prospecting"]


def change(client: Client, verb: str, deals: list[Deal], to: Any, **more: Any) -> Any:
    said = {"chosen": [f"{deal.pk}:{deal.version}" for deal in deals], "to": to, **more}
    return client.post(reverse(f"deal_{verb}_together"), said, headers=BOARD)


def test_chosen_deals_are_handed_over_and_each_can_be_taken_back(
    client: Client, rep: User, colleague: User, outsider: User, stages: Stages
) -> None:
    client.force_login(rep)
    at = timezone.now()
    mine = DealFactory(owner=rep)
    won = DealFactory(owner=rep, stage="fulfilment", outcome="won", won_at=at, created_at=at, name="Won already")
    theirs = DealFactory(owner=colleague)

    answer = change(client, "hand_over", [mine, won, theirs], colleague.pk, key="k").json()

    [moved] = answer["moved"]
    assert (moved["pk"], moved["from"], moved["stage"]) == (mine.pk, str(rep.pk), str(colleague.pk))
    assert (moved["from_label"], moved["to_label"], moved["by"]) == (str(rep), str(colleague), "owner")
    assert "Won already" in answer["refused"]
    assert Deal.objects.get(pk=mine.pk).owner == colleague
    again = change(client, "hand_over", [mine], colleague.pk, key="k").json()
    assert [(one["pk"], one["from"]) for one in again["moved"]] == [(mine.pk, str(rep.pk))], "the first answer again"
    said = {"version": moved["version"], "by": moved["by"], "key": ""}
    assert client.post(moved["undo"], said, headers=BOARD).status_code == 200
    assert Deal.objects.get(pk=mine.pk).owner == rep
    for nobody in (outsider.pk, 999_999):
        refused = change(client, "hand_over", [mine], nobody)
        assert (refused.status_code, refused.text) == (422, "This person takes no deals any more; choose another.")


def test_chosen_deals_are_redated_each_on_its_own_day_of_the_month(client: Client, rep: User, stages: Stages) -> None:
    client.force_login(rep)
    month = timezone.localdate().replace(day=1) + relativedelta(months=2)
    early = DealFactory(owner=rep, expected_close_on=dt.date(2020, 1, 9))
    undated = DealFactory(owner=rep, expected_close_on=None)
    there = DealFactory(owner=rep, expected_close_on=month + relativedelta(day=3))

    answer = change(client, "redate", [early, undated, there], f"{month:%Y-%m}", key="k").json()

    assert [one["pk"] for one in answer["moved"]] == [early.pk, undated.pk]
    assert [one["from_label"] for one in answer["moved"]] == ["Earlier", "No date"]
    days = [Deal.objects.get(pk=deal.pk).expected_close_on for deal in (early, undated, there)]
    assert days == [month + relativedelta(day=9), month + relativedelta(day=31), month + relativedelta(day=3)]
    again = change(client, "redate", [early], f"{month:%Y-%m}", key="k").json()
    assert [one["from"] for one in again["moved"]] == ["earlier"]
    assert change(client, "redate", [early], "later").text.startswith("Choose a month that is told apart")

    Stage.objects.filter(pk=undated.stage_id).update(required_fields=["expected_close_on"])
    undated.refresh_from_db()
    answer = change(client, "redate", [undated], "none").json()
    assert answer["moved"] == []
    assert "asks for this, so it cannot be empty: Expected close." in answer["refused"]
