"""What holds for every KPI: reasons, filters, who may see what, groups, trends, and the rows behind a number."""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from crm.models import Campaign, User
from metrics.engine import GROUPINGS, breakdown, evaluate, evaluate_over, rows
from metrics.facts import FACTS
from metrics.kpi import Unit
from metrics.kpis import KPIS
from metrics.models import Spend
from metrics.rows import ROWS
from metrics.scope import DIMENSIONS, Filters, Scope
from tests.factories import (
    ActivityFactory,
    CompanyFactory,
    ContractFactory,
    LeadFactory,
    LeadSourceFactory,
    UserFactory,
)
from tests.factories.segments import SegmentFactory
from tests.metrics.lives import JULY, JUNE, NOW, at, figures, live, lose, win

pytestmark = pytest.mark.django_db

EVERY = pytest.mark.parametrize("key", KPIS)


def test_the_promised_kpis_are_declared():
    assert set(KPIS) == {
        "new_leads", "lead_conversion", "lead_conversion_period", "lead_response_time", "response_within_sla",
        "customer_response_rate", "open_deals", "open_value", "weighted_value", "won_deals", "won_value", "lost_deals",
        "win_rate", "win_rate_value", "win_loss_ratio", "average_deal_size", "sales_cycle", "stage_conversion",
        "stage_duration", "velocity", "churn_rate", "revenue_churn", "net_revenue_retention", "cac",
        "overdue_follow_ups", "on_time_follow_ups",
        "spend", "qualified_leads", "cost_per_lead", "cost_per_qualified_lead",
    }  # fmt: skip


@EVERY
def test_a_declaration_is_whole_in_both_languages(key):
    kpi = KPIS[key]
    assert kpi.key == key
    assert kpi.rows in ROWS
    assert kpi.dimensions <= set(DIMENSIONS)
    for name in kpi.facts:
        known = set(FACTS[name].dimensions) | ({"team"} if "owner" in FACTS[name].dimensions else set())
        assert FACTS[name].is_shared or kpi.dimensions <= known, name
    for text in (kpi.name, kpi.question, kpi.formula):
        with translation.override("en"):
            assert str(text).strip()


@EVERY
def test_nothing_is_not_zero(key, sales):
    result = figures()[key]
    if result.unit is Unit.COUNT or key in {"open_value", "weighted_value", "won_value"}:
        assert result.value == 0  # a count, or a sum, of nothing is known
    else:
        assert result.value is None
        assert result.reason
    assert result.unit is KPIS[key].unit


@EVERY
@pytest.mark.parametrize("count", range(2))
def test_every_filter_and_group_is_answered_or_refused(key, count, north, rep, sales):
    source = LeadSourceFactory()
    campaign, segment = Campaign.objects.create(name="Spring", source=source), SegmentFactory(owner=rep)
    chosen = {"pipeline": sales, "owner": rep, "team": north, "source": source, "campaign": campaign}
    chosen["segment"] = segment
    for names in itertools.combinations(DIMENSIONS, count):
        scope = Scope(JUNE, Filters(**{name: chosen[name] for name in names}), viewer=rep, now=NOW)
        result = evaluate([KPIS[key]], scope)[key]
        assert (result.value is not None) or result.reason
        list(rows(KPIS[key], scope)[:1])
        for by in GROUPINGS:
            breakdown([KPIS[key]], scope, by)


def everything(owner: User) -> None:
    """One of each fact, of one owner, in June."""
    source, company = LeadSourceFactory(), CompanyFactory(owner=owner)
    lead = LeadFactory(owner=owner, created_at=at(6, 2), first_response_at=at(6, 2, 1), source=source)
    win(at(6, 10), 100, owner=owner, company=company, source=source, lead=lead)
    lose(at(6, 11), 50, owner=owner, source=source)
    live([("P", at(6, 1)), ("Q", at(6, 5))], 10, owner=owner, source=source)
    ActivityFactory(subject=lead, author=owner, at=at(6, 3), response="positive")
    ContractFactory(company=company, owner=owner, ends_on=dt.date(2026, 6, 20))


def test_a_viewer_is_told_of_what_they_may_see(rep, colleague, manager, outsider, viewer, admin):
    for owner in (rep, colleague, outsider):
        everything(owner)
    told = {
        person: [figures(viewer=person)[key].n for key in ("won_deals", "win_rate", "new_leads", "churn_rate")]
        for person in (rep, colleague, manager, outsider, viewer, admin)
    }
    for person in (rep, colleague, manager):
        assert told[person] == [2, 4, 2, 2]
    assert told[outsider] == [1, 2, 1, 1]
    for person in (viewer, admin):
        assert told[person] == [3, 6, 3, 3]


def test_a_filter_opens_nothing_to_a_viewer(rep, outsider):
    everything(outsider)
    june = figures(viewer=rep, owner=outsider)
    assert june["won_deals"].value == 0
    assert june["win_rate"].value is None
    assert not breakdown([KPIS["won_deals"]], Scope(JUNE, viewer=rep, now=NOW), "owner")
    assert not figures(viewer=rep, team=outsider.team)["won_deals"].value


def test_who_reads_all_who_sell_is_told_what_was_spent(rep, manager, viewer):
    Spend.objects.create(on=dt.date(2026, 6, 1), amount=10)
    win(at(6, 2), owner=rep, company=CompanyFactory())
    assert figures(viewer=manager)["cac"].value == Decimal(10)
    UserFactory()  # somebody else begins to sell, outside the manager's teams
    assert figures(viewer=manager)["cac"].value is None
    assert figures(viewer=viewer)["cac"].value == Decimal(10)


# --- Groups, trends, overviews ----------------------------------------------------------------------------------------


def test_groups_add_up(rep, colleague, outsider, north):
    for owner in (rep, colleague, outsider):
        everything(owner)
    scope = Scope(JUNE, now=NOW)
    chosen = [KPIS["won_deals"], KPIS["new_leads"], KPIS["stage_conversion"]]
    owners = {group.key: group.results for group in breakdown(chosen, scope, "owner")}
    assert {key: results["won_deals"].value for key, results in owners.items()} == {
        "rita@example.test": 1, "carl@example.test": 1, "otto@example.test": 1,
    }  # fmt: skip
    assert owners["rita@example.test"]["stage_conversion"].stages[0].denominator == 1
    teams = {group.label: group.results["won_deals"].value for group in breakdown(chosen, scope, "team")}
    assert teams == {"North": 2, "South": 1}
    assert sum(group.results["new_leads"].value for group in breakdown(chosen, scope, "source")) == 3


def test_what_has_no_source_is_a_group_of_its_own():
    win(at(6, 2))
    groups = breakdown([KPIS["won_deals"]], Scope(JUNE, now=NOW), "source")
    assert [(group.key, group.label, group.results["won_deals"].value) for group in groups] == [("", "none", 1)]


def test_a_group_its_facts_do_not_know_is_refused(rep):
    everything(rep)
    Spend.objects.create(on=dt.date(2026, 6, 1), amount=10)
    (group,) = breakdown([KPIS["cac"], KPIS["won_deals"]], Scope(JUNE, now=NOW), "owner")
    assert group.results["cac"].reason == "not available by owner: its facts have none"
    assert group.results["won_deals"].value == 1


def test_pipelines_are_not_joined_by_one_of_none(sales):
    live([("P", at(6, 1))])
    groups = breakdown([KPIS["stage_conversion"]], Scope(JUNE, now=NOW), "pipeline")
    assert [group.key for group in groups] == ["sales"]


def test_months_follow_each_other(sales):
    win(at(6, 2))
    scope = Scope(JUNE.__class__(dt.date(2026, 5, 1), dt.date(2026, 8, 1)), now=NOW)
    groups = breakdown([KPIS["won_deals"]], scope, "month")
    assert [(group.key, group.results["won_deals"].value) for group in groups] == [
        ("2026-05", 0), ("2026-06", 1), ("2026-07", 0),
    ]  # fmt: skip


@EVERY
def test_many_periods_say_what_each_says_by_itself(key, rep):
    everything(rep)
    Spend.objects.create(on=dt.date(2026, 6, 1), amount=10)
    periods = [JULY, *JULY.run_up(3)]
    for period, results in zip(periods, evaluate_over([KPIS[key]], Scope(JULY, now=NOW), periods), strict=True):
        assert results[key] == figures(period)[key]


def test_many_periods_cost_one_question_a_fact(rep):
    everything(rep)
    scope, periods = Scope(JULY, now=NOW), JULY.run_up(4)
    evaluate_over(KPIS.values(), scope, periods)
    facts = {name for kpi in KPIS.values() for name in kpi.facts}
    with CaptureQueriesContext(connection) as queries:
        evaluate_over(KPIS.values(), scope, periods)
    asked = [query for query in queries if query["sql"].lstrip().startswith("WITH periods")]
    assert len(asked) == len(facts)


# --- Rows -------------------------------------------------------------------------------------------------------------

COUNTED = ("new_leads", "won_deals", "lost_deals", "win_rate", "open_deals", "customer_response_rate")


@pytest.mark.parametrize("key", COUNTED)
def test_the_rows_are_those_that_were_counted(key, rep, outsider, viewer):
    for owner in (rep, outsider):
        everything(owner)
    for person, count in ((rep, 1), (viewer, 2), (None, 2)):
        scope = Scope(JUNE, viewer=person, now=NOW)
        assert (
            figures(viewer=person)[key].n == rows(KPIS[key], scope).count() == count * (2 if key == "win_rate" else 1)
        )


def test_a_deal_handed_on_still_counts_but_is_no_longer_open_to_who_won_it(rep, outsider):
    deal = win(at(6, 10), owner=rep, closing_owner=rep)
    type(deal).objects.filter(pk=deal.pk).update(owner=outsider)
    assert figures(viewer=rep)["won_deals"].value == 1
    assert not rows(KPIS["won_deals"], Scope(JUNE, viewer=rep, now=NOW)).exists()


def test_only_who_is_told_the_cost_opens_the_spend(rep, viewer):
    Spend.objects.create(on=dt.date(2026, 6, 1), amount=10)
    assert rows(KPIS["cac"], Scope(JUNE, viewer=viewer, now=NOW)).count() == 1
    UserFactory()
    assert not rows(KPIS["cac"], Scope(JUNE, viewer=rep, now=NOW)).exists()
