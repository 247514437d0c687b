"""Lead forms as programs meet them, over JSON, and the script that other sites load."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
import time_machine
from django.test import Client

from crm.models import Lead, LeadForm
from tests.factories import LeadFormFactory

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
ANNA = {"name": "Anna Berg", "email": "Anna@Berg.test", "message": "Please call"}


@pytest.fixture
def form() -> LeadForm:
    return LeadFormFactory(slug="contact", name="Contact us", sites=["https://shop.test"])


def call(said: Any, *, origin: str = "https://shop.test", content_type: str = "application/json") -> Any:
    with time_machine.travel(NOON, tick=False):
        token = Client().get("/f/contact/api/").json()["token"]
    with time_machine.travel(NOON + dt.timedelta(seconds=9), tick=False):
        body = said if isinstance(said, str) else json.dumps({"token": token, **said})
        headers = {"Origin": origin} if origin else {}
        return Client().post("/f/contact/api/", body, content_type=content_type, headers=headers)


def test_a_program_reads_the_form_and_sends_a_lead(form: LeadForm) -> None:
    definition = Client().get("/f/contact/api/?lang=ru").json()
    assert definition["fields"][0] == {"key": "name", "kind": "text", "label": "Имя", "required": True, "choices": []}
    answer = call(ANNA)

    assert answer.status_code == 201
    assert answer["Access-Control-Allow-Origin"] == "https://shop.test"
    assert Lead.objects.get().name == "Anna Berg"


def test_other_sites_may_not_call(form: LeadForm) -> None:
    answer = call(ANNA, origin="https://evil.test")
    assert answer.status_code == 403
    assert "Access-Control-Allow-Origin" not in answer
    preflight = Client().options("/f/contact/api/", headers={"Origin": "https://shop.test"})
    assert (preflight.status_code, preflight["Access-Control-Allow-Headers"]) == (204, "Content-Type")
    assert Client().options("/f/contact/api/", headers={"Origin": "https://evil.test"}).status_code == 403
    assert Lead.objects.count() == 0


@pytest.mark.parametrize(
    ("said", "status"),
    [("[]", 400), ("{", 400), ("[" * 100_000, 400), ({"name": ""}, 422), ({"name": "a\x00"}, 422),
     ({"name": {"a": 1}}, 422), ({"name": "Anna", "token": "x"}, 422)],
)  # fmt: skip
def test_bad_json_is_told_what_is_wrong(form: LeadForm, said: Any, status: int) -> None:
    answer = call(said)
    assert (answer.status_code, list(answer.json())) == (status, ["errors"])
    assert Lead.objects.count() == 0


def test_half_a_letter_is_no_error(form: LeadForm) -> None:
    answer = call({"name": "Anna \ud83d", "message": "Hi \ude00", "utm_source": "\ud800"})
    assert answer.status_code == 201
    lead = Lead.objects.get()
    assert (lead.name, lead.message) == ("Anna ?", "Hi ?")


def test_only_json_is_read(form: LeadForm) -> None:
    assert call("name=Anna", content_type="text/plain").status_code == 415


def test_the_script_can_be_loaded_by_any_site(db: None) -> None:
    script = Client().get("/f/embed.js")
    assert script["Content-Type"].startswith("text/javascript")
    assert script["Cross-Origin-Resource-Policy"] == "cross-origin"
    code = script.content.decode()
    assert "innerHTML" not in code
    assert "eval(" not in code
