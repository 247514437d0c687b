"""A person's data on their request: copied whole, erased for good, and the numbers stay."""

from __future__ import annotations

import datetime as dt
import json
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from crm.models import (
    ERASED,
    Activity,
    AuditEntry,
    Contact,
    Email,
    EmailTemplate,
    FirstAnswer,
    FollowUp,
    ImportChunk,
    ImportFile,
    ImportRow,
    ImportRun,
    Lead,
    Merge,
    Notification,
    OutboxRow,
    SavedView,
    User,
)
from crm.models.personal import holdings
from crm.rules.audit import acting
from crm.rules.emails import Letter, write_email
from crm.rules.erasing import copy_of, erase_person, held_about, person_of, same_address
from crm.rules.errors import NotAllowed
from crm.rules.leads import edit_lead
from pipeline.models import Deal
from tests.factories import ActivityFactory, CompanyFactory, ContactFactory, DealFactory, FollowUpFactory, LeadFactory
from tests.factories.segments import SegmentFactory

pytestmark = pytest.mark.django_db

NOTHING_PERSONAL = {
    # Erased apart, value by value.
    "AuditEntry", "ImportRow",
    # Colleagues, what they set up, and how they work.
    "User", "Team", "Token", "ApiToken", "NotificationChoice", "WorkingCalendar", "WorkingSpan", "CalendarException",
    "Absence", "Mailbox", "MailFolder", "DropAddress", "LeadSource", "Campaign", "DisqualifyReason", "AssignmentRule",
    "AssignmentTurn", "LeadForm", "LeadFormField", "ConsentText", "QualifyingQuestion", "ScoreRule", "ScoreModel",
    "Sequence", "SequenceStep", "ExchangeRate", "Pipeline", "Stage", "StageProbabilityChange", "ChecklistItem",
    "LossReason", "Product", "FollowUpList", "ListedFollowUp", "StageRule", "StageAction", "Spend",
    # Organisations.
    "Company",
    # Numbers, times and references alone.
    "MergeMove", "DuplicateSuspicion", "DuplicateCheck", "PausedKind", "Heartbeat", "Reminder", "StepRun", "HandOver",
    "ImportRun", "Invitation", "DoorCount", "Receipt", "DealAmountChange", "ChecklistTick", "LineItem", "StageVisit",
    "StayAlert", "StageTotal", "OpensWith",
    # Pieces of files, thrown away with them.
    "ImportChunk",
}  # fmt: skip

NAME, EMAIL, PHONE = "Zarina Quillfeather", "zarina@quill.test", "+49 30 5550199"
SAYS = f"{NAME} ({EMAIL}, {PHONE}) called about Zarina's order"
WORDS = ("zarina", "quill", "5550199")


@pytest.fixture
def lead(rep: User) -> Lead:
    """A lead with everything that hangs on one: its contact, deals, texts, notices, mail and imports."""
    company = CompanyFactory(name="Halden Dairy", owner=rep)
    contact = ContactFactory(name=NAME, email=EMAIL, phone=PHONE, position="Head of Quill", company=company, owner=rep)
    lead = LeadFactory(name="Z. Quill", email=EMAIL, message=SAYS, owner=rep, contact=contact)
    edit_lead(lead, fields={"name": NAME}, seen_version=lead.version, by=rep)
    deal = DealFactory(name=f"Order of {NAME}", owner=rep, company=company, contact=contact, lead=lead)
    own_deal = DealFactory(name="Quillfeather privately", owner=rep, contact=contact, loss_note=SAYS)
    for subject in (lead, contact, deal, own_deal):
        ActivityFactory(subject=subject, author=rep, kind="call", direction="out", title=SAYS[:100], body=SAYS)
        follow_up = FollowUpFactory(subject=subject, assignee=rep, title=f"Call {NAME}", note=SAYS)
        told = {"user": rep, "subject": subject, "text": SAYS, "kind": "reminder"}
        Notification.objects.create(**told, follow_up=follow_up, dedupe_key=f"n{follow_up.pk}")
    FirstAnswer.objects.create(user=rep, key="k", purpose="p", answer={"title": f"Order of {NAME}"})
    OutboxRow.objects.create(kind="email", dedupe_key="o", payload={"email": 1}, answer=f"550 {EMAIL} unknown")
    Email.objects.create(direction="in", from_address=EMAIL.upper(), from_name=NAME, text=SAYS, html=SAYS)
    run = ImportRun.objects.create(kind="leads", file_name="leads.csv", file_hash="0")
    ImportRow.objects.create(
        run=run, line=2, model="crm.lead", record_id=lead.pk, before={"name": NAME, "team_id": 1}, after={"name": SAYS}
    )
    return Lead.objects.get(pk=lead.pk)


def everything_stored() -> str:
    """Every column of every table of ours, as PostgreSQL writes it."""
    texts = []
    for model in apps.get_models():
        if model._meta.app_label in {"crm", "pipeline", "metrics"}:
            with connection.cursor() as cursor:
                table = connection.ops.quote_name(model._meta.db_table)
                cursor.execute(f"SELECT string_agg(to_jsonb(t)::text, '') FROM {table} t")
                texts.append(cursor.fetchone()[0] or "")
    return "".join(texts).lower()


def figures() -> Any:
    """Every KPI there is, for everybody and by owner."""
    said = StringIO()
    day = dt.timedelta(days=1)
    today = timezone.now().date()
    call_command(
        "kpis", "--from", str(today - 30 * day), "--to", str(today + 2 * day), "--by", "owner", "--json", stdout=said
    )
    return json.loads(said.getvalue())


def test_nothing_names_the_person_afterwards(lead: Lead, admin: User) -> None:
    before = everything_stored()
    assert all(word in before for word in WORDS)

    erase_person(person_of(lead), by=admin, now=timezone.now())

    after = everything_stored()
    assert [word for word in WORDS if word in after] == []
    assert str(Lead.objects.get()) == str(Contact.objects.get()) == "Erased person"
    assert "halden dairy" in after


def test_rows_and_their_numbers_stay(lead: Lead, admin: User) -> None:
    counted = (Lead, Contact, Deal, Activity, FollowUp, AuditEntry)
    was = [model.objects.count() for model in counted[:-1]]
    touched = list(Activity.objects.order_by("pk").values_list("kind", "direction", "at", "author"))

    erase_person(person_of(lead), by=admin, now=timezone.now())

    assert [model.objects.count() for model in counted[:-1]] == was
    assert list(Activity.objects.order_by("pk").values_list("kind", "direction", "at", "author")) == touched
    deal = Deal.objects.get(lead=lead)
    assert deal.name == f"Order of {ERASED}"
    assert ImportRow.objects.get().before == {"name": ERASED, "team_id": 1}


def test_metrics_are_the_same_afterwards(lead: Lead, admin: User) -> None:
    before = figures()

    erase_person(person_of(lead), by=admin, now=timezone.now())

    assert figures() == before
    assert before["kpis"]["new_leads"]["value"] == 1


def test_log_says_who_erased_and_nothing_of_whom(lead: Lead, admin: User) -> None:
    erase_person(person_of(lead), by=admin, now=timezone.now())

    newest = AuditEntry.objects.about("lead", lead.pk)[0]
    assert (newest.action, newest.actor, newest.before, newest.after) == ("erased", admin, {}, {})
    renamed = AuditEntry.objects.about("lead", lead.pk).get(action="changed")
    assert (renamed.before["name"], renamed.after["name"]) == (ERASED, ERASED)


def test_door_in_the_log_lets_nothing_else_through(lead: Lead) -> None:
    entry = AuditEntry.objects.about("lead", lead.pk).filter(action="changed").get()
    forgeries = (
        {"after": {"name": "Somebody else"}},
        {"after": {}},
        {"after": {**entry.after, "more": ERASED}},
        {"actor_id": None},
        {"note": ERASED},
    )
    for changes in forgeries:
        with pytest.raises(DatabaseError), transaction.atomic():
            open_door()
            AuditEntry.objects.filter(pk=entry.pk).update(**changes)
    with pytest.raises(DatabaseError), transaction.atomic():
        open_door()
        AuditEntry.objects.filter(pk=entry.pk).delete()
    with pytest.raises(DatabaseError), transaction.atomic():  # and closed, not even this
        AuditEntry.objects.filter(pk=entry.pk).update(after={"name": ERASED})


def open_door() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('voronka.erasing', 'on', true)")


def test_door_is_closed_after_an_erasure(lead: Lead, admin: User) -> None:
    with acting(admin):
        erase_person(person_of(lead), by=admin, now=timezone.now())
        Lead.objects.filter(pk=lead.pk).update(status="working")

    assert AuditEntry.objects.about("lead", lead.pk)[0].after == {"status": "working"}


def test_copy_holds_everything_and_reads_as_json(lead: Lead, admin: User) -> None:
    copy = json.loads(json.dumps(copy_of(person_of(lead), by=admin, now=timezone.now()), cls=DjangoJSONEncoder))

    assert copy["held"]["crm.lead"][0]["message"] == SAYS
    assert copy["held"]["crm.email"][0]["text"] == SAYS
    assert len(copy["held"]["crm.activity"]) == 3  # of lead, contact and the private deal
    assert copy["named_in"]["crm.activity"][0]["body"] == SAYS  # of the company's deal
    assert {"crm.auditentry", "crm.importrow", "crm.followup", "pipeline.deal"} <= copy["held"].keys()
    counted = held_about(person_of(lead), by=admin, now=timezone.now())
    assert {held.label for held in counted} >= {"crm.lead", "crm.contact", "crm.email"}


def test_only_who_leads_it_all_may(lead: Lead, rep: User, manager: User, outsider: User) -> None:
    for person in (rep, outsider):
        with pytest.raises(NotAllowed):
            erase_person(person_of(lead), by=person, now=timezone.now())
    LeadFactory(owner=outsider, contact=lead.contact)
    with pytest.raises(NotAllowed):
        copy_of(person_of(lead), by=manager, now=timezone.now())
    assert Lead.objects.get(pk=lead.pk).name == NAME


def test_further_records_of_the_address_are_offered(lead: Lead, manager: User, outsider: User) -> None:
    again = LeadFactory(email=EMAIL.upper(), owner=lead.owner)
    LeadFactory(email=EMAIL, owner=outsider)

    assert same_address(lead, by=manager) == [again]


def test_erased_person_cannot_be_written_to_again(lead: Lead, admin: User) -> None:
    erase_person(person_of(lead), by=admin, now=timezone.now())

    assert not Lead.objects.editable_by(admin).exists()
    assert Lead.objects.visible_to(admin).exists()


def test_every_table_says_what_it_holds_or_that_it_holds_nothing() -> None:
    """A new model declares what it holds about people (`@holds_personal`), or joins this list for a reason."""
    silent = {
        model.__name__
        for app in ("crm", "pipeline", "metrics")
        for model in apps.get_app_config(app).get_models()
        if model not in {holding.model for holding in holdings()}
    }
    assert silent == NOTHING_PERSONAL


def test_mail_that_still_waits_is_withdrawn(lead: Lead, admin: User, rep: User) -> None:
    letter = Letter(subject_line="Your order", body="<p>Soon</p>", send_at=timezone.now() + dt.timedelta(days=1))
    waiting = write_email(letter, about=lead, to=lead, by=rep, now=timezone.now())

    erase_person(person_of(lead), by=admin, now=timezone.now())

    waiting.refresh_from_db()
    assert waiting.row is not None
    assert waiting.row.state == OutboxRow.State.CANCELLED
    assert EMAIL not in waiting.to_address


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "cp1251"])
@pytest.mark.parametrize(("state", "text", "stays"), [
    ("done", "Somebody else", False), ("checked", SAYS, False), ("checked", "Somebody else", True),
    ("running", SAYS, True),
])  # fmt: skip
def test_uploaded_files_go(lead: Lead, admin: User, state: str, text: str, stays: bool, encoding: str) -> None:
    run = ImportRun.objects.create(kind="leads", file_name="leads.csv", file_hash="0", state=state, by=admin)
    file = ImportFile.objects.create(run=run, size=9, sample=[["Name"], [text]], profile=[{"values": [text]}])
    ImportChunk.objects.create(file=file, number=0, body=f"Name\n{text}\n".encode(encoding))

    erase_person(person_of(lead), by=admin, now=timezone.now())

    file.refresh_from_db()
    assert file.chunks.exists() == stays != file.is_gone
    assert not person_of(lead).names or NAME not in str([file.sample, file.profile])


def test_what_others_wrote_down_keeps_its_shape(lead: Lead, admin: User, rep: User) -> None:
    tree = {"join": "all", "of": [{"field": "email", "op": "is", "value": [EMAIL.upper()]}]}
    segment = SegmentFactory(name=f"All of {NAME}", owner=rep, conditions=tree)
    template = EmailTemplate.objects.create(
        name="T", owner=rep, subject="Hello", body=f"<p>{SAYS} {{{{ person.name }}}}</p>"
    )
    merged = Merge.objects.create(kind="lead", survivor_id=lead.pk, by=rep, before={"name": NAME}, after={"name": SAYS})

    erase_person(person_of(lead), by=admin, now=timezone.now())

    for row in (segment, template, merged):
        row.refresh_from_db()
    assert (segment.name, segment.conditions["of"][0]["value"]) == (f"All of {ERASED}", [ERASED])
    assert "{{ person.name }}" in template.body
    assert (merged.before, merged.after) == ({}, {})
    assert [word for word in WORDS if word in everything_stored()] == []


def test_names_that_must_differ_do_where_they_named_one_person(lead: Lead, admin: User, rep: User) -> None:
    views = [
        SavedView.objects.create(name=name, page="deals", owner=rep, query=[["q", EMAIL]])
        for name in (NAME, EMAIL, "Mine", ERASED)
    ]
    erase_person(person_of(lead), by=admin, now=timezone.now())
    names = [SavedView.objects.get(pk=view.pk).name for view in views]
    assert [name.partition(" ")[0] for name in names] == [ERASED, ERASED, "Mine", ERASED]
    assert len(set(names)) == 4


def test_every_table_that_holds_something_says_whose_it_is() -> None:
    lost = [
        holding.label
        for holding in holdings()
        if not (holding.keys or holding.addresses or holding.searched or holding.by_kind)
        and holding.label not in {"crm.lead", "crm.contact"}
        and not any(field.name == "subject_type" for field in holding.model._meta.fields)
    ]
    assert lost == [], "without keys, addresses, searched or by_kind no row of theirs is ever found"
