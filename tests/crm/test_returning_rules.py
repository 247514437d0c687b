"""What comes back by itself, and what is thrown away."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from crm.models import Activity, AuditEntry, FirstAnswer, Lead, User
from crm.rules.bin import empty_bin, forget_first_answers
from crm.rules.nurturing import bring_back_leads
from tests.factories import ActivityFactory, CompanyFactory, ContactFactory, DealFactory, FollowUpFactory, LeadFactory

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 7, 2, 6, tzinfo=dt.UTC)
TODAY = NOW.date()
NURTURING = Lead.Status.NURTURING


def test_nurtured_lead_comes_back_on_its_day_once(rep: User) -> None:
    due = LeadFactory(owner=rep, name="Daria", status=NURTURING, nurture_until=TODAY)
    later = LeadFactory(owner=rep, status=NURTURING, nurture_until=TODAY + dt.timedelta(days=1))

    assert bring_back_leads(now=NOW) == 1
    assert bring_back_leads(now=NOW) == 0

    due.refresh_from_db()
    later.refresh_from_db()
    assert (due.status, due.nurture_until, due.version) == ("new", None, 2)
    assert later.status == "nurturing"
    follow_up = due.follow_ups.get()
    assert (follow_up.assignee, follow_up.title) == (rep, "Get in touch again: Daria")
    assert due.next_step_at == follow_up.due_at == dt.datetime(2026, 7, 2, 9, tzinfo=dt.UTC)
    assert AuditEntry.objects.about("lead", due.pk)[0].note == "came back from nurturing"


def test_answered_lead_comes_back_as_working_and_nobodys_without_a_step(db: None) -> None:
    lead = LeadFactory(status=NURTURING, nurture_until=TODAY, first_response_at=NOW)

    bring_back_leads(now=NOW)

    lead.refresh_from_db()
    assert lead.status == "working"
    assert not lead.follow_ups.exists()


def test_bin_is_emptied_after_thirty_days(rep: User) -> None:
    long_ago, lately = NOW - dt.timedelta(days=31), NOW - dt.timedelta(days=29)
    company = CompanyFactory(deleted_at=long_ago)
    ContactFactory(company=company, deleted_at=long_ago)
    deal = DealFactory(owner=rep, company=company, deleted_at=long_ago)
    ActivityFactory(subject=deal)
    FollowUpFactory(subject=deal, assignee=rep)
    kept = LeadFactory(deleted_at=lately)
    present = LeadFactory()

    gone = empty_bin(now=NOW)

    assert {kind: count for kind, count in gone.items() if count} == {"company": 1, "contact": 1, "deal": 1}
    assert not Activity.objects.exists()
    assert set(Lead.objects.all()) == {kept, present}


def test_what_others_refer_to_stays_in_the_bin(rep: User) -> None:
    company = CompanyFactory(deleted_at=NOW - dt.timedelta(days=31))
    DealFactory(owner=rep, company=company)

    assert empty_bin(now=NOW)["company"] == 0
    company.refresh_from_db()


def test_first_answers_are_forgotten_after_a_day(rep: User) -> None:
    FirstAnswer.objects.create(user=rep, key="old")
    FirstAnswer.objects.create(user=rep, key="new")
    FirstAnswer.objects.filter(key="old").update(created_at=timezone.now() - dt.timedelta(hours=25))

    assert forget_first_answers(now=timezone.now()) == 1
    assert FirstAnswer.objects.get().key == "new"


def test_a_qualified_lead_comes_back_qualified(rep: User) -> None:
    lead = LeadFactory(owner=rep, status=NURTURING, nurture_until=TODAY, first_response_at=NOW, qualified_at=NOW)

    bring_back_leads(now=NOW)

    lead.refresh_from_db()
    assert lead.status == "qualified"
