"""A lead's checklist is answered in place, and seen where it matters."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crm.models import AssignmentRule, Lead, QualifyingAnswer, QualifyingQuestion, User
from crm.rules.leads import create_lead
from crm.rules.qualifying import answer_question
from tests.factories import LeadFactory, LeadSourceFactory
from tests.factories.qualifying import default_questions

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 6, 10, 12, tzinfo=dt.UTC)
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def lead(rep: User) -> Lead:
    return LeadFactory(name="Daria Fomina", owner=rep)


@pytest.fixture
def budget() -> QualifyingQuestion:
    default_questions()
    return QualifyingQuestion.objects.get(name="Budget")


def address(lead: Lead, question: QualifyingQuestion) -> str:
    return reverse("lead_answer", args=[lead.pk, question.pk])


def test_answer_is_written_in_place(web: Client, lead: Lead, budget: QualifyingQuestion) -> None:
    said = {"answer": "yes", "note": "about <b>140,000</b>"}
    page = web.post(address(lead, budget), said, **HTMX)
    assert page.status_code == 200
    assert "1 of 5" in page.content.decode()
    assert "about &lt;b&gt;140,000" in page.content.decode()
    assert QualifyingAnswer.objects.get().note == "about <b>140,000</b>"


def test_plain_browser_comes_back_to_the_lead(web: Client, lead: Lead, budget: QualifyingQuestion) -> None:
    answer = web.post(address(lead, budget), {"answer": "no", "note": ""})
    assert (answer.status_code, answer["Location"]) == (302, lead.get_absolute_url())


@pytest.mark.parametrize("said", [{"answer": "perhaps"}, {"answer": "yes", "note": "x" * 501}])
def test_what_is_no_answer_is_refused(
    web: Client, lead: Lead, budget: QualifyingQuestion, said: dict[str, str]
) -> None:
    refused = web.post(address(lead, budget), said, **HTMX)
    assert refused.status_code == 422
    assert f'id="question-{budget.pk}-error"' in refused.text
    assert said.get("note", "") in refused.text
    assert not QualifyingAnswer.objects.exists()


@pytest.mark.parametrize("known", ["yes", "no", "unknown"])
def test_a_note_alone_is_kept_and_leaves_the_answer(
    web: Client, lead: Lead, budget: QualifyingQuestion, rep: User, known: str
) -> None:
    answer_question(lead, budget, answer=known, note="", by=rep, now=NOW)
    page = web.post(address(lead, budget), {"note": "asks again in May"}, **HTMX)
    assert page.status_code == 200
    assert 'value="asks again in May"' in page.text
    written = QualifyingAnswer.objects.get()
    assert (written.answer, written.note) == (known, "asks again in May")


def test_question_of_another_source_is_nowhere(web: Client, lead: Lead, budget: QualifyingQuestion) -> None:
    budget.sources.add(LeadSourceFactory())
    assert web.post(address(lead, budget), {"answer": "yes"}, **HTMX).status_code == 404


@pytest.mark.parametrize("place", ["lead_detail", "lead_list", "lead_convert"])
def test_answers_stand_on_page_panel_and_dialog(
    web: Client, lead: Lead, budget: QualifyingQuestion, rep: User, place: str
) -> None:
    answer_question(lead, budget, answer="yes", note="about 140,000", by=rep, now=NOW)
    args: Any = [] if place == "lead_list" else [lead.pk]
    assert "about 140,000" in web.get(reverse(place, args=args)).content.decode()


def test_who_may_only_look_reads_the_answers(
    client: Client, lead: Lead, budget: QualifyingQuestion, rep: User, colleague: User
) -> None:
    answer_question(lead, budget, answer="yes", note="about 140,000", by=rep, now=NOW)
    client.force_login(colleague)
    page = client.get(lead.get_absolute_url()).content.decode()
    assert "about 140,000" in page
    assert address(lead, budget) not in page


def test_qualifying_says_what_is_missing(web: Client, lead: Lead, budget: QualifyingQuestion) -> None:
    budget.minimum = "yes"
    budget.save()
    answer = web.post(reverse("lead_qualify", args=[lead.pk]), {"version": lead.version}, **HTMX)
    assert answer.status_code == 422
    assert "“Budget” must be answered first" in answer.content.decode()
    converted = web.post(reverse("lead_convert", args=[lead.pk]), {"version": lead.version, "name": "Mill"}, **HTMX)
    assert converted.status_code == 422


def test_history_says_which_rule_gave_the_lead(web: Client, rep: User) -> None:
    rule = AssignmentRule.objects.create(name="Fairs")
    rule.people.add(rep)
    lead = create_lead(fields={"name": "Greta Holm"}, by=None, now=NOW)
    page = web.get(lead.get_absolute_url()).content.decode()
    assert "rule “Fairs”: in turn" in page
