"""What the import wizard says to who brings in a file: in the page's words and the person's language."""

from __future__ import annotations

import pytest
from django.urls import reverse

from crm.models import User
from pipeline.models import Pipeline
from tests.wizard import check, client_of, upload

pytestmark = pytest.mark.django_db


def test_a_header_alone_is_said_to_be_recognised(rep: User) -> None:
    client = client_of(rep)
    run = upload(client, "LEADID,Last Name,Company,Lead Owner,Lead Status,Rating\n")
    page = client.get(run.get_absolute_url()).content.decode()
    assert "header of an export from Zoho (leads): 5 of its 6 columns are known here." in page


def test_a_column_that_the_file_lacks_is_called_as_people_call_it(rep: User, sales: Pipeline) -> None:
    rep.language = "ru"
    rep.save(update_fields=["language"])
    client = client_of(rep)
    run = check(client, upload(client, "Deal,Outcome,Owner\nPumps,lost,\n", kind="deals"))
    page = client.get(run.get_absolute_url()).content.decode()
    assert "<td>Закрыта</td>" in page
    assert "closed_at" not in page


def test_a_missing_column_is_asked_for_in_the_words_of_the_page(rep: User) -> None:
    client = client_of(rep)
    run = upload(client, "mql_id,origin\na1,social\n", kind="leads")
    page = client.get(reverse("import_columns", args=[run.pk])).content.decode()
    assert "which of them holds: “Name”" in page
