"""An admin says who gets new leads, and what is asked of them."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from crm.models import AssignmentRule, QualifyingAnswer, QualifyingQuestion, Team, User
from tests.factories import LeadFactory
from tests.factories.qualifying import default_questions

pytestmark = pytest.mark.django_db


@pytest.fixture
def settings_client(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def test_rule_is_made(settings_client: Client, north: Team) -> None:
    form = {"name": "North in turn", "is_active": "on", "method": "turn", "team": north.pk, "at_work": "next"}
    answer = settings_client.post(reverse("admin:crm_assignmentrule_add"), form)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert AssignmentRule.objects.get().team == north
    assert settings_client.get(reverse("admin:crm_assignmentrule_changelist")).status_code == 200


@pytest.mark.parametrize(
    ("method", "said"), [("turn", "Say who gets the leads"), ("person", "Say which person gets the leads")]
)
def test_rule_without_anybody_is_refused(settings_client: Client, method: str, said: str) -> None:
    form = {"name": "Nobody", "method": method, "at_work": "next"}
    assert said in settings_client.post(reverse("admin:crm_assignmentrule_add"), form).content.decode()


def test_viewers_and_those_who_left_are_not_offered(settings_client: Client, viewer: User, rep: User) -> None:
    page = settings_client.get(reverse("admin:crm_assignmentrule_add")).content.decode()
    assert (str(rep) in page, str(viewer) in page) == (True, False)


def test_question_is_made_and_kept_once_answered(settings_client: Client, admin: User) -> None:
    default_questions()
    form = {"name": "Met in person", "name_ru": "Виделись лично", "minimum": "answer"}
    answer = settings_client.post(reverse("admin:crm_qualifyingquestion_add"), form)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    question = QualifyingQuestion.objects.get(name="Met in person")
    assert question.position > QualifyingQuestion.objects.get(name="Timing").position
    address = reverse("admin:crm_qualifyingquestion_delete", args=[question.pk])
    QualifyingAnswer.objects.create(lead=LeadFactory(), question=question, answered_at="2026-06-10T12:00Z")
    assert settings_client.get(address).status_code == 403
