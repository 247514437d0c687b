"""Managers are told of a lead nobody answered in time: once, even by two sweeps at the same instant."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.utils import timezone

from crm import jobs
from crm.models import Lead, Notification, OutboxRow, Team, User
from crm.rules.delivering import deliver_due
from crm.rules.escalating import escalate_late_leads
from crm.rules.leads import create_lead
from tests.factories import LeadFactory, TeamFactory, UserFactory

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 6, 10, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def rows() -> list[tuple[int, int | None]]:
    return list(OutboxRow.objects.order_by("pk").values_list("payload__lead", "recipient_id"))


def test_managers_of_the_team_are_told_once(north: Team, rep: User, manager: User, admin: User) -> None:
    lead = LeadFactory(owner=rep, created_at=NOW)
    assert escalate_late_leads(now=NOW + HOUR) == 0  # in the last instant it is not late
    assert [escalate_late_leads(now=NOW + HOUR * hours) for hours in (1.01, 2, 30)] == [1, 0, 0]
    assert rows() == [(lead.pk, manager.pk)]
    lead.refresh_from_db()
    assert lead.escalated_at == NOW + HOUR * 1.01


def test_nobodys_lead_is_told_to_its_team_and_without_a_manager_to_admins(
    north: Team, manager: User, admin: User
) -> None:
    ours = LeadFactory(team=north, created_at=NOW)
    theirs = LeadFactory(team=TeamFactory(), created_at=NOW + dt.timedelta(minutes=1))
    assert escalate_late_leads(now=NOW + 2 * HOUR) == 2
    assert rows() == [(ours.pk, manager.pk), (theirs.pk, admin.pk)]


@pytest.mark.parametrize(
    "fields",
    [
        {"first_response_at": NOW, "status": "working"},
        {"status": "nurturing"},
        {"status": "disqualified", "disqualified_at": NOW},
        {"deleted_at": NOW},
    ],
)
def test_leads_that_wait_for_nothing_are_left_alone(fields: dict[str, Any], rep: User, manager: User) -> None:
    LeadFactory(owner=rep, created_at=NOW, **fields)
    assert escalate_late_leads(now=NOW + 2 * HOUR) == 0


def test_lead_that_came_in_too_late_calls_nobody(rep: User, manager: User) -> None:
    create_lead(fields={"name": "Brought in", "owner": rep, "created_at": NOW - 30 * HOUR}, by=None, now=NOW)
    assert escalate_late_leads(now=NOW) == 0


def test_manager_reads_it_in_the_page_and_by_mail_in_their_language(rep: User, manager: User) -> None:
    manager.language = "ru"
    manager.save()
    lead = LeadFactory(name="Grain Mill", owner=rep, created_at=timezone.now() - 2 * HOUR)
    escalate_late_leads(now=timezone.now())
    deliver_due(seconds=5)
    notice = Notification.objects.get(user=manager)
    assert (notice.kind, notice.subject) == ("late_lead", lead)
    assert [message.to for message in mail.outbox] == [[manager.email]]
    assert lead.get_absolute_url() in mail.outbox[0].body


def test_lead_answered_in_the_meantime_is_not_told_of(rep: User, manager: User) -> None:
    lead = LeadFactory(owner=rep, created_at=timezone.now() - 2 * HOUR)
    escalate_late_leads(now=timezone.now())
    Lead.objects.filter(pk=lead.pk).update(first_response_at=timezone.now(), status="working")
    deliver_due(seconds=5)
    assert not mail.outbox
    assert OutboxRow.objects.get().state == OutboxRow.State.CANCELLED


def test_what_an_outage_held_up_comes_in_one_mail(rep: User, manager: User) -> None:
    for _ in range(3):
        LeadFactory(owner=rep, created_at=timezone.now() - 5 * HOUR)
    escalate_late_leads(now=timezone.now())
    jobs.sweep()
    deliver_due(seconds=5)
    assert len(mail.outbox) == 1
    assert mail.outbox[0].subject == "3 leads were not answered in time"
    assert Notification.objects.filter(user=manager).count() == 3


def test_sweep_escalates(rep: User, manager: User) -> None:
    lead = LeadFactory(owner=rep, created_at=timezone.now() - 2 * HOUR)
    with time_machine.travel(timezone.now(), tick=False):
        jobs.sweep()
    lead.refresh_from_db()
    assert lead.escalated_at is not None


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_tell_each_manager_once() -> None:
    team = TeamFactory()
    managers = [UserFactory(role=User.Role.MANAGER) for _ in range(2)]
    team.leaders.set(managers)
    for _ in range(20):
        LeadFactory(team=team, created_at=NOW)
    gate, counts = threading.Barrier(4), []

    def sweep() -> None:
        gate.wait(timeout=10)
        counts.append(escalate_late_leads(now=NOW + 2 * HOUR))
        connection.close()

    threads = [threading.Thread(target=sweep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert sum(counts) == 20
    assert len(set(rows())) == OutboxRow.objects.count() == 40
