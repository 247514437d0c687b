"""Who gets a new lead, and that turns are fair however many come in at once."""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter
from typing import Any

import pytest
from django.db import connection

from crm.models import Absence, AssignmentRule, AuditEntry, Campaign, Lead, Team, User
from crm.rules.assigning import rule_noted
from crm.rules.errors import RuleError
from crm.rules.leads import claim_lead, create_lead
from crm.rules.segments import SegmentInUse, checked, delete_segment
from tests.factories import LeadFactory, LeadSourceFactory, TeamFactory, UserFactory, office_hours
from tests.factories.segments import SegmentFactory, condition, group

pytestmark = pytest.mark.django_db

WEDNESDAY = dt.datetime(2026, 6, 10, 12, tzinfo=dt.UTC)
EVENING = dt.datetime(2026, 6, 10, 20, tzinfo=dt.UTC)
Method, AtWork = AssignmentRule.Method, AssignmentRule.AtWork


def rule_for(*people: User, **fields: Any) -> AssignmentRule:
    position = AssignmentRule.objects.count() + 1
    rule = AssignmentRule.objects.create(**{"name": f"Rule {position}", "position": position, **fields})
    rule.people.set(people)
    return rule


def come_in(now: dt.datetime = WEDNESDAY, **fields: Any) -> Lead:
    return create_lead(fields={"name": "Daria Fomina", **fields}, by=None, now=now)


def owners(count: int, now: dt.datetime = WEDNESDAY) -> list[User | None]:
    return [come_in(now).owner for _ in range(count)]


def test_without_rules_a_lead_waits_in_the_inbox() -> None:
    assert come_in().owner is None


def test_people_get_leads_in_turn(rep: User, colleague: User, outsider: User) -> None:
    rule = rule_for(rep, colleague)
    assert owners(4) == [rep, colleague, rep, colleague]
    rule.people.add(outsider)  # who joins is next
    assert owners(3) == [outsider, rep, colleague]


def test_reps_of_a_team_take_part_and_those_who_left_do_not(north: Team, rep: User, colleague: User) -> None:
    UserFactory(team=north, role=User.Role.VIEWER)
    UserFactory(team=north, role=User.Role.MANAGER)
    UserFactory(team=north, is_active=False)
    rule_for(team=north)
    assert owners(3) == [rep, colleague, rep]
    assert come_in().team == north  # and the lead is the team's from now on


def test_the_first_rule_that_fits_decides(rep: User, colleague: User, outsider: User, north: Team) -> None:
    fair, other = LeadSourceFactory(), LeadSourceFactory()
    campaign = Campaign.objects.create(name="Spring", source=fair)
    rule_for(rep).sources.add(fair)
    rule_for(colleague).campaigns.add(campaign)
    rule_for(outsider).of_teams.add(north)
    rule_for(rep, is_active=False)

    assert come_in(source=fair, campaign=campaign).owner == rep
    assert come_in(campaign=campaign).owner == colleague
    assert come_in(team=north, source=other).owner == outsider
    assert come_in(source=other).owner is None


def test_a_segment_that_a_rule_asks_for_is_not_deleted(rep: User) -> None:
    segment = SegmentFactory(owner=rep)
    rule = rule_for(rep, name="Mills to Rita", segment=segment)

    with pytest.raises(SegmentInUse, match="Mills to Rita"):
        delete_segment(segment, seen_version=segment.version, by=rep, now=WEDNESDAY)
    segment.refresh_from_db()
    assert segment.deleted_at is None

    rule.delete()
    delete_segment(segment, seen_version=segment.version, by=rep, now=WEDNESDAY)


def test_segment_is_a_condition(rep: User, admin: User) -> None:
    mills = checked(group("all", condition("company_name", "is", "Grain Mill")), about="lead")
    segment = SegmentFactory(owner=admin, conditions=mills)
    rule_for(rep, segment=segment)
    assert come_in(company_name="Grain Mill").owner == rep
    assert come_in(company_name="Siberian Ice").owner is None


def test_whoever_has_least_gets_it(rep: User, colleague: User) -> None:
    rule_for(rep, colleague, method=Method.LOAD)
    LeadFactory(owner=rep)
    LeadFactory(owner=rep, status="working")
    LeadFactory(owner=colleague, status="converted", converted_at=WEDNESDAY)
    assert owners(4) == [colleague, colleague, rep, colleague]


def test_only_who_is_at_work_gets_a_lead(north: Team, rep: User, colleague: User, outsider: User) -> None:
    rep.working_calendar = office_hours()
    rep.save()
    colleague.working_calendar = office_hours("America/New_York", name="New York")
    colleague.save()
    rule_for(rep, colleague, at_work=AtWork.NOW)
    rule_for(outsider, at_work=AtWork.ANY)
    assert owners(2, now=EVENING) == [colleague] * 2  # four in the afternoon in New York
    assert owners(1, now=EVENING + dt.timedelta(hours=4)) == [outsider]  # nobody is at work: the next rule


def test_where_nobody_is_at_work_whoever_begins_first_gets_it(rep: User, colleague: User) -> None:
    for person, zone in ((rep, "America/New_York"), (colleague, "Europe/Berlin")):
        person.working_calendar = office_hours(zone, name=zone)
        person.save()
    rule_for(rep, colleague)
    night = EVENING + dt.timedelta(hours=4)
    assert owners(2, now=night) == [colleague] * 2
    Absence.objects.create(user=colleague, starts_on=dt.date(2026, 6, 11), ends_on=dt.date(2026, 6, 11))
    assert owners(1, now=night) == [rep]


def test_substitute_gets_what_is_meant_for_one_who_is_away(rep: User, colleague: User, outsider: User) -> None:
    rule_for(method=Method.PERSON, person=rep)
    rule_for(outsider)
    assert owners(1) == [rep]
    away = Absence.objects.create(user=rep, starts_on=WEDNESDAY.date(), ends_on=WEDNESDAY.date(), substitute=colleague)
    assert owners(1) == [colleague]
    away.substitute = None
    away.save()
    assert owners(1) == [outsider]


def test_clock_keeps_to_the_hours_of_the_team_that_got_the_lead(north: Team, rep: User) -> None:
    north.working_calendar = office_hours()
    north.save()
    rule_for(team=north)
    assert come_in(EVENING).answer_by == dt.datetime(2026, 6, 11, 10, tzinfo=dt.UTC)


def test_gift_is_noted_with_its_rule(rep: User) -> None:
    rule = rule_for(rep)
    lead = come_in()
    entry = AuditEntry.objects.about("lead", lead.pk).first()
    assert entry is not None
    assert (rule_noted(entry.note), entry.actor, entry.after["owner_id"]) == ((rule.pk, "turn"), None, rep.pk)


def test_lead_that_has_somebody_keeps_them(rep: User, colleague: User) -> None:
    rule_for(rep)
    assert come_in(owner=colleague).owner == colleague
    assert create_lead(fields={"name": "Free"}, by=colleague, now=WEDNESDAY, assigns=False).owner is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("method", [Method.TURN, Method.LOAD])
def test_turns_are_fair_when_leads_come_in_at_once(method: str) -> None:
    people = [UserFactory(team=TeamFactory()) for _ in range(3)]
    rule_for(*people, method=method)
    at_once([come_in] * 12)
    assert Counter(Lead.objects.values_list("owner", flat=True)) == {person.pk: 4 for person in people}


@pytest.mark.django_db(transaction=True)
def test_of_many_who_claim_one_lead_at_once_one_has_it_and_the_others_are_told_who() -> None:
    team = TeamFactory()
    people = [UserFactory(team=team) for _ in range(8)]
    lead = LeadFactory()
    results = at_once([lambda person=person: claim_lead(lead, by=person) for person in people])
    lead.refresh_from_db()
    refusals = [str(result) for result in results if isinstance(result, Exception)]
    assert refusals == [f"{lead.owner} took this lead first."] * 7


def at_once(calls: list[Any]) -> list[Any]:
    """Call all at the same instant, each in a thread with a connection of its own; return answers and refusals."""
    gate, results = threading.Barrier(len(calls)), []

    def run(call: Any) -> None:
        try:
            connection.ensure_connection()
            gate.wait(timeout=10)
            results.append(call())
        except RuleError as error:
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    return results
