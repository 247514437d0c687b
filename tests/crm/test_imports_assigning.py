"""Leads that are imported and given out by the assignment rules: to whom, once, and back again."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from crm.models import Absence, AssignmentRule, AuditEntry, Lead, User
from crm.rules.errors import NotAllowed
from crm.rules.importing.answers import Answers
from crm.rules.importing.carrying import carry_on
from crm.rules.importing.deciding import answer_questions, begin_undo
from tests.wizard import check, client_of, start, upload

pytestmark = pytest.mark.django_db

AtWork = AssignmentRule.AtWork
FOUR = "Name,E-mail\nA,a@a.test\nB,b@b.test\nC,c@c.test\nD,d@d.test\n"


def rule_for(*people: User, at_work: str = AtWork.ANY) -> AssignmentRule:
    rule = AssignmentRule.objects.create(name="In turn", at_work=at_work)
    rule.people.set(people)
    return rule


def owners() -> list[User | None]:
    return [lead.owner for lead in Lead.objects.order_by("pk")]


def test_new_leads_are_given_out_in_turn_and_taken_back_with_the_import(
    manager: User, rep: User, colleague: User
) -> None:
    rule_for(rep, colleague)
    client = client_of(manager)
    run = start(client, check(client, upload(client, FOUR, kind="leads"), assigns="on"))

    assert (run.state, run.created) == ("done", 4)
    assert owners() == [rep, colleague, rep, colleague]
    assert AuditEntry.objects.filter(kind="lead", note__startswith="assignment rule").count() == 4

    begin_undo(run, by=manager)
    carry_on(run.pk, seconds=5)
    run.refresh_from_db()
    assert (run.state, Lead.objects.count()) == ("undone", 0)


def test_a_lead_somebody_has_worked_on_since_is_not_taken_back(manager: User, rep: User) -> None:
    rule_for(rep)
    client = client_of(manager)
    run = start(client, check(client, upload(client, FOUR, kind="leads"), assigns="on"))
    Lead.objects.filter(name="A").update(owner=manager)

    begin_undo(run, by=manager)
    carry_on(run.pk, seconds=5)
    assert [lead.name for lead in Lead.objects.all()] == ["A"]


def test_rows_that_name_an_owner_keep_them_and_where_no_rule_decides_the_chosen_one_has_them(
    manager: User, rep: User, colleague: User
) -> None:
    today = timezone.now().date()
    away = {"starts_on": today - dt.timedelta(days=3), "ends_on": today + dt.timedelta(days=3)}
    Absence.objects.create(user=rep, **away)
    rule_for(rep, at_work=AtWork.NOW)
    client = client_of(manager)
    run = upload(client, f"Name,Owner\nA,{colleague.email}\nB,\n", kind="leads")
    start(client, check(client, run, assigns="on"))

    assert owners() == [colleague, manager]


def test_the_same_file_again_gives_nothing_out_anew(manager: User, rep: User, colleague: User) -> None:
    rule_for(rep, colleague)
    client = client_of(manager)
    file = "Name,External id\nA,1\nB,2\nC,3\n"
    for _time in range(2):
        run = start(client, check(client, upload(client, file, kind="leads"), assigns="on"))

    assert (run.created, Lead.objects.count()) == (0, 3)
    assert owners() == [rep, colleague, rep]


def test_without_the_answer_they_are_the_importers(manager: User, rep: User) -> None:
    rule_for(rep)
    client = client_of(manager)
    start(client, check(client, upload(client, FOUR, kind="leads")))
    assert owners() == [manager] * 4


def test_a_reps_leads_stay_with_the_rep(rep: User, colleague: User) -> None:
    rule_for(colleague)
    client = client_of(rep)
    run = upload(client, FOUR, kind="leads")
    assert "assigns" not in client.get(reverse("import_columns", args=[run.pk])).context["form"].fields
    start(client, check(client, run, assigns="on"))
    assert owners() == [rep] * 4

    run = upload(client, FOUR, kind="leads")
    said = Answers.of(run.file.answers | {"assigns": True})
    with pytest.raises(NotAllowed):
        answer_questions(run, said, owner=rep, by=rep)
