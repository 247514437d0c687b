"""What happens to a lead, and who may do it."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection

from crm.models import AuditEntry, DisqualifyReason, Lead, Team, User
from crm.rules.errors import NotAllowed, RuleError
from crm.rules.leads import (
    DisqualifyReasonNeeded,
    LeadConflict,
    LeadTaken,
    NurtureDateNotAhead,
    WrongStatus,
    assign_lead,
    claim_lead,
    create_lead,
    delete_lead,
    disqualify_lead,
    edit_lead,
    nurture_lead,
    qualify_lead,
    reopen_lead,
    restore_lead,
)
from tests.factories import FollowUpFactory, LeadFactory, TeamFactory, UserFactory

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 6, 10, 12, tzinfo=dt.UTC)
TODAY = NOW.date()


@pytest.fixture
def lead(rep: User) -> Lead:
    return LeadFactory(name="Daria Fomina", owner=rep, created_at=NOW - dt.timedelta(hours=1))


@pytest.fixture
def reason() -> DisqualifyReason:
    return DisqualifyReason.objects.create(name="Out of region")


def last_entry(lead: Lead) -> AuditEntry:
    entry = AuditEntry.objects.about("lead", lead.pk).first()
    assert entry is not None
    return entry


# --- Coming in and being edited -------------------------------------------------------------------------------------


def test_a_lead_comes_in_new_with_its_clock_running(rep: User) -> None:
    lead = create_lead(fields={"name": "Greta Holm", "owner": rep}, by=rep, now=NOW)

    assert (lead.status, lead.created_at, lead.first_response_at, lead.owner) == ("new", NOW, None, rep)
    assert (last_entry(lead).action, last_entry(lead).actor) == ("created", rep)


def test_a_viewer_adds_nothing(viewer: User) -> None:
    with pytest.raises(NotAllowed):
        create_lead(fields={"name": "Greta Holm"}, by=viewer, now=NOW)


def test_editing_writes_the_named_fields_alone(lead: Lead, rep: User) -> None:
    fields = {"phone": "+371 2000", "status": "converted", "owner": None}
    edited = edit_lead(lead, fields=fields, seen_version=lead.version, by=rep)

    assert (edited.phone, edited.status, edited.owner) == ("+371 2000", "new", rep)
    assert edited.version == lead.version + 1
    assert (last_entry(lead).before, last_entry(lead).after) == ({"phone": ""}, {"phone": "+371 2000"})


def test_the_second_editor_is_told_who_was_first(lead: Lead, rep: User, manager: User) -> None:
    edit_lead(lead, fields={"phone": "1"}, seen_version=lead.version, by=manager)

    with pytest.raises(LeadConflict, match="Mara Manager changed “Daria Fomina”") as refusal:
        edit_lead(lead, fields={"phone": "2"}, seen_version=lead.version, by=rep)

    assert refusal.value.lead.phone == "1"
    lead.refresh_from_db()
    assert lead.phone == "1"


@pytest.mark.parametrize("who", ["colleague", "outsider", "viewer"])
def test_only_those_who_may_change_a_lead_do(lead: Lead, who: str, request: pytest.FixtureRequest) -> None:
    with pytest.raises(NotAllowed):
        edit_lead(lead, fields={"name": "Mine"}, seen_version=lead.version, by=request.getfixturevalue(who))
    lead.refresh_from_db()
    assert lead.name == "Daria Fomina"


# --- Whose it is ----------------------------------------------------------------------------------------------------


def test_claiming_a_free_lead_makes_it_ones_own(rep: User) -> None:
    lead = LeadFactory()

    assert claim_lead(lead, by=rep).owner == rep
    assert claim_lead(lead, by=rep).owner == rep  # a double click changes nothing more
    assert AuditEntry.objects.about("lead", lead.pk).count() == 2


def test_a_lead_that_is_taken_names_its_taker(lead: Lead, colleague: User) -> None:
    with pytest.raises(LeadTaken, match="Rita Rep took this lead first"):
        claim_lead(lead, by=colleague)


@pytest.mark.parametrize("who", ["outsider", "viewer"])
def test_another_teams_free_lead_is_not_for_the_taking(north: Team, who: str, request: pytest.FixtureRequest) -> None:
    lead = LeadFactory(team=north)
    with pytest.raises(NotAllowed):
        claim_lead(lead, by=request.getfixturevalue(who))


@pytest.mark.django_db(transaction=True)
def test_of_two_who_claim_at_once_one_succeeds() -> None:
    team = TeamFactory()
    people = [UserFactory(team=team), UserFactory(team=team)]
    for _round in range(10):
        lead = LeadFactory()
        results = _at_once([partial(claim_lead, lead, by=person) for person in people])

        lead.refresh_from_db()
        assert lead.owner in people
        refusals = [result for result in results if isinstance(result, LeadTaken)]
        assert len(refusals) == 1
        assert str(lead.owner) in refusals[0].message


def test_assigning_gives_a_lead_to_a_colleague(lead: Lead, rep: User, colleague: User) -> None:
    assert assign_lead(lead, to=colleague, seen_version=lead.version, by=rep).owner == colleague


def test_a_lead_goes_to_nobody_one_does_not_see(lead: Lead, rep: User, outsider: User, viewer: User) -> None:
    for person in (outsider, viewer):
        with pytest.raises(NotAllowed):
            assign_lead(lead, to=person, seen_version=lead.version, by=rep)


def test_free_leads_are_seen_by_their_team_and_those_of_no_team_by_all(
    north: Team, rep: User, manager: User, outsider: User, viewer: User
) -> None:
    ours, anybodys = LeadFactory(team=north), LeadFactory()

    for person in (rep, manager, viewer):
        assert set(Lead.objects.visible_to(person)) == {ours, anybodys}
    assert set(Lead.objects.visible_to(outsider)) == {anybodys}
    assert set(Lead.objects.editable_by(rep)) == {ours, anybodys}
    assert not Lead.objects.editable_by(viewer).exists()


# --- What becomes of it ---------------------------------------------------------------------------------------------


def test_qualifying_keeps_the_first_time(lead: Lead, rep: User) -> None:
    qualified = qualify_lead(lead, seen_version=lead.version, by=rep, now=NOW)
    again = qualify_lead(qualified, seen_version=qualified.version, by=rep, now=NOW + dt.timedelta(days=1))

    assert (again.status, again.qualified_at) == ("qualified", NOW)


def test_disqualifying_needs_a_reason(lead: Lead, rep: User) -> None:
    with pytest.raises(DisqualifyReasonNeeded):
        disqualify_lead(lead, reason=None, seen_version=lead.version, by=rep, now=NOW)
    lead.refresh_from_db()
    assert (lead.status, lead.version) == ("new", 1)


def test_disqualifying_drops_what_was_planned_and_reopening_brings_it_back(
    lead: Lead, rep: User, reason: DisqualifyReason
) -> None:
    planned = FollowUpFactory(subject=lead, assignee=rep)
    done = FollowUpFactory(subject=lead, assignee=rep, done_at=NOW)
    thrown_away = FollowUpFactory(subject=lead, assignee=rep, deleted_at=NOW - dt.timedelta(days=1))

    closed = disqualify_lead(lead, reason=reason, seen_version=lead.version, by=rep, now=NOW)
    assert (closed.status, closed.disqualified_at, closed.disqualify_reason) == ("disqualified", NOW, reason)
    assert closed.next_step_at is None
    assert set(lead.follow_ups.present()) == {done}

    reopened = reopen_lead(closed, seen_version=closed.version, by=rep, now=NOW)
    assert (reopened.status, reopened.disqualified_at, reopened.disqualify_reason) == ("new", None, None)
    assert reopened.next_step_at == planned.due_at
    assert thrown_away not in lead.follow_ups.present()


@pytest.mark.parametrize(
    ("times", "status"),
    [({}, "new"), ({"first_response_at": NOW}, "working"), ({"qualified_at": NOW}, "qualified")],
)
def test_a_reopened_lead_stands_where_it_stood(times: dict[str, dt.datetime], status: str, rep: User) -> None:
    lead = LeadFactory(owner=rep, status="nurturing", nurture_until=TODAY, **times)

    assert reopen_lead(lead, seen_version=lead.version, by=rep, now=NOW).status == status
    assert lead.nurture_until is not None  # the row in hand is not touched; the fresh one is returned


def test_a_nurtured_lead_comes_back_on_its_day(lead: Lead, rep: User) -> None:
    nurtured = nurture_lead(lead, until=TODAY + dt.timedelta(days=1), seen_version=lead.version, by=rep, now=NOW)

    assert (nurtured.status, nurtured.nurture_until) == ("nurturing", TODAY + dt.timedelta(days=1))
    assert not Lead.objects.nurtured_until(TODAY).exists()
    assert Lead.objects.nurtured_until(TODAY + dt.timedelta(days=1)).get() == lead


def test_today_is_too_early_to_come_back(lead: Lead, rep: User) -> None:
    with pytest.raises(NurtureDateNotAhead):
        nurture_lead(lead, until=TODAY, seen_version=lead.version, by=rep, now=NOW)


Act = Callable[[Lead, User, DisqualifyReason], Lead]
ACTS_ON_THE_LIVING: list[Act] = [
    lambda lead, by, _: qualify_lead(lead, seen_version=lead.version, by=by, now=NOW),
    lambda lead, by, why: disqualify_lead(lead, reason=why, seen_version=lead.version, by=by, now=NOW),
    lambda lead, by, _: nurture_lead(
        lead, until=TODAY + dt.timedelta(days=9), seen_version=lead.version, by=by, now=NOW
    ),
]


@pytest.mark.parametrize("act", ACTS_ON_THE_LIVING)
@pytest.mark.parametrize("closed", [{"status": "converted", "converted_at": NOW}, {"status": "disqualified"}])
def test_a_closed_lead_stays_as_it_is(act: Act, closed: dict[str, object], rep: User, reason: DisqualifyReason) -> None:
    lead = LeadFactory(owner=rep, disqualified_at=NOW, **closed)
    with pytest.raises(WrongStatus):
        act(lead, rep, reason)
    lead.refresh_from_db()
    assert lead.version == 1


def test_an_open_lead_is_not_reopened(lead: Lead, rep: User) -> None:
    with pytest.raises(WrongStatus):
        reopen_lead(lead, seen_version=lead.version, by=rep, now=NOW)


# --- The bin --------------------------------------------------------------------------------------------------------


def test_a_deleted_lead_comes_back_with_what_was_planned(lead: Lead, rep: User) -> None:
    planned = FollowUpFactory(subject=lead, assignee=rep)

    delete_lead(lead, seen_version=lead.version, by=rep, now=NOW)
    assert not Lead.objects.visible_to(rep).exists()
    assert not rep.follow_ups.present().exists()

    restored = restore_lead(lead, by=rep, now=NOW + dt.timedelta(days=29))
    assert (restored.deleted_at, restored.next_step_at) == (None, planned.due_at)
    assert list(rep.follow_ups.present()) == [planned]


def test_the_bin_is_emptied_after_thirty_days(lead: Lead, rep: User) -> None:
    delete_lead(lead, seen_version=lead.version, by=rep, now=NOW)
    with pytest.raises(NotAllowed):
        restore_lead(lead, by=rep, now=NOW + dt.timedelta(days=31))


def test_nobody_restores_what_they_could_not_delete(lead: Lead, rep: User, colleague: User, outsider: User) -> None:
    delete_lead(lead, seen_version=lead.version, by=rep, now=NOW)
    for person in (colleague, outsider):
        with pytest.raises(NotAllowed):
            restore_lead(lead, by=person, now=NOW)


def test_a_converted_lead_is_not_deleted(rep: User) -> None:
    lead = LeadFactory(owner=rep, status="converted", converted_at=NOW)
    with pytest.raises(WrongStatus):
        delete_lead(lead, seen_version=lead.version, by=rep, now=NOW)


def _at_once(calls: list[Callable[[], Lead]]) -> list[Lead | RuleError]:
    """Run each call in a thread and connection of its own, all let go at the same moment."""
    gate, results = threading.Barrier(len(calls)), []

    def run(call: Callable[[], Lead]) -> None:
        try:
            connection.ensure_connection()
            gate.wait(timeout=10)
            results.append(call())
        except RuleError as refusal:
            results.append(refusal)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    return results
