"""The board by owner and by month: what stands in its columns, who sees which, and what dragging between them does."""

from __future__ import annotations

import datetime as dt
import html
import json
import re
from decimal import Decimal
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from crm.models import AuditEntry, ExchangeRate, User
from pipeline.models import Deal, Stage
from pipeline.rules.deals import edit_deal
from pipeline.views.board_columns import FIRST_COLUMNS
from tests.factories import CompanyFactory, DealFactory, FollowUpFactory, UserFactory

pytestmark = pytest.mark.django_db
Stages = dict[str, Stage]
DRAG = {"X-Board": "drag", "HX-Request": "true"}


def login(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def columns_of(person: User, query: str) -> dict[str, Any]:
    answer = login(person).get(f"/board/sales/?{query}")
    assert answer.status_code == 200
    return {column.key: column for column in answer.context["columns"]}


def counts_of(person: User, query: str) -> dict[str, int]:
    return {key: column.count for key, column in columns_of(person, query).items() if column.count}


def drag(person: User, deal: Deal, verb: str, to: Any, **fields: Any) -> Any:
    return login(person).post(f"/deals/{deal.pk}/{verb}/", {"to": to, "version": deal.version, **fields}, headers=DRAG)


def month(ahead: int) -> dt.date:
    return timezone.localdate().replace(day=1) + relativedelta(months=ahead)


def deal_closing(owner: User, day: dt.date | None, **fields: Any) -> Deal:
    return DealFactory(owner=owner, expected_close_on=day, **fields)


@pytest.fixture
def spread(rep: User, colleague: User, outsider: User, stages: Stages) -> list[Deal]:
    """Deals of three people in three stages, closing in every kind of month."""
    ExchangeRate.objects.create(on=dt.date(2020, 1, 1), currency="USD", rate=Decimal("0.5"))
    days = [None, month(-2), month(0), month(1), month(1), month(5), month(6), month(40)]
    made = []
    for number, day in enumerate(days * 3):
        owner = (rep, colleague, outsider)[number % 3]
        stage, currency = ("prospecting", "meeting", "close")[number % 3], ("EUR", "USD")[number % 2]
        made.append(deal_closing(owner, day, stage=stage, amount=Decimal(100 + number), currency=currency))
    return made


def test_owners_are_counted_as_bare_sql_counts_them(admin: User, spread: list[Deal]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT owner_id::text, count(*), sum(amount * CASE currency WHEN 'USD' THEN 0.5 ELSE 1 END),"
            " round(sum(amount * CASE currency WHEN 'USD' THEN 0.5 ELSE 1 END * probability / 100))"
            " FROM pipeline_deal JOIN pipeline_stage AS stage ON stage.id = stage_id WHERE outcome = 'open' GROUP BY 1"
        )
        known = {key: (count, amount, weighted) for key, count, amount, weighted in cursor.fetchall()}
    # By the running totals, and counted anew where they cannot answer.
    for query in ("by=owner", "by=owner&amount_from=1"):
        found = columns_of(admin, query)
        assert {
            key: (column.count, column.amount, column.weighted) for key, column in found.items() if column.count
        } == known


def test_months_are_counted_as_bare_sql_counts_them(admin: User, spread: list[Deal]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT CASE WHEN expected_close_on IS NULL THEN 'none' WHEN expected_close_on < %(first)s THEN 'earlier'
                WHEN expected_close_on >= %(last)s THEN 'later' ELSE to_char(expected_close_on, 'YYYY-MM') END,
                count(*), sum(amount * CASE currency WHEN 'USD' THEN 0.5 ELSE 1 END)
            FROM pipeline_deal WHERE outcome = 'open' GROUP BY 1
            """,
            {"first": month(0), "last": month(6)},
        )
        known = {key: (count, amount) for key, count, amount in cursor.fetchall()}
    found = columns_of(admin, "by=month")
    assert {key: (column.count, column.amount) for key, column in found.items() if column.count} == known
    months = [f"{month(ahead):%Y-%m}" for ahead in range(6)]
    won = next(key for key in found if key.startswith("won-"))
    assert list(found) == ["earlier", *months, "later", "none", won]


def test_one_sees_the_owners_and_deals_one_may(rep: User, colleague: User, outsider: User, spread: list[Deal]) -> None:
    assert counts_of(rep, "by=owner") == {str(rep.pk): 8, str(colleague.pk): 8}
    assert counts_of(outsider, "by=owner") == {str(outsider.pk): 8}
    assert counts_of(outsider, "by=month")["none"] == 1
    assert str(outsider.pk) not in columns_of(rep, "by=owner")
    web = login(rep)
    assert web.get(f"/board/sales/columns/{outsider.pk}/?by=owner").status_code == 404
    assert web.get(f"/board/sales/columns/{colleague.pk}/?by=owner").status_code == 200


def test_who_has_no_deals_yet_can_be_given_some(manager: User, rep: User, colleague: User, stages: Stages) -> None:
    DealFactory(owner=colleague)
    colleague_without_login = User.objects.create(email="gone@example.test", team=rep.team, is_active=False)
    keys = list(columns_of(manager, "by=owner"))
    assert keys[:3] == [str(manager.pk), str(colleague.pk), str(rep.pk)]
    assert str(colleague_without_login.pk) not in keys


def test_filters_and_states_hold_on_every_grouping(rep: User, colleague: User, spread: list[Deal]) -> None:
    FollowUpFactory(subject=spread[0], assignee=rep, due_at=timezone.now() - dt.timedelta(hours=2))
    assert columns_of(rep, "by=owner")[str(rep.pk)].states.overdue == 1
    assert columns_of(rep, "by=month")["none"].states.overdue == 1
    assert counts_of(rep, "by=month&state=overdue") == {"none": 1}
    assert counts_of(rep, f"by=owner&owner={colleague.pk}") == {str(colleague.pk): 8}
    assert counts_of(rep, "by=stage") == counts_of(rep, "")


@pytest.mark.parametrize("way", ["owner", "month"])
def test_won_deals_have_their_column(rep: User, stages: Stages, way: str) -> None:
    won_at = timezone.now() - dt.timedelta(days=1)
    DealFactory(owner=rep, stage="fulfilment", outcome="won", won_at=won_at, created_at=won_at, name="Done")
    found = columns_of(rep, f"by={way}")
    assert [(key, column.count) for key, column in found.items() if column.count] == [
        (f"won-{stages['fulfilment'].pk}", 1)
    ]
    assert login(rep).get(f"/board/sales/columns/won-{stages['fulfilment'].pk}/?by={way}").status_code == 200


@pytest.mark.parametrize("way", ["owner", "month"])
def test_cards_come_by_and_by_soonest_first_each_once(rep: User, stages: Stages, way: str) -> None:
    days = [*(month(1) + dt.timedelta(days=number % 5) for number in range(50))]
    for day in days if way == "month" else [*days, None, None]:
        deal_closing(rep, day)
    key = str(rep.pk) if way == "owner" else f"{month(1):%Y-%m}"
    web = login(rep)
    part = web.get(f"/board/sales/columns/{key}/?by={way}&after=start").content.decode()
    cards = [int(pk) for pk in re.findall(r'id="deal-(\d+)"', part)]
    while more := re.search(r'class="column-more" href="([^"]+)"', part):
        part = web.get(html.unescape(more[1])).content.decode()
        cards += [int(pk) for pk in re.findall(r'id="deal-(\d+)"', part)]
    assert cards == list(Deal.objects.order_by("expected_close_on", "pk").values_list("pk", flat=True))


@pytest.mark.parametrize(
    "address",
    [
        "?by=amount", "?by=stage%20", "columns/2026-99/?by=month", "columns/0/?by=owner", "columns/nobody/?by=owner",
        "columns/99999999999999999999/?by=owner", "columns/won-99999/?by=owner", "columns/none/",
        "columns/none/?by=month&after=x", "columns/none/?by=month&after=x~1",
        "columns/none/?by=month&after=2026-13-01~1",
    ],
)  # fmt: skip
def test_what_there_is_no_column_for_is_404(rep: User, stages: Stages, address: str) -> None:
    assert login(rep).get(f"/board/sales/{address}").status_code == 404


def test_grouped_boards_take_few_queries_however_many_cards(
    rep: User, colleague: User, stages: Stages, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(60):
        owner = (rep, colleague)[number % 2]
        deal_closing(owner, month(number % 8), company=CompanyFactory(), stage=("meeting", "close")[number % 2])
    web = login(rep)
    for way, most in (("owner", 25), ("month", 24)):
        web.get(f"/board/sales/?by={way}")
        with django_assert_max_num_queries(most):
            assert web.get(f"/board/sales/?by={way}").status_code == 200


def test_columns_far_to_the_right_load_their_cards_when_seen(manager: User, rep: User, stages: Stages) -> None:
    for _number in range(FIRST_COLUMNS + 2):
        DealFactory(owner=UserFactory(team=rep.team))
    columns = [column for column in columns_of(manager, "by=owner").values() if column.count]
    # The first column is the reader's own, and empty.
    assert [bool(column.cards) for column in columns] == [True] * (FIRST_COLUMNS - 1) + [False] * 3
    answer = login(manager).get(f"/board/sales/columns/{columns[-1].key}/?by=owner&after={columns[-1].more_after}")
    assert answer.content.decode().count("<article") == 1


def test_a_grouping_lives_on_in_links_forms_and_views(rep: User, stages: Stages) -> None:
    DealFactory(owner=rep)
    page = login(rep).get(f"/board/sales/?by=month&owner={rep.pk}").content.decode()
    assert f'href="?by=owner&amp;owner={rep.pk}"' in page
    assert f'href="?owner={rep.pk}"' in page  # by stage again
    assert '<input type="hidden" name="by" value="month">' in page
    assert "asked=by%3Dmonth" in page  # what a saved view would keep


# --- Dragging -------------------------------------------------------------------------------------------------------


def test_a_drag_between_owners_hands_over(rep: User, colleague: User, stages: Stages) -> None:
    deal = DealFactory(owner=rep, stage="meeting")
    answer = drag(rep, deal, "hand-over", colleague.pk, key="k1")
    assert answer.status_code == 200
    event = json.loads(answer["HX-Trigger"])["deal-moved"]
    assert (event["by"], event["stage"], event["from"]) == ("owner", str(colleague.pk), str(rep.pk))
    card = answer.content.decode()
    assert "Meeting" in card
    assert "data-movable" not in card  # it is the colleague's now
    entry = AuditEntry.objects.about("deal", deal.pk).first()
    assert (entry.actor, entry.before["owner_id"], entry.after["owner_id"]) == (rep, rep.pk, colleague.pk)
    deal.refresh_from_db()
    assert (deal.owner, deal.version) == (colleague, 2)


def test_who_gave_a_deal_away_may_take_it_back_at_once(rep: User, colleague: User, stages: Stages) -> None:
    deal = DealFactory(owner=rep)
    drag(rep, deal, "hand-over", colleague.pk)
    back = {"version": 2, "by": "owner"}
    assert login(colleague).post(f"/deals/{deal.pk}/take-back/", back, headers=DRAG).status_code == 409
    answer = login(rep).post(f"/deals/{deal.pk}/take-back/", back, headers=DRAG)
    assert answer.status_code == 200
    assert json.loads(answer["HX-Trigger"])["deal-moved"]["stage"] == str(rep.pk)
    deal.refresh_from_db()
    assert (deal.owner, deal.version) == (rep, 3)
    assert AuditEntry.objects.about("deal", deal.pk).first().note == "undo"
    again = login(rep).post(f"/deals/{deal.pk}/take-back/", {"version": 3}, headers=DRAG)
    assert again.status_code == 409


def test_what_was_given_away_and_touched_since_is_no_longer_theirs_to_take(
    rep: User, colleague: User, stages: Stages
) -> None:
    deal = DealFactory(owner=rep)
    drag(rep, deal, "hand-over", colleague.pk)
    edit_deal(Deal.objects.get(), fields={"name": "Mine now"}, seen_version=2, by=colleague)
    assert login(rep).post(f"/deals/{deal.pk}/take-back/", {"version": 3}, headers=DRAG).status_code == 409
    assert Deal.objects.get().owner == colleague


def test_deals_are_given_only_to_those_who_may_have_them(
    rep: User, manager: User, outsider: User, viewer: User, stages: Stages
) -> None:
    deal = DealFactory(owner=rep)
    gone = User.objects.create(email="gone@example.test", name="Gone", team=rep.team, is_active=False)
    assert drag(manager, deal, "hand-over", outsider.pk).status_code == 404
    assert drag(manager, deal, "hand-over", "x").status_code == 404
    refused = drag(manager, deal, "hand-over", gone.pk)
    assert refused.status_code == 422
    assert "takes no deals any more" in refused.content.decode()
    deal.refresh_from_db()
    assert deal.version == 1


@pytest.mark.parametrize("verb", ["hand-over", "redate"])
def test_who_may_not_change_a_deal_drags_nothing(
    rep: User, colleague: User, viewer: User, outsider: User, stages: Stages, verb: str
) -> None:
    deal = DealFactory(owner=rep)
    to = colleague.pk if verb == "hand-over" else "none"
    for person, status in ((colleague, 403), (viewer, 403), (outsider, 404)):
        assert drag(person, deal, verb, to).status_code == status
    assert login(viewer).post(f"/deals/{deal.pk}/take-back/", {"version": 1}).status_code == 403
    deal.refresh_from_db()
    assert deal.version == 1


def test_a_drag_between_months_keeps_the_day(rep: User, stages: Stages) -> None:
    deal = deal_closing(rep, month(1) + dt.timedelta(days=14))
    answer = drag(rep, deal, "redate", f"{month(3):%Y-%m}", key="k1")
    assert answer.status_code == 200
    event = json.loads(answer["HX-Trigger"])["deal-moved"]
    assert (event["by"], event["stage"], event["from"]) == ("month", f"{month(3):%Y-%m}", f"{month(1):%Y-%m}")
    deal.refresh_from_db()
    assert deal.expected_close_on == month(3) + dt.timedelta(days=14)

    retried = drag(rep, Deal(pk=deal.pk, version=1), "redate", f"{month(3):%Y-%m}", key="k1")
    assert retried.status_code == 200
    assert Deal.objects.get().version == 2

    back = login(rep).post(f"/deals/{deal.pk}/take-back/", {"version": 2, "by": "month"}, headers=DRAG)
    assert json.loads(back["HX-Trigger"])["deal-moved"]["stage"] == f"{month(1):%Y-%m}"
    deal.refresh_from_db()
    assert deal.expected_close_on == month(1) + dt.timedelta(days=14)


def test_a_date_is_taken_away_unless_the_stage_wants_one(rep: User, stages: Stages) -> None:
    deal = deal_closing(rep, month(1), stage="meeting")
    Stage.objects.filter(slug="meeting").update(required_fields=["expected_close_on"])
    refused = drag(rep, deal, "redate", "none")
    assert refused.status_code == 422
    assert "The stage asks for this." in refused.content.decode()
    Stage.objects.filter(slug="meeting").update(required_fields=[])
    assert drag(rep, deal, "redate", "none").status_code == 200
    assert Deal.objects.get().expected_close_on is None


@pytest.mark.parametrize("to", ["earlier", "later", "1999-01", "2026-13", "x"])
def test_what_is_no_month_asks_for_a_day(rep: User, stages: Stages, to: str) -> None:
    deal = deal_closing(rep, month(1))
    refused = drag(rep, deal, "redate", to)
    assert refused.status_code == 422
    assert 'name="expected_close_on"' in refused.content.decode()
    day = month(30)
    assert drag(rep, deal, "redate", "later", expected_close_on=day.isoformat()).status_code == 200
    assert Deal.objects.get().expected_close_on == day


def test_a_day_that_is_over_is_refused(rep: User, stages: Stages) -> None:
    deal = deal_closing(rep, month(1))
    yesterday = timezone.localdate() - dt.timedelta(days=1)
    refused = drag(rep, deal, "redate", "", expected_close_on=yesterday.isoformat())
    assert refused.status_code == 422
    assert "This day is over" in refused.content.decode()


@pytest.mark.parametrize("verb", ["hand-over", "redate"])
def test_an_idle_page_moves_nothing_back(rep: User, manager: User, colleague: User, stages: Stages, verb: str) -> None:
    seen = deal_closing(rep, month(1))
    to = {"hand-over": manager.pk, "redate": f"{month(2):%Y-%m}"}[verb]
    late_to = {"hand-over": colleague.pk, "redate": f"{month(3):%Y-%m}"}[verb]
    assert drag(manager, seen, verb, to).status_code == 200
    answer = drag(manager, seen, verb, late_to)
    assert answer.status_code == 409
    assert f'data-stage="{to}"' in answer.content.decode()
    assert f"/{verb}/?to={late_to}" in answer.content.decode()
    assert Deal.objects.get().version == 2


@pytest.mark.parametrize("verb", ["hand-over", "redate"])
def test_a_closed_deal_stays_in_its_column(rep: User, colleague: User, stages: Stages, verb: str) -> None:
    won_at = timezone.now()
    deal = DealFactory(owner=rep, stage="fulfilment", outcome="won", won_at=won_at, created_at=won_at)
    answer = drag(rep, deal, verb, colleague.pk if verb == "hand-over" else f"{month(2):%Y-%m}")
    assert answer.status_code == 422
    assert "is closed" in answer.content.decode()
    assert Deal.objects.get().version == deal.version


@pytest.mark.parametrize("way", ["owner", "month"])
def test_what_others_do_is_told_by_column(rep: User, manager: User, colleague: User, stages: Stages, way: str) -> None:
    above, deal = deal_closing(colleague, month(2)), deal_closing(rep, month(1) + dt.timedelta(days=9))
    deal_closing(colleague, month(3))
    watching = login(rep)
    cursor = watching.get(f"/board/sales/?by={way}").context["cursor"]
    verb, to = {"owner": ("hand-over", colleague.pk), "month": ("redate", f"{month(2):%Y-%m}")}[way]
    if way == "owner":
        Deal.objects.filter(pk=deal.pk).update(expected_close_on=month(2))
    drag(manager, deal, verb, to)
    told = watching.get(f"/board/sales/changes/?by={way}&since={cursor}").json()
    # Those made a moment ago are told again: their entries may have come late.
    card = next(card for card in told["cards"] if card["pk"] == deal.pk)
    assert (card["stage"], card["after"]) == (str(to), above.pk)
    assert "deal-where" in card["html"]


# --- Adding in place ------------------------------------------------------------------------------------------------


def test_a_deal_added_in_a_column_belongs_there(rep: User, colleague: User, stages: Stages) -> None:
    web = login(rep)
    key = f"{month(2):%Y-%m}"
    for column, way in ((key, "month"), ("none", "month"), (colleague.pk, "owner")):
        address = f"/board/sales/columns/{column}/add/?by={way}"
        assert address in web.get(f"/board/sales/?by={way}").content.decode()
        answer = web.post(address, {"name": f"In {column}"}, headers={"HX-Request": "true"})
        assert answer.status_code == 200
        assert json.loads(answer["HX-Trigger-After-Settle"])["deal-added"]["stage"] == str(column)
    dated, undated, given = Deal.objects.order_by("pk")
    assert dated.expected_close_on == month(3) - dt.timedelta(days=1)
    assert (undated.expected_close_on, undated.owner) == (None, rep)
    assert (given.owner, given.stage) == (colleague, stages["prospecting"])


def test_no_deal_is_added_where_none_can_begin(rep: User, outsider: User, stages: Stages) -> None:
    gone = User.objects.create(email="gone@example.test", team=rep.team, is_active=False)
    web = login(rep)
    won = f"won-{stages['fulfilment'].pk}"
    for column, way in (
        ("later", "month"),
        ("earlier", "month"),
        (won, "month"),
        (gone.pk, "owner"),
        (outsider.pk, "owner"),
    ):
        assert web.post(f"/board/sales/columns/{column}/add/?by={way}", {"name": "No"}).status_code == 404
    assert not Deal.objects.exists()
