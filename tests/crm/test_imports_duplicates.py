"""Whom an import takes for somebody who is there already: what its check shows is what it does."""

from __future__ import annotations

import pytest

from crm.models import ImportFile, Lead, User
from tests.factories import LeadFactory
from tests.wizard import check, client_of, counts, start, upload

pytestmark = pytest.mark.django_db
HEAD = "External id,Full name,E-mail,Company\n"


def test_rows_of_one_file_never_write_over_each_other(rep: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm.rules.records.course.STEP_ROWS", 1)
    client = client_of(rep)
    taylors = (
        "1,Taylor,wilfred@taylor.test,Dell\n2,Taylor,dorinda@taylor.test,Dell\n3,Taylor,dorinda@taylor.test,Dell\n"
    )
    run = check(client, upload(client, HEAD + taylors, kind="leads"))
    foretold = ImportFile.objects.get(pk=run.pk).findings["counts"]
    start(client, run)
    assert (foretold["created"], counts(run)) == (3, (3, 0, 0, 0))
    assert set(Lead.objects.values_list("external_id", "email")) == {
        ("1", "wilfred@taylor.test"),
        ("2", "dorinda@taylor.test"),
        ("3", "dorinda@taylor.test"),
    }


def test_another_id_and_the_same_name_at_one_company_is_another_person_unless_somebody_says_so(rep: User) -> None:
    there = LeadFactory(owner=rep, name="Taylor", email="old@taylor.test", company_name="Dell", external_id="9")
    client = client_of(rep)
    file = f"{HEAD}1,Taylor,new@taylor.test,Dell\n"
    run = check(client, upload(client, file, kind="leads"))
    assert ImportFile.objects.get(pk=run.pk).findings["duplicates_found"] == 1  # it is shown all the same
    start(client, run)
    there.refresh_from_db()
    assert (counts(run), there.external_id, there.email) == ((1, 0, 0, 0), "9", "old@taylor.test")

    run = check(client, upload(client, file.replace("1,T", "2,T"), kind="leads"))
    start(client, run, line_2="update")
    assert counts(run)[1] == 1
