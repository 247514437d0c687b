"""Leads: cohorts and quick figures, answers and their clock, touches."""

from __future__ import annotations

import datetime as dt

import pytest

from crm.models import Lead
from crm.rules.leads import create_lead
from tests.factories import ActivityFactory, LeadFactory, LeadSourceFactory, UserFactory, office_hours
from tests.metrics.lives import JULY, at, figures, live, lose, win

pytestmark = pytest.mark.django_db

HALF_AN_HOUR = dt.timedelta(minutes=30)


def test_new_leads_are_those_created_in_the_period():
    LeadFactory(created_at=at(6, 1))
    LeadFactory(created_at=at(7, 1))
    LeadFactory(created_at=at(6, 5), deleted_at=at(6, 6))
    assert figures()["new_leads"].value == 1


def test_conversion_of_a_cohort_with_what_is_pending():
    leads = [LeadFactory(created_at=at(6, 1)) for _ in range(6)]
    win(at(8, 1), lead=leads[0])  # later than the period, and still of its cohort
    lose(at(6, 20), lead=leads[1])
    live([("P", at(6, 10))], lead=leads[2])
    Lead.objects.filter(pk=leads[3].pk).update(status="disqualified", disqualified_at=at(6, 3))
    Lead.objects.filter(pk=leads[4].pk).update(status="nurturing")
    cohort = figures()["lead_conversion"]
    assert (cohort.numerator, cohort.denominator, cohort.pending, cohort.mature) == (1, 6, 3, False)
    assert cohort.value == pytest.approx(1 / 6)


def test_a_cohort_without_pending_leads_is_mature():
    win(at(6, 9), lead=LeadFactory(created_at=at(6, 1)))
    assert figures()["lead_conversion"].as_json()["mature"] is True


def test_the_quick_figure_may_pass_all_and_then_has_no_interval():
    LeadFactory(created_at=at(6, 1))
    for _ in range(2):
        win(at(6, 9), lead=LeadFactory(created_at=at(5, 1)))
    quick = figures()["lead_conversion_period"]
    assert (quick.value, quick.low, quick.high) == (2.0, None, None)


def test_response_time_is_the_median_and_counts_the_unanswered():
    for hours in (1, 2, 9):
        LeadFactory(created_at=at(6, 1), first_response_at=at(6, 1, hours))
    LeadFactory(created_at=at(6, 1))
    time = figures()["lead_response_time"]
    assert (time.value, time.mean, time.n, time.unanswered) == (2.0, 4.0, 3, 1)
    assert time.p90 == pytest.approx(7.6)


def test_nobody_answered():
    LeadFactory(created_at=at(6, 1))
    time = figures()["lead_response_time"]
    assert (time.value, time.n, time.unanswered) == (None, 0, 1)
    assert time.reason


def test_in_time_is_judged_once_the_clock_has_run_out():
    patient = LeadSourceFactory(respond_within_minutes=240)
    LeadFactory(created_at=at(6, 1), first_response_at=at(6, 1, 1))  # in the last instant of its hour
    LeadFactory(created_at=at(6, 1), first_response_at=at(6, 1, 2))
    LeadFactory(created_at=at(6, 1), first_response_at=at(6, 1, 2), source=patient)
    LeadFactory(created_at=at(6, 9))  # never answered
    LeadFactory(created_at=at(6, 10))  # its clock still runs
    judged = figures(now=at(6, 10) + dt.timedelta(minutes=30))["response_within_sla"]
    assert (judged.numerator, judged.denominator) == (2, 4)
    assert figures()["response_within_sla"].denominator == 5


def test_in_time_is_counted_in_working_hours(north):
    """June 2026: the 5th is a Friday; the team works Monday to Friday from nine to six."""
    north.working_calendar = office_hours()
    north.save()
    for came, answered in [
        (at(6, 5, 17) + HALF_AN_HOUR, at(6, 8, 9) + HALF_AN_HOUR),  # in the last instant of its hour, on Monday
        (at(6, 5, 17) + HALF_AN_HOUR, at(6, 8, 10)),
        (at(6, 6, 12), at(6, 8, 9) + HALF_AN_HOUR),  # came on Saturday
        (at(6, 8, 10), at(6, 8, 10) + HALF_AN_HOUR),
    ]:
        lead = create_lead(fields={"name": "Lead", "team": north}, by=None, now=came)
        Lead.objects.filter(pk=lead.pk).update(first_response_at=answered)
    create_lead(fields={"name": "Lead", "team": north}, by=None, now=at(6, 12, 17) + HALF_AN_HOUR)  # runs over Sunday
    result = figures(now=at(6, 14))
    assert (result["response_within_sla"].numerator, result["response_within_sla"].denominator) == (3, 4)
    # How long people waited is another question, with the weekend in it: 0.5, 45.5, 64 and 64.5 hours.
    assert result["lead_response_time"].value == pytest.approx((45.5 + 64) / 2)


def test_only_positive_answers_to_what_we_said_count():
    lead = LeadFactory()
    for response in ("positive", "neutral", "none"):
        ActivityFactory(subject=lead, at=at(6, 1), response=response)
    ActivityFactory(subject=lead, at=at(6, 1), response="positive", direction="in")
    ActivityFactory(subject=lead, at=at(6, 1), kind="note", direction="")
    ActivityFactory(subject=lead, at=at(7, 1), response="positive")
    rate = figures()["customer_response_rate"]
    assert (rate.numerator, rate.denominator) == (1, 3)


def test_touches_are_their_authors_and_of_the_source_of_what_they_are_about():
    author, source = UserFactory(), LeadSourceFactory()
    deal = live([("P", at(6, 1))], source=source)
    ActivityFactory(subject=LeadFactory(source=source), at=at(6, 1), author=author, response="positive")
    ActivityFactory(subject=deal, at=at(6, 1))
    ActivityFactory(subject=LeadFactory(), at=at(6, 1))
    assert figures()["customer_response_rate"].denominator == 3
    assert figures(owner=author)["customer_response_rate"].denominator == 1
    assert figures(source=source)["customer_response_rate"].denominator == 2
    assert figures(pipeline=deal.pipeline)["customer_response_rate"].denominator == 1


def test_leads_know_no_pipeline(sales):
    LeadFactory(created_at=at(6, 1))
    result = figures(pipeline=sales)["new_leads"]
    assert (result.value, result.reason) == (None, "not available by pipeline: its facts have none")


def test_a_team_counts_its_members_leads_and_its_own_unassigned_ones(north, rep, outsider):
    LeadFactory(created_at=at(6, 1), owner=rep)
    LeadFactory(created_at=at(6, 1), team=north)
    LeadFactory(created_at=at(6, 1), owner=outsider, team=north)  # the owner decides
    LeadFactory(created_at=at(6, 1))
    assert figures(team=north)["new_leads"].value == 2
    assert figures()["new_leads"].value == 4


def test_reps_are_told_of_the_leads_they_can_see(north, rep, outsider):
    LeadFactory(created_at=at(6, 1), owner=rep)
    LeadFactory(created_at=at(6, 1), team=north)
    LeadFactory(created_at=at(6, 1))
    LeadFactory(created_at=at(6, 1), owner=outsider)
    LeadFactory(created_at=at(6, 1), team=outsider.team)
    for person in (rep, outsider):
        visible = Lead.objects.visible_to(person).count()
        assert figures(viewer=person)["new_leads"].value == visible == 3


def test_july_is_not_june():
    LeadFactory(created_at=at(7, 1))
    assert figures(JULY)["lead_conversion"].denominator == 1
