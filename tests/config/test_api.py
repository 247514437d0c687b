"""What every address of the API does alike: who may come in, how often, what a retry gets, how a refusal is said."""

from __future__ import annotations

import base64
import datetime as dt
import json
import threading

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from crm.models import ApiToken, AuditEntry, Company, FirstAnswer, Lead, User
from crm.rules.tokens import revoke_api_token
from tests.api import Program, token_of
from tests.factories import CompanyFactory, LeadFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(rep: User) -> Program:
    return Program(token_of(rep))


# --- Who comes in -----------------------------------------------------------------------------------------------------


def test_without_a_token_nothing_opens(rep: User) -> None:
    answer = Program("").ask("get", "/leads")

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert json.loads(answer.content)["code"] == "token_missing"
    assert Program("voronka_" + "x" * 43).get("/leads", 401)["code"] == "token_refused"
    assert Program("ж").ask("get", "/leads").status_code == 401


def test_a_session_opens_nothing_and_adds_nothing(rep: User, admin: User) -> None:
    client = Client()
    client.force_login(admin)

    assert client.get("/api/v1/leads").status_code == 401
    both = client.get("/api/v1/me", headers={"Authorization": f"Bearer {token_of(rep)}"})
    assert both.json()["email"] == rep.email


def test_revoked_expired_and_orphaned_tokens_are_refused(rep: User) -> None:
    program = Program(token_of(rep))
    token = ApiToken.objects.get()
    assert program.get("/me")["scope"] == "write"

    User.objects.filter(pk=rep.pk).update(is_active=False)
    program.get("/me", 401)
    User.objects.filter(pk=rep.pk).update(is_active=True)
    program.get("/me")
    ApiToken.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    program.get("/me", 401)
    ApiToken.objects.update(expires_at=timezone.now() + dt.timedelta(days=1))
    revoke_api_token(token, by=rep, now=timezone.now())
    program.get("/me", 401)


def test_reading_token_changes_nothing(rep: User) -> None:
    lead = LeadFactory(owner=rep)
    program = Program(token_of(rep, ApiToken.Scope.READ))

    assert program.post(f"/leads/{lead.pk}/qualify", {"version": 1}, 403)["code"] == "token_reads_only"
    assert program.post("/leads", {"name": "New"}, 403)["code"] == "token_reads_only"
    assert program.get(f"/leads/{lead.pk}")["status"] == "new"


def test_rights_are_read_anew_each_time(program: Program, rep: User) -> None:
    lead = LeadFactory(owner=rep)
    program.patch(f"/leads/{lead.pk}", {"version": 1, "phone": "1"})
    User.objects.filter(pk=rep.pk).update(role=User.Role.VIEWER)

    assert program.patch(f"/leads/{lead.pk}", {"version": 2, "phone": "2"}, 403)["code"] == "not_allowed"


def test_audit_log_names_the_person_and_the_token(program: Program, rep: User) -> None:
    made = program.post("/leads", {"name": "New"}, 201)

    entry = AuditEntry.objects.about("lead", made["id"]).get()
    assert (entry.actor, entry.through) == (rep, "api")
    assert entry.note == f"Books ({ApiToken.objects.get().hint}…)"


def test_too_many_requests_are_told_when_to_come_back(program: Program, settings: object) -> None:
    settings.API_REQUESTS_PER_MINUTE = 3  # type: ignore[attr-defined]
    for _ in range(3):
        program.get("/me")

    answer = program.ask("get", "/me")
    assert answer.status_code == 429
    assert 1 <= int(answer["Retry-After"]) <= 20
    assert json.loads(answer.content)["code"] == "too_many_requests"


# --- How a refusal is said --------------------------------------------------------------------------------------------


def test_problem_names_field_code_and_message_in_the_persons_language(program: Program, rep: User) -> None:
    problem = program.post("/leads", {"name": "N", "email": "nobody"}, 422)
    assert (problem["code"], problem["field"], problem["status"]) == ("invalid", "email", 422)
    assert problem["errors"][0]["message"] == "Enter a valid email address."

    User.objects.filter(pk=rep.pk).update(language="ru")
    assert "адрес" in program.post("/leads", {"name": "N", "email": "nobody"}, 422)["message"]


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "name", "missing"),
        ({"name": 5}, "name", "string_type"),
        ({"name": "N", "status": "converted"}, "status", "extra_forbidden"),
        ({"name": "N", "source": "x"}, "source", "int_parsing"),
        ({"name": "N", "source": 10**30}, "source", "invalid_choice"),
        ({"name": "N" * 201}, "name", "max_length"),
        ({"name": "a\x00b"}, "name", "null_characters_not_allowed"),
    ],
)
def test_wrong_fields_are_named(program: Program, body: object, field: str, code: str) -> None:
    problem = program.post("/leads", body, 422)

    assert (problem["field"], problem["errors"][0]["code"]) == (field, code)
    assert not Lead.objects.exists()


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"name": "\\uD800"}', b"[" * 100_000, b""])
def test_unreadable_body_is_no_server_error(program: Program, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {program.secret}"}
    answer = program.client.post("/api/v1/leads", body, content_type="application/json", headers=headers)

    assert answer.status_code in {400, 422}
    assert answer["Content-Type"] == "application/problem+json"


def test_unknown_address_method_and_filter_are_problems(program: Program) -> None:
    assert program.get("/nothing/here", 404)["code"] == "not_found"
    assert program.get("/leads/999999", 404)["code"] == "not_found"
    assert program.ask("put", "/leads", {}).status_code == 405
    assert program.get("/leads?stauts=new", 422)["field"] == "stauts"
    assert program.get("/leads?limit=0", 422)["field"] == "limit"
    assert program.get("/leads?limit=9999", 422)["field"] == "limit"
    assert program.get("/leads?after=nonsense", 422)["field"] == "after"
    for name in ("\0", "\ud800", None):
        cursor = base64.urlsafe_b64encode(json.dumps([name, 1]).encode()).decode()
        assert program.get(f"/companies?after={cursor}", 422)["field"] == "after"
    for moment in (None, "2026-11-22", "2026-11-22T10:00", "0001-01-01T00:00+23:59", "9999-12-31T23:59-23:59"):
        cursor = base64.urlsafe_b64encode(json.dumps([moment, 1]).encode()).decode()
        for path in ("/leads", "/deals", "/activities", "/follow-ups"):
            assert program.get(f"{path}?after={cursor}", 422)["field"] == "after"


# --- A retry ----------------------------------------------------------------------------------------------------------


def test_retry_gets_the_first_answer(program: Program) -> None:
    first = program.ask("post", "/leads", {"name": "Once"}, Idempotency_Key="k1")
    again = program.ask("post", "/leads", {"name": "Once"}, Idempotency_Key="k1")

    assert (first.status_code, again.status_code) == (201, 201)
    assert json.loads(first.content) == json.loads(again.content)
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    assert Lead.objects.count() == 1
    program.post("/leads", {"name": "Once"}, 201)
    assert Lead.objects.count() == 2


def test_retry_of_a_change_is_no_conflict(program: Program, rep: User) -> None:
    lead = LeadFactory(owner=rep)
    for _ in range(2):
        assert program.post(f"/leads/{lead.pk}/qualify", {"version": 1}, Idempotency_Key="q")["version"] == 2
    assert program.post(f"/leads/{lead.pk}/qualify", {"version": 1}, 409)["current"]["version"] == 2


def test_retry_of_a_deletion_is_a_deletion(program: Program, rep: User) -> None:
    lead = LeadFactory(owner=rep)
    for _ in range(2):
        answer = program.ask("delete", f"/leads/{lead.pk}?version=1", Idempotency_Key="d")
        assert answer.status_code == 204


def test_key_stands_for_one_request_of_one_token(program: Program, rep: User) -> None:
    program.post("/leads", {"name": "One"}, 201, Idempotency_Key="k")

    assert program.post("/leads", {"name": "Two"}, 422, Idempotency_Key="k")["code"] == "key_taken"
    Program(token_of(rep)).post("/leads", {"name": "Two"}, 201, Idempotency_Key="k")
    assert program.post("/leads", {"name": "Two"}, 422, Idempotency_Key="k" * 256)["field"] == "Idempotency-Key"


def test_refusal_is_not_kept(program: Program, rep: User) -> None:
    program.post("/leads", {"name": ""}, 422, Idempotency_Key="k")
    assert not FirstAnswer.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_at_the_same_instant_write_once(rep: User) -> None:
    secret, answers = token_of(rep), []

    def post() -> None:
        try:
            answers.append(Program(secret).post("/leads", {"name": "Once"}, 201, Idempotency_Key="k")["id"])
        finally:
            connection.close()

    threads = [threading.Thread(target=post) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == 4
    assert len(set(answers)) == 1
    assert Lead.objects.count() == 1


# --- Pages of a list --------------------------------------------------------------------------------------------------


def test_pages_hold_every_row_once(program: Program, rep: User) -> None:
    for number in range(7):
        CompanyFactory(owner=rep, name=f"Ёж {number % 2}")  # ties, and a name that is folded

    found, path = [], "/companies?limit=2&q=еж"
    while path:
        page = program.get(path.removeprefix("/api/v1"))
        found += [item["id"] for item in page["items"]]
        path = page["next"]
    assert found == list(Company.objects.order_by("search", "pk").values_list("pk", flat=True))


def test_openapi_describes_every_operation() -> None:
    described = Program("").get("/openapi.json")

    assert len(described["paths"]) > 30
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (path, method)
            assert operation["security"] == [{"TokenAuth": []}]
