"""What is to be done next, and the next step that every record keeps of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from django.utils import timezone

from crm.models import AuditEntry, FollowUp, Lead, OutboxRow, Subject, User
from crm.rules.delivering import deliver_due
from crm.rules.errors import NotAllowed
from crm.rules.follow_ups import (
    FollowUpClosed,
    NotAssignable,
    Plan,
    bin_follow_ups,
    complete_follow_up,
    delete_follow_up,
    edit_follow_up,
    follow_zone,
    note_outcome,
    plan_follow_up,
    plan_of,
    reassign_follow_up,
    reopen_follow_up,
    reschedule_follow_up,
    snooze_follow_up,
    unbin_follow_ups,
)
from crm.rules.wall_clock import WallTime
from tests.factories import LeadFactory, UserFactory

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 7, 2, 8, tzinfo=dt.UTC)
NOON = WallTime(dt.datetime(2026, 7, 2, 12), "UTC")
TOMORROW = WallTime(dt.datetime(2026, 7, 3, 9), "UTC")


@pytest.fixture
def lead(rep: User) -> Lead:
    return LeadFactory(owner=rep)


@pytest.fixture
def call(lead: Lead, rep: User) -> FollowUp:
    return plan(lead, rep)


def plan(subject: Subject, by: User, due: WallTime = NOON, **fields: object) -> FollowUp:
    fields = {"title": "Call Irina", "assignee": by, **fields}
    return plan_follow_up(subject, plan=Plan(due=due, **fields), by=by, now=NOW)


def next_step_of(subject: Subject) -> dt.datetime | None:
    """The column; the instance must say the same."""
    stored = type(subject).objects.values_list("next_step_at", flat=True).get(pk=subject.pk)
    assert stored == subject.next_step_at
    return stored


def waiting_rows() -> list[dt.datetime]:
    return sorted(OutboxRow.objects.waiting().values_list("available_at", flat=True))


def test_plan_sets_the_next_step_and_queues_its_reminder(call: FollowUp, lead: Lead, rep: User) -> None:
    assert next_step_of(lead) == NOON.utc
    row = OutboxRow.objects.get()
    reminder = call.reminders.get()
    assert row.dedupe_key == f"reminder:{reminder.pk}:2026-07-02"
    assert (row.available_at, row.recipient) == (NOON.utc - dt.timedelta(minutes=15), rep)
    assert row.message_id.startswith("<")


def test_next_step_is_the_earliest_open_one(lead: Lead, rep: User) -> None:
    later = plan(lead, rep, TOMORROW)
    sooner = plan(lead, rep, NOON)

    sooner.subject = lead
    complete_follow_up(sooner, by=rep, now=NOW)
    assert next_step_of(lead) == TOMORROW.utc

    later.subject = lead
    delete_follow_up(later, by=rep, now=NOW)
    assert next_step_of(lead) is None


def test_done_keeps_the_outcome_cancels_reminders_and_plans_the_next(call: FollowUp, lead: Lead, rep: User) -> None:
    following = complete_follow_up(
        call, outcome="Wants a demo", next_plan=Plan("Show it", TOMORROW, rep), by=rep, now=NOW
    )

    call.refresh_from_db()
    assert (call.done_at, call.done_by, call.outcome) == (NOW, rep, "Wants a demo")
    assert following is not None
    lead.refresh_from_db()
    assert next_step_of(lead) == following.due_at
    assert waiting_rows() == [TOMORROW.utc - dt.timedelta(minutes=15)]


def test_done_twice_is_refused_and_plans_nothing_twice(call: FollowUp, lead: Lead, rep: User) -> None:
    complete_follow_up(call, by=rep, now=NOW)
    with pytest.raises(FollowUpClosed):
        complete_follow_up(call, next_plan=Plan("Again", TOMORROW, rep), by=rep, now=NOW)

    for _press in range(2):
        note_outcome(call, outcome="Fine", next_plan=Plan("Show it", TOMORROW, rep), by=rep, now=NOW)
    assert lead.follow_ups.filter(title="Show it").count() == 1
    call.refresh_from_db()
    assert call.outcome == "Fine"


def test_done_can_be_taken_back(call: FollowUp, lead: Lead, rep: User) -> None:
    complete_follow_up(call, outcome="oops", by=rep, now=NOW)

    reopened = reopen_follow_up(call, by=rep, now=NOW)

    assert (reopened.done_at, reopened.outcome) == (None, "")
    lead.refresh_from_db()
    assert next_step_of(lead) == NOON.utc
    assert waiting_rows() == [NOON.utc - dt.timedelta(minutes=15)]


def test_snooze_reminds_at_the_new_time_alone(call: FollowUp, lead: Lead, rep: User) -> None:
    snooze_follow_up(call, until=TOMORROW, by=rep, now=NOW)

    lead.refresh_from_db()
    assert next_step_of(lead) == TOMORROW.utc
    assert waiting_rows() == [TOMORROW.utc]


def test_reschedule_keeps_how_long_before_it_reminds(lead: Lead, rep: User) -> None:
    call = plan(lead, rep, remind_before=(0, 60))

    reschedule_follow_up(call, due=TOMORROW, by=rep, now=NOW)

    assert waiting_rows() == [TOMORROW.utc - dt.timedelta(hours=1), TOMORROW.utc]


def test_same_day_rescheduled_after_its_reminder_reminds_again(call: FollowUp, rep: User) -> None:
    OutboxRow.objects.update(state=OutboxRow.State.SENT)
    at_noon = NOON.utc

    reschedule_follow_up(call, due=WallTime(dt.datetime(2026, 7, 2, 15), "UTC"), by=rep, now=at_noon)

    assert waiting_rows() == [dt.datetime(2026, 7, 2, 14, 45, tzinfo=dt.UTC)]


def test_no_reminder_is_a_wish_that_lasts(lead: Lead, rep: User) -> None:
    call = plan(lead, rep, remind_before=())

    reschedule_follow_up(call, due=TOMORROW, by=rep, now=NOW)

    assert waiting_rows() == []


def test_handed_over_it_is_due_at_the_same_instant_on_the_other_clock(
    call: FollowUp, rep: User, manager: User, colleague: User
) -> None:
    User.objects.filter(pk=colleague.pk).update(time_zone="Asia/Kathmandu")
    colleague.refresh_from_db()

    handed = reassign_follow_up(call, to=colleague, by=manager, now=NOW)

    assert (handed.due_at, handed.time_zone) == (NOON.utc, "Asia/Kathmandu")
    assert handed.due_local == dt.datetime(2026, 7, 2, 17, 45, tzinfo=dt.UTC)
    assert OutboxRow.objects.waiting().get(kind="reminder").recipient == colleague


def test_work_is_not_given_to_viewers_strangers_or_the_departed(
    lead: Lead, rep: User, viewer: User, outsider: User, colleague: User
) -> None:
    gone = UserFactory(team=rep.team, is_active=False)
    for nobody in (viewer, outsider, gone):
        with pytest.raises(NotAssignable):
            plan(lead, rep, assignee=nobody)
    assert plan(lead, rep, assignee=colleague).assignee == colleague


def test_readers_plan_and_change_nothing(call: FollowUp, lead: Lead, colleague: User, viewer: User) -> None:
    for reader in (colleague, viewer):
        with pytest.raises(NotAllowed):
            plan(lead, reader)
        with pytest.raises(NotAllowed):
            complete_follow_up(call, by=reader, now=NOW)
        with pytest.raises(NotAllowed):
            edit_follow_up(call, plan=plan_of(call), by=reader, now=NOW)


def test_owner_of_the_record_may_do_what_was_given_to_a_colleague(lead: Lead, rep: User, colleague: User) -> None:
    call = plan(lead, rep, assignee=colleague)

    complete_follow_up(call, by=rep, now=NOW)

    call.refresh_from_db()
    assert call.done_by == rep


def test_source_key_plans_once(lead: Lead, rep: User) -> None:
    entry = Plan("Welcome", NOON, rep)
    first = plan_follow_up(lead, plan=entry, by=None, now=NOW, source_key="entry:1:1")
    second = plan_follow_up(lead, plan=entry, by=None, now=NOW, source_key="entry:1:1")

    assert first == second
    assert OutboxRow.objects.count() == 1


def test_changed_zone_keeps_the_figures(call: FollowUp, lead: Lead, rep: User) -> None:
    follow_zone(rep, zone="America/New_York")

    call.refresh_from_db()
    assert call.due_at == dt.datetime(2026, 7, 2, 16, tzinfo=dt.UTC)
    lead.refresh_from_db()
    assert lead.next_step_at == call.due_at
    assert waiting_rows() == [dt.datetime(2026, 7, 2, 15, 45, tzinfo=dt.UTC)]


def test_changed_zone_sends_nothing_again(call: FollowUp, rep: User) -> None:
    OutboxRow.objects.update(state=OutboxRow.State.SENT)

    follow_zone(rep, zone="America/New_York")

    assert waiting_rows() == []
    assert OutboxRow.objects.count() == 1


def test_record_in_the_bin_takes_its_steps_along_and_back(call: FollowUp, lead: Lead, rep: User) -> None:
    bin_follow_ups(lead, now=NOW)
    assert next_step_of(lead) is None
    assert waiting_rows() == []

    unbin_follow_ups(lead, binned_at=NOW, now=NOW)
    assert next_step_of(lead) == NOON.utc
    assert waiting_rows() == [NOON.utc - dt.timedelta(minutes=15)]


def test_audit_says_who_did_it(call: FollowUp, rep: User) -> None:
    complete_follow_up(call, by=rep, now=NOW)

    entry = AuditEntry.objects.about("follow_up", call.pk)[0]
    assert (entry.actor, entry.action) == (rep, "changed")
    assert "done_at" in entry.after


# --- Given by somebody else -----------------------------------------------------------------------------------------


def test_who_is_given_a_next_step_hears_of_it_once(rep: User, manager: User) -> None:
    lead = LeadFactory(owner=rep)
    due = WallTime.of(timezone.now() + dt.timedelta(days=3), "UTC")
    plan = Plan("Call Irina", due, rep)
    row = plan_follow_up(lead, plan=plan, by=manager, now=timezone.now())
    edit_follow_up(row, plan=replace(plan, note="Gently"), by=manager, now=timezone.now())
    reassign_follow_up(row, to=manager, by=manager, now=timezone.now())  # taken, not given

    told = OutboxRow.objects.get(kind="follow_up_given")
    assert told.recipient == rep
    deliver_due(seconds=5)
    assert OutboxRow.objects.get(pk=told.pk).state == "cancelled", "by now it is the manager's"

    reassign_follow_up(row, to=rep, by=manager, now=timezone.now())
    deliver_due(seconds=5)
    assert rep.notifications.get(kind="follow_up_given").text == "Mara Manager gave you: Call Irina"


def test_nobody_is_told_of_what_is_their_own_or_the_systems(rep: User) -> None:
    due = WallTime.of(timezone.now() + dt.timedelta(days=3), "UTC")
    for by in (rep, None):
        plan_follow_up(LeadFactory(owner=rep), plan=Plan("Call", due, rep), by=by, now=timezone.now())
    assert not OutboxRow.objects.filter(kind="follow_up_given").exists()
