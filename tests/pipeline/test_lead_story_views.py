"""A lead's story on its page: what its timeline says of it, and what is offered once it is closed."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from crm.models import DisqualifyReason, Lead, QualifyingQuestion, User
from crm.rules import leads as rules
from crm.rules.activities import delete_activity, log_activity
from crm.views.lead_story import story_of_lead
from tests.factories import LeadFactory

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 6, 10, 12, tzinfo=dt.UTC)


@pytest.fixture
def lead(rep: User) -> Lead:
    return LeadFactory(name="Daria Fomina", company_name="Grain Mill Co.", email="daria@grain.test", owner=rep)


def test_a_first_call_says_nothing_but_itself_on_the_timeline(lead: Lead, rep: User) -> None:
    fields = {"kind": "call", "direction": "out", "body": "Spoke", "at": NOW}
    call = log_activity(lead, fields=fields, by=rep, now=NOW)
    assert Lead.objects.get(pk=lead.pk).status == Lead.Status.WORKING
    assert [change.label for change in story_of_lead(lead, rep)] == ["Added"]
    delete_activity(call, by=rep, now=NOW)
    assert Lead.objects.get(pk=lead.pk).status == Lead.Status.NEW
    assert [change.label for change in story_of_lead(lead, rep)] == ["Added"]


def test_the_timeline_says_decisions_in_one_line_each(web: Client, lead: Lead, rep: User, colleague: User) -> None:
    reason = DisqualifyReason.objects.create(name="Out of region")
    version = rules.qualify_lead(lead, seen_version=1, by=rep, now=NOW).version
    version = rules.disqualify_lead(lead, reason=reason, seen_version=version, by=rep, now=NOW).version
    version = rules.reopen_lead(lead, seen_version=version, by=rep, now=NOW).version
    version = rules.nurture_lead(lead, until=dt.date(2099, 9, 1), seen_version=version, by=rep, now=NOW).version
    version = rules.nurture_lead(lead, until=dt.date(2099, 9, 2), seen_version=version, by=rep, now=NOW).version
    version = rules.edit_lead(lead, fields={"phone": "123"}, seen_version=version, by=rep).version
    rules.assign_lead(lead, to=colleague, seen_version=version, by=rep)

    told = [(change.label, strip_tags(change.before), strip_tags(change.after)) for change in story_of_lead(lead, rep)]
    assert told == [
        ("Owner", "Rita Rep", "Carl Colleague"),
        ("Phone", "—", "123"),
        ("Put aside until", "", "2 Sep 2099"),
        ("Put aside until", "", "1 Sep 2099"),
        ("Open again", "", ""),
        ("Disqualified", "", "Out of region"),
        ("Qualified", "", ""),
        ("Added", "", ""),
    ]


def test_a_closed_lead_offers_nothing_to_plan_or_answer(web: Client, lead: Lead, rep: User) -> None:
    question = QualifyingQuestion.objects.create(name="Is there a budget?")
    addresses = [
        lead.get_absolute_url(),
        reverse("next_step", args=["lead", lead.pk]),
        reverse("person_sequences", args=["lead", lead.pk]),
    ]
    offers = (
        "Plan the next step",
        reverse("person_enrol", args=["lead", lead.pk]),
        reverse("lead_answer", args=[lead.pk, question.pk]),
    )

    def offered() -> list[bool]:
        pages = "".join(web.get(address).content.decode() for address in addresses)
        return [offer in pages for offer in offers]

    assert offered() == [True, True, True]
    Lead.objects.filter(pk=lead.pk).update(status=Lead.Status.CONVERTED, converted_at=NOW)
    assert offered() == [False, False, False]
    assert "nothing is left to plan" in web.get(addresses[1]).content.decode()
