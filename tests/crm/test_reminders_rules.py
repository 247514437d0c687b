"""Reminders as they arrive: in the page, by mail, in one's language and outside one's quiet hours."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import replace
from typing import Any

import pytest
import time_machine
from django.core.mail import EmailMultiAlternatives
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm.models import FollowUp, Heartbeat, Lead, Notification, NotificationChoice, OutboxRow, User
from crm.rules import sweeping
from crm.rules.delivering import deliver_due
from crm.rules.digests import merge_stale
from crm.rules.follow_ups import (
    Plan,
    complete_follow_up,
    edit_follow_up,
    follow_zone,
    plan_follow_up,
    reassign_follow_up,
    reopen_follow_up,
)
from crm.rules.quiet_hours import quiet_until
from crm.rules.reminders import key_of, remind_of_loaded
from crm.rules.sending import Postbox, ServerAway
from crm.rules.wall_clock import WallTime
from tests.factories import FollowUpFactory, LeadFactory

pytestmark = pytest.mark.django_db

Mails = list[EmailMultiAlternatives]


@pytest.fixture
def lead(rep: User) -> Lead:
    return LeadFactory(owner=rep, name="Daria <b>Fomina</b>")


def due_call(lead: Lead, assignee: User, title: str = "Call Daria", **fields: object) -> FollowUp:
    """A follow-up whose reminder has just come due."""
    now = timezone.now()
    due = WallTime.of(now + dt.timedelta(minutes=15), assignee.time_zone)
    call = plan_follow_up(lead, plan=Plan(title, due, assignee, **fields), by=None, now=now - dt.timedelta(days=1))
    OutboxRow.objects.waiting().update(available_at=now - dt.timedelta(seconds=1))
    return call


def test_what_is_due_sooner_than_its_reminder_is_reminded_of_when_due(lead: Lead, rep: User) -> None:
    now = timezone.now()
    due = WallTime.of(now + dt.timedelta(minutes=10), rep.time_zone)
    call = plan_follow_up(lead, plan=Plan("Call", due, rep, remind_before=(15, 60)), by=None, now=now)
    assert [reminder.fires_at for reminder in call.reminders.all()] == [call.due_at]
    unasked = plan_follow_up(lead, plan=Plan("Call", due, rep, remind_before=()), by=None, now=now)
    assert not unasked.reminders.exists()


def test_what_is_overdue_when_planned_is_reminded_of_at_once_and_once(
    lead: Lead, rep: User, colleague: User, mailoutbox: Mails
) -> None:
    now = timezone.now()
    plan = Plan("Call", WallTime.of(now - dt.timedelta(hours=2), rep.time_zone), rep)
    call = plan_follow_up(lead, plan=plan, by=None, now=now)
    deliver_due(seconds=5)
    assert [mail.subject for mail in mailoutbox] == ["Reminder: Call"]

    call = edit_follow_up(call, plan=replace(plan, title="Call her"), by=rep, now=now)
    complete_follow_up(call, by=rep, now=now)
    call = reopen_follow_up(call, by=rep, now=now)
    deliver_due(seconds=5)
    assert len(mailoutbox) == 1

    reassign_follow_up(call, to=colleague, by=rep, now=now, tells=False)
    deliver_due(seconds=5)
    assert [mail.to for mail in mailoutbox] == [[rep.email], [colleague.email]]


def test_what_is_overdue_waits_for_the_end_of_quiet_hours(lead: Lead, rep: User, mailoutbox: Mails) -> None:
    local = timezone.now().astimezone(dt.UTC)
    quiet = {
        "quiet_from": (local - dt.timedelta(hours=1)).time(),
        "quiet_until": (local + dt.timedelta(hours=1)).time(),
    }
    User.objects.filter(pk=rep.pk).update(time_zone="UTC", **quiet)
    rep.refresh_from_db()
    plan = Plan("Call", WallTime.of(local - dt.timedelta(hours=2), "UTC"), rep)

    call = plan_follow_up(lead, plan=plan, by=None, now=local)
    edit_follow_up(call, plan=replace(plan, title="Call her"), by=rep, now=local)
    deliver_due(seconds=5)

    assert not mailoutbox
    assert OutboxRow.objects.get(state="waiting").available_at > local + dt.timedelta(minutes=50)


def test_reminder_comes_in_the_page_and_by_mail_once(lead: Lead, rep: User, mailoutbox: Mails) -> None:
    due_call(lead, rep, note="Bring samples")

    for _run in range(3):
        deliver_due(seconds=5)

    row = OutboxRow.objects.get()
    assert row.state == "sent"
    (mail,) = mailoutbox
    assert mail.to == [rep.email]
    assert mail.subject == "Reminder: Call Daria"
    assert mail.extra_headers["Message-ID"] == row.message_id
    assert "Bring samples" in mail.body
    assert "Daria <b>Fomina</b>" in mail.body
    html = mail.alternatives[0].content
    assert "Daria &lt;b&gt;Fomina&lt;/b&gt;" in html
    notice = Notification.objects.get()
    assert (notice.user, notice.text, notice.subject) == (rep, "Call Daria", lead)


def test_mail_speaks_the_persons_language_and_clock(lead: Lead, rep: User, mailoutbox: Mails) -> None:
    User.objects.filter(pk=rep.pk).update(language="ru", time_zone="Asia/Kathmandu")
    rep.refresh_from_db()
    call = due_call(lead, rep)

    deliver_due(seconds=5)

    clock = call.due_at.astimezone(dt.timezone(dt.timedelta(hours=5, minutes=45))).strftime("%H:%M")
    assert clock in mailoutbox[0].body
    assert 'lang="ru"' in mailoutbox[0].alternatives[0].content


@pytest.mark.parametrize(("in_page", "by_email"), [(True, False), (False, True), (False, False)])
def test_channels_are_the_persons_choice(
    lead: Lead, rep: User, mailoutbox: Mails, in_page: bool, by_email: bool
) -> None:
    by_mail = "at_once" if by_email else "never"
    NotificationChoice.objects.create(user=rep, kind="reminder", in_page=in_page, by_mail=by_mail)
    due_call(lead, rep)

    deliver_due(seconds=5)

    assert Notification.objects.exists() == in_page
    assert bool(mailoutbox) == by_email


def test_done_in_the_last_second_is_not_reminded_of(lead: Lead, rep: User, mailoutbox: Mails) -> None:
    call = due_call(lead, rep)
    FollowUp.objects.filter(pk=call.pk).update(done_at=timezone.now())

    deliver_due(seconds=5)

    assert OutboxRow.objects.get().state == "cancelled"
    assert not mailoutbox


def test_departed_are_told_nothing(lead: Lead, rep: User, mailoutbox: Mails) -> None:
    due_call(lead, rep)
    User.objects.filter(pk=rep.pk).update(is_active=False)

    deliver_due(seconds=5)

    assert not mailoutbox
    assert not Notification.objects.exists()


def test_record_one_no_longer_sees_is_not_named(lead: Lead, rep: User, outsider: User, mailoutbox: Mails) -> None:
    due_call(lead, rep)
    Lead.objects.filter(pk=lead.pk).update(owner=outsider)

    deliver_due(seconds=5)

    assert "Fomina" not in mailoutbox[0].body + mailoutbox[0].alternatives[0].content
    assert "Call Daria" in mailoutbox[0].body


def test_handed_over_reminds_the_new_one(
    lead: Lead, rep: User, manager: User, colleague: User, mailoutbox: Mails
) -> None:
    an_hour_ago = timezone.now() - dt.timedelta(hours=1)
    reassign_follow_up(due_call(lead, rep), to=colleague, by=manager, now=an_hour_ago, tells=False)
    OutboxRow.objects.waiting().update(available_at=timezone.now())

    deliver_due(seconds=5)

    assert [mail.to for mail in mailoutbox] == [[colleague.email]]


def test_quiet_hours_wait(lead: Lead, rep: User, mailoutbox: Mails) -> None:
    with time_machine.travel(dt.datetime(2026, 7, 2, 23, tzinfo=dt.UTC), tick=True):
        User.objects.filter(pk=rep.pk).update(quiet_from=dt.time(22), quiet_until=dt.time(7))
        rep.refresh_from_db()
        due_call(lead, rep)
        OutboxRow.objects.update(available_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))  # the database's clock stays

        deliver_due(seconds=5)

    row = OutboxRow.objects.get()
    assert (row.state, row.attempts) == ("waiting", 0)
    assert row.available_at == dt.datetime(2026, 7, 3, 7, tzinfo=dt.UTC)
    assert not mailoutbox


@pytest.mark.parametrize(
    ("zone", "quiet", "now", "until"),
    [
        ("UTC", ("22:00", "07:00"), "2026-07-02T23:00", "2026-07-03T07:00"),
        ("UTC", ("22:00", "07:00"), "2026-07-03T06:59", "2026-07-03T07:00"),
        ("UTC", ("22:00", "07:00"), "2026-07-03T07:00", None),
        ("UTC", ("12:00", "13:00"), "2026-07-03T12:30", "2026-07-03T13:00"),
        ("UTC", ("12:00", "13:00"), "2026-07-03T13:30", None),
        ("UTC", ("12:00", "12:00"), "2026-07-03T12:00", None),
        ("Europe/Berlin", ("22:00", "07:00"), "2026-07-02T20:30", "2026-07-03T05:00"),
        # The quiet night in which Berlin's clocks skip 2:30: it ends when they have jumped.
        ("Europe/Berlin", ("22:00", "02:30"), "2026-03-29T00:30", "2026-03-29T01:00"),
    ],
)
def test_quiet_until(rep: User, zone: str, quiet: tuple[str, str], now: str, until: str | None) -> None:
    rep.time_zone = zone
    rep.quiet_from, rep.quiet_until = (dt.time.fromisoformat(text) for text in quiet)

    found = quiet_until(rep, now=dt.datetime.fromisoformat(now).replace(tzinfo=dt.UTC))

    assert found == (dt.datetime.fromisoformat(until).replace(tzinfo=dt.UTC) if until else None)


def test_after_an_outage_one_digest_tells_of_all_that_is_still_open(
    lead: Lead, rep: User, colleague: User, mailoutbox: Mails
) -> None:
    calls = [due_call(lead, rep, title=f"Call {number}") for number in range(3)]
    due_call(lead, colleague, title="Call of another")
    complete_follow_up(calls[0], by=rep, now=timezone.now())
    OutboxRow.objects.waiting().update(due_at=timezone.now() - dt.timedelta(hours=3))

    assert merge_stale() == 2
    deliver_due(seconds=5)
    deliver_due(seconds=5)

    assert sorted(mail.to[0] for mail in mailoutbox) == sorted([rep.email, colleague.email])
    (digest,) = [mail for mail in mailoutbox if mail.to == [rep.email]]
    assert digest.subject == "2 reminders came late"
    assert "Call 1" in digest.body
    assert "Call 2" in digest.body
    assert "Call 0" not in digest.body
    assert Notification.objects.filter(user=rep).count() == 2


def test_digest_asks_no_question_a_row(lead: Lead, rep: User, mailoutbox: Mails) -> None:
    def queries(count: int) -> int:
        for number in range(count):
            due_call(lead, rep, title=f"Call {number}")
        OutboxRow.objects.waiting().update(due_at=timezone.now() - dt.timedelta(hours=3))
        merge_stale()
        with CaptureQueriesContext(connection) as captured:
            deliver_due(seconds=5)
        return len(captured)

    queries(2)  # fills the caches of content types
    assert queries(2) == queries(12)


@pytest.mark.parametrize(
    ("zone", "first_day", "clock"),
    [
        ("Europe/Berlin", "2027-03-27", "02:30"),
        ("Europe/Berlin", "2026-10-24", "02:30"),
        ("America/New_York", "2027-03-13", "02:30"),
        ("America/New_York", "2026-10-31", "01:30"),
        ("Australia/Lord_Howe", "2026-10-03", "02:15"),
        ("Australia/Lord_Howe", "2027-04-03", "01:45"),
        ("Pacific/Apia", "2026-12-29", "09:00"),
        ("Asia/Kathmandu", "2026-10-24", "09:00"),
    ],
)
def test_each_local_reminder_fires_once_though_clocks_change_and_the_person_moves(
    lead: Lead, rep: User, mailoutbox: Mails, zone: str, first_day: str, clock: str
) -> None:
    """Three days around the change: three rows, in order; two are sent before the person moves to New York and back."""
    User.objects.filter(pk=rep.pk).update(time_zone=zone)
    rep.refresh_from_db()
    start = dt.datetime.fromisoformat(f"{first_day}T{clock}")
    long_ago = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    for day in range(3):
        plan = Plan(f"Day {day}", WallTime(start + dt.timedelta(days=day), zone), rep, remind_before=(0,))
        plan_follow_up(lead, plan=plan, by=None, now=long_ago)
    rows = list(OutboxRow.objects.order_by("due_at"))
    assert len({row.dedupe_key for row in rows}) == 3
    assert [row.due_at for row in rows] == sorted({row.due_at for row in rows})
    gaps = [later.due_at - earlier.due_at for earlier, later in itertools.pairwise(rows)]
    assert all(abs(gap - dt.timedelta(days=1)) <= dt.timedelta(hours=1) for gap in gaps)

    def deliver_all() -> None:
        OutboxRow.objects.waiting().update(available_at=timezone.now())
        deliver_due(seconds=5)

    OutboxRow.objects.filter(pk=rows[2].pk).update(state=OutboxRow.State.DEAD)
    deliver_all()
    OutboxRow.objects.filter(pk=rows[2].pk).update(state=OutboxRow.State.WAITING)
    for moved_to in ("America/New_York", zone):
        follow_zone(rep, zone=moved_to)
    deliver_all()

    assert sorted(mail.subject for mail in mailoutbox) == ["Reminder: Day 0", "Reminder: Day 1", "Reminder: Day 2"]


def test_one_sweeper_at_a_time_and_its_heart_beats(rep: User, transactional_db: None) -> None:
    assert sweeping.sweeper_is_silent()
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [sweeping.SWEEP_LOCK])
        assert sweeping.sweep() == 0
        assert not Heartbeat.objects.exists()
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [sweeping.SWEEP_LOCK])
    finally:
        other.close()

    sweeping.sweep()
    assert not sweeping.sweeper_is_silent()
    assert sweeping.sweeper_is_silent(timezone.now() + dt.timedelta(minutes=3))


def test_sweep_counts_what_is_due(lead: Lead, rep: User) -> None:
    due_call(lead, rep)

    assert sweeping.sweep() == 1


def test_sweep_knows_what_falls_due_before_the_next(lead: Lead, rep: User, settings: Any) -> None:
    settings.SWEEP_SECONDS = 15
    rows = {}
    for seconds in (-1, 4, 4, 9, 60):
        call = due_call(lead, rep, f"In {seconds} s")
        at = timezone.now() + dt.timedelta(seconds=seconds)
        rows[key_of(call.reminders.get())] = at
    for key, at in rows.items():
        OutboxRow.objects.filter(dedupe_key=key).update(available_at=at)

    found = sweeping.due_before_next_sweep()

    assert sorted(found.values()) == [1, 2]
    assert all(0 < seconds <= 15 for seconds in found)


def test_a_notice_of_many_stands_in_the_page_though_the_mail_server_is_away(
    lead: Lead, rep: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page does not wait for the mail server, however often the mails are held up."""
    for number in range(5):
        due_call(lead, rep, f"Call {number}")
    long_ago = timezone.now() - dt.timedelta(minutes=5)
    OutboxRow.objects.update(available_at=long_ago)

    def away(_self: Postbox, _message: EmailMultiAlternatives) -> str:
        raise ServerAway("nobody there")

    monkeypatch.setattr(Postbox, "send", away)
    deliver_due(seconds=5)

    assert Notification.objects.count() == 5
    assert OutboxRow.objects.held().filter(attempts=0).count() == 5
    sweeping.sweep()
    deliver_due(seconds=5)
    assert Notification.objects.count() == 5


def test_follow_ups_loaded_in_bulk_get_their_reminders_once(lead: Lead, rep: User) -> None:
    ahead = FollowUpFactory(subject=lead, assignee=rep)
    FollowUpFactory(subject=lead, assignee=rep, due_at=timezone.now() - dt.timedelta(hours=1))
    FollowUpFactory(subject=lead, assignee=rep, remind_before=[])

    assert remind_of_loaded(now=timezone.now()) == 1
    assert remind_of_loaded(now=timezone.now()) == 0
    assert OutboxRow.objects.get().available_at == ahead.due_at - dt.timedelta(minutes=15)
