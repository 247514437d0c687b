"""Figures narrowed to a segment: by the lead, the deal's lead, and what happened about either; else not available."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from crm.models import Lead, LeadSource, Segment, User
from metrics.engine import breakdown, evaluate, rows
from metrics.kpis import KPIS
from metrics.scope import Filters, Scope
from tests.factories import ActivityFactory, CompanyFactory, ContractFactory, FollowUpFactory, LeadFactory
from tests.factories.segments import SegmentFactory, condition, group
from tests.metrics.lives import JUNE, NOW, at, lose, win

pytestmark = pytest.mark.django_db

# Every sign that could go wrong on the way from the ORM's parameters into the statements of the facts.
NASTY = "100% 'of' %s %(owner)s \\ _"


@pytest.fixture
def food(rep: User) -> Segment:
    """Leads whose name says so, in the nastiest way."""
    conditions = group("all", {"field": "name", "op": "contains", "value": NASTY}, condition("calls", "fewer", 9))
    conditions["of"][1]["value"] = 9
    return SegmentFactory(owner=rep, name="Food", shared_with="team", conditions=conditions)


@pytest.fixture
def sold(rep: User, sales: Any) -> dict[str, Lead]:
    """Two leads in June, one of the segment; each won or lost a deal, was called and has a follow-up."""
    leads = {name: LeadFactory(name=name, owner=rep, created_at=at(6, 2)) for name in (f"Mill {NASTY}", "Mine")}
    for number, lead in enumerate(leads.values()):
        company = CompanyFactory(owner=rep)
        deal = win(at(6, 10), 100 + number, owner=rep, lead=lead, company=company)
        ActivityFactory(subject=lead, author=rep, at=at(6, 3), response="positive")
        ActivityFactory(subject=deal, author=rep, at=at(6, 4))
        FollowUpFactory(subject=deal, assignee=rep, due_at=at(6, 5))
        ContractFactory(company=company, owner=rep, deal=deal)
    lose(at(6, 11), 50, owner=rep)  # without a lead: in no segment
    return leads


def told(segment: Segment, *, viewer: User | None = None) -> dict[str, Any]:
    scope = Scope(JUNE, Filters(segment=segment), viewer=viewer, now=NOW)
    return {key: result.value for key, result in evaluate(KPIS.values(), scope).items()}


@pytest.mark.usefixtures("sold")
def test_every_fact_with_a_lead_is_narrowed(food: Segment) -> None:
    figures = told(food)
    assert {key: figures[key] for key in ("new_leads", "won_deals", "won_value", "lost_deals", "lead_conversion")} == {
        "new_leads": 1,
        "won_deals": 1,
        "won_value": 100,
        "lost_deals": 0,
        "lead_conversion": 1,
    }
    assert figures["customer_response_rate"] == 0.5  # of a call to the lead and one about its deal
    scope = Scope(JUNE, Filters(segment=food), now=NOW)
    assert evaluate([KPIS["on_time_follow_ups"]], scope)["on_time_follow_ups"].denominator == 1


def test_spend_has_no_segment(food: Segment) -> None:
    scope = Scope(JUNE, Filters(segment=food), now=NOW)
    result = evaluate([KPIS["cac"]], scope)["cac"]
    assert result.value is None
    assert "segment" in str(result.reason)
    assert not rows(KPIS["cac"], scope).exists()


@pytest.mark.parametrize("key", KPIS)
def test_the_rows_are_as_many_as_the_number_says(key: str, food: Segment, sold: dict[str, Lead]) -> None:
    scope = Scope(JUNE, Filters(segment=food), now=NOW)
    result = evaluate([KPIS[key]], scope)[key]
    if key in {"new_leads", "won_deals", "lost_deals"}:
        assert rows(KPIS[key], scope).count() == result.value
    breakdown([KPIS[key]], scope, "owner")


@pytest.mark.usefixtures("sold")
def test_a_segment_shows_a_viewer_no_more(food: Segment, outsider: User, colleague: User) -> None:
    assert told(food, viewer=outsider)["new_leads"] == 0
    assert told(food, viewer=colleague)["new_leads"] == 1


@pytest.mark.usefixtures("sold")
def test_a_segment_that_finds_nobody_counts_nobody(rep: User) -> None:
    gone = SegmentFactory(owner=rep, conditions=group("all", condition("shoe_size", "above", "40")))
    assert told(gone)["new_leads"] == 0
    LeadSource.objects.all().delete()
    nobody = {"field": "source", "op": "in", "value": []}  # the ORM knows by itself that this finds none
    assert told(SegmentFactory(owner=rep, conditions=group("all", nobody)))["won_deals"] == 0


def asked(*options: str) -> dict[str, Any]:
    out = StringIO()
    call_command("kpis", "--from", "2026-06-01", "--to", "2026-07-01", "--json", *options, stdout=out)
    answer: dict[str, Any] = json.loads(out.getvalue())["kpis"]
    return answer


@pytest.mark.usefixtures("sold")
def test_the_command_takes_a_segment(food: Segment, colleague: User, outsider: User) -> None:
    assert asked("--segment", "food")["new_leads"]["value"] == 1
    assert asked("--segment", str(food.pk))["new_leads"]["value"] == 1
    assert asked("--segment", "food", "--as", colleague.email)["new_leads"]["value"] == 1
    with pytest.raises(CommandError, match="No segment"):
        asked("--segment", "food", "--as", outsider.email)
    with pytest.raises(CommandError, match="No segment"):
        asked("--segment", "")
    SegmentFactory(name="Food", owner=outsider)
    with pytest.raises(CommandError, match="number"):
        asked("--segment", "food")


@pytest.mark.usefixtures("sold")
def test_the_dashboard_takes_a_segment(client: Client, food: Segment, colleague: User, outsider: User) -> None:
    client.force_login(colleague)
    page = client.get(f"/metrics/?segment={food.pk}")
    assert page.status_code == 200
    assert "Food" in page.content.decode()
    client.force_login(outsider)
    assert client.get(f"/metrics/?segment={food.pk}").status_code == 404
