"""The dashboard and the page of a figure: what is asked, who is told what, and how many queries it takes."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from crm.models import User
from metrics.kpis import KPIS
from metrics.views.tiles import SHOWN
from tests.factories import DealFactory, LeadFactory, LeadSourceFactory, TeamFactory

pytestmark = pytest.mark.django_db

JUNE = {"start": "2026-06-01", "end": "2026-06-30"}


def day(month: int, number: int) -> dt.datetime:
    return dt.datetime(2026, month, number, 12, tzinfo=dt.UTC)


@pytest.fixture
def sold(rep: User, outsider: User) -> None:
    """Two wins and a loss of the rep's, one win of the outsider's; in June 2026."""
    DealFactory(name="Kestrel", owner=rep, created_at=day(5, 1), won_at=day(6, 10), amount=1000)
    DealFactory(name="=cmd|'x'!A1", owner=rep, created_at=day(5, 1), won_at=day(6, 11), amount=3000)
    DealFactory(name="Heron", owner=rep, created_at=day(5, 1), lost_at=day(6, 12), amount=500)
    DealFactory(name="Otter", owner=outsider, created_at=day(5, 1), won_at=day(6, 13), amount=9000)


def shown(client: Client, user: User, **query: Any) -> dict[str, str]:
    """What the tiles say, by key."""
    client.force_login(user)
    answer = client.get(reverse("metrics"), {**JUNE, **query})
    assert answer.status_code == 200
    return {tile.kpi.key: tile.value for tile in answer.context["tiles"]}


def test_everybody_is_told_what_they_may_see(
    client: Client, sold: None, rep: User, colleague: User, manager: User, outsider: User, viewer: User, admin: User
) -> None:
    told = {user.email: shown(client, user)["won_value"] for user in (rep, colleague, manager, outsider, viewer, admin)}

    assert {told[user.email] for user in (rep, colleague, manager)} == {"€4,000"}
    assert told[outsider.email] == "€9,000"
    assert {told[user.email] for user in (viewer, admin)} == {"€13,000"}


def test_a_team_that_does_not_share_keeps_its_figures(client: Client, sold: None, rep: User, colleague: User) -> None:
    assert rep.team is not None
    rep.team.shares_records = False
    rep.team.save()

    assert shown(client, colleague)["won_deals"] == "0"
    assert shown(client, colleague)["win_rate"] == "—"


def test_every_tile_says_why_it_has_no_value(client: Client, admin: User) -> None:
    client.force_login(admin)
    tiles = client.get(reverse("metrics"), JUNE).context["tiles"]

    assert [tile.kpi.key for tile in tiles] == list(SHOWN)
    for tile in tiles:
        assert tile.value in {"0", "€0"} or (tile.value == "—" and tile.change.text), tile.kpi.key


def test_filters_narrow(client: Client, sold: None, admin: User, rep: User, outsider: User) -> None:
    assert shown(client, admin, owner=outsider.pk)["won_value"] == "€9,000"
    assert shown(client, admin, team=rep.team_id)["won_deals"] == "2"
    assert shown(client, admin, source=LeadSourceFactory().pk)["won_deals"] == "0"
    assert shown(client, admin, pipeline="sales")["won_deals"] == "3"


def test_a_filter_that_touches_no_facts_makes_a_figure_unavailable(client: Client, admin: User, rep: User) -> None:
    client.force_login(admin)
    tiles = {tile.kpi.key: tile for tile in client.get(reverse("metrics"), {**JUNE, "owner": rep.pk}).context["tiles"]}

    assert tiles["cac"].value == "—"
    assert "owner" in tiles["cac"].change.text


@pytest.mark.parametrize(
    "query",
    [
        {"period": "last-century"}, {"compare": "nothing"}, {"pipeline": "nowhere"}, {"owner": "999999"},
        {"owner": "x"}, {"team": "999999"}, {"source": "-1"},
    ],
)  # fmt: skip
def test_what_does_not_exist_is_not_found(client: Client, rep: User, query: dict[str, str]) -> None:
    client.force_login(rep)
    assert client.get(reverse("metrics"), query).status_code == 404
    assert client.get(reverse("kpi_detail", args=["win_rate"]), query).status_code == 404
    assert client.get(reverse("kpi_rows", args=["win_rate"]), query).status_code == 404


def test_whom_one_may_not_see_is_not_found(client: Client, rep: User, outsider: User) -> None:
    client.force_login(rep)
    assert client.get(reverse("metrics"), {"owner": outsider.pk}).status_code == 404
    assert client.get(reverse("metrics"), {"team": outsider.team_id}).status_code == 404
    assert client.get(reverse("metrics"), {"team": TeamFactory().pk}).status_code == 404


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"start": "2026-06-30", "end": "2026-06-01"}, "end"), ({"start": "2026-06-01"}, "end"),
        ({"end": "2026-06-01"}, "start"), ({"start": "soon", "end": "2026-06-01"}, "start"),
        ({"start": "1800-01-01", "end": "2026-06-01"}, "end"),
    ],
)  # fmt: skip
def test_days_that_make_no_period_come_back(client: Client, rep: User, query: dict[str, str], field: str) -> None:
    client.force_login(rep)
    answer = client.get(reverse("metrics"), query)

    assert answer.status_code == 422
    assert answer.context["question"].form.errors[field]
    assert client.get(reverse("kpi_detail", args=["win_rate"]), query).status_code == 422


def test_figures_are_only_read(client: Client, admin: User) -> None:
    client.force_login(admin)
    assert client.post(reverse("metrics")).status_code == 405
    for name in ("kpi_detail", "kpi_figures", "kpi_rows"):
        assert client.post(reverse(name, args=["win_rate"])).status_code == 405
        assert client.get(reverse(name, args=["luck"])).status_code == 404


@pytest.mark.parametrize("key", KPIS)
def test_every_figure_has_its_page_and_files(client: Client, sold: None, manager: User, key: str) -> None:
    client.force_login(manager)
    answer = client.get(reverse("kpi_detail", args=[key]), JUNE)

    assert answer.status_code == 200
    assert str(KPIS[key].question) in answer.content.decode()
    for name in ("kpi_figures", "kpi_rows"):
        file = client.get(reverse(name, args=[key]), JUNE)
        assert file.status_code == 200
        assert b"".join(file.streaming_content).decode().count("\n") >= 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("by", ["owner", "team", "source", "month", "pipeline"])
def test_parts_of_a_figure(client: Client, sold: None, admin: User, by: str) -> None:
    client.force_login(admin)
    parts = client.get(reverse("kpi_detail", args=["won_deals"]), {**JUNE, "by": by}).context["parts"]

    assert sum(int(part.value) for part in parts) == 3
    assert client.get(reverse("kpi_detail", args=["won_deals"]), {"by": "mood"}).status_code == 404


def test_rows_behind_a_number_are_those_one_may_open(client: Client, sold: None, rep: User, outsider: User) -> None:
    client.force_login(rep)
    page = client.get(reverse("kpi_detail", args=["win_rate"]), JUNE).content.decode()
    assert "Kestrel" in page
    assert "Heron" in page
    assert "Otter" not in page

    client.force_login(outsider)
    rows = b"".join(client.get(reverse("kpi_rows", args=["win_rate"]), JUNE).streaming_content)  # type: ignore[attr-defined]
    assert b"Otter" in rows
    assert b"Kestrel" not in rows


def test_no_cell_of_a_file_is_a_formula(client: Client, sold: None, rep: User) -> None:
    client.force_login(rep)
    rows = b"".join(client.get(reverse("kpi_rows", args=["won_deals"]), JUNE).streaming_content).decode()  # type: ignore[attr-defined]

    assert "'=cmd" in rows
    assert "\n=cmd" not in rows


def test_pages_of_rows(client: Client, rep: User) -> None:
    for number in range(51):
        LeadFactory(name=f"Lead {number}", owner=rep, created_at=day(6, 10))
    client.force_login(rep)
    address = reverse("kpi_detail", args=["new_leads"])

    assert client.get(address, JUNE).context["found"].has_next
    assert len(client.get(address, {**JUNE, "page": 2}).context["found"].rows) == 1
    for page in ("3", "0", "x", "9999"):
        assert client.get(address, {**JUNE, "page": page}).status_code == 404


def test_the_way_here_comes_by_a_second_request(client: Client, sold: None, admin: User) -> None:
    client.force_login(admin)
    answer = client.get(reverse("metrics"), JUNE, headers={"HX-Request": "true", "HX-Target": "trends"})
    page = answer.content.decode()

    assert answer.status_code == 200
    assert "<html" not in page
    assert 'id="spark-won_value" hx-swap-oob="true"' in page
    assert "Jun 2026" in page


def test_queries_of_the_dashboard(
    client: Client, sold: None, manager: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client.force_login(manager)
    client.get(reverse("metrics"), JUNE)
    with django_assert_max_num_queries(75):
        assert client.get(reverse("metrics"), JUNE).status_code == 200
    with django_assert_max_num_queries(36):
        assert client.get(reverse("kpi_detail", args=["win_rate"]), JUNE).status_code == 200
