"""Follow-ups that repeat: one occurrence at a time, each planned when the one before is done or left out."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from django.core import mail

from crm.models import (
    Absence,
    Activity,
    CalendarException,
    FollowUp,
    Lead,
    OutboxRow,
    User,
    WorkingCalendar,
    WorkingSpan,
)
from crm.rules.delivering import deliver
from crm.rules.errors import RecordConflict
from crm.rules.follow_ups import (
    Plan,
    complete_follow_up,
    delete_follow_up,
    edit_follow_up,
    note_outcome,
    plan_follow_up,
    plan_of,
    reopen_follow_up,
    reschedule_follow_up,
)
from crm.rules.hand_overs import follow_absences
from crm.rules.proposing import working_morning
from crm.rules.recurring import Repeat
from crm.rules.sending import Postbox
from crm.rules.wall_clock import WallTime
from tests.factories import LeadFactory, UserFactory

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 10, 20, 8, tzinfo=dt.UTC)
BERLIN = "Europe/Berlin"


@pytest.fixture
def berliner(rep: User) -> User:
    rep.time_zone = BERLIN
    rep.save()
    return rep


@pytest.fixture
def lead(berliner: User) -> Lead:
    return LeadFactory(owner=berliner)


def weekly(lead: Lead, by: User, rule: str = "FREQ=WEEKLY", **fields: object) -> FollowUp:
    due = WallTime(dt.datetime(2026, 10, 21, 9), by.time_zone)
    plan = Plan(title="Weekly call", due=due, assignee=by, kind="call", repeat=Repeat(rule), **fields)  # type: ignore[arg-type]
    return plan_follow_up(lead, plan=plan, by=by, now=NOW)


def open_of(lead: Lead) -> FollowUp:
    return FollowUp.objects.open().about(lead).get()


def test_done_plans_the_next_at_the_same_hour_after_a_clock_change(lead: Lead, berliner: User) -> None:
    first = weekly(lead, berliner)
    assert first.due_at == dt.datetime(2026, 10, 21, 7, tzinfo=dt.UTC)

    following = complete_follow_up(first, by=berliner, now=NOW)

    assert following == open_of(lead)
    assert following.due_at == dt.datetime(2026, 10, 28, 8, tzinfo=dt.UTC)  # winter by then
    assert following.reminders.count() == 1
    lead.refresh_from_db()
    assert lead.next_step_at == following.due_at


def test_the_first_moves_to_a_day_of_the_rule(lead: Lead, berliner: User) -> None:
    assert f"{weekly(lead, berliner, 'FREQ=WEEKLY;BYDAY=MO').due_local:%m-%d %H:%M}" == "10-26 09:00"


def test_undone_takes_the_next_back_and_done_again_plans_it_once(lead: Lead, berliner: User) -> None:
    first = weekly(lead, berliner)
    complete_follow_up(first, by=berliner, now=NOW)
    again = reopen_follow_up(first, by=berliner, now=NOW)
    assert open_of(lead) == first
    complete_follow_up(again, by=berliner, now=NOW)
    assert FollowUp.objects.about(lead).count() == 2


def test_what_somebody_changed_is_not_taken_back(lead: Lead, berliner: User) -> None:
    first = weekly(lead, berliner)
    following = complete_follow_up(first, by=berliner, now=NOW)
    assert following is not None
    reschedule_follow_up(following, due=WallTime(dt.datetime(2026, 10, 29, 9), BERLIN), by=berliner, now=NOW)
    reopen_follow_up(first, by=berliner, now=NOW)
    assert FollowUp.objects.open().about(lead).count() == 2


def test_this_one_alone_is_edited_or_what_follows_too(lead: Lead, berliner: User) -> None:
    first = weekly(lead, berliner)
    later = WallTime(dt.datetime(2026, 10, 22, 15), BERLIN)
    moved = edit_follow_up(first, plan=replace(plan_of(first), due=later, title="Once later"), by=berliner, now=NOW)
    following = complete_follow_up(moved, by=berliner, now=NOW)
    assert following is not None
    assert (following.title, f"{following.due_local:%m-%d %H:%M}") == ("Weekly call", "10-28 09:00")

    plan = replace(plan_of(following), due=WallTime(dt.datetime(2026, 10, 29, 11), BERLIN), title="Thursdays now")
    changed = edit_follow_up(following, plan=plan, by=berliner, now=NOW, with_following=True)
    last = complete_follow_up(changed, by=berliner, now=NOW)
    assert last is not None
    assert (last.title, f"{last.due_local:%m-%d %H:%M}") == ("Thursdays now", "11-05 11:00")


def test_without_a_rule_what_follows_ends(lead: Lead, berliner: User) -> None:
    first = weekly(lead, berliner)
    alone = edit_follow_up(first, plan=replace(plan_of(first), repeat=None), by=berliner, now=NOW, with_following=True)
    assert complete_follow_up(alone, by=berliner, now=NOW) is None


def test_left_out_the_next_comes_deleted_with_all_none_does(lead: Lead, berliner: User) -> None:
    first = weekly(lead, berliner)
    delete_follow_up(first, by=berliner, now=NOW)
    second = open_of(lead)
    assert f"{second.due_local:%m-%d}" == "10-28"

    delete_follow_up(second, by=berliner, now=NOW, with_following=True)
    assert not FollowUp.objects.open().about(lead).exists()
    again = reopen_follow_up(second, by=berliner, now=NOW)
    assert complete_follow_up(again, by=berliner, now=NOW) is not None


def test_a_count_ends_it(lead: Lead, berliner: User) -> None:
    first = weekly(lead, berliner, "FREQ=WEEKLY;COUNT=2")
    second = complete_follow_up(first, by=berliner, now=NOW)
    assert second is not None
    assert complete_follow_up(second, by=berliner, now=NOW) is None


def test_what_follows_edited_keeps_the_times_that_are_left(lead: Lead, berliner: User) -> None:
    first = weekly(lead, berliner, "FREQ=WEEKLY;COUNT=3")
    second = complete_follow_up(first, by=berliner, now=NOW)
    assert second is not None

    plan = replace(plan_of(second), title="By video")
    changed = edit_follow_up(second, plan=plan, by=berliner, now=NOW, with_following=True)

    third = complete_follow_up(changed, by=berliner, now=NOW)
    assert third is not None
    assert third.title == "By video"
    assert complete_follow_up(third, by=berliner, now=NOW) is None


def test_another_zone_keeps_the_figures(lead: Lead, berliner: User) -> None:
    first = weekly(lead, berliner)
    berliner.time_zone = "Asia/Kathmandu"
    berliner.save()
    following = complete_follow_up(FollowUp.objects.get(pk=first.pk), by=berliner, now=NOW)
    assert following is not None
    assert f"{following.due_local:%H:%M}" == "09:00"
    assert following.due_at == dt.datetime(2026, 10, 28, 3, 15, tzinfo=dt.UTC)


def test_who_was_second_loses(lead: Lead, berliner: User) -> None:
    first = weekly(lead, berliner)
    due = WallTime(dt.datetime(2026, 10, 22, 9), BERLIN)
    reschedule_follow_up(first, due=due, by=berliner, now=NOW, seen_version=first.version)
    with pytest.raises(RecordConflict):
        reschedule_follow_up(first, due=due, by=berliner, now=NOW, seen_version=first.version)
    assert FollowUp.objects.get(pk=first.pk).version == 2


# --- What came of it ------------------------------------------------------------------------------------------------


def test_how_it_went_is_a_touch_on_the_timeline_once(lead: Lead, berliner: User) -> None:
    call = weekly(lead, berliner)
    complete_follow_up(call, by=berliner, now=NOW)
    note_outcome(call, outcome="Wants an offer", response="neutral", by=berliner, now=NOW)
    note_outcome(call, outcome="Wants two offers", response="positive", by=berliner, now=NOW)

    touch = Activity.objects.get()
    assert (touch.kind, touch.response, touch.body) == ("call", "positive", "Wants two offers")
    lead.refresh_from_db()
    assert lead.last_touch_at == NOW
    reopen_follow_up(FollowUp.objects.get(pk=call.pk), by=berliner, now=NOW)
    assert not Activity.objects.present().exists()


# --- Working days and leave -----------------------------------------------------------------------------------------


def weekday_calendar() -> WorkingCalendar:
    calendar = WorkingCalendar.objects.create(name="Office", time_zone=BERLIN, country="DE", is_default=True)
    spans = [WorkingSpan(calendar=calendar, weekday=day, starts=dt.time(8, 30), ends=dt.time(17)) for day in range(5)]
    WorkingSpan.objects.bulk_create(spans)
    CalendarException.objects.create(calendar=calendar, day=dt.date(2026, 10, 26), name="Outing")
    return calendar


def test_a_morning_is_offered_on_which_the_person_works(berliner: User) -> None:
    assert working_morning(berliner, on=dt.date(2026, 10, 24)).local == dt.datetime(2026, 10, 24, 9)
    weekday_calendar()
    Absence.objects.create(user=berliner, starts_on=dt.date(2026, 10, 27), ends_on=dt.date(2026, 10, 28))
    # Saturday, Sunday, an outing, two days of leave.
    assert working_morning(berliner, on=dt.date(2026, 10, 24)).local == dt.datetime(2026, 10, 29, 8, 30)


def test_a_substitute_does_it_while_one_is_away_and_it_comes_back(lead: Lead, berliner: User) -> None:
    substitute = UserFactory(team=berliner.team, time_zone=BERLIN)
    step = weekly(lead, berliner)
    far = plan_follow_up(
        lead, plan=Plan("Later", WallTime(dt.datetime(2026, 11, 9, 9), BERLIN), berliner), by=berliner, now=NOW
    )
    Absence.objects.create(
        user=berliner, starts_on=dt.date(2026, 10, 20), ends_on=dt.date(2026, 10, 30), substitute=substitute
    )

    assert follow_absences(now=NOW) == (1, 0)
    assert follow_absences(now=NOW) == (0, 0)
    step.refresh_from_db()
    far.refresh_from_db()
    assert (step.assignee, far.assignee) == (substitute, berliner)

    # The next of a series is its person's own again, and goes the same way.
    following = complete_follow_up(step, by=substitute, now=NOW)
    assert following is not None
    assert following.assignee == berliner
    assert follow_absences(now=NOW) == (1, 0)

    assert follow_absences(now=NOW + dt.timedelta(days=11)) == (0, 1)
    following.refresh_from_db()
    assert following.assignee == berliner


def test_the_substitute_is_told_once_of_all_that_is_theirs_now(lead: Lead, berliner: User) -> None:
    substitute = UserFactory(team=berliner.team)
    for title in ("Call", "Write"):
        due = WallTime(dt.datetime(2026, 10, 21, 9), BERLIN)
        plan_follow_up(lead, plan=Plan(title, due, berliner), by=berliner, now=NOW)
    Absence.objects.create(
        user=berliner, starts_on=dt.date(2026, 10, 20), ends_on=dt.date(2026, 10, 30), substitute=substitute
    )
    follow_absences(now=NOW)

    row = OutboxRow.objects.get(kind="hand_over")
    assert row.available_at > row.due_at, "it waits for the others"
    row.state = OutboxRow.State.IN_FLIGHT
    deliver(row, Postbox())

    assert substitute.notifications.get(kind="hand_over").text == "2 next steps of Rita Rep are yours until 30.10.2026"
    assert [message.to for message in mail.outbox] == [[substitute.email]]


def test_news_that_an_older_version_queued_is_still_told(lead: Lead, berliner: User) -> None:
    substitute = UserFactory(team=berliner.team)
    weekly(lead, berliner)
    absence = Absence.objects.create(
        user=berliner, starts_on=dt.date(2026, 10, 20), ends_on=dt.date(2026, 10, 30), substitute=substitute
    )
    follow_absences(now=NOW)
    row = OutboxRow.objects.get(kind="hand_over")
    row.payload, row.state = {"absence": absence.pk, "count": 1, "follow_up": 1}, OutboxRow.State.IN_FLIGHT
    deliver(row, Postbox())
    assert substitute.notifications.get(kind="hand_over").text == "1 next step of Rita Rep is yours until 30.10.2026"


@pytest.mark.parametrize("dies_at", ["HandOver.objects.create", "outbox.queue"])
def test_a_hand_over_that_dies_is_begun_anew(
    lead: Lead, berliner: User, monkeypatch: pytest.MonkeyPatch, dies_at: str
) -> None:
    substitute = UserFactory(team=berliner.team)
    step = weekly(lead, berliner)
    Absence.objects.create(
        user=berliner, starts_on=dt.date(2026, 10, 20), ends_on=dt.date(2026, 10, 30), substitute=substitute
    )

    def die(*_args: object, **_more: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(f"crm.rules.hand_overs.{dies_at}", die)
        with pytest.raises(KeyboardInterrupt):
            follow_absences(now=NOW)
    step.refresh_from_db()
    assert step.assignee == berliner
    assert follow_absences(now=NOW) == (1, 0)
    assert OutboxRow.objects.filter(kind="hand_over", recipient=substitute).count() == 1


def test_an_absence_called_off_brings_all_back(lead: Lead, berliner: User) -> None:
    substitute = UserFactory(team=berliner.team)
    step = weekly(lead, berliner)
    absence = Absence.objects.create(
        user=berliner, starts_on=dt.date(2026, 10, 20), ends_on=dt.date(2026, 10, 30), substitute=substitute
    )
    follow_absences(now=NOW)
    absence.delete()
    assert follow_absences(now=NOW) == (0, 1)
    step.refresh_from_db()
    assert step.assignee == berliner
