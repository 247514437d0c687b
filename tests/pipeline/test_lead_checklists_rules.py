"""Which checklist a lead has: its source's, else that of the pipeline it is for, and what is asked about everybody."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from django.test import Client
from django.urls import reverse

from crm.models import Lead, LeadSource, QualifyingQuestion, Team, User
from crm.rules.qualifying import NotAsked, QualifyingAnswersMissing, answer_question, checklist_of, refuse_unqualified
from pipeline.models import Pipeline, Stage
from pipeline.rules.converting import Conversion, convert_lead
from tests.factories import LeadFactory, LeadSourceFactory

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 6, 10, 12, tzinfo=dt.UTC)


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
    answer_question(lead, question, answer="no", note="", by=rep, now=NOW)
    refuse_unqualified(lead)


def beginning(made: Pipeline) -> Conversion:
    return Conversion(stage=made.stages.get(), deal={"name": "Belt dryer", "currency": "EUR"}, contact_name="Daria")


def required(name: str) -> QualifyingQuestion:
    question = QualifyingQuestion.objects.get(name=name)
    question.minimum = QualifyingQuestion.Minimum.ANSWER
    question.save()
    return question


def test_a_deal_answers_to_the_checklist_of_the_pipeline_it_opens_in(rep: User) -> None:
    pipeline(1, "Lease or buy")
    second = pipeline(2, "Site seen")
    required("Lease or buy")
    seen = required("Site seen")
    lead = LeadFactory(owner=rep)
    with pytest.raises(QualifyingAnswersMissing) as refusal:
        convert_lead(lead, into=beginning(second), seen_version=lead.version, by=rep, now=NOW)
    assert refusal.value.missing == [seen]
    into = replace(beginning(second), answers={seen: "yes"})
    deal = convert_lead(lead, into=into, seen_version=lead.version, by=rep, now=NOW)
    assert lead.qualifying_answers.get().answer == "yes"
    assert lead.activities.get().body == "Site seen: Yes"
    assert deal.pipeline == second


def test_what_no_pipeline_of_the_deal_asks_is_not_answered_with_it(rep: User) -> None:
    first = pipeline(1, "Lease or buy")
    pipeline(2, "Site seen")
    lead, foreign = LeadFactory(owner=rep), QualifyingQuestion.objects.get(name="Site seen")
    with pytest.raises(NotAsked):
        convert_lead(
            lead, into=replace(beginning(first), answers={foreign: "yes"}), seen_version=lead.version, by=rep, now=NOW
        )
    lead.refresh_from_db()
    assert (lead.status, lead.qualifying_answers.count()) == (Lead.Status.NEW, 0)


def test_the_dialog_asks_what_the_chosen_pipeline_wants_to_know(client: Client, rep: User) -> None:
    pipeline(1, "Lease or buy")
    second = pipeline(2, "Site seen")
    seen = required("Site seen")
    lead = LeadFactory(owner=rep)
    client.force_login(rep)
    url, stage = reverse("lead_convert", args=[lead.pk]), second.stages.get().pk
    assert list(client.get(url).context["form"].questions) == []
    asked = client.get(url, {"stage": stage})
    assert [str(field.label) for field, _needed in asked.context["form"].asked] == ["Site seen"]
    said = {"version": lead.version, "name": "Belt dryer", "stage": stage, "currency": "EUR", "contact_name": "Daria"}
    refused = client.post(url, said)
    assert refused.status_code == 422
    assert f'name="question_{seen.pk}"' in refused.content.decode()
    assert client.post(url, said | {f"question_{seen.pk}": "no"}).status_code == 302
    assert lead.qualifying_answers.get().answer == "no"
