"""Sources and campaigns: what came of them, what it cost, and how the money is entered."""

from __future__ import annotations

import csv
import datetime as dt
import io
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from crm.models import AuditEntry, Campaign, LeadSource, User
from metrics.models import Spend
from metrics.views.sources import Line
from tests.factories import CompanyFactory, LeadFactory, LeadSourceFactory
from tests.metrics.lives import at, figures, win

pytestmark = pytest.mark.django_db

JUNE = {"start": "2026-06-01", "end": "2026-06-30"}


@pytest.fixture
def ads(rep: User, sales: Any) -> LeadSource:
    """€600 in June, €400 of it for the spring campaign: three leads (two of the campaign), two qualified, one won."""
    ads = LeadSourceFactory(name="Ads", slug="ads")
    spring = Campaign.objects.create(name="Spring", source=ads)
    Spend.objects.create(on=dt.date(2026, 6, 1), amount=400, source=ads, campaign=spring, is_monthly=True)
    Spend.objects.create(on=dt.date(2026, 6, 9), amount=200, source=ads, category="sales")
    first = LeadFactory(source=ads, campaign=spring, owner=rep, created_at=at(6, 2), qualified_at=at(6, 3),
                        first_response_at=at(6, 2, 4))  # fmt: skip
    LeadFactory(source=ads, campaign=spring, owner=rep, created_at=at(6, 4), status="disqualified",
                disqualified_at=at(6, 5))  # fmt: skip
    LeadFactory(source=ads, owner=rep, created_at=at(6, 6), qualified_at=at(6, 8))
    win(at(6, 20), 1000, owner=rep, company=CompanyFactory(), source=ads, campaign=spring, lead=first)
    return ads


def client_of(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def table(person: User, **query: str) -> dict[str, Line]:
    answer = client_of(person).get("/metrics/sources/", {**JUNE, **query})
    assert answer.status_code == 200
    lines = [*answer.context["lines"], answer.context["total"]]
    return {line.label: line for top in lines for line in (top, *top.campaigns)}


def told(line: Line) -> dict[str, Any]:
    return {cell.kpi.key: cell.result.value for cell in line.cells}


def test_each_source_and_campaign_says_what_came_of_it_and_what_it_cost(admin: User, ads: LeadSource) -> None:
    lines = table(admin)
    source, campaign = told(lines["Ads"]), told(lines["Spring"])

    assert source["new_leads"] == 3
    assert source["lead_response_time"] == 4.0
    assert source["lead_conversion"] == pytest.approx(1 / 3)
    assert (source["spend"], source["cost_per_lead"], source["cost_per_qualified_lead"], source["cac"]) == (
        Decimal("600.00"), Decimal("200.00"), Decimal("300.00"), Decimal("600.00"),
    )  # fmt: skip
    assert (campaign["new_leads"], campaign["spend"], campaign["cost_per_lead"], campaign["cac"]) == (
        2, Decimal("400.00"), Decimal("200.00"), Decimal("400.00"),
    )  # fmt: skip
    conversion = next(cell for cell in lines["Ads"].cells if cell.kpi.key == "lead_conversion")
    assert "1 pending" in conversion.base
    assert "interval" in conversion.base
    assert told(lines["All sources"]) == source


def test_the_figures_are_those_of_the_engine(admin: User, ads: LeadSource) -> None:
    LeadFactory(created_at=at(6, 7))
    alone = figures(source=ads)
    assert {key: alone[key].value for key in told(table(admin)["Ads"])} == told(table(admin)["Ads"])
    assert told(table(admin)["Unknown source"])["new_leads"] == 1


def test_no_data_is_a_dash_with_its_reason(admin: User, ads: LeadSource) -> None:
    LeadSourceFactory(name="Fairs")
    cells = {cell.kpi.key: cell for cell in table(admin)["Fairs"].cells}

    assert (cells["cac"].value, cells["cac"].base) == ("—", "no spend recorded in the period")
    assert (cells["lead_conversion"].value, cells["lead_conversion"].base) == ("—", "no leads came in")
    assert cells["new_leads"].value == "0"


def test_who_does_not_see_all_is_not_told_the_costs(rep: User, outsider: User, ads: LeadSource) -> None:
    cells = {cell.kpi.key: cell for cell in table(rep)["Ads"].cells}
    assert cells["new_leads"].value == "3"
    assert cells["cac"].value == "—"
    assert "owner" in cells["cac"].base
    assert told(table(outsider)["Ads"])["new_leads"] == 0


def test_a_figure_leads_to_the_rows_behind_it(admin: User, ads: LeadSource) -> None:
    LeadFactory(name="Elsewhere", created_at=at(6, 3))
    cells = {cell.kpi.key: cell for cell in table(admin)["Spring"].cells}
    page = client_of(admin).get(cells["new_leads"].url)

    assert page.context["found"].count == 2
    assert client_of(admin).get(cells["spend"].url).context["found"].count == 1


def test_the_table_as_a_file(admin: User, ads: LeadSource) -> None:
    answer = client_of(admin).get("/metrics/sources/figures.csv", JUNE)
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))

    assert [(row["Source"], row["Campaign"], row["Spend"], row["Converted"], row["of"]) for row in rows] == [
        ("Ads", "", "600.00", "1", "3"), ("Ads", "Spring", "400.00", "1", "2"),
    ]  # fmt: skip


def test_more_sources_ask_no_more_queries(
    admin: User, ads: LeadSource, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(20):
        source = LeadSourceFactory()
        Campaign.objects.create(name=f"Campaign {number}", source=source)
        LeadFactory(source=source, created_at=at(6, 2))
    with django_assert_max_num_queries(60):
        table(admin)


# --- Entering spend -----------------------------------------------------------------------------------------------


def enter(person: User, source: LeadSource, said: dict[str, str], query: str = "?year=2026") -> Any:
    return client_of(person).post(f"/metrics/sources/{source.pk}/spend/{query}", said)


def test_a_manager_enters_a_month_and_corrects_it(manager: User, ads: LeadSource) -> None:
    assert enter(manager, ads, {"marketing-07": "1,200.50", "sales-07": "50"}).status_code == 302
    entered = Spend.objects.get(is_monthly=True, category="marketing", on=dt.date(2026, 7, 1))
    assert (entered.amount, entered.source, entered.campaign) == (Decimal("1200.50"), ads, None)
    enter(manager, ads, {"marketing-07": "1300", "initial-marketing-07": "1200.50"})
    entered.refresh_from_db()
    assert entered.amount == 1300
    enter(
        manager, ads, {"marketing-07": "", "initial-marketing-07": "1300", "sales-07": "50", "initial-sales-07": "50"}
    )
    assert list(Spend.objects.filter(on=dt.date(2026, 7, 1)).values_list("category", flat=True)) == ["sales"]
    last = AuditEntry.objects.about("spend", entered.pk).first()
    assert last is not None
    assert (last.action, last.actor) == ("deleted", manager)


def test_what_somebody_else_entered_meanwhile_stays(manager: User, admin: User, ads: LeadSource) -> None:
    enter(admin, ads, {"marketing-08": "70"})
    enter(manager, ads, {"marketing-08": "", "initial-marketing-08": "", "marketing-09": "80"})

    assert {spend.on.month: spend.amount for spend in Spend.objects.filter(on__month__gte=8)} == {8: 70, 9: 80}


def test_a_campaign_has_its_own_money(admin: User, ads: LeadSource) -> None:
    spring = Campaign.objects.get()
    enter(admin, ads, {"marketing-06": "500", "initial-marketing-06": "400"}, f"?year=2026&campaign={spring.pk}")
    assert Spend.objects.get(campaign=spring).amount == 500
    other = Campaign.objects.create(name="Other", source=LeadSourceFactory())
    assert enter(admin, ads, {}, f"?campaign={other.pk}").status_code == 404


@pytest.mark.parametrize("amount", ["many", "-5", "1e9999", "12345678901234567890"])
def test_a_wrong_amount_is_refused_beside_it(admin: User, ads: LeadSource, amount: str) -> None:
    answer = enter(admin, ads, {"marketing-07": amount, "sales-07": "50"})
    assert answer.status_code == 422
    assert answer.context["form"].errors.keys() == {"marketing-07"}
    assert not Spend.objects.filter(on__month=7).exists()


@pytest.mark.parametrize("year", ["1800", "x", "99999"])
def test_years_are_years(admin: User, ads: LeadSource, year: str) -> None:
    assert client_of(admin).get(f"/metrics/sources/{ads.pk}/spend/?year={year}").status_code == 404
