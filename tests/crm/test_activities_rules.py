"""What follows from logging, correcting and deleting an activity."""

from __future__ import annotations

import datetime as dt

import pytest

from crm.models import Activity, Company, Lead, User
from crm.rules.activities import delete_activity, edit_activity, log_activity, restore_activity
from crm.rules.errors import NotAllowed
from tests.factories import CompanyFactory, LeadFactory

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 6, 10, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def lead(rep: User) -> Lead:
    return LeadFactory(owner=rep, created_at=NOW - 2 * HOUR)


@pytest.fixture
def company(rep: User) -> Company:
    return CompanyFactory(owner=rep)


def test_note_is_no_touch(company: Company, rep: User) -> None:
    note = log_activity(
        company, fields={"kind": "note", "direction": "out", "response": "positive", "body": "hm"}, by=rep, now=NOW
    )

    assert (note.direction, note.response, note.at, note.author) == ("", "none", NOW, rep)
    company.refresh_from_db()
    assert company.last_touch_at is None


def test_last_touch_is_the_latest_and_follows_corrections(company: Company, rep: User) -> None:
    log_activity(company, fields={"kind": "call", "direction": "in", "at": NOW - 5 * HOUR}, by=rep, now=NOW)
    latest = log_activity(company, fields={"kind": "email"}, by=rep, now=NOW)
    log_activity(company, fields={"kind": "call", "at": NOW - 9 * HOUR}, by=rep, now=NOW)
    assert (latest.direction, company.last_touch_at) == ("out", NOW)

    edit_activity(latest, fields={"at": NOW - HOUR}, by=rep)
    company.refresh_from_db()
    assert company.last_touch_at == NOW - HOUR

    delete_activity(latest, by=rep, now=NOW)
    company.refresh_from_db()
    assert company.last_touch_at == NOW - 5 * HOUR

    restore_activity(Activity.objects.get(pk=latest.pk), by=rep, now=NOW)
    company.refresh_from_db()
    assert company.last_touch_at == NOW - HOUR


def test_first_outbound_touch_answers_a_lead(lead: Lead, rep: User) -> None:
    log_activity(lead, fields={"kind": "email", "direction": "in"}, by=rep, now=NOW - HOUR)
    lead.refresh_from_db()
    assert (lead.status, lead.first_response_at, lead.version) == ("new", None, 1)

    log_activity(lead, fields={"kind": "call"}, by=rep, now=NOW)
    log_activity(lead, fields={"kind": "call"}, by=rep, now=NOW + HOUR)

    lead.refresh_from_db()
    assert (lead.status, lead.first_response_at) == ("working", NOW)
    assert lead.version > 1


def test_call_before_the_lead_came_in_answers_it_at_once(lead: Lead, rep: User) -> None:
    log_activity(lead, fields={"kind": "call", "at": lead.created_at - HOUR}, by=rep, now=NOW)

    lead.refresh_from_db()
    assert lead.first_response_at == lead.created_at


def test_deleting_the_answer_starts_the_clock_again(lead: Lead, rep: User) -> None:
    answer = log_activity(lead, fields={"kind": "call"}, by=rep, now=NOW)

    delete_activity(answer, by=rep, now=NOW)

    lead.refresh_from_db()
    assert (lead.status, lead.first_response_at) == ("new", None)


def test_answer_from_an_import_stays_when_another_touch_is_deleted(lead: Lead, rep: User) -> None:
    Lead.objects.filter(pk=lead.pk).update(first_response_at=NOW - HOUR, status="qualified")
    lead.refresh_from_db()
    later = log_activity(lead, fields={"kind": "call"}, by=rep, now=NOW)

    delete_activity(later, by=rep, now=NOW)

    lead.refresh_from_db()
    assert (lead.status, lead.first_response_at) == ("qualified", NOW - HOUR)


def test_who_may_not_edit_the_subject_adds_nothing(
    company: Company, colleague: User, viewer: User, outsider: User
) -> None:
    for person in (colleague, viewer, outsider):
        with pytest.raises(NotAllowed):
            log_activity(company, fields={"kind": "note", "body": "hm"}, by=person, now=NOW)
    assert not company.activities.exists()


def test_only_the_author_and_those_above_correct(company: Company, rep: User, colleague: User, manager: User) -> None:
    note = log_activity(company, fields={"kind": "note", "body": "hm"}, by=rep, now=NOW)

    with pytest.raises(NotAllowed):
        edit_activity(note, fields={"body": "ha"}, by=colleague)
    assert edit_activity(note, fields={"body": "ha"}, by=manager).author == rep
