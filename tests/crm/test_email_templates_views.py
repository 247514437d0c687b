"""Templates: two languages, checked fields, preview with a record, files, sharing, versions, the bin."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from crm.models import EmailTemplate, Lead, User
from tests.factories import LeadFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(rep: User) -> Client:
    browser = Client()
    browser.force_login(rep)
    return browser


@pytest.fixture
def lead(rep: User) -> Lead:
    return LeadFactory(owner=rep, name="Daria Kestrel", email="daria@client.test", company_name="")


def typed(**more: Any) -> dict[str, Any]:
    return {
        "version": 0,
        "name": "Offer",
        "subject": "For {{ company.name | you }}",
        "body": "<p>Dear {{ person.first_name }}<script>x()</script></p>",
    } | more


def test_a_template_is_written_cleaned_and_changed(client: Client) -> None:
    answer = client.post("/email-templates/new/", typed(subject_ru="Для вас", body_ru="<p>Привет</p>"))
    template = EmailTemplate.objects.get()
    assert answer.headers["Location"] == f"/email-templates/{template.pk}/"
    assert template.body == "<p>Dear {{ person.first_name }}</p>"
    assert template.texts("ru") == ("Для вас", "<p>Привет</p>")
    page = client.get(answer.headers["Location"]).content.decode()
    assert "Dear {{ person.first_name }}</pre>" in page  # the plain part, shown

    client.post(f"/email-templates/{template.pk}/", typed(version=1, name="Better", is_shared="on"))
    template.refresh_from_db()
    assert (template.name, template.is_shared, template.version) == ("Better", True, 2)


def test_plain_text_without_script_keeps_its_lines(client: Client) -> None:
    client.post("/email-templates/new/", typed(body="Dear 1 & 2\nhow are you?\n\nBye"))
    assert EmailTemplate.objects.get().body == "<p>Dear 1 &amp; 2<br>how are you?</p><p>Bye</p>"


@pytest.mark.parametrize("body", ["{{ person.password }}", "{{ open", "<p>{{ a.b.c }}</p>"])
def test_a_field_that_does_not_exist_is_named_and_nothing_is_lost(client: Client, body: str) -> None:
    answer = client.post("/email-templates/new/", typed(body=body))
    assert answer.status_code == 422
    assert "merge field" in answer.content.decode()
    assert answer.context["form"]["subject"].value() == "For {{ company.name | you }}"
    assert not EmailTemplate.objects.exists()


def test_the_second_writer_is_told_and_may_keep_theirs(client: Client) -> None:
    client.post("/email-templates/new/", typed())
    template = EmailTemplate.objects.get()
    client.post(f"/email-templates/{template.pk}/", typed(version=1, name="First"))
    answer = client.post(f"/email-templates/{template.pk}/", typed(version=1, name="Second"))
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "First" in page
    assert "Second" in page
    again = answer.context["form"]["version"].value()
    client.post(f"/email-templates/{template.pk}/", typed(version=again, name="Second"))
    assert EmailTemplate.objects.get().name == "Second"


def test_files_come_and_go(client: Client) -> None:
    client.post("/email-templates/new/", typed(files=SimpleUploadedFile("a.pdf", b"%PDF-1.7")))
    template = EmailTemplate.objects.get()
    file = template.attachments.get()
    assert file.content_type == "application/pdf"
    client.post(f"/email-templates/{template.pk}/", typed(version=1, without=[file.pk]))
    assert not template.attachments.exists()


def test_the_preview_takes_a_real_record_and_names_what_is_missing(client: Client, lead: Lead) -> None:
    record = {"record": f"lead-{lead.pk}"}
    shown = client.post("/email-templates/preview/", typed() | record)
    assert shown.context["preview"].subject_line == "For you"
    assert "Dear Daria" in shown.context["preview"].text
    missing = client.post("/email-templates/preview/", typed(body="{{ company.name }}") | record)
    assert "There is no value for: Company" in missing.content.decode()


def test_the_preview_shows_nobodys_record_but_ones_own(client: Client, colleague: User, outsider: User) -> None:
    foreign = LeadFactory(owner=outsider, name="Secret Person", email="s@client.test")
    answer = client.post("/email-templates/preview/", typed() | {"record": f"lead-{foreign.pk}"})
    assert "Secret" not in answer.content.decode()


def test_what_one_shares_another_uses_but_does_not_change(client: Client, colleague: User) -> None:
    other = EmailTemplate.objects.create(name="Theirs", owner=colleague, subject="s", body="b", is_shared=True)
    assert "Theirs" in client.get("/email-templates/").content.decode()
    assert client.get(f"/email-templates/{other.pk}/").status_code == 403
    client.post(f"/email-templates/{other.pk}/duplicate/")
    assert EmailTemplate.objects.get(name="Theirs (copy)").is_shared is False


def test_the_bin_gives_back(client: Client) -> None:
    client.post("/email-templates/new/", typed())
    template = EmailTemplate.objects.get()
    client.post(f"/email-templates/{template.pk}/delete/", {"version": 1})
    assert "Offer</a>" not in client.get("/email-templates/").content.decode()
    client.post(f"/email-templates/{template.pk}/restore/")
    assert "Offer</a>" in client.get("/email-templates/").content.decode()


def test_the_list_costs_the_same_however_long(client: Client, rep: User, django_assert_max_num_queries: Any) -> None:
    for number in range(30):
        EmailTemplate.objects.create(name=f"T{number}", owner=rep, subject="s", body="b")
    with django_assert_max_num_queries(12):
        assert client.get("/email-templates/").status_code == 200
