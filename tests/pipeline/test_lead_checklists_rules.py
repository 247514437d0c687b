"""Which checklist a lead has: its source's, else that of the pipeline it is for, and what is asked about everybody."""

from __future__ import annotations

import datetime as dt

import pytest

from crm.models import Lead, LeadSource, QualifyingQuestion, Team, User
from crm.rules.qualifying import QualifyingAnswersMissing, answer_question, checklist_of, refuse_unqualified
from pipeline.models import Pipeline, Stage
from tests.factories import LeadFactory, LeadSourceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def questions() -> None:
    Pipeline.objects.update(is_archived=True)
    QualifyingQuestion.objects.all().delete()
    for position, name in enumerate(("Budget", "Site seen", "Lease or buy", "Met in person")):
        QualifyingQuestion.objects.create(name=name, position=position)


def pipeline(position: int, *asked: str, teams: tuple[Team, ...] = (), stages: int = 1) -> Pipeline:
    made = Pipeline.objects.create(name=f"Pipeline {position}", slug=f"own-{position}", position=position)
    made.teams.set(teams)
    made.qualifying_questions.set(QualifyingQuestion.objects.filter(name__in=asked))
    for number in range(stages):
        Stage.objects.create(pipeline=made, name=f"Stage {number}", slug=f"stage-{number}", position=number)
    return made


def fair() -> LeadSource:
    source = LeadSourceFactory()
    QualifyingQuestion.objects.get(name="Met in person").sources.add(source)
    return source


def names(lead: Lead) -> list[str]:
    return [line.question.name for line in checklist_of(lead)]


def test_the_pipeline_a_lead_is_for_asks_what_is_its_own(rep: User) -> None:
    fair()
    pipeline(1, "Lease or buy")
    pipeline(2, "Site seen")
    assert names(LeadFactory(owner=rep)) == ["Budget", "Lease or buy"]
    assert names(LeadFactory(source=LeadSourceFactory())) == ["Budget", "Lease or buy"]


def test_a_sources_own_checklist_comes_before_a_pipelines(rep: User) -> None:
    pipeline(1, "Lease or buy", "Site seen")
    assert names(LeadFactory(owner=rep, source=fair())) == ["Budget", "Met in person"]
    QualifyingQuestion.objects.filter(name="Met in person").update(is_archived=True)
    assert names(LeadFactory(source=LeadSource.objects.latest("pk"))) == ["Budget", "Site seen", "Lease or buy"]


def test_a_team_has_its_own_pipeline(rep: User, outsider: User) -> None:
    fair()
    assert outsider.team
    pipeline(1, "Site seen", teams=(outsider.team,))
    pipeline(2, "Lease or buy")
    assert names(LeadFactory(owner=outsider)) == ["Budget", "Site seen"]
    assert names(LeadFactory(owner=None, team=outsider.team)) == ["Budget", "Site seen"]
    assert names(LeadFactory(owner=rep)) == names(LeadFactory(owner=None)) == ["Budget", "Lease or buy"]


def test_a_pipeline_that_is_archived_or_has_no_stage_asks_nothing(rep: User) -> None:
    fair()
    old = pipeline(1, "Site seen")
    pipeline(2, "Lease or buy", stages=0)
    old.is_archived = True
    old.save()
    # What only an archived pipeline names is nobody's own any more.
    assert names(LeadFactory(owner=rep)) == ["Budget", "Site seen"]


def test_what_the_pipeline_requires_holds_a_lead_back_until_it_is_answered(rep: User) -> None:
    pipeline(1, "Lease or buy")
    question = QualifyingQuestion.objects.get(name="Lease or buy")
    question.minimum = QualifyingQuestion.Minimum.ANSWER
    question.save()
    lead = LeadFactory(owner=rep)
    with pytest.raises(QualifyingAnswersMissing):
        refuse_unqualified(lead)
    answer_question(lead, question, answer="no", note="", by=rep, now=dt.datetime(2026, 6, 10, 12, tzinfo=dt.UTC))
    refuse_unqualified(lead)
