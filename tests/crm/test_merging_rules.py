"""Two records become one and come apart again: nothing that pointed at either is lost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib.contenttypes.fields import GenericForeignKey
from django.db import connection, models
from django.utils import timezone

from crm.models import AuditEntry, Campaign, Company, Contact, Lead, Merge, QualifyingQuestion, Team, User
from crm.rules import pointing
from crm.rules.errors import NotAllowed
from crm.rules.forwarding import merged_ids, survivor_id_of
from crm.rules.merged_values import ALL, field_choices, fingerprint
from crm.rules.merging import CannotUndo, MergeConflict, NothingToMerge, TwoDeals, merge_records, undo_merge
from crm.rules.qualifying import answer_question, checklist_of
from tests.factories import (
    ActivityFactory,
    CompanyFactory,
    ContactFactory,
    DealFactory,
    FollowUpFactory,
    LeadFactory,
    LeadSourceFactory,
)
from tests.factories.qualifying import default_questions

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)


def merge(*records: Any, by: User, now: dt.datetime = NOW, **chosen: Any) -> Merge:
    """Merge as the dialog does, of the records as they are now."""
    fresh = [type(record).objects.get(pk=record.pk) for record in records]
    seen = {record.pk: fingerprint(record) for record in fresh}
    return merge_records(kind=records[0]._meta.model_name, seen=seen, chosen=chosen, by=by, now=now)


def snapshot() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table that holds customers' data, but for what only follows or tells of it."""
    apart = {"auditentry", "merge", "mergedrecord", "mergemove", "duplicatecheck", "heartbeat"}
    columns_apart = {"version", "scored_at", "updated_at"}
    tables: dict[str, list[tuple[Any, ...]]] = {}
    for model in apps.get_models(include_auto_created=True):
        if model._meta.app_label in {"crm", "pipeline"} and model._meta.model_name not in apart:
            columns = [field.attname for field in model._meta.concrete_fields if field.name not in columns_apart]
            tables[model._meta.label] = sorted(model._base_manager.values_list(*columns), key=repr)
    return tables


@pytest.fixture
def leads(rep: User) -> tuple[Lead, Lead]:
    """The older one has been answered, the newer one says more."""
    older = LeadFactory(
        name="Sergey Ivanov",
        email="sergey@example.test",
        phone="",
        message="Hello",
        owner=rep,
        created_at=NOW - dt.timedelta(days=9),
    )
    newer = LeadFactory(
        name="Сергей Иванов",
        email="",
        phone="+79161234567",
        message="Hello again",
        owner=rep,
        created_at=NOW - dt.timedelta(days=2),
    )
    return older, newer


def test_a_merged_leads_campaign_is_one_of_its_source(rep: User, leads: tuple[Lead, Lead]) -> None:
    older, newer = leads
    fair, web = LeadSourceFactory(name="Fair"), LeadSourceFactory(name="Web")
    spring = Campaign.objects.create(name="Spring", source=fair)
    Lead.objects.filter(pk=older.pk).update(source=fair, campaign=spring)
    Lead.objects.filter(pk=newer.pk).update(source=web)
    proposed = {choice.name: choice.proposed for choice in field_choices(list(Lead.objects.order_by("pk")))}
    assert proposed["source"] == proposed["campaign"] == newer.pk

    made = merge(older, newer, by=rep, campaign=older.pk)  # the dialog's source, another one's campaign
    older.refresh_from_db()
    assert (older.source, older.campaign) == (web, None)
    undo_merge(made, by=rep, now=NOW)

    merge(older, newer, by=rep, source=older.pk, campaign=newer.pk, now=NOW)
    older.refresh_from_db()
    assert (older.source, older.campaign) == (fair, None)


def test_a_merged_lead_says_what_either_said(rep: User, leads: tuple[Lead, Lead]) -> None:
    older, newer = leads
    Lead.objects.filter(pk=newer.pk).update(first_response_at=NOW - dt.timedelta(days=1))

    made = merge(older, newer, by=rep)

    older.refresh_from_db()
    assert made.survivor_id == older.pk
    assert (older.name, older.email, older.phone) == ("Сергей Иванов", "sergey@example.test", "+79161234567")
    assert older.message == "Hello\n\nHello again"
    assert older.created_at == NOW - dt.timedelta(days=9)
    assert older.first_response_at == NOW - dt.timedelta(days=1)
    assert older.status == Lead.Status.WORKING
    assert list(Lead.objects.visible_to(rep)) == [older]
    assert not Lead.objects.in_bin_of(rep, NOW).exists()


def test_each_field_is_chosen(rep: User, leads: tuple[Lead, Lead]) -> None:
    older, newer = leads
    merge(older, newer, by=rep, name=older.pk, message=newer.pk, phone=older.pk)
    older.refresh_from_db()
    assert (older.name, older.message, older.phone) == ("Sergey Ivanov", "Hello again", "")


def test_the_newest_value_that_says_something_is_proposed(leads: tuple[Lead, Lead]) -> None:
    older, newer = leads
    proposed = {choice.name: choice.proposed for choice in field_choices(leads)}
    assert (proposed["name"], proposed["email"], proposed["phone"]) == (newer.pk, older.pk, newer.pk)
    assert [choice.name for choice in field_choices(leads) if choice.can_keep_all] == ["message"]
    assert ALL == "all"


def test_everything_moves_and_undoing_puts_every_row_back(rep: User, stages: Any) -> None:
    keep, gone = (CompanyFactory(name=name, owner=rep) for name in ("Romashka", "ООО «Ромашка»"))
    contact = ContactFactory(company=gone, owner=rep)
    lead = LeadFactory(company=gone, owner=rep)
    deal = DealFactory(company=gone, owner=rep)
    follow_up = FollowUpFactory(subject=gone, assignee=rep)
    touch = ActivityFactory(subject=gone, author=rep)
    before = snapshot()

    made = merge(keep, gone, by=rep, name=keep.pk)

    for row in (contact, lead, deal):
        row.refresh_from_db()
        assert row.company_id == keep.pk
    assert list(keep.follow_ups.all()) == [follow_up]
    assert list(keep.activities.all()) == [touch]
    keep.refresh_from_db()
    assert keep.next_step_at == follow_up.due_at

    undone = undo_merge(made, by=rep, now=NOW)

    assert undone.kept_fields == []
    assert undone.astray == 0
    assert snapshot() == before


def test_leads_that_answered_the_same_question_are_merged(rep: User, leads: tuple[Lead, Lead]) -> None:
    """The table takes one answer a lead: what was said last counts, and undoing gives each its own."""
    default_questions()
    budget, need, timing = QualifyingQuestion.objects.order_by("pk")[:3]
    older, newer = leads
    said = (
        (older, budget, "no", 1), (newer, budget, "yes", 2),
        (older, need, "yes", 4), (newer, need, "unknown", 3),
        (newer, timing, "no", 5),
    )  # fmt: skip
    for lead, question, answer, day in said:
        answer_question(lead, question, answer=answer, note="", by=rep, now=NOW + day * dt.timedelta(days=1))
    before = snapshot()

    made = merge(older, newer, by=rep)

    survivor = Lead.objects.get(pk=made.survivor_id)
    assert {line.question: line.value for line in checklist_of(survivor) if line.answer} == {
        budget: "yes", need: "yes", timing: "no",
    }  # fmt: skip
    undo_merge(made, by=rep, now=NOW)
    assert snapshot() == before


def test_three_leads_with_deal_come_apart_exactly(rep: User, leads: tuple[Lead, Lead], stages: Any) -> None:
    third = LeadFactory(
        name="S. Ivanov", owner=rep, external_id="A-1", created_at=NOW, status=Lead.Status.CONVERTED, converted_at=NOW
    )
    deal = DealFactory(lead=third, owner=rep)
    ActivityFactory(subject=leads[0], author=rep)
    before = snapshot()

    made = merge(*leads, third, by=rep)

    assert made.survivor_id == third.pk
    assert Lead.objects.visible_to(rep).count() == 1
    third.refresh_from_db()
    assert third.created_at == NOW - dt.timedelta(days=9)
    assert third.activities.count() == 1
    assert deal.lead_id == third.pk

    undo_merge(made, by=rep, now=NOW)
    assert snapshot() == before


def test_the_external_id_of_a_record_goes_along_and_back(rep: User, leads: tuple[Lead, Lead]) -> None:
    older, newer = leads
    Lead.objects.filter(pk=newer.pk).update(external_id="B-2")
    made = merge(older, newer, by=rep)
    older.refresh_from_db()
    assert older.external_id == "B-2"
    undo_merge(made, by=rep, now=NOW)
    assert Lead.objects.get(pk=newer.pk).external_id == "B-2"
    assert Lead.objects.get(pk=older.pk).external_id is None


def test_what_was_changed_since_stays_when_undone(rep: User, leads: tuple[Lead, Lead]) -> None:
    older, newer = leads
    touch = ActivityFactory(subject=newer, author=rep)
    made = merge(older, newer, by=rep)
    Lead.objects.filter(pk=older.pk).update(phone="+74950000000")
    late = ActivityFactory(subject=older, author=rep)
    touch.delete()

    undone = undo_merge(made, by=rep, now=NOW)

    older.refresh_from_db()
    assert undone.kept_fields == ["phone"]
    assert undone.astray == 1
    assert (older.name, older.phone) == ("Sergey Ivanov", "+74950000000")
    assert list(older.activities.all()) == [late]


def test_old_addresses_lead_on_through_further_merges(rep: User, leads: tuple[Lead, Lead]) -> None:
    oldest = LeadFactory(owner=rep, created_at=NOW - dt.timedelta(days=30))
    first = merge(*leads, by=rep)
    second = merge(oldest, leads[0], by=rep)
    assert survivor_id_of("lead", leads[1].pk) == oldest.pk
    assert sorted(merged_ids("lead", oldest.pk)) == sorted([leads[0].pk, leads[1].pk])

    with pytest.raises(CannotUndo):
        undo_merge(first, by=rep, now=NOW)
    undo_merge(second, by=rep, now=NOW)
    undo_merge(first, by=rep, now=NOW)
    assert survivor_id_of("lead", leads[1].pk) is None
    assert Lead.objects.visible_to(rep).count() == 3


def test_undoing_is_over_after_30_days_and_once(rep: User, leads: tuple[Lead, Lead]) -> None:
    made = merge(*leads, by=rep)
    with pytest.raises(CannotUndo):
        undo_merge(made, by=rep, now=NOW + dt.timedelta(days=31))
    undo_merge(made, by=rep, now=NOW + dt.timedelta(days=29))
    with pytest.raises(CannotUndo):
        undo_merge(made, by=rep, now=NOW + dt.timedelta(days=29))


def test_only_who_may_change_all_merges(rep: User, colleague: User, manager: User, leads: tuple[Lead, Lead]) -> None:
    theirs = LeadFactory(owner=colleague)
    with pytest.raises(NotAllowed):
        merge(leads[0], theirs, by=rep)
    made = merge(leads[0], theirs, by=manager)
    with pytest.raises(NotAllowed):
        undo_merge(made, by=rep, now=NOW)


def test_one_record_or_two_deals_are_no_merge(rep: User, leads: tuple[Lead, Lead]) -> None:
    with pytest.raises(NothingToMerge):
        merge(leads[0], by=rep)
    Lead.objects.update(status=Lead.Status.CONVERTED, converted_at=NOW)
    with pytest.raises(TwoDeals):
        merge(*leads, by=rep)


def test_who_looked_before_a_change_is_told(rep: User, leads: tuple[Lead, Lead]) -> None:
    seen = {lead.pk: fingerprint(Lead.objects.get(pk=lead.pk)) for lead in leads}
    Lead.objects.filter(pk=leads[1].pk).update(phone="1234567")
    with pytest.raises(MergeConflict):
        merge_records(kind="lead", seen=seen, chosen={}, by=rep, now=NOW)
    assert Lead.objects.visible_to(rep).count() == 2


def test_who_comes_second_is_told_who_merged(rep: User, manager: User, leads: tuple[Lead, Lead]) -> None:
    seen = {lead.pk: fingerprint(Lead.objects.get(pk=lead.pk)) for lead in leads}
    merge(*leads, by=manager)
    with pytest.raises(MergeConflict, match="Mara Manager"):
        merge_records(kind="lead", seen=seen, chosen={}, by=rep, now=NOW)


def test_the_audit_log_says_merge(rep: User, leads: tuple[Lead, Lead]) -> None:
    merge(*leads, by=rep)
    notes = AuditEntry.objects.filter(kind="lead", action="changed").values_list("note", "actor_id")
    assert set(notes) == {("merge", rep.pk)}


# --- Nothing is forgotten -------------------------------------------------------------------------------------------


def relations() -> Iterator[tuple[type[models.Model], str]]:
    """Every column of every table that can hold the id of a lead, contact or company, found another way: by name."""
    targets = {Lead, Contact, Company}
    for model in apps.get_models(include_auto_created=True):
        generic = {
            field.fk_field: field for field in model._meta.private_fields if isinstance(field, GenericForeignKey)
        }
        for field in model._meta.concrete_fields:
            is_number = isinstance(field, models.BigIntegerField) and not isinstance(field, models.AutoField)
            if field.related_model in targets or field.name in generic:
                yield model, field.attname
            elif is_number and field.name.endswith(("_id", "_pk")):
                yield model, field.name


def test_no_relation_is_forgotten() -> None:
    """A table that points at a lead, contact or company, in whatever way, is followed, or says here why not."""
    followed = {
        (pointer.model, pointer.field)
        for target in (Lead, Contact, Company)
        for pointer in pointing.pointers_at(target)
    }
    forgotten = [
        f"{model.__name__}.{column}"
        for model, column in relations()
        if (model, column) not in followed
        and (model.__name__, column) not in pointing.FOLLOWED_OTHERWISE
        and column.removesuffix("_id") not in pointing.STAYS
    ]
    assert forgotten == []
    assert {(model.__name__, column) for model, column in relations()} >= set(pointing.FOLLOWED_OTHERWISE)


def test_no_column_still_points_at_what_was_merged(rep: User, leads: tuple[Lead, Lead], stages: Any) -> None:
    """As PostgreSQL knows it: no foreign key of any table still holds the id of a merged lead."""
    older, newer = leads
    DealFactory(lead=newer, owner=rep)
    merge(older, newer, by=rep)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, attname FROM pg_constraint"
            " JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]"
            " WHERE contype = 'f' AND confrelid = 'crm_lead'::regclass"
        )
        keys = cursor.fetchall()
        assert ("pipeline_deal", "lead_id") in keys
        for table, column in keys:
            cursor.execute(f"SELECT count(*) FROM {table} WHERE {column} = %s", [newer.pk])
            assert cursor.fetchone() == (0,), (table, column)


def test_undo_as_of_now(rep: User, north: Team, leads: tuple[Lead, Lead]) -> None:
    made = merge(*leads, by=rep, now=timezone.now())
    assert list(Merge.objects.undoable(timezone.now())) == [made]
