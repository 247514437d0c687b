"""Leads, activities and follow-ups over the API: the rules of the pages."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from crm.models import Activity, DisqualifyReason, FollowUp, Lead, User
from crm.rules.merged_values import fingerprint
from crm.rules.merging import merge_records
from tests.api import Program, token_of
from tests.factories import ActivityFactory, FollowUpFactory, LeadFactory, LeadSourceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(rep: User) -> Program:
    return Program(token_of(rep))


@pytest.fixture
def lead(rep: User) -> Lead:
    return LeadFactory(name="Lena Lead", owner=rep)


def test_a_merged_record_leads_on_to_its_survivor(program: Program, rep: User, outsider: User, lead: Lead) -> None:
    gone = LeadFactory(name="L. Lead", owner=rep)
    seen = {each.pk: fingerprint(each) for each in Lead.objects.filter(pk__in=[lead.pk, gone.pk])}
    merge = merge_records(kind="lead", seen=seen, chosen={}, by=rep, now=timezone.now())
    there = lead.pk if merge.survivor_id == gone.pk else gone.pk

    answer = program.ask("get", f"/leads/{there}")
    assert (answer.status_code, answer["Location"]) == (307, f"/api/v1/leads/{merge.survivor_id}")
    assert answer.json()["survivor"] == merge.survivor_id
    refused = program.patch(f"/leads/{there}", {"version": 1, "phone": "+49 30 1234567"}, 409)
    assert (refused["code"], refused["survivor"]) == ("merged", merge.survivor_id)
    assert Program(token_of(outsider)).get(f"/leads/{there}", 404)["code"] == "not_found"


# --- Leads ------------------------------------------------------------------------------------------------------------


def test_lead_is_made_read_and_changed(program: Program, rep: User) -> None:
    source = LeadSourceFactory(name="Fair")
    made = program.post("/leads", {"name": "Lena", "email": "lena@example.com", "source": source.pk}, 201)

    assert made["owner"] == {"id": rep.pk, "name": "Rita Rep", "email": "rita@example.test"}
    assert made["source"] == {"id": source.pk, "slug": source.slug, "name": "Fair"}
    assert program.get(f"/leads/{made['id']}") == made
    changed = program.patch(f"/leads/{made['id']}", {"version": 1, "phone": "+49 30 1234567"})
    assert (changed["name"], changed["email"], changed["version"]) == ("Lena", "lena@example.com", 2)
    assert program.post("/leads", {"name": "Nobody's", "owner": None}, 201)["owner"] is None


def test_conflict_shows_the_fresh_lead(program: Program, lead: Lead) -> None:
    program.patch(f"/leads/{lead.pk}", {"version": 1, "name": "Lena Second"})
    problem = program.patch(f"/leads/{lead.pk}", {"version": 1, "name": "Lena Third"}, 409)

    assert (problem["code"], problem["current"]["name"], problem["current"]["version"]) == (
        "conflict",
        "Lena Second",
        2,
    )
    assert "Rita Rep" in problem["message"]


def test_lead_goes_its_way(program: Program, lead: Lead) -> None:
    reason = DisqualifyReason.objects.create(name="No budget")
    path = f"/leads/{lead.pk}"
    assert program.post(f"{path}/qualify", {"version": 1})["status"] == "qualified"
    day = timezone.localdate() + dt.timedelta(days=9)
    assert program.post(f"{path}/nurture", {"version": 2, "until": day.isoformat()})["nurture_until"] == day.isoformat()
    assert (
        program.post(f"{path}/nurture", {"version": 3, "until": "2020-01-01"}, 422)["code"] == "nurture_date_not_ahead"
    )
    assert program.post(f"{path}/reopen", {"version": 3})["status"] == "qualified"
    assert program.post(f"{path}/disqualify", {"version": 4, "reason": 0}, 422)["field"] == "reason"
    gone = program.post(f"{path}/disqualify", {"version": 4, "reason": reason.pk})
    assert (gone["status"], gone["disqualify_reason"]["name"]) == ("disqualified", "No budget")
    assert program.post(f"{path}/qualify", {"version": 5}, 422)["code"] == "wrong_status"
    program.delete(f"{path}?version=5")
    program.get(path, 404)


def test_claim_is_won_by_one(program: Program, rep: User, colleague: User) -> None:
    lead = LeadFactory(owner=None, team=rep.team)
    assert program.post(f"/leads/{lead.pk}/claim")["owner"]["id"] == rep.pk
    problem = Program(token_of(colleague)).post(f"/leads/{lead.pk}/claim", status=409)

    assert problem["code"] == "taken"
    assert "Rita Rep" in problem["message"]
    assert problem["current"]["owner"]["id"] == rep.pk


def test_lead_is_given_to_whom_one_may_give_it(program: Program, lead: Lead, colleague: User, outsider: User) -> None:
    assert program.post(f"/leads/{lead.pk}/assign", {"version": 1, "owner": outsider.pk}, 422)["field"] == "owner"
    assert (
        program.post(f"/leads/{lead.pk}/assign", {"version": 1, "owner": colleague.pk})["owner"]["id"] == colleague.pk
    )


def test_leads_are_filtered(program: Program, lead: Lead, outsider: User) -> None:
    LeadFactory(name="Foreign", owner=outsider)
    won = LeadFactory(name="Другой", owner=lead.owner, status="qualified", qualified_at=timezone.now())

    def found(query: str) -> list[int]:
        return [item["id"] for item in program.get(f"/leads?{query}")["items"]]

    assert found("") == [won.pk, lead.pk]
    assert found("q=lena") == [lead.pk]
    assert found("status=qualified") == [won.pk]
    assert found(f"owner={lead.owner_id}&limit=1") == [won.pk]
    program.get(f"/leads?owner={outsider.pk}", 422)
    program.get("/leads?status=bought", 422)
    program.get("/leads?since=yesterday", 422)


def test_list_takes_the_same_queries_however_long(program: Program, lead: Lead, django_assert_num_queries: Any) -> None:
    for _ in range(20):
        LeadFactory(owner=lead.owner, source=LeadSourceFactory())
    program.get("/leads")
    with django_assert_num_queries(5):  # token, pace, colleagues, teams led, leads
        assert len(program.get("/leads")["items"]) == 21


# --- Activities -------------------------------------------------------------------------------------------------------


def test_activity_is_logged_and_stops_the_clock(program: Program, lead: Lead) -> None:
    said = {"subject_kind": "lead", "subject_id": lead.pk, "kind": "call", "body": "Talked", "direction": "out"}
    made = program.post("/activities", said, 201)

    assert (made["subject"], made["direction"]) == ({"kind": "lead", "id": lead.pk}, "out")
    assert program.get(f"/leads/{lead.pk}")["status"] == "working"
    changed = program.patch(f"/activities/{made['id']}", {"version": made["version"], "body": "Talked long"})
    assert (changed["body"], changed["at"], changed["version"]) == ("Talked long", made["at"], made["version"] + 1)
    assert (
        program.patch(f"/activities/{made['id']}", {"version": 1, "body": "x"}, 409)["current"]["body"] == "Talked long"
    )
    program.delete(f"/activities/{made['id']}?version=1", 409)
    program.delete(f"/activities/{made['id']}?version={changed['version']}")
    program.get(f"/activities/{made['id']}", 404)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"kind": "dance"}, "kind"),
        ({"kind": "note", "direction": "in"}, "direction"),
        ({"at": "2999-01-01T00:00:00Z"}, "at"),
        ({"subject_kind": "planet"}, "subject_kind"),
        ({"author": 1}, "author"),
        ({"duration_minutes": -1}, "duration_minutes"),
    ],
)
def test_wrong_activity_is_refused(program: Program, lead: Lead, wrong: dict[str, Any], field: str) -> None:
    said = {"subject_kind": "lead", "subject_id": lead.pk, "kind": "call", "direction": "out", "body": "Talked"}
    assert program.post("/activities", said | wrong, 422)["field"] == field
    assert not Activity.objects.exists()


def test_timeline_is_for_who_sees_the_record(program: Program, lead: Lead, outsider: User) -> None:
    ActivityFactory(subject=lead, author=outsider)
    mine = ActivityFactory(subject=lead, author=lead.owner)

    assert len(program.get(f"/activities?subject_kind=lead&subject_id={lead.pk}")["items"]) == 2
    assert [item["id"] for item in program.get("/activities")["items"]] == [mine.pk]
    program.get("/activities?subject_kind=lead", 422)
    Program(token_of(outsider)).get(f"/activities?subject_kind=lead&subject_id={lead.pk}", 404)


# --- Follow-ups -------------------------------------------------------------------------------------------------------


def planned(program: Program, lead: Lead, **more: Any) -> dict[str, Any]:
    said = {"subject_kind": "lead", "subject_id": lead.pk, "title": "Call", "due": "2030-07-02T14:00:00"}
    return program.post("/follow-ups", said | more, 201)


def test_follow_up_is_on_the_persons_clock(program: Program, lead: Lead, rep: User) -> None:
    User.objects.filter(pk=rep.pk).update(time_zone="Europe/Berlin")
    made = planned(program, lead)
    assert (made["due_at"], made["due_local"]) == ("2030-07-02T12:00:00Z", "2030-07-02T14:00")
    assert planned(program, lead, due="2030-07-02T14:00:00+03:00")["due_local"] == "2030-07-02T13:00"


@pytest.mark.parametrize("due", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"])
def test_a_moment_that_no_clock_shows_is_refused(program: Program, lead: Lead, due: str) -> None:
    said = {"subject_kind": "lead", "subject_id": lead.pk, "title": "Call", "due": due}
    assert program.post("/follow-ups", said, 422)["field"] == "due"
    made = planned(program, lead)
    later = {"version": made["version"], "until": due}
    assert program.post(f"/follow-ups/{made['id']}/snooze", later, 422)["field"] == "until"


def test_follow_up_goes_its_way(program: Program, lead: Lead) -> None:
    made = planned(program, lead, remind_before=[0, 60], note="Bring papers")
    path = f"/follow-ups/{made['id']}"
    version = made["version"]
    later = program.post(f"{path}/reschedule", {"version": version, "due": "2030-07-03T10:00:00Z"})
    assert (later["due_at"], later["remind_before"], later["note"]) == ("2030-07-03T10:00:00Z", [0, 60], "Bring papers")
    stale = program.post(f"{path}/snooze", {"version": version, "until": "2030-07-04T10:00:00Z"}, 409)
    assert stale["current"]["version"] == later["version"]
    snoozed = program.post(f"{path}/snooze", {"version": later["version"], "until": "2030-07-04T10:00:00Z"})
    assert snoozed["remind_before"] == [0]
    assert program.post(f"{path}/snooze", {"version": snoozed["version"], "until": "2020-01-01T00:00:00Z"}, 422)
    named = program.patch(path, {"version": snoozed["version"], "title": "Visit"})
    assert (named["title"], named["due_at"]) == ("Visit", "2030-07-04T10:00:00Z")
    step = {"title": "Send papers", "due": "2030-07-05T10:00:00Z"}
    done = program.post(f"{path}/done", {"version": named["version"], "outcome": "Liked it", "next": step})
    assert (done["outcome"], done["done_by"]["name"]) == ("Liked it", "Rita Rep")
    assert FollowUp.objects.open().get().title == "Send papers"
    assert program.post(f"{path}/done", {"version": done["version"]}, 409)["code"] == "closed"
    opened = program.post(f"{path}/reopen", {"version": done["version"]})
    assert opened["done_at"] is None
    program.delete(f"{path}?version={opened['version']}")
    program.get(path, 404)


def test_follow_ups_are_filtered_by_state_record_and_person(program: Program, lead: Lead, colleague: User) -> None:
    past = FollowUpFactory(subject=lead, assignee=lead.owner, due_at=timezone.now() - dt.timedelta(hours=1))
    ahead = FollowUpFactory(subject=lead, assignee=colleague)
    done = FollowUpFactory(subject=lead, assignee=lead.owner, done_at=timezone.now(), done_by=lead.owner)

    def found(query: str) -> set[int]:
        return {item["id"] for item in program.get(f"/follow-ups?{query}")["items"]}

    assert found("") == {past.pk, ahead.pk}
    assert found("state=overdue") == {past.pk}
    assert found("state=done") == {done.pk}
    assert found(f"state=all&subject_kind=lead&subject_id={lead.pk}") == {past.pk, ahead.pk, done.pk}
    assert found(f"assignee={colleague.pk}") == {ahead.pk}
    program.get("/follow-ups?state=someday", 422)
    program.get("/follow-ups?assignee=999999", 422)


@pytest.mark.parametrize(
    "wrong", [{"due": "soon"}, {"due": 5}, {"assignee": 0}, {"remind_before": [-1]}, {"title": ""}]
)
def test_wrong_follow_up_is_refused(program: Program, lead: Lead, wrong: dict[str, Any]) -> None:
    said = {"subject_kind": "lead", "subject_id": lead.pk, "title": "Call", "due": "2030-07-02T14:00:00"}
    assert program.post("/follow-ups", said | wrong, 422)["field"] == next(iter(wrong))


# --- Lookups ----------------------------------------------------------------------------------------------------------


def test_lookups_name_what_fields_take(program: Program, rep: User, outsider: User) -> None:
    LeadSourceFactory(slug="fair", name="Fair", name_ru="Выставка")
    DisqualifyReason.objects.create(name="No budget")
    User.objects.filter(pk=rep.pk).update(language="ru")

    assert "Выставка" in [source["name"] for source in program.get("/sources")]
    assert "No budget" in [reason["name"] for reason in program.get("/disqualify-reasons")]
    people = [person["id"] for person in program.get("/people")]
    assert rep.pk in people
    assert outsider.pk not in people
