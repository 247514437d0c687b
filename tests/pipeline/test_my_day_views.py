"""My day: what waits, in the order of what is at stake, for those whose day it is."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crm.models import ExchangeRate, FollowUp, Team, User
from crm.rules.leads import create_lead
from pipeline.models import Deal, Stage
from pipeline.views.my_day_groups import Day, Group, Scope, day_of
from tests.factories import (
    CompanyFactory,
    ContactFactory,
    DealFactory,
    FollowUpFactory,
    LeadFactory,
    LeadSourceFactory,
    office_hours,
)

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 7, 2, 12, tzinfo=dt.UTC)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def read(user: User, *, now: dt.datetime = NOON, is_team: bool = False, opened: str = "") -> Day:
    return day_of(Scope(user=user, is_team=is_team, now=now, opened=opened))


def group(day: Day, key: str) -> Group:
    return next(found for found in day.groups if found.key == key)


def titles(day: Day, key: str) -> list[str]:
    return [step.follow_up.title for step in group(day, key).rows]


def step(subject: object, assignee: User, due_at: dt.datetime, title: str, **fields: object) -> FollowUp:
    follow_up: FollowUp = FollowUpFactory(subject=subject, assignee=assignee, due_at=due_at, title=title, **fields)
    return follow_up


def deal_of(owner: User, amount: int | None = 100, **fields: object) -> Deal:
    fields = {"created_at": NOON - DAY, **fields}
    deal: Deal = DealFactory(owner=owner, amount=amount, **fields)
    return deal


def test_steps_lie_in_their_group_in_the_order_of_what_is_at_stake(rep: User) -> None:
    small, large = deal_of(rep, 100), deal_of(rep, 9_000)
    step(small, rep, NOON - HOUR, "small")
    step(large, rep, NOON - HOUR, "large")
    step(CompanyFactory(owner=rep), rep, NOON - DAY, "no deal")
    step(small, rep, NOON, "due this very minute")
    step(small, rep, NOON + 11 * HOUR, "this evening")
    step(small, rep, NOON + 12 * HOUR, "at midnight")

    day = read(rep)

    assert titles(day, "overdue") == ["large", "small", "no deal"]
    assert titles(day, "today") == ["due this very minute", "this evening"]
    assert [row.follow_up.title for row in day.next.rows] == ["at midnight"]
    assert (day.tomorrow, day.tomorrow_from) == (1, NOON + 12 * HOUR)
    assert group(day, "overdue").stake == Decimal(9_100)
    assert day.to_do == 5


def test_day_ends_at_midnight_on_ones_own_clock(rep: User) -> None:
    step(deal_of(rep), rep, NOON + 8 * HOUR, "eight in the evening, in London")

    with timezone.override("Asia/Kathmandu"):
        day = read(rep)

    assert titles(day, "today") == []
    assert day.tomorrow == 1


def test_amounts_are_compared_in_base_currency(rep: User) -> None:
    ExchangeRate.objects.create(on=NOON.date() - DAY, currency="RUB", rate=Decimal("0.01"))
    step(deal_of(rep, 5_000, currency="RUB"), rep, NOON - HOUR, "roubles")
    step(deal_of(rep, 100), rep, NOON - HOUR, "euros")
    step(deal_of(rep, 900, currency="GBP"), rep, NOON - HOUR, "pounds of unknown worth")

    day = read(rep)

    assert titles(day, "overdue") == ["euros", "roubles", "pounds of unknown worth"]
    assert group(day, "overdue").stake == Decimal(150)
    assert day.missing_rates == ["GBP"]


def test_sum_that_lacks_a_rate_is_not_shown(rep: User) -> None:
    step(deal_of(rep, 700), rep, timezone.now() - HOUR, "euros")
    page = logged_in(rep).get("/").text
    assert "at stake" in page
    step(deal_of(rep, 900, currency="GBP"), rep, timezone.now() - HOUR, "pounds")

    page = logged_in(rep).get("/").text

    assert "there is no exchange rate for GBP" in page
    assert "</b> at stake" not in page


def test_deals_without_a_step_and_rotting_ones_come_once(rep: User, stages: dict[str, Stage]) -> None:
    Stage.objects.filter(slug="prospecting").update(rotting_days=5)
    long_ago = NOON - 9 * DAY
    unplanned = deal_of(rep, created_at=long_ago)
    planned = deal_of(rep, created_at=long_ago)
    due_today = deal_of(rep, created_at=long_ago)
    deal_of(rep, created_at=long_ago, lost_at=NOON - DAY)
    step(planned, rep, NOON + 3 * DAY, "later")
    step(due_today, rep, NOON + HOUR, "today")

    day = read(rep)

    assert [row.deal for row in group(day, "unplanned").rows] == [unplanned]
    (rotting,) = group(day, "rotting").rows
    assert (rotting.deal, rotting.days_in_stage, rotting.days_over) == (planned, 9, 5)


def test_waiting_leads_come_by_their_clock_ones_own_and_nobodys(rep: User, colleague: User, outsider: User) -> None:
    quick = LeadSourceFactory(respond_within_minutes=10)
    slow = LeadFactory(owner=rep, created_at=NOON - HOUR / 2)
    late = LeadFactory(owner=None, created_at=NOON - HOUR / 3, source=quick)
    LeadFactory(owner=colleague)
    LeadFactory(owner=outsider)
    LeadFactory(owner=rep, first_response_at=NOON)

    rows = group(read(rep), "leads").rows

    assert [row.lead for row in rows] == [late, slow]
    assert [row.clock.state for row in rows] == ["late", "running"]


def test_done_today_is_counted(rep: User) -> None:
    deal = deal_of(rep)
    step(deal, rep, NOON - DAY, "a", kind="call", done_at=NOON - HOUR, done_by=rep)
    step(deal, rep, NOON - DAY, "b", kind="email", done_at=NOON - 13 * HOUR, done_by=rep)
    step(deal, rep, NOON + HOUR, "c")

    day = read(rep)

    assert day.done == {"call": 1}
    assert (day.done_count, day.planned, day.done_share) == (1, 2, 0.5)


def test_meetings_of_the_day_stay_after_they_are_done(rep: User) -> None:
    deal = deal_of(rep)
    step(deal, rep, NOON - HOUR, "past", kind="meeting", done_at=NOON)
    step(deal, rep, NOON + HOUR, "coming", kind="meeting")
    step(deal, rep, NOON + DAY, "tomorrow", kind="meeting")

    assert [row.follow_up.title for row in read(rep).meetings] == ["past", "coming"]


def test_team_is_for_those_who_lead_one(rep: User, colleague: User, manager: User, outsider: User) -> None:
    for person in (rep, colleague, outsider):
        step(deal_of(person), person, NOON - HOUR, person.name)

    assert titles(read(rep), "overdue") == [rep.name]
    assert sorted(titles(read(manager, is_team=True), "overdue")) == sorted([rep.name, colleague.name])
    assert titles(read(manager), "overdue") == []


def test_record_one_no_longer_sees_is_neither_named_nor_summed(rep: User, outsider: User) -> None:
    deal = deal_of(outsider, 5_000, name="Secret deal")
    step(deal, rep, timezone.now() - HOUR, "Call them")

    page = logged_in(rep).get("/").text

    assert "Call them" in page
    assert "Secret deal" not in page
    assert "5,000" not in page


def test_long_groups_are_cut_and_opened(rep: User) -> None:
    deal = deal_of(rep)
    for number in range(13):
        step(deal, rep, NOON - HOUR, f"call {number}")

    cut = group(read(rep), "overdue")
    assert (cut.count, len(cut.rows), cut.hidden) == (13, 10, 3)
    assert group(read(rep, opened="overdue"), "overdue").hidden == 0


# --- The page -------------------------------------------------------------------------------------------------------


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_empty_day_says_so(rep: User) -> None:
    page = logged_in(rep).get("/")

    assert page.status_code == 200
    assert "You are done. Nothing waits for you." in page.text


def test_rows_offer_one_verb_and_one_click(rep: User) -> None:
    contact = ContactFactory(owner=rep, phone="+45 621 40 118", name="Irina Kim")
    call = step(deal_of(rep, contact=contact), rep, timezone.now() - HOUR, "Call Irina")

    page = logged_in(rep).get("/").text

    assert 'href="tel:+4562140118"' in page
    assert reverse("follow_up_done", args=[call.pk]) in page
    assert reverse("follow_up_snooze", args=[call.pk]) in page


def test_viewer_sees_the_teams_day_and_no_buttons(rep: User, viewer: User) -> None:
    call = step(deal_of(rep), rep, timezone.now() - HOUR, "Call Irina")

    page = logged_in(viewer).get("/").text

    assert "Call Irina" in page
    assert reverse("follow_up_done", args=[call.pk]) not in page


def test_a_call_asks_what_came_of_it(rep: User) -> None:
    contact = ContactFactory(owner=rep, phone="+45 621 40 118")
    call = step(deal_of(rep, contact=contact), rep, timezone.now() - HOUR, "Call Irina")
    lead = LeadFactory(owner=rep, phone="+45 621 40 119")

    page = logged_in(rep).get("/").text

    assert f'data-log="{reverse("follow_up_next", args=[call.pk])}"' in page
    assert f'data-log="{reverse("activity_create", args=["lead", lead.pk])}?kind=call"' in page


def test_who_only_reads_is_offered_no_calls_to_other_peoples_people(rep: User, viewer: User) -> None:
    contact = ContactFactory(owner=rep, phone="+45 621 40 118")
    step(deal_of(rep, contact=contact), rep, timezone.now() - HOUR, "Call Irina")
    for owner in (rep, None):
        LeadFactory(owner=owner, phone="+45 621 40 119", email="daria@grain.test")

    page = logged_in(viewer).get("/").text

    assert "tel:" not in page
    assert "mailto:" not in page
    assert "data-log" not in page


def test_a_resting_clock_is_neither_red_nor_silent(rep: User, north: Team, rf: RequestFactory) -> None:
    north.working_calendar = office_hours()
    north.save()
    friday_evening = dt.datetime(2026, 6, 12, 17, 50, tzinfo=dt.UTC)
    create_lead(fields={"name": "Daria Fomina", "owner": rep}, by=None, now=friday_evening)
    scope = Scope(user=rep, is_team=False, now=friday_evening + DAY)
    request = rf.get("/")
    request.user = rep

    page = render_to_string(
        "pipeline/my_day.html#day", {"day": day_of(scope), "scope": scope, "now": scope.now}, request
    )

    assert group(day_of(scope), "leads").rows[0].clock.state == "resting"
    assert "rests until" in page
    assert "is-overdue" not in page


@pytest.mark.parametrize("query", ["of=team", "of=nonsense", "all=nonsense", "of=team&all=leads"])
def test_rep_sees_their_own_day_whatever_the_address_says(rep: User, colleague: User, query: str) -> None:
    step(deal_of(colleague), colleague, timezone.now() - HOUR, "Of a colleague")

    page = logged_in(rep).get(f"/?{query}")

    assert page.status_code == 200
    assert "Of a colleague" not in page.text


def test_htmx_gets_the_day_without_the_page(rep: User) -> None:
    page = logged_in(rep).get("/", headers={"HX-Request": "true", "HX-Target": "my-day"}).text

    assert "<html" not in page
    assert 'class="day"' in page


def test_queries_do_not_grow_with_the_rows(rep: User, stages: dict[str, Stage]) -> None:
    Stage.objects.filter(slug="prospecting").update(rotting_days=5)
    client = logged_in(rep)

    def queries(rows: int) -> int:
        for _row in range(rows):
            company = CompanyFactory(owner=rep)
            deal = deal_of(rep, company=company, contact=ContactFactory(owner=rep), created_at=timezone.now() - 9 * DAY)
            deal_of(rep, company=company, created_at=timezone.now() - DAY)
            lead = LeadFactory(owner=rep, source=LeadSourceFactory())
            for days in (-1, 0.01, 1):
                step(deal, rep, timezone.now() + days * DAY, "deal", kind="meeting")
                step(lead, rep, timezone.now() + days * DAY, "lead")
                step(company, rep, timezone.now() + days * DAY, "company")
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/").status_code == 200
        return len(captured)

    queries(1)
    few, many = queries(0), queries(4)
    assert many == few
    assert few <= 26
