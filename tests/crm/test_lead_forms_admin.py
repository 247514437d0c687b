"""An admin builds a lead form in the Django admin, without code."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from crm.models import AuditEntry, ConsentText, LeadForm, Submission, User
from tests.factories import LeadFormFactory, SubmissionFactory

pytestmark = pytest.mark.django_db

ADD = "/admin/crm/leadform/add/"
ROW = {"kind": "text", "label_ru": "", "maps_to": "", "choices": "", "position": "0"}


@pytest.fixture
def client(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


def said(*fields: dict[str, str], **changes: Any) -> dict[str, Any]:
    """What the admin's form sends, with `fields` in the table below it."""
    body: dict[str, Any] = {
        "name": "Contact us", "slug": "contact", "is_active": "on", "languages": "both", "owner_rule": "nobody",
        "sites": "https://Shop.test/\n\n https://shop.test:8443 ", "least_seconds": "3", "most_an_hour": "200",
        "most_by_address": "60", "fields-TOTAL_FORMS": str(len(fields)), "fields-INITIAL_FORMS": "0",
        **dict.fromkeys(("name_ru", "intro", "consent", "thanks", "redirect_url", "reply", "reply_subject"), ""),
    }  # fmt: skip
    for number, field in enumerate(fields):
        body |= {f"fields-{number}-{name}": value for name, value in {**ROW, **field}.items()}
    return body | changes


NAME = {"key": "name", "label": "Name", "maps_to": "name"}
SIZE = {"key": "size", "label": "Size", "kind": "choice", "choices": "Small | Малый\nLarge | Большой", "position": "1"}


def test_a_form_is_built_published_and_explained(client: Client) -> None:
    sent = client.post(ADD, said(NAME, SIZE, consent="You may write to me."))
    assert sent.status_code == 302, sent.context["adminform"].form.errors
    form = LeadForm.objects.get()

    assert form.sites == ["https://shop.test", "https://shop.test:8443"]
    assert [field.key for field in form.fields.all()] == ["name", "size"]
    assert ConsentText.objects.get(form=form).number == 1
    assert AuditEntry.objects.about("lead_form", form.pk).get().through == "admin"
    page = client.get(f"/admin/crm/leadform/{form.pk}/change/").content.decode()
    for words in ("frame-src http", "script-src http", "form-action http", "connect-src http", "/f/contact/embed/"):
        assert words in page
    visited = Client().get("/f/contact/?lang=ru").content.decode()
    assert "Малый" in visited


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"redirect_url": "https://evil.test/"}, "redirect_url"),
        ({"sites": "javascript:alert(1)"}, "sites"),
        ({"sites": "https://shop.test/path"}, "sites"),
        ({"owner_rule": "team"}, "team"),
    ],
)
def test_what_would_not_work_is_refused_beside_its_field(client: Client, changes: dict[str, str], field: str) -> None:
    answer = client.post(ADD, said(NAME, **changes))
    assert answer.status_code == 422
    assert field in answer.context["adminform"].form.errors


@pytest.mark.parametrize(
    "wrong",
    [{"key": "token"}, {"key": "Имя"}, {"kind": "choice"}, {"key": "mail", "maps_to": "email"}, {"key": "utm_source"}],
)
def test_fields_that_would_not_work_are_refused(client: Client, wrong: dict[str, str]) -> None:
    answer = client.post(ADD, said({"key": "x", "label": "X", **wrong}))
    assert answer.status_code == 422
    assert LeadForm.objects.count() == 0


def test_a_form_with_submissions_is_switched_off_not_deleted(client: Client) -> None:
    submission = SubmissionFactory()
    empty = LeadFormFactory()
    assert client.post(f"/admin/crm/leadform/{submission.form_id}/delete/", {"post": "yes"}).status_code == 403
    assert client.post(f"/admin/crm/leadform/{empty.pk}/delete/", {"post": "yes"}).status_code == 302
    assert Submission.objects.exists()


def test_a_new_form_begins_with_the_usual_fields_and_one_that_asks_for_nobody_is_refused(client: Client) -> None:
    shown = client.get(ADD).context["inline_admin_formsets"][0].formset
    begun = [form.initial["key"] for form in shown.forms]
    assert begun == ["name", "email", "phone", "message"]
    rows = [{key: "on" if value is True else value for key, value in form.initial.items()} for form in shown.forms]
    assert client.post(ADD, said(*rows)).status_code == 302
    assert [field.key for field in LeadForm.objects.get().fields.all()] == begun

    for fields in ((), (SIZE,)):
        refused = client.post(ADD, said(*fields, slug="nobody"))
        assert refused.status_code == 422
        assert "Ask for a name, an e-mail or a phone" in refused.content.decode()
    assert client.post(ADD, said(slug="later", is_active="")).status_code == 302


def test_what_there_is_to_choose_is_called_by_its_name(client: Client) -> None:
    page = client.get("/admin/crm/assignmentrule/add/").content.decode()
    assert 'data-field-name="lead sources"' in page
    assert 'data-field-name="of these sources"' not in page
