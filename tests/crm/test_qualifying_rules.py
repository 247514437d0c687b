"""A lead's checklist: what is asked, what an admin requires, and what goes into the deal's timeline."""

from __future__ import annotations

import datetime as dt

import pytest

from crm.models import Activity, Lead, QualifyingAnswer, QualifyingQuestion, User
from crm.rules.errors import NotAllowed
from crm.rules.leads import qualify_lead
from crm.rules.qualifying import NotAsked, QualifyingAnswersMissing, answer_question, checklist_of, note_answers
from tests.factories import LeadFactory, LeadSourceFactory
from tests.factories.qualifying import default_questions

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 6, 10, 12, tzinfo=dt.UTC)
Minimum = QualifyingQuestion.Minimum


@pytest.fixture
def budget() -> QualifyingQuestion:
    QualifyingQuestion.objects.all().delete()
    return QualifyingQuestion.objects.create(name="Budget", name_ru="Бюджет", position=1)


@pytest.fixture
def lead(rep: User) -> Lead:
    return LeadFactory(owner=rep)


def names(lead: Lead) -> list[str]:
    return [line.question.name for line in checklist_of(lead)]


def test_new_organisation_asks_for_five_things(lead: Lead) -> None:
    default_questions()
    assert names(lead) == ["Budget", "Fit", "Decision maker", "Need", "Timing"]


def test_source_has_questions_of_its_own(budget: QualifyingQuestion, rep: User) -> None:
    fair, other = LeadSourceFactory(), LeadSourceFactory()
    met = QualifyingQuestion.objects.create(name="Met in person", position=2)
    met.sources.set([fair, LeadSourceFactory()])
    QualifyingQuestion.objects.create(name="Old", is_archived=True)
    assert names(LeadFactory(source=fair)) == ["Budget", "Met in person"]
    assert names(LeadFactory(source=other)) == names(LeadFactory()) == ["Budget"]


def test_last_answer_counts(budget: QualifyingQuestion, lead: Lead, rep: User) -> None:
    answer_question(lead, budget, answer="no", note="", by=rep, now=NOW)
    answer_question(lead, budget, answer="yes", note="about 140,000", by=rep, now=NOW)
    (line,) = checklist_of(lead)
    assert line.answer is not None
    assert (line.value, line.answer.note, line.answer.answered_by) == ("yes", "about 140,000", rep)


def test_answers_are_for_who_may_change_the_lead(budget: QualifyingQuestion, lead: Lead, colleague: User) -> None:
    with pytest.raises(NotAllowed):
        answer_question(lead, budget, answer="yes", note="", by=colleague, now=NOW)


def test_answers_are_seen_by_who_sees_the_lead(
    budget: QualifyingQuestion, lead: Lead, rep: User, colleague: User, outsider: User
) -> None:
    answer_question(lead, budget, answer="yes", note="", by=rep, now=NOW)
    answers = QualifyingAnswer.objects
    assert [answers.visible_to(person).count() for person in (rep, colleague, outsider)] == [1, 1, 0]
    assert [answers.editable_by(person).count() for person in (rep, colleague, outsider)] == [1, 0, 0]


def test_question_that_is_not_asked_is_refused(budget: QualifyingQuestion, lead: Lead, rep: User) -> None:
    budget.sources.add(LeadSourceFactory())
    with pytest.raises(NotAsked):
        answer_question(lead, budget, answer="yes", note="", by=rep, now=NOW)


@pytest.mark.parametrize(
    ("minimum", "answer", "is_enough"),
    [
        (Minimum.NOTHING, None, True),
        (Minimum.ANSWER, None, False),
        (Minimum.ANSWER, "unknown", False),
        (Minimum.ANSWER, "no", True),
        (Minimum.YES, "no", False),
        (Minimum.YES, "yes", True),
    ],
)
def test_minimum_is_kept(
    budget: QualifyingQuestion, lead: Lead, rep: User, minimum: str, answer: str | None, is_enough: bool
) -> None:
    budget.minimum = minimum
    budget.save()
    if answer:
        answer_question(lead, budget, answer=answer, note="", by=rep, now=NOW)
    if is_enough:
        assert qualify_lead(lead, seen_version=lead.version, by=rep, now=NOW).status == "qualified"
        return
    with pytest.raises(QualifyingAnswersMissing, match="“Budget” must be answered"):
        qualify_lead(lead, seen_version=lead.version, by=rep, now=NOW)
    lead.refresh_from_db()
    assert (lead.status, lead.version) == ("new", 1)


def test_what_was_found_out_is_noted(budget: QualifyingQuestion, lead: Lead, rep: User) -> None:
    assert note_answers(lead, by=rep, now=NOW) is None
    answer_question(lead, budget, answer="yes", note="about 140,000", by=rep, now=NOW)
    note_answers(lead, by=rep, now=NOW)
    note = Activity.objects.get()
    assert (note.kind, note.subject, note.body) == ("note", lead, "Budget: Yes (about 140,000)")


def test_answer_to_a_question_since_archived_is_kept(budget: QualifyingQuestion, lead: Lead, rep: User) -> None:
    budget.minimum = Minimum.YES
    budget.save()
    answer_question(lead, budget, answer="no", note="", by=rep, now=NOW)
    budget.is_archived = True
    budget.save()
    assert names(lead) == ["Budget"]
    assert qualify_lead(lead, seen_version=lead.version, by=rep, now=NOW).status == "qualified"
