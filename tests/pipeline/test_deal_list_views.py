"""The deal list: filters, order, totals, pages and export."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm.models import ExchangeRate, User
from pipeline.models import Deal, Stage
from pipeline.views import record_lists
from tests.factories import CompanyFactory, DealFactory, FollowUpFactory, LeadFactory, LeadSourceFactory

pytestmark = pytest.mark.django_db

Stages = dict[str, Stage]
DAY = dt.timedelta(days=1)


def names(client: Client, **query: Any) -> list[str]:
    """The deals that the list shows for `query`, in its order."""
    answer = client.get(reverse("deal_list"), query)
    assert answer.status_code == 200, query
    return re.findall(r'<a class="plain" href="/deals/\d+/">(.*?)</a>', answer.content.decode())


def sums(client: Client, **query: Any) -> str:
    headers = {"HX-Request": "true", "HX-Target": "deal-sums"}
    return re.sub(r"<[^>]+>", "", client.get(reverse("deal_list"), query, headers=headers).content.decode()).strip()


def test_every_filter_narrows(client: Client, rep: User, colleague: User, manager: User, stages: Stages) -> None:
    now = timezone.now()
    fair = LeadSourceFactory(name="Fair")
    ours = {"owner": rep, "created_at": now - 40 * DAY, "amount": Decimal(500)}
    wanted = DealFactory(
        **ours,
        name="Сыроварня Ёлка",
        stage="meeting",
        source=fair,
        tags=["dairy"],
        expected_close_on=dt.date(2030, 5, 5),
    )
    DealFactory(name="Other", owner=colleague, company=CompanyFactory(name="Halden"), amount=Decimal(9))
    client.force_login(manager)

    assert names(client) == ["Other", "Сыроварня Ёлка"]
    for query in (
        {"q": "ЁЛКА"},
        {"q": "елка сыр"},
        {"stage": stages["meeting"].pk},
        {"owner": rep.pk},
        {"source": fair.pk},
        {"tag": "dairy"},
        {"amount_from": "100"},
        {"closes_from": "2030-05-05", "closes_to": "2030-05-05"},
        {"created_to": (now - 39 * DAY).date().isoformat()},
        {"state": "rotting"},
    ):
        assert names(client, **query) == [wanted.name], query
    for query in ({"q": "hald"}, {"amount_to": "100"}, {"created_from": (now - 5 * DAY).date().isoformat()}):
        assert names(client, **query) == ["Other"], query
    assert len(names(client, pipeline="sales", team=rep.team_id)) == 2


def test_last_day_of_a_span_is_included(client: Client, rep: User, stages: Stages) -> None:
    DealFactory(name="Late in the day", owner=rep, created_at=dt.datetime(2026, 6, 10, 23, 59, tzinfo=dt.UTC))
    client.force_login(rep)

    assert names(client, created_from="2026-06-10", created_to="2026-06-10") == ["Late in the day"]
    assert names(client, created_to="2026-06-09") == []


def test_next_step_states(client: Client, rep: User, stages: Stages) -> None:
    now = timezone.now()
    for name, due in (("late", now - DAY), ("soon", now + 10 * DAY)):
        FollowUpFactory(subject=DealFactory(name=name, owner=rep), assignee=rep, due_at=due)
    DealFactory(name="none", owner=rep)
    client.force_login(rep)

    assert names(client, state="overdue") == ["late"]
    assert names(client, state="planned") == ["soon"]
    assert names(client, state="unplanned") == ["none"]
    assert names(client, sort="next") == ["late", "soon", "none"]


def test_outcomes_are_tabs_and_open_is_the_first(client: Client, rep: User, stages: Stages) -> None:
    now = timezone.now()
    DealFactory(name="open", owner=rep)
    DealFactory(name="won", owner=rep, won_at=now)
    DealFactory(name="lost", owner=rep, lost_at=now)
    client.force_login(rep)

    assert names(client) == ["open"]
    assert names(client, outcome="won") == ["won"]
    assert names(client, outcome="lost") == ["lost"]
    assert sorted(names(client, outcome="all")) == ["lost", "open", "won"]


@pytest.mark.parametrize(
    "query",
    [
        {"outcome": "maybe"},
        {"pipeline": "nowhere"},
        {"stage": "999999"},
        {"owner": "x"},
        {"source": "999999"},
        {"state": "happy"},
        {"sort": "luck"},
        {"page": "0"},
        {"page": "2"},
        {"page": "1e9"},
        {"page": "1" + "0" * 5_000},
    ],
)
def test_what_does_not_exist_is_not_found(client: Client, rep: User, stages: Stages, query: dict[str, str]) -> None:
    client.force_login(rep)

    assert client.get(reverse("deal_list"), query).status_code == 404


def test_people_and_companies_out_of_sight_are_not_found(
    client: Client, rep: User, outsider: User, stages: Stages
) -> None:
    hidden = CompanyFactory(owner=outsider)
    client.force_login(rep)

    for query in ({"owner": outsider.pk}, {"team": outsider.team_id}, {"company": hidden.pk}):
        assert client.get(reverse("deal_list"), query).status_code == 404
        assert client.get(reverse("deal_export"), query).status_code == 404


def test_wrong_bound_is_named_and_shows_nothing(client: Client, rep: User, stages: Stages) -> None:
    DealFactory(owner=rep)
    client.force_login(rep)

    answer = client.get(reverse("deal_list"), {"amount_from": "much", "closes_from": "soon"})

    text = answer.content.decode()
    assert answer.status_code == 422
    assert "Amount from: Enter a number." in text
    assert "Closes from: Enter a valid date." in text
    assert 'value="much"' in text
    assert client.get(reverse("deal_list"), {"q": "a\x00"}).status_code in {400, 422}


def test_list_shows_no_foreign_deal(client: Client, rep: User, outsider: User, viewer: User, stages: Stages) -> None:
    DealFactory(name="Foreign", owner=outsider)
    client.force_login(rep)
    assert names(client, outcome="all") == []
    assert "Foreign" not in b"".join(client.get(reverse("deal_export"), {"outcome": "all"})).decode()
    assert sums(client) == "0 deals, €0"
    client.force_login(viewer)
    assert names(client) == ["Foreign"]


def test_sums_never_add_currencies(client: Client, rep: User, stages: Stages) -> None:
    DealFactory(owner=rep, amount=Decimal(1000))
    DealFactory(owner=rep, amount=Decimal(1000), currency="USD")
    DealFactory(owner=rep, amount=None)
    client.force_login(rep)
    assert "no exchange rate for USD" in sums(client)

    ExchangeRate.objects.create(on=dt.date(2026, 1, 1), currency="USD", rate=Decimal("0.9"))
    assert sums(client) == "3 deals, €1,900"
    assert sums(client, amount_to="0") == "0 deals, €0"


def test_pages_and_their_numbers(client: Client, rep: User, stages: Stages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_lists, "PAGE", 2)
    for number in range(5):
        DealFactory(name=f"deal {number}", owner=rep, amount=number)
    client.force_login(rep)

    assert names(client, sort="amount") == ["deal 0", "deal 1"]
    assert names(client, sort="-amount", page=2) == ["deal 2", "deal 1"]
    text = client.get(reverse("deal_list"), {"page": 3}).content.decode()
    assert "5–5 of 5" in text
    monkeypatch.setattr(record_lists, "MOST", 4)
    assert "of more than" in client.get(reverse("deal_list"), {"page": 1}).content.decode()
    assert client.get(reverse("deal_list"), {"page": 3}).status_code == 404


def test_export_holds_what_is_shown_and_no_formula(client: Client, rep: User, stages: Stages) -> None:
    DealFactory(name="=cmd|'/c calc'!A1", owner=rep, amount=Decimal("12.50"), tags=["+x"])
    DealFactory(name="Ёлка 😀", owner=rep, company=CompanyFactory(name="-Halden"))
    DealFactory(name="won", owner=rep, won_at=timezone.now())
    client.force_login(rep)

    answer = client.get(reverse("deal_export"), {"sort": "name"})
    rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))

    assert [row["Deal"] for row in rows] == ["'=cmd|'/c calc'!A1", "Ёлка 😀"]
    assert (rows[0]["Amount"], rows[0]["Currency"], rows[0]["Tags"], rows[1]["Company"]) == (
        "12.50",
        "EUR",
        "'+x",
        "'-Halden",
    )
    assert client.post(reverse("deal_export")).status_code == 405


def test_list_asks_the_database_the_same_for_every_row(
    client: Client, rep: User, stages: Stages, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        DealFactory(owner=rep, company=CompanyFactory(owner=rep), source=LeadSourceFactory(), amount=number)
    client.force_login(rep)

    with django_assert_max_num_queries(22):
        assert len(names(client)) == 12
    assert Deal.objects.count() == 12


@pytest.mark.parametrize("page", ["deal_list", "deal_export", "lead_list", "lead_export"])
@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_first_day_and_the_last_are_days(client: Client, rep: User, stages: Stages, page: str, day: str) -> None:
    client.force_login(rep)
    DealFactory(owner=rep)
    LeadFactory(owner=rep)
    for name in ("since", "until", "created_from", "created_to"):
        assert client.get(reverse(page), {name: day}).status_code == 200
