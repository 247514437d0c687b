"""The records behind a number: whoever counts the rows by how they count arrives at the number."""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter

import pytest
from django.test import Client
from django.urls import reverse

from crm.models import Lead, User
from metrics.engine import rows
from metrics.kpi import Result
from metrics.kpis import KPIS
from metrics.scope import Scope
from tests.factories import CompanyFactory, ContractFactory, LeadFactory
from tests.metrics.lives import JUNE, NOW, at, figures, live, lose, win

pytestmark = pytest.mark.django_db


def counted(key: str, *, now: dt.datetime = NOW) -> tuple[Result, dict[str, int]]:
    found = rows(KPIS[key], Scope(JUNE, now=now))
    return figures(now=now)[key], dict(Counter(row.counts_as for row in found))


def test_leads_of_a_cohort():
    leads = [LeadFactory(created_at=at(6, 1)) for _ in range(5)]
    win(at(8, 1), lead=leads[0])
    lose(at(6, 20), lead=leads[1])
    live([("P", at(6, 10))], lead=leads[2])
    Lead.objects.filter(pk=leads[3].pk).update(status="disqualified", disqualified_at=at(6, 3))
    rate, marks = counted("lead_conversion")
    assert marks == {"won": 1, "dead": 2, "pending": 2}
    assert (rate.numerator, rate.denominator, rate.pending) == (1, 5, 2)


def test_leads_of_the_quick_figure_include_those_that_came_earlier():
    win(at(6, 9), lead=LeadFactory(created_at=at(5, 1)))
    win(at(6, 9), lead=LeadFactory(created_at=at(6, 1)))
    win(at(7, 9), lead=LeadFactory(created_at=at(6, 1)))
    quick, marks = counted("lead_conversion_period")
    assert marks == {"won": 1, "both": 1, "came": 1}
    assert (quick.numerator, quick.denominator) == (2, 2)


def test_leads_answered_in_time_or_not():
    LeadFactory(created_at=at(6, 1), first_response_at=at(6, 1, 1))
    LeadFactory(created_at=at(6, 1), first_response_at=at(6, 1, 2))
    LeadFactory(created_at=at(6, 9))
    LeadFactory(created_at=at(6, 10))
    now = at(6, 10) + dt.timedelta(minutes=30)
    judged, marks = counted("response_within_sla", now=now)
    assert marks == {"in_time": 1, "late": 2, "open": 1}
    assert (judged.numerator, judged.denominator) == (1, 3)
    time, marks = counted("lead_response_time", now=now)
    assert marks == {"answered": 2, "waiting": 2}
    assert (time.n, time.unanswered) == (2, 2)


def test_deals_that_flow():
    win(at(6, 9))
    win(at(7, 9))  # July's: open at the end of June
    lose(at(6, 20))
    live([("P", at(6, 10))])
    live([("P", at(7, 10))])
    speed, marks = counted("velocity")
    assert marks == {"won": 1, "lost": 1, "open": 2}
    assert speed.parts is not None
    assert (speed.parts["open_deals"].value, speed.parts["win_rate"].denominator) == (2, 2)


def test_contracts_of_customers_who_leave():
    renewing, leaving, back = CompanyFactory(), CompanyFactory(), CompanyFactory()
    ContractFactory(company=renewing, ends_on=dt.date(2026, 6, 15))
    ContractFactory(company=renewing, starts_on=dt.date(2026, 6, 15))
    ContractFactory(company=leaving, ends_on=dt.date(2026, 6, 15))
    ContractFactory(company=leaving, cancelled_on=dt.date(2026, 6, 20))
    ContractFactory(company=back, ends_on=dt.date(2026, 6, 10))
    ContractFactory(company=back, starts_on=dt.date(2026, 6, 20))
    ContractFactory(ends_on=dt.date(2026, 7, 1))
    ContractFactory(cancelled_on=dt.date(2026, 1, 1))  # never ran
    rate, marks = counted("churn_rate")
    assert marks == {"left": 2, "stayed": 2, "further": 1, "later": 2}
    assert (rate.numerator, rate.denominator) == (2, 4)


@pytest.mark.parametrize("key", ["net_revenue_retention", "revenue_churn"])
def test_contracts_of_the_revenue_that_stays(key: str):
    grown = CompanyFactory()
    ContractFactory(company=grown, monthly_value=100)
    ContractFactory(company=grown, monthly_value=30, starts_on=dt.date(2026, 6, 15))
    ContractFactory(monthly_value=50, ends_on=dt.date(2026, 6, 15))
    ContractFactory(monthly_value=70, starts_on=dt.date(2026, 6, 15))  # a new customer
    share, marks = counted(key)
    assert marks == {"both": 1, "after": 1, "before": 1, "out": 1}
    assert share.denominator == 150


def test_page_and_file_say_last_how_each_row_counts(client: Client, admin: User):
    win(at(6, 9), lead=LeadFactory(created_at=at(6, 1), owner=admin))
    client.force_login(admin)
    asked = {"start": "2026-06-01", "end": "2026-06-30"}
    page = client.get(reverse("kpi_detail", args=["lead_conversion"]), asked)
    assert str(page.context["found"].columns[-1].title) == "Counts as"
    stream = client.get(reverse("kpi_rows", args=["lead_conversion"]), asked).streaming_content  # type: ignore[attr-defined]
    header, row = csv.reader(b"".join(stream).decode("utf-8-sig").splitlines())
    assert (header[-1], row[-1]) == ("Counts as", "won")
