"""`manage.py import_records`: what it prints, and the exit status that other programs rely on."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command

from crm.models import AssignmentRule, AuditEntry, ImportRun, Lead
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(tmp_path):
    def import_file(kind: str, content: str | bytes, *arguments: str) -> tuple[int, str, str]:
        path, out, err = tmp_path / "file.csv", io.StringIO(), io.StringIO()
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        try:
            call_command("import_records", kind, str(path), *arguments, stdout=out, stderr=err)
        except SystemExit as end:
            return int(end.code or 0), out.getvalue(), err.getvalue()
        except CommandError as end:
            return end.returncode, out.getvalue(), str(end)
        return 0, out.getvalue(), err.getvalue()

    return import_file


def test_json_has_the_keys_that_programs_rely_on(run):
    status, out, _err = run("leads", "name\nA\n", "--json")
    assert (status, list(json.loads(out))) == (0, ["created", "updated", "unchanged", "failed", "warnings"])
    assert json.loads(out)["created"] == 1


def test_failed_rows_are_status_1_and_shown(run):
    status, out, err = run("leads", "name,email\nA,nonsense\nB,\n")
    assert (status, out.splitlines()[0]) == (1, "1 created, 0 updated, 0 unchanged, 1 failed")
    assert "line 2, email “nonsense”" in err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04workbook", "workbook"),
        (b"", "empty"),
        (b"company\nAcme\n", "no column"),
        (b"name,created_at\nA,3/4/2026\n", "date_format"),
    ],
)
def test_a_file_that_cannot_be_read_is_status_2_with_what_it_looks_like(run, content, message):
    status, _out, err = run("leads", content)
    assert status == 2
    assert message in err


def test_a_report_that_cannot_be_written_stops_before_anything_is(run, tmp_path):
    status, _out, err = run("leads", "name\nA\n", "--report", str(tmp_path / "nowhere" / "report.csv"))
    assert (status, "cannot be written" in err, Lead.objects.count()) == (2, True, 0)


def test_a_mapping_comes_from_a_toml_file(run, tmp_path):
    mapping = tmp_path / "mapping.toml"
    mapping.write_text('date_format = "dmy"\n[columns]\nname = "Who"\ncreated_at = "When"\n')
    assert run("leads", "Who,When\nA,3/4/2026\n", "--mapping", str(mapping))[0] == 0
    assert (Lead.objects.get().created_at.day, Lead.objects.get().created_at.month) == (3, 4)
    mapping.write_text('[columns]\nname = "Whom"\n')
    status, _out, err = run("leads", "Who\nA\n", "--mapping", str(mapping))
    assert (status, "Whom" in err) == (2, True)


def test_owners_and_the_actor_are_named_by_email(run):
    owner = UserFactory(email="rita@example.test")
    assert run("leads", "name\nA\n", "--owner-default", "RITA@example.test", "--as", "rita@example.test")[0] == 0
    assert (Lead.objects.get().owner, AuditEntry.objects.get(kind="lead").actor) == (owner, owner)
    assert run("leads", "name\nA\n", "--owner-default", "nobody@example.test")[0] == 2


def test_an_import_is_taken_back_by_its_number(run):
    run("leads", "external_id,name\n1,A\n")
    out = io.StringIO()
    call_command("import_records", "--undo", str(ImportRun.objects.get().pk), stdout=out)
    assert "1 deleted" in out.getvalue()
    assert not Lead.objects.exists()


def test_new_leads_are_given_out_where_that_is_said(run):
    rule = AssignmentRule.objects.create(name="In turn", at_work=AssignmentRule.AtWork.ANY)
    rule.people.set([UserFactory(email="rita@example.test")])
    assert run("leads", "name\nA\n", "--assign")[0] == 0
    assert Lead.objects.get().owner.email == "rita@example.test"
    status, _out, err = run("companies", "name\nA\n", "--assign")
    assert (status, "leads alone" in err) == (2, True)
