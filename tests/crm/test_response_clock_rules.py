"""By when a lead is to be answered, what its clock shows, and what stops it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from crm.models import Lead, LeadSource, Team, User
from crm.rules.activities import log_activity
from crm.rules.leads import create_lead, edit_lead
from crm.rules.response_clock import Clocks, restart_running_clocks
from tests.factories import LeadFactory, LeadSourceFactory, TeamFactory, office_hours

pytestmark = pytest.mark.django_db

WEDNESDAY = dt.datetime(2026, 6, 10, 12, tzinfo=dt.UTC)
FRIDAY_EVENING = dt.datetime(2026, 6, 12, 17, 30, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def office(north: Team) -> Team:
    north.working_calendar = office_hours()
    north.save()
    return north


def come_in(now: dt.datetime, **fields: Any) -> Lead:
    return create_lead(fields={"name": "Daria Fomina", **fields}, by=None, now=now)


def test_without_a_calendar_an_hour_is_an_hour() -> None:
    assert come_in(FRIDAY_EVENING).answer_by == FRIDAY_EVENING + 60 * MINUTE


def test_hour_of_a_team_is_an_hour_of_its_work(office: Team, rep: User) -> None:
    monday = dt.datetime(2026, 6, 15, 9, 30, tzinfo=dt.UTC)
    assert come_in(FRIDAY_EVENING, team=office).answer_by == monday
    assert come_in(FRIDAY_EVENING, owner=rep).answer_by == monday  # a rep of that team
    assert come_in(FRIDAY_EVENING, team=TeamFactory()).answer_by == FRIDAY_EVENING + 60 * MINUTE


def test_source_says_how_long(office: Team) -> None:
    source = LeadSourceFactory(respond_within_minutes=15)
    assert come_in(WEDNESDAY, team=office, source=source).answer_by == WEDNESDAY + 15 * MINUTE


def test_holiday_of_the_team_is_respected(office: Team) -> None:
    calendar = office.working_calendar
    assert calendar is not None
    calendar.country = "RU"
    calendar.save()
    day_of_russia = dt.datetime(2026, 6, 12, 10, tzinfo=dt.UTC)
    assert come_in(day_of_russia, team=office).answer_by == dt.datetime(2026, 6, 15, 10, tzinfo=dt.UTC)


def test_row_written_without_rules_is_given_plain_minutes(office: Team) -> None:
    source = LeadSourceFactory(respond_within_minutes=15)
    leads = Lead.objects.bulk_create([Lead(name="Loaded", source=source, created_at=WEDNESDAY)])
    assert leads[0].answer_by == WEDNESDAY + 15 * MINUTE


def test_other_source_or_team_moves_the_time_to_answer(office: Team, rep: User) -> None:
    lead = come_in(FRIDAY_EVENING, owner=rep, team=TeamFactory())
    lead = edit_lead(lead, fields={"team": office}, seen_version=lead.version, by=rep)
    assert lead.answer_by == dt.datetime(2026, 6, 15, 9, 30, tzinfo=dt.UTC)
    quick = LeadSourceFactory(respond_within_minutes=10)
    lead = edit_lead(lead, fields={"source": quick}, seen_version=lead.version, by=rep)
    assert lead.answer_by == FRIDAY_EVENING + 10 * MINUTE


def test_running_clocks_follow_what_an_admin_changes() -> None:
    source = LeadSourceFactory(respond_within_minutes=60)
    running, answered = come_in(WEDNESDAY, source=source), come_in(WEDNESDAY, source=source)
    told = come_in(WEDNESDAY, source=source)
    Lead.objects.filter(pk=answered.pk).update(first_response_at=WEDNESDAY)
    Lead.objects.filter(pk=told.pk).update(escalated_at=WEDNESDAY)
    LeadSource.objects.filter(pk=source.pk).update(respond_within_minutes=120)

    assert restart_running_clocks(now=WEDNESDAY) == 1
    answers = [Lead.objects.get(pk=lead.pk).answer_by - WEDNESDAY for lead in (running, answered, told)]
    assert answers == [120 * MINUTE, 60 * MINUTE, 60 * MINUTE]


@pytest.mark.parametrize(
    ("minutes", "state", "left"),
    [(0, "running", 1.0), (44, "running", 16 / 60), (46, "short", 14 / 60), (60, "short", 0.0), (61, "late", 0.0)],
)
def test_clock_runs_out(minutes: int, state: str, left: float) -> None:
    clock = Clocks(WEDNESDAY).read(LeadFactory(created_at=WEDNESDAY - minutes * MINUTE))
    assert (clock.state, round(clock.left, 6)) == (state, round(left, 6))


def test_clock_rests_when_nobody_works(office: Team) -> None:
    lead = come_in(FRIDAY_EVENING, team=office)
    clock = Clocks(FRIDAY_EVENING + dt.timedelta(days=1)).read(lead)
    assert (clock.state, clock.length, clock.left) == ("resting", 30 * MINUTE, 0.5)
    assert clock.resumes_at == dt.datetime(2026, 6, 15, 9, tzinfo=dt.UTC)


def test_automatic_reply_answers_nobody(rep: User) -> None:
    lead = come_in(WEDNESDAY, owner=rep)
    reply = {"kind": "email", "direction": "out", "is_automatic": True}
    log_activity(lead, fields=reply, by=rep, now=WEDNESDAY + MINUTE)
    lead.refresh_from_db()
    assert (lead.status, lead.first_response_at) == ("new", None)

    log_activity(lead, fields={"kind": "call", "direction": "in"}, by=rep, now=WEDNESDAY + 2 * MINUTE)
    lead.refresh_from_db()
    assert lead.first_response_at is None

    log_activity(lead, fields={"kind": "call", "direction": "out"}, by=rep, now=WEDNESDAY + 3 * MINUTE)
    lead.refresh_from_db()
    assert (lead.status, lead.first_response_at) == ("working", WEDNESDAY + 3 * MINUTE)


def test_many_clocks_are_read_with_one_reading_of_calendars(office: Team, django_assert_num_queries: Any) -> None:
    for _ in range(3):
        come_in(WEDNESDAY, team=office)
    leads = list(Lead.objects.select_related("source", "owner"))
    clocks = Clocks(WEDNESDAY)
    with django_assert_num_queries(4):
        assert [clocks.read(lead).state for lead in leads] == ["running"] * 3
