"""A person's copy and erasure reach what the asker may see and change; of others' texts what names the person."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from crm.models import (
    Email,
    EmailTemplate,
    ImportChunk,
    ImportFile,
    ImportRefusal,
    ImportRun,
    Lead,
    OutboxRow,
    Segment,
    User,
)
from crm.models.personal import holdings
from crm.rules.erasing import copy_of, erase_person, held_about, person_of
from crm.rules.errors import NotAllowed
from tests.factories import (
    ActivityFactory,
    CompanyFactory,
    ContactFactory,
    DealFactory,
    LeadFactory,
    SubmissionFactory,
)
from tests.factories.segments import SegmentFactory, condition, group

pytestmark = pytest.mark.django_db

NAME, EMAIL = "Zarina Quillfeather", "zarina@quill.test"
OF_OTHERS = "Ours is ALPHA"


@pytest.fixture
def lead(rep: User) -> Lead:
    return LeadFactory(name=NAME, email=EMAIL, owner=rep)


@pytest.fixture
def theirs(outsider: User) -> list[Any]:
    """What another team holds that has the person's name or address in it."""
    other = LeadFactory(owner=outsider, name="Z.", email=EMAIL)
    run = ImportRun.objects.create(kind="leads", file_name="south.csv", file_hash="x", by=outsider, state="checked")
    file = ImportFile.objects.create(run=run, size=1, sample=[[NAME, EMAIL], [OF_OTHERS, "ceo@alpha.test"]])
    ImportChunk.objects.create(file=file, number=0, body=EMAIL.encode())
    segment = SegmentFactory(owner=outsider, name=f"{OF_OTHERS}, {NAME}", conditions=group("all"))
    return [
        EmailTemplate.objects.create(name=OF_OTHERS, owner=outsider, subject="x", body=f"<p>{NAME}: {OF_OTHERS}</p>"),
        Email.objects.create(direction="in", from_address=EMAIL, subject=other, text=OF_OTHERS),
        ImportRefusal.objects.create(run=run, line=2, cells=[EMAIL, OF_OTHERS], column="c", value="v", reason="r"),
        file,
        segment,
    ]


def copied(lead: Lead, by: User) -> str:
    return json.dumps(copy_of(person_of(lead), by=by, now=timezone.now()), cls=DjangoJSONEncoder)


def as_they_are(rows: list[Any]) -> list[Any]:
    """The rows as they are in the database now; None for one that is gone."""
    return [type(row).objects.filter(pk=row.pk).values().first() for row in rows]


def test_a_manager_copies_and_erases_nothing_of_other_teams(lead: Lead, theirs: list[Any], manager: User) -> None:
    before, person = as_they_are(theirs), person_of(lead)
    held = held_about(person, by=manager, now=timezone.now())
    assert {each.label for each in held} == {"crm.lead"}
    assert OF_OTHERS not in copied(lead, manager)

    erase_person(person, by=manager, now=timezone.now())

    assert as_they_are(theirs) == before
    assert ImportChunk.objects.exists()


def test_an_admin_reaches_all_and_copies_of_shared_rows_what_names_the_person(
    lead: Lead, theirs: list[Any], admin: User
) -> None:
    copy = json.loads(copied(lead, admin))
    assert copy["held"]["crm.email"][0]["text"] == OF_OTHERS
    assert [row["sample"] for row in copy["named_in"]["crm.importfile"]] == [[[NAME, EMAIL]]]
    erase_person(person_of(lead), by=admin, now=timezone.now())
    template, email, refusal, file, segment = as_they_are(theirs)
    assert (template["body"], email["text"], refusal) == (f"<p>∅: {OF_OTHERS}</p>", "", None)
    assert (file["sample"], segment["name"]) == ([], f"{OF_OTHERS}, ∅")


def test_a_managers_erasure_reaches_what_their_team_wrote(lead: Lead, rep: User, manager: User) -> None:
    template = EmailTemplate.objects.create(name="T", owner=rep, subject="x", body=f"Hello {EMAIL}")
    binned = EmailTemplate.objects.create(name="B", owner=rep, subject=NAME, body="", deleted_at=timezone.now())
    email = Email.objects.create(direction="in", from_address=EMAIL, subject=LeadFactory(owner=rep), text="secret")
    row = OutboxRow.objects.create(kind="email", dedupe_key="o", payload={"email": 1}, answer=f"550 {EMAIL} unknown")
    assert "550" not in copied(lead, manager)
    erase_person(person_of(lead), by=manager, now=timezone.now())
    for each in (template, binned, email, row):
        each.refresh_from_db()
    assert (template.body, binned.subject, email.text, row.answer) == ("Hello ∅", "∅", "", "")


def test_of_anothers_company_deal_nothing_is_read_or_struck(lead: Lead, manager: User, outsider: User) -> None:
    deal = DealFactory(
        name=f"{NAME} at SECRET", lead=lead, owner=outsider, contact=None, company=CompanyFactory(owner=outsider)
    )
    note = ActivityFactory(subject=deal, author=outsider, body=f"{NAME} pays SECRET")
    assert "SECRET" not in copied(lead, manager)
    erase_person(person_of(lead), by=manager, now=timezone.now())
    for row in (deal, note):
        row.refresh_from_db()
    assert (deal.name, note.body) == (f"{NAME} at SECRET", f"{NAME} pays SECRET")


def test_who_does_not_lead_a_deal_of_the_person_alone_may_not(lead: Lead, manager: User, outsider: User) -> None:
    DealFactory(lead=lead, owner=outsider, company=None, contact=None)
    with pytest.raises(NotAllowed):
        copied(lead, manager)


def test_no_mark_is_found_inside_other_words(rep: User, admin: User) -> None:
    """A phone number is a number, an address a whole one: planted ones strike nothing."""
    lead = LeadFactory(name="Ann Lee", phone="com", email="ann@lee.test", owner=rep)
    body = "<a href='https://shop.com/'>x</a> joann@lee.test ann@lee.test.org mary.ann@lee.test Joann Leewood"
    template = EmailTemplate.objects.create(name="T", owner=rep, subject="x", body=body)
    kept = SubmissionFactory(lead=None, answers=[{"value": "joann@lee.test"}], state="kept_out")
    erase_person(person_of(lead), by=admin, now=timezone.now())
    template.refresh_from_db()
    kept.refresh_from_db()
    assert (template.body, kept.answers) == (body, [{"value": "joann@lee.test"}])


def test_a_mark_at_the_beginning_of_a_line_is_found(rep: User, admin: User) -> None:
    lead = LeadFactory(name="Анна Ли", phone="+7 (912) 345-67-89", email="", owner=rep)
    asked = group("all", condition("name", "has", "Hello\nанна ли,\n+7 (912) 345-67-89."))
    segment = SegmentFactory(owner=rep, conditions=asked)
    erase_person(person_of(lead), by=admin, now=timezone.now())
    assert Segment.objects.get(pk=segment.pk).conditions["of"][0]["value"] == ["Hello\n∅,\n∅."]


def test_notes_of_a_companys_deal_are_copied_as_far_as_they_name_the_person(rep: User, manager: User) -> None:
    contact = ContactFactory(name=NAME, owner=rep, company=CompanyFactory(owner=rep))
    deal = DealFactory(name="Order", owner=rep, company=contact.company, contact=contact)
    ActivityFactory(subject=deal, author=rep, title="", body=f"Boris is ill.\n{NAME} signs.")
    copy = copy_of(person_of(contact), by=manager, now=timezone.now())
    assert [row["body"] for row in copy["named_in"]["crm.activity"]] == [f"{NAME} signs."]


def test_every_table_found_by_address_or_text_says_who_sees_it() -> None:
    """Or another team's rows would be copied and erased by whoever enters their customer's address."""
    silent = {
        holding.label
        for holding in holdings()
        if (holding.addresses or holding.searched)
        and not (holding.belongs_to or holding.is_log or hasattr(holding.model._default_manager.all(), "visible_to"))
    }
    assert silent == {"crm.suppression"}, "everybody's; a new one says `belongs_to`"
