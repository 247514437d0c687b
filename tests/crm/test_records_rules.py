"""Companies, contacts and leads from files: made, found again, corrected, refused, taken back."""

from __future__ import annotations

import csv
import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from crm.models import Activity, AuditEntry, Company, Contact, ImportRow, ImportRun, Lead, LeadSource, User
from crm.rules.merged_values import fingerprint
from crm.rules.merging import merge_records
from crm.rules.records.errors import MappingRefused, Question, Unreadable
from crm.rules.records.kinds import CompanyImporter
from crm.rules.records.undoing import NothingToUndo, undo_import
from metrics.rules.records import KINDS
from tests.factories import ActivityFactory, CompanyFactory, UserFactory
from tests.factories.records import bring_in, counts, reasons

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)


def undo(run: ImportRun | None, by: User | None = None):
    assert run
    return undo_import(run, kinds=KINDS, by=by, now=NOW)


# --- Found again ---


def test_the_same_file_again_changes_nothing():
    file = "external_id,name,employees\n1,Acme,10\n2,Borg,\n"
    assert counts(bring_in("companies", file)) == (2, 0, 0, 0)
    assert counts(bring_in("companies", file)) == (0, 0, 2, 0)
    assert Company.objects.count() == 2


def test_a_corrected_file_updates_what_it_corrects():
    bring_in("companies", "external_id,name,employees\n1,Acme,10\n2,Borg,5\n")
    assert counts(bring_in("companies", "external_id,name,employees\n1,Acme,12\n2,Borg,5\n")) == (0, 1, 1, 0)
    assert list(Company.objects.order_by("pk").values_list("employees", flat=True)) == [12, 5]


def test_what_people_changed_since_is_kept_until_the_file_says_something_new():
    file = "external_id,name,country\n1,Acme,France\n"
    bring_in("companies", file)
    Company.objects.update(country="Chile", domain="acme.test")
    assert counts(bring_in("companies", file)) == (0, 0, 1, 0)
    assert Company.objects.get().country == "Chile"
    bring_in("companies", "external_id,name,country,domain\n1,Acme,Peru,\n")
    assert Company.objects.values_list("country", "domain").get() == ("Peru", "acme.test")


def test_an_empty_cell_erases_what_an_import_set():
    bring_in("companies", "external_id,name,country\n1,Acme,France\n")
    bring_in("companies", "external_id,name,country\n1,Acme,\n")
    assert Company.objects.get().country == ""


def test_companies_without_an_id_are_known_by_name_in_any_case():
    CompanyFactory(name="Ёлка и Ко")
    assert counts(bring_in("companies", "name\nелка  И КО\n")) == (0, 0, 1, 0)
    assert Company.objects.get().name == "Ёлка и Ко"


def test_contacts_are_known_by_email_and_named_by_it_where_nameless():
    file = "email,company\nAnna@Example.test,Acme\n"
    assert counts(bring_in("contacts", file)) == (1, 0, 0, 0)
    assert counts(bring_in("contacts", file)) == (0, 0, 1, 0)
    contact = Contact.objects.get()
    assert (contact.name, contact.email, contact.company.name) == ("anna@example.test", "anna@example.test", "Acme")


def test_a_record_twice_in_a_file_is_reported():
    outcome = bring_in("companies", "external_id,name\n1,Acme\n1,Acme Ltd\n")
    assert counts(outcome) == (1, 0, 0, 1)
    assert outcome.examples[0][1].reason.endswith("in line 2.")


def test_a_record_in_the_bin_stays_there():
    bring_in("companies", "external_id,name\n1,Acme\n")
    Company.objects.update(deleted_at=NOW)
    assert reasons(bring_in("companies", "external_id,name\n1,Acme 2\n")) == [(2, "external_id")]


# --- Merged meanwhile ---


def merged(survivor: Any, other: Any, by: User) -> None:
    kind = survivor._meta.model_name
    seen = {record.pk: fingerprint(record) for record in (survivor, other)}
    merge_records(kind=kind, seen=seen, chosen={}, by=by, now=NOW)


def test_rows_of_a_merged_record_go_to_the_survivor(admin):
    file = "external_id,name,email,phone\n1,Anna Berg,anna@one.test,\n2,Anna Berg,anna@two.test,+1 650 253 0000\n"
    bring_in("contacts", file)
    first, second = Contact.objects.order_by("pk")
    merged(first, second, admin)
    assert counts(bring_in("contacts", file)) == (0, 0, 2, 0)
    corrected = file.replace("+1 650 253 0000", "+1 650 253 0001")
    outcome = bring_in("contacts", corrected)
    assert counts(outcome) == (0, 1, 1, 0)
    kept = Contact.objects.present().get()
    assert (kept.pk, kept.external_id, kept.phone) == (first.pk, "1", "+1 650 253 0001")
    assert Contact.objects.get(pk=second.pk).external_id == "2"
    undo(outcome.run, admin)
    assert Contact.objects.present().get().phone == "+1 650 253 0000"


def test_what_refers_to_a_merged_record_refers_to_the_survivor(admin, sales):
    bring_in("companies", "external_id,name\n7,Acme\n8,Acme Werke\n")
    bring_in("leads", "external_id,name,email\nl1,Anna,anna@one.test\nl2,Anna,anna@two.test\n")
    merged(*Company.objects.order_by("pk"), admin)
    merged(*Lead.objects.order_by("pk"), admin)
    company, lead = Company.objects.present().get(), Lead.objects.present().get()
    gone = Company.objects.get(merged_into=company).external_id
    contact = f"external_id,name,company_id\n1,Boris,5;{gone}\n2,Clara,5\n"
    outcome = bring_in("contacts", contact)
    assert counts(outcome) == (2, 0, 0, 0)
    assert list(Contact.objects.order_by("pk").values_list("company", flat=True)) == [company.pk, None]
    assert "by an id that nobody here has" in outcome.warnings[0]
    gone_lead = Lead.objects.get(merged_into=lead).external_id
    deal = f"external_id,name,owner,lead,company_id\nd,Deal,{admin.email},{gone_lead},{gone}\n"
    assert counts(bring_in("deals", deal)) == (1, 0, 0, 0)
    assert lead.deal.company == company
    touch = f"at,lead,channel\n2026-01-02 10:00,{gone_lead},call\n"
    assert counts(bring_in("touches", touch)) == (1, 0, 0, 0)
    assert Activity.objects.get().subject_id == lead.pk


# --- Owners ---


def test_owners_are_found_by_email_or_name_in_any_case(rep):
    UserFactory(name="Ёжиков Пётр")
    outcome = bring_in("companies", "name,owner\nA,RITA@example.test\nB,rita  rep\nC,ежиков петр\nD,\nE,Nobody\n")
    assert counts(outcome) == (4, 0, 0, 1)
    assert reasons(outcome) == [(6, "owner")]
    assert list(Company.objects.order_by("name").values_list("owner__name", flat=True)) == [
        "Rita Rep",
        "Rita Rep",
        "Ёжиков Пётр",
        None,
    ]


def test_a_name_that_several_people_have_is_refused():
    UserFactory(name="Ann Lee")
    UserFactory(name="Ann Lee")
    assert reasons(bring_in("companies", "name,owner\nA,Ann Lee\n")) == [(2, "owner")]


def test_unknown_owners_are_made_inactive_when_asked():
    outcome = bring_in(
        "companies", "name,owner\nA,Zoë Smith\nB,Zoë Smith\nC,max@example.test\nD,Пётр\n", creates_owners=True
    )
    assert counts(outcome) == (4, 0, 0, 0)
    made = User.objects.order_by("pk")
    assert [user.name for user in made] == ["Zoë Smith", "max", "Пётр"]
    assert not any(user.is_active or user.has_usable_password() for user in made)
    assert "3 owners" in outcome.warnings[0]


def test_the_default_owner_gets_new_records_alone(rep, colleague):
    file = "external_id,name,owner\n1,Acme,\n"
    bring_in("companies", file, owner_default=rep)
    bring_in("companies", file, owner_default=colleague)
    assert Company.objects.get().owner == rep


# --- Leads ---


def test_a_leads_status_follows_from_its_times():
    outcome = bring_in(
        "leads",
        "name,source,created_at,first_response_at,qualified_at,disqualified_at,disqualify_reason\n"
        "New,Fair,2026-01-01,,,,\n"
        "Working,fair,2026-01-01,2026-01-02,,,\n"
        "Qualified,Fair,2026-01-01,2026-01-02,2026-01-03,,\n"
        "Dead,Web,2026-01-01,,,2026-01-04,No budget\n"
        "Early,Web,2026-01-05,2026-01-04,,,\n"
        "Reason,Web,2026-01-05,,,,No budget\n",
        now=NOW,
    )
    assert counts(outcome) == (4, 0, 0, 2)
    assert reasons(outcome) == [(6, "first_response_at"), (7, "disqualified_at")]
    assert dict(Lead.objects.values_list("name", "status")) == {
        "New": "new",
        "Working": "working",
        "Qualified": "qualified",
        "Dead": "disqualified",
    }
    assert LeadSource.objects.filter(name__in=["Fair", "Web"]).count() == 2
    assert Lead.objects.get(name="Dead").disqualify_reason.name == "No budget"


def test_a_lead_without_a_creation_time_is_said_to_be():
    outcome = bring_in("leads", "name,first_response_at\nA,2026-01-02\nB,\n", now=NOW)
    assert "2 leads" in outcome.warnings[0]
    assert list(Lead.objects.order_by("name").values_list("created_at", flat=True)) == [
        dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
        NOW,
    ]


# --- What is refused, and the report ---


def test_bad_rows_are_reported_and_good_ones_are_not_held_back(tmp_path):
    report = tmp_path / "report.csv"
    file = (
        "external_id;name;email;created_at;phone\n"
        "1;A;a@b.test;01.02.2026;+7 900\n"
        "2;;nonsense;32.01.2026;=1+1\n"
        "3;C;;01.01.2999;\n"
    )
    outcome = bring_in("leads", file, report=report, now=NOW)
    assert counts(outcome) == (1, 0, 0, 2)
    rows = list(csv.reader(report.open(encoding="utf-8-sig"), delimiter=";"))
    assert rows[0] == ["external_id", "name", "email", "created_at", "phone", "line", "column", "value", "reason"]
    assert rows[1][:8] == [
        "2",
        "",
        "nonsense",
        "32.01.2026",
        "'=1+1",
        "3",
        "name; email; created_at",
        "; nonsense; 32.01.2026",
    ]
    assert rows[2][5:8] == ["4", "created_at", "01.01.2999"]


def test_a_report_corrected_and_sent_again_brings_the_rest_in(tmp_path):
    report = tmp_path / "report.csv"
    bring_in("leads", "external_id,name,phone\n1,A,5\n2,,=1+1\n", report=report)
    report.write_text(report.read_text(encoding="utf-8-sig").replace("2,,", "2,B,"), encoding="utf-8")
    assert counts(bring_in("leads", report)) == (1, 0, 0, 0)
    assert Lead.objects.get(external_id="2").phone == "=1+1"


@pytest.mark.parametrize(
    ("file", "error", "message"),
    [
        ("", Unreadable, "empty"),
        ("company\nAcme\n", MappingRefused, "name"),
        ("name,created_at\nA,3/4/2026\n", Question, "date_format"),
    ],
)
def test_a_file_that_cannot_be_read_writes_nothing(file, error, message):
    with pytest.raises(error, match=message):
        bring_in("leads", file)
    assert not ImportRun.objects.exists()


def test_hostile_text_is_text():
    names = [
        "<script>alert(1)</script>",
        "{{ name }}",
        "x" * 200,
        "\u202eevil",
        "🦄",
        "Robert'); DROP TABLE crm_lead;--",
    ]
    outcome = bring_in("leads", "name\n" + "\n".join(names) + "\n" + "x" * 201 + "\nnul\x00\n")
    assert counts(outcome) == (6, 0, 0, 2)
    assert set(Lead.objects.values_list("name", flat=True)) == set(names)


# --- Runs ---


def test_a_run_is_recorded_with_who_what_and_how_many(admin):
    outcome = bring_in("leads", "external_id,name\n1,A\n2,\n", by=admin)
    run = ImportRun.objects.get(pk=outcome.run.pk)
    assert (run.by, run.kind, run.file_name, run.state) == (admin, "leads", "leads.csv", "done")
    assert (run.created, run.failed, run.last_line, len(run.file_hash)) == (1, 1, 3, 64)
    entry = AuditEntry.objects.get(kind="lead")
    assert (entry.actor, entry.through, entry.note) == (admin, "import", f"import {run.pk}")


def test_a_dry_run_says_the_same_and_writes_nothing(rep):
    file = "name,owner,company\nA,Rita Rep,Acme\nB,Someone New,Acme\nC,,Borg\n,,\nD,Someone New,\n"
    dry = bring_in("contacts", file, creates_owners=True, is_dry_run=True)
    assert [model.objects.count() for model in (Contact, Company, ImportRun)] == [0, 0, 0]
    wet = bring_in("contacts", file, creates_owners=True)
    assert (counts(dry), dry.warnings) == (counts(wet), wet.warnings)
    assert counts(wet) == (4, 0, 0, 0)


def test_a_run_that_breaks_off_says_so_and_can_be_repeated(monkeypatch):
    monkeypatch.setattr("crm.rules.records.course.STEP_ROWS", 1)
    monkeypatch.setattr(Lead.objects.__class__, "bulk_create", _break_at_second(Lead.objects.__class__.bulk_create))
    file = "external_id,name\n1,A\n2,B\n"
    with pytest.raises(RuntimeError):
        bring_in("leads", file)
    monkeypatch.undo()
    assert ImportRun.objects.values_list("state", "created", "last_line").get() == ("stopped", 1, 2)
    assert counts(bring_in("leads", file)) == (1, 0, 1, 0)


def _break_at_second(real):
    calls = []

    def breaking(*args, **kwargs):
        calls.append(1)
        if len(calls) > 1:
            raise RuntimeError
        return real(*args, **kwargs)

    return breaking


# --- Taking back ---


def test_taking_back_deletes_what_was_made_and_puts_back_what_was_changed(admin):
    first = bring_in("companies", "external_id,name,employees\n1,Acme,10\n").run
    second = bring_in(
        "companies", "external_id,name,employees,owner\n1,Acme,12,New Owner\n2,Borg,3,\n", creates_owners=True
    ).run
    undone = undo(second, by=admin)
    assert (undone.deleted, undone.put_back, undone.kept) == (2, 1, 0)
    assert list(Company.objects.values_list("name", "employees", "owner")) == [("Acme", 10, None)]
    run = ImportRun.objects.get(pk=second.pk)
    assert (run.state, run.undone_by, run.undone_at) == ("undone", admin, NOW)
    undo(first)
    assert not Company.objects.exists()


def test_taking_back_keeps_what_people_changed_or_built_on():
    run = bring_in("companies", "name\nEdited\nWith contact\nTalked about\nUntouched\n").run
    Company.objects.filter(name="Edited").update(name="Edited since")
    Contact.objects.create(name="Someone", company=Company.objects.get(name="With contact"))
    ActivityFactory(subject=Company.objects.get(name="Talked about"))
    undone = undo(run)
    assert (undone.deleted, undone.kept) == (1, 3)
    assert set(Company.objects.values_list("name", flat=True)) == {"Edited since", "With contact", "Talked about"}
    assert Activity.objects.count() == 1


def test_an_import_is_taken_back_once_and_can_be_made_again():
    file = "external_id,name\n1,A\n"
    run = bring_in("leads", file).run
    undo(run)
    with pytest.raises(NothingToUndo):
        undo(run)
    assert counts(bring_in("leads", file)) == (1, 0, 0, 0)
    assert ImportRow.objects.count() == 1


def test_taking_back_goes_on_where_it_broke_off(monkeypatch):
    monkeypatch.setattr("crm.rules.records.undoing.STEP_ROWS", 1)
    bring_in("companies", "external_id,name\n1,A\n2,B\n3,C\n")
    run = bring_in("companies", "external_id,name\n1,A\n2,Bee\n3,See\n4,D\n").run
    monkeypatch.setattr(CompanyImporter, "put_back", _break_at_second(CompanyImporter.put_back))
    with pytest.raises(RuntimeError):
        undo(run)
    monkeypatch.undo()
    assert list(Company.objects.order_by("pk").values_list("name", flat=True)) == ["A", "Bee", "C"]
    assert ImportRun.objects.get(pk=run.pk).state == "done"
    assert undo(run).put_back == 1
    assert list(Company.objects.order_by("pk").values_list("name", flat=True)) == ["A", "B", "C"]


def test_times_are_kept_in_utc():
    bring_in("leads", "name,created_at\nA,2026-03-29 12:00\n", mapping={"timezone": "Europe/Berlin"}, now=NOW)
    assert Lead.objects.get().created_at == dt.datetime(2026, 3, 29, 10, tzinfo=dt.UTC)
    assert timezone.is_aware(Lead.objects.get().created_at)
