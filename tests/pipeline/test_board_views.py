"""The board over HTTP: totals of all deals, cards by and by, moves with every answer they can get."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from crm.models import Company, ExchangeRate, User
from pipeline.models import ChecklistItem, Deal, LossReason, Stage
from tests.factories import ActivityFactory, CompanyFactory, DealFactory, FollowUpFactory

pytestmark = pytest.mark.django_db
Stages = dict[str, Stage]


@pytest.fixture
def deal(rep: User, stages: Stages) -> Deal:
    return DealFactory(owner=rep, stage="proposal", amount=Decimal(500), name="Pasteuriser")


@pytest.fixture
def rep_client(client: Client, rep: User) -> Client:
    client.force_login(rep)
    return client


def login(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def move(client: Client, deal: Deal, to: Stage, **fields: object) -> object:
    return client.post(
        f"/deals/{deal.pk}/move/",
        {"to": to.pk, "version": deal.version, **fields},
        headers={"X-Board": "drag", "HX-Request": "true"},
    )


def column_of(response: object, slug: str) -> object:
    return next(column for column in response.context["columns"] if column.stage.slug == slug)


def test_board_leads_to_the_first_pipeline(rep_client: Client, deal: Deal) -> None:
    assert rep_client.get("/board/")["Location"] == "/board/sales/"
    assert rep_client.get("/board/?by=owner&q=pump")["Location"] == "/board/sales/?by=owner&q=pump"


def test_totals_are_of_all_deals_not_of_those_loaded(rep_client: Client, rep: User, stages: Stages) -> None:
    for _number in range(30):
        DealFactory(owner=rep, amount=100)
    page = rep_client.get("/board/sales/")
    column = column_of(page, "prospecting")
    assert (column.count, column.amount, column.weighted) == (30, Decimal(3000), Decimal(300))
    assert len(column.cards) < 30
    more = rep_client.get(
        f"/board/sales/columns/{column.stage.pk}/?after={column.more_after}", headers={"HX-Request": "true"}
    )
    assert more.content.decode().count("<article") == 30 - len(column.cards)


@pytest.mark.parametrize("query", ["", "?q=e"])
def test_currencies_are_converted_never_added(rep_client: Client, rep: User, stages: Stages, query: str) -> None:
    ExchangeRate.objects.create(on=dt.date(2020, 1, 1), currency="USD", rate=Decimal("0.5"))
    DealFactory(owner=rep, amount=100, currency="USD")
    DealFactory(owner=rep, amount=100)
    assert column_of(rep_client.get(f"/board/sales/{query}"), "prospecting").amount == 150


def test_a_missing_rate_names_currency_and_day(rep_client: Client, rep: User, stages: Stages) -> None:
    DealFactory(owner=rep, amount=100, currency="CHF")
    page = rep_client.get("/board/sales/")
    assert f"no rate CHF {timezone.now():%Y-%m-%d}" in page.content.decode()
    assert column_of(page, "prospecting").amount is None


def test_activity_states_are_counted(rep_client: Client, rep: User, stages: Stages) -> None:
    now = timezone.now()
    for due_at in (now - dt.timedelta(hours=2), now + dt.timedelta(days=3)):
        FollowUpFactory(subject=DealFactory(owner=rep), assignee=rep, due_at=due_at)
    DealFactory(owner=rep)
    states = column_of(rep_client.get("/board/sales/"), "prospecting").states
    assert (states.overdue, states.today, states.planned, states.unplanned) == (1, 0, 1, 1)
    only = rep_client.get("/board/sales/?state=overdue")
    assert column_of(only, "prospecting").count == 1


def test_filters_stand_in_the_address(rep_client: Client, rep: User, colleague: User, stages: Stages) -> None:
    DealFactory(owner=rep, name="Сушильный шкаф Ёлка")
    DealFactory(owner=colleague, company=CompanyFactory(name="Halden"))
    assert column_of(rep_client.get(f"/board/sales/?owner={colleague.pk}"), "prospecting").count == 1
    assert column_of(rep_client.get("/board/sales/?q=ШКАФ елка"), "prospecting").count == 1
    assert column_of(rep_client.get("/board/sales/?q=halden"), "prospecting").count == 1


@pytest.mark.parametrize("query", ["owner=999999", "team=999999", "source=999999", "state=sleepy"])
def test_unknown_filter_values_are_404(rep_client: Client, deal: Deal, query: str) -> None:
    assert rep_client.get(f"/board/sales/?{query}").status_code == 404


def test_a_filter_that_cannot_be_read_is_said_beside_it(rep_client: Client, rep: User, stages: Stages) -> None:
    DealFactory(owner=rep, name="Filler")
    DealFactory(owner=rep, name="Dryer")
    page = rep_client.get("/board/sales/?amount_from=plenty&q=filler")
    assert page.status_code == 422
    assert "Amount from: Enter a number." in page.content.decode()
    assert 'value="plenty"' in page.content.decode()
    assert column_of(page, "prospecting").count == 1


def test_a_foreign_owner_is_404_and_unknown_pipelines_are(rep_client: Client, outsider: User, deal: Deal) -> None:
    assert rep_client.get(f"/board/sales/?owner={outsider.pk}").status_code == 404
    assert rep_client.get("/board/nowhere/").status_code == 404


def test_outsiders_see_an_empty_board(outsider: User, deal: Deal) -> None:
    page = login(outsider).get("/board/sales/")
    assert "Pasteuriser" not in page.content.decode()
    assert all(column.count == 0 for column in page.context["columns"])


def test_board_takes_few_queries_however_many_cards(
    rep_client: Client, rep: User, stages: Stages, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for slug in stages:
        if slug != "fulfilment":
            for _number in range(15):
                DealFactory(owner=rep, stage=slug, company=CompanyFactory())
    rep_client.get("/board/sales/")
    with django_assert_max_num_queries(32):
        assert rep_client.get("/board/sales/").status_code == 200


def test_a_drag_answers_the_fresh_card(rep_client: Client, deal: Deal, stages: Stages) -> None:
    answer = move(rep_client, deal, stages["close"])
    assert answer.status_code == 200
    assert f'id="deal-{deal.pk}"' in answer.content.decode()
    event = json.loads(answer["HX-Trigger"])["deal-moved"]
    assert (event["version"], event["stage"], event["from"]) == (2, stages["close"].pk, stages["proposal"].pk)


def test_a_move_asks_the_database_little(
    client: Client, manager: User, deal: Deal, stages: Stages, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client.force_login(manager)
    client.get("/board/sales/")
    with django_assert_max_num_queries(21):  # a savepoint stands for the transaction here
        assert move(client, deal, stages["close"], key="k1").status_code == 200


def test_a_card_that_moves_says_when_nobody_has_spoken_of_it(rep: User, rep_client: Client, stages: Stages) -> None:
    Stage.objects.update(quiet_days=5)
    begun = timezone.now() - dt.timedelta(days=30)
    silent, spoken_of = (DealFactory(owner=rep, created_at=begun) for _number in range(2))
    ActivityFactory(subject=spoken_of, kind="meeting", at=timezone.now() - dt.timedelta(days=1))
    assert "Quiet 30" in move(rep_client, silent, stages["close"]).content.decode()
    assert "Quiet" not in move(rep_client, spoken_of, stages["close"]).content.decode()


def test_a_retry_with_the_same_key_gets_the_first_answer(rep_client: Client, deal: Deal, stages: Stages) -> None:
    first = move(rep_client, deal, stages["close"], key="k1")
    again = move(rep_client, deal, stages["close"], key="k1")
    assert (first.status_code, again.status_code) == (200, 200)
    assert deal.visits.count() == 2


def test_the_key_of_another_move_is_refused_not_thrown(rep_client: Client, deal: Deal, stages: Stages) -> None:
    other = DealFactory(owner=deal.owner)
    move(rep_client, deal, stages["close"], key="k1")
    answer = move(rep_client, other, stages["close"], key="k1")
    assert answer.status_code == 422
    assert "key of another" in answer.content.decode()
    other.refresh_from_db()
    assert other.version == 1


def test_a_stale_move_is_409_with_the_fresh_card(rep_client: Client, manager: User, deal: Deal, stages: Stages) -> None:
    move(login(manager), deal, stages["negotiation"])
    answer = move(rep_client, deal, stages["meeting"])
    assert answer.status_code == 409
    assert "Mara Manager moved" in answer.content.decode()
    assert f'id="deal-{deal.pk}"' in answer.content.decode()
    deal.refresh_from_db()
    assert deal.stage == stages["negotiation"]


def test_a_missing_requirement_is_422_and_asks(rep_client: Client, deal: Deal, stages: Stages) -> None:
    Stage.objects.filter(slug="close").update(required_fields=["expected_close_on", "company"])
    answer = move(rep_client, deal, stages["close"])
    assert answer.status_code == 422
    assert 'name="expected_close_on"' in answer.content.decode()
    assert 'name="company"' in answer.content.decode()
    plain = rep_client.post(f"/deals/{deal.pk}/move/", {"to": stages["close"].pk, "version": 1})
    assert plain.status_code == 422


def test_what_is_left_to_tick_off_is_asked_for_and_taken_along(rep_client: Client, deal: Deal, stages: Stages) -> None:
    item = ChecklistItem.objects.create(stage=stages["proposal"], name="Proposal sent", is_required=True)
    asked = move(rep_client, deal, stages["close"])
    assert asked.status_code == 422
    assert "Proposal sent" in asked.content.decode()
    assert "optional" not in asked.content.decode()

    assert move(rep_client, deal, stages["close"], ticked=999_999).status_code == 422
    assert move(rep_client, deal, stages["close"], ticked=item.pk).status_code == 200
    assert deal.ticks.get().item == item


def test_winning_asks_for_ticks_too_and_a_refusal_keeps_none(rep_client: Client, deal: Deal, stages: Stages) -> None:
    first, second = (
        ChecklistItem.objects.create(stage=stages["proposal"], name=name, is_required=True) for name in ("One", "Two")
    )
    assert "One" in rep_client.get(f"/deals/{deal.pk}/win/").content.decode()
    fields = {"version": 1, "amount": "750", "won_on": timezone.localdate().isoformat()}
    assert rep_client.post(f"/deals/{deal.pk}/win/", {**fields, "ticked": first.pk}).status_code == 422
    assert not deal.ticks.exists()
    refused = rep_client.post(f"/deals/{deal.pk}/win/", fields).content.decode()
    assert "is won" in refused
    both = {**fields, "ticked": [first.pk, second.pk]}
    assert rep_client.post(f"/deals/{deal.pk}/win/", both).status_code == 302
    assert deal.ticks.count() == 2


def test_winning_asks_amount_and_day(rep_client: Client, deal: Deal) -> None:
    answer = rep_client.post(f"/deals/{deal.pk}/win/", {"version": 1, "amount": "", "won_on": "2999-01-01"})
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"amount", "won_on"}
    today = timezone.localdate().isoformat()
    assert (
        rep_client.post(f"/deals/{deal.pk}/win/", {"version": 1, "amount": "750", "won_on": today}).status_code == 302
    )
    deal.refresh_from_db()
    assert (deal.outcome, deal.amount) == ("won", 750)


def test_losing_needs_a_reason(rep_client: Client, deal: Deal) -> None:
    assert rep_client.post(f"/deals/{deal.pk}/lose/", {"version": 1}).status_code == 422
    reason = LossReason.objects.first()
    assert rep_client.post(f"/deals/{deal.pk}/lose/", {"version": 1, "reason": reason.pk}).status_code == 302
    deal.refresh_from_db()
    assert (deal.outcome, deal.loss_reason) == ("lost", reason)


def test_who_may_not_move_is_told_so(colleague: User, viewer: User, outsider: User, deal: Deal, stages: Stages) -> None:
    assert move(login(colleague), deal, stages["close"]).status_code == 403
    assert move(login(viewer), deal, stages["close"]).status_code == 403
    assert move(login(outsider), deal, stages["close"]).status_code == 404
    deal.refresh_from_db()
    assert deal.version == 1


def test_wrong_input_is_answered_not_thrown(rep_client: Client, deal: Deal, stages: Stages) -> None:
    assert rep_client.post(f"/deals/{deal.pk}/move/", {"to": 999_999, "version": 1}).status_code == 404
    assert rep_client.post(f"/deals/{deal.pk}/move/", {"to": stages["close"].pk, "version": "x"}).status_code == 422
    assert rep_client.put(f"/deals/{deal.pk}/move/").status_code == 405
    assert rep_client.post("/board/sales/").status_code == 405
    assert rep_client.get(f"/board/sales/columns/{stages['close'].pk}/?after=nonsense").status_code == 404
    for moment in ("2026-11-11", "0001-01-01T00:00:00%2B23:59", "9999-12-31T23:59:59-23:59"):
        answer = rep_client.get(f"/board/sales/columns/{stages['fulfilment'].pk}/?after={moment}~1")
        assert answer.status_code in {200, 404}
    assert rep_client.get("/board/sales/changes/?since=x").status_code == 404


def test_undo_over_http(rep_client: Client, deal: Deal, stages: Stages) -> None:
    move(rep_client, deal, stages["close"])
    answer = rep_client.post(f"/deals/{deal.pk}/undo/", {"version": 2}, headers={"X-Board": "drag"})
    assert answer.status_code == 200
    deal.refresh_from_db()
    assert deal.stage == stages["proposal"]
    assert rep_client.post(f"/deals/{deal.pk}/undo/", {"version": 3}, headers={"X-Board": "drag"}).status_code == 409


def test_changes_are_told_once(rep_client: Client, manager: User, deal: Deal, stages: Stages) -> None:
    cursor = rep_client.get("/board/sales/").context["cursor"]
    move(login(manager), deal, stages["close"])
    answer = rep_client.get(f"/board/sales/changes/?since={cursor}").json()
    [changed] = answer["cards"]
    assert (changed["pk"], changed["stage"], changed["after"]) == (deal.pk, str(stages["close"].pk), None)
    assert answer["cursor"] > cursor


def test_changes_tell_nothing_of_deals_one_may_not_see(
    rep: User, colleague: User, outsider: User, manager: User, deal: Deal, stages: Stages
) -> None:
    watching, watching_from_outside = login(rep), login(outsider)
    cursor = watching.get("/board/sales/").context["cursor"]
    move(login(manager), deal, stages["close"])
    answer = watching_from_outside.get(f"/board/sales/changes/?since={cursor}").json()
    assert (answer["cards"], answer["gone"]) == ([], [])

    Deal.objects.filter(pk=deal.pk).update(owner=outsider)
    assert watching.get(f"/board/sales/changes/?since={cursor}").json()["gone"] == [deal.pk]
    [card] = watching_from_outside.get(f"/board/sales/changes/?since={cursor}").json()["cards"]
    assert card["pk"] == deal.pk


def test_a_deal_in_the_bin_leaves_the_boards_of_others(rep_client: Client, deal: Deal) -> None:
    cursor = rep_client.get("/board/sales/").context["cursor"]
    Deal.objects.filter(pk=deal.pk).update(deleted_at=timezone.now())
    assert rep_client.get(f"/board/sales/changes/?since={cursor}").json()["gone"] == [deal.pk]


def test_one_card_looks_different_to_owner_and_colleague(rep: User, colleague: User, deal: Deal) -> None:
    own, others = (login(person).get("/board/sales/").content.decode() for person in (rep, colleague))
    assert "is-mine" in own
    assert "data-movable" in own
    assert "data-movable" not in others


def test_a_card_speaks_the_readers_language_and_clock(rep: User, deal: Deal) -> None:
    due_at = timezone.now() + dt.timedelta(minutes=1)
    FollowUpFactory(subject=deal, assignee=rep, due_at=due_at)
    texts = []
    for language, zone in (("en", "UTC"), ("ru", "UTC"), ("en", "Asia/Kathmandu")):
        User.objects.filter(pk=rep.pk).update(language=language, time_zone=zone)
        texts.append(login(rep).get(f"/board/sales/cards/{deal.pk}/").content.decode())
    assert len(set(texts)) == 3


def test_hostile_titles_are_text(rep_client: Client, rep: User, stages: Stages) -> None:
    DealFactory(owner=rep, name="<script>alert(1)</script> =cmd|' /C calc'!A0 \u202eevil")
    body = rep_client.get("/board/sales/").content.decode()
    assert "<script>alert(1)" not in body
    assert "&lt;script&gt;alert(1)" in body


def test_the_headline_is_added_up_exactly_and_rounded_last(
    rep_client: Client, rep: User, stages: Stages, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for stage in ("prospecting", "meeting", "proposal"):
        DealFactory(owner=rep, stage=stage, amount=Decimal("100.40"))
    page = rep_client.get("/board/sales/")
    assert page.context["whole"]["amount"] == 301  # 100 three times, were each column rounded
    with django_assert_max_num_queries(12):
        anew = rep_client.get("/board/sales/", headers={"HX-Request": "true", "HX-Target": "board-figures"})
    assert anew.status_code == 200
    assert "€301" in anew.content.decode()
    assert "deal-card" not in anew.content.decode()


def test_quick_add_makes_a_deal_and_says_what_is_wrong(
    rep_client: Client, rep: User, viewer: User, stages: Stages
) -> None:
    url = f"/board/sales/columns/{stages['meeting'].pk}/add/"
    assert rep_client.post(url, {"name": ""}).status_code == 422
    assert rep_client.post(url, {"name": "x" * 300}).status_code == 422
    added = rep_client.post(
        url, {"name": "New line", "company": "Alpen", "amount": "1 500,00"}, headers={"HX-Request": "true"}
    )
    assert added.status_code == 200
    deal = Deal.objects.get(name="New line")
    assert (deal.stage, deal.company.name) == (stages["meeting"], "Alpen")
    assert login(viewer).post(url, {"name": "No"}).status_code == 403


def test_quick_add_that_is_refused_leaves_no_company(rep_client: Client, stages: Stages) -> None:
    Stage.objects.filter(pk=stages["meeting"].pk).update(required_fields=["expected_close_on"])
    url = f"/board/sales/columns/{stages['meeting'].pk}/add/"
    assert rep_client.post(url, {"name": "New line", "company": "Alpen"}).status_code == 422
    assert not Company.objects.filter(name="Alpen").exists()
