"""Taking an import back by the rights of today: what is no longer the person's to change stays as it is."""

from __future__ import annotations

import pytest
from django.urls import reverse

from crm.models import Company, ImportRow, ImportRun, Lead, LeadSource, Team, User
from crm.rules.errors import NotAllowed
from crm.rules.importing.carrying import carry_on
from crm.rules.importing.deciding import begin_undo
from tests.factories import CompanyFactory, LeadFactory
from tests.wizard import check, client_of, start, upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(manager: User, rep: User) -> ImportRun:
    """A lead for the manager and one for a rep of theirs, with a source that nobody knew."""
    client = client_of(manager)
    rows = f"Full name,Owner,Lead source\nMine,{manager.email},Fair\nOf the team,{rep.email},Fair\n"
    run = start(client, check(client, upload(client, rows, kind="leads")))
    assert (run.state, Lead.objects.count()) == ("done", 2)
    return run


def demote(manager: User, team: Team | None) -> None:
    """Make a rep of another team of them."""
    manager.led_teams.clear()
    User.objects.filter(pk=manager.pk).update(role=User.Role.REP, team=team)


def test_what_became_somebody_elses_stays(run: ImportRun, manager: User, outsider: User) -> None:
    demote(manager, outsider.team)
    page = client_of(manager)

    page.post(reverse("import_undo", args=[run.pk]))

    run.refresh_from_db()
    assert run.state == "undone"
    assert [lead.name for lead in Lead.objects.all()] == ["Of the team"]
    assert run.file.findings["undone"] == {"deleted": 1, "put_back": 0, "kept": 1, "beyond": 1}
    assert "1 was left: it is no longer yours to change." in page.get(run.get_absolute_url()).text


def test_what_it_changed_is_not_put_back_in_anothers_records(manager: User, outsider: User, rep: User) -> None:
    company = CompanyFactory(name="Acme", owner=rep, employees=12)
    lead = LeadFactory(owner=manager, name="Now Lora")
    run = ImportRun.objects.create(kind="leads", file_name="a.csv", file_hash="x", by=manager, state="done")
    for record, before, after in ((company, {"employees": 10}, {"employees": 12}), (lead, {"name": "L"}, {})):
        ImportRow.objects.create(
            run=run, line=2, model=record._meta.label_lower, record_id=record.pk, before=before, after=after
        )
    demote(manager, outsider.team)
    begin_undo(run, by=User.objects.get(pk=manager.pk))
    carry_on(run.pk, seconds=5)
    run.refresh_from_db()
    assert (run.state, Company.objects.get().employees, Lead.objects.get().name) == ("undone", 12, "L")


def test_who_may_change_nothing_any_more_leaves_the_rest_to_others(run: ImportRun, manager: User, admin: User) -> None:
    begin_undo(run, by=manager)
    User.objects.filter(pk=manager.pk).update(role=User.Role.VIEWER)
    carry_on(run.pk, seconds=5)
    run.refresh_from_db()
    assert (run.state, str(manager) in run.stop_reason, Lead.objects.count()) == ("stopped", True, 2)

    begin_undo(run, by=admin)
    carry_on(run.pk, seconds=5)
    run.refresh_from_db()
    assert (run.state, Lead.objects.count(), LeadSource.objects.filter(slug="fair").count()) == ("undone", 0, 0)


def test_anothers_import_is_not_taken_back(run: ImportRun, outsider: User) -> None:
    assert client_of(outsider).post(reverse("import_undo", args=[run.pk])).status_code == 404
    with pytest.raises(NotAllowed):
        begin_undo(run, by=outsider)
