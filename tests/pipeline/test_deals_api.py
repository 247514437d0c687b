"""Deals, companies, contacts and conversion over the API: one way to move a deal, here too."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from crm.models import AuditEntry, Company, Contact, User
from pipeline.models import ChecklistItem, Deal, LossReason, Pipeline, Stage
from tests.api import Program, token_of
from tests.factories import CompanyFactory, ContactFactory, DealFactory, LeadFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(rep: User) -> Program:
    return Program(token_of(rep))


@pytest.fixture
def deal(rep: User, stages: dict[str, Stage]) -> Deal:
    return DealFactory(name="Kite", owner=rep, stage=stages["prospecting"], amount=1000)


# --- Deals ------------------------------------------------------------------------------------------------------------


def test_deal_is_opened_read_and_changed(program: Program, rep: User, stages: dict[str, Stage]) -> None:
    company = CompanyFactory(owner=rep, name="Kite Ltd")
    said = {"name": "Kite", "amount": "1054.50", "company": company.pk, "tags": ["new", "big"]}
    made = program.post("/deals", said | {"stage": "meeting"}, 201)

    assert (made["stage"]["slug"], made["amount"], made["outcome"]) == ("meeting", "1054.50", "open")
    assert (made["company"]["name"], made["tags"], made["currency"]) == ("Kite Ltd", ["new", "big"], "EUR")
    assert program.get(f"/deals/{made['id']}") == made
    changed = program.patch(f"/deals/{made['id']}", {"version": made["version"], "amount": 7, "tags": []})
    assert (changed["amount"], changed["tags"], changed["name"]) == ("7.00", [], "Kite")
    assert program.post("/deals", {"name": "First"}, 201)["stage"]["slug"] == "prospecting"
    program.delete(f"/deals/{made['id']}?version={changed['version']}")
    program.get(f"/deals/{made['id']}", 404)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"stage": "nowhere"}, "stage"),
        ({"stage": 0}, "stage"),
        ({"pipeline": "nowhere"}, "pipeline"),
        ({"amount": "-1"}, "amount"),
        ({"amount": "1e99"}, "amount"),
        ({"amount": "NaN"}, "amount"),
        ({"currency": "XXX"}, "currency"),
        ({"outcome": "won"}, "outcome"),
        ({"company": 0}, "company"),
        ({"tags": ["x" * 41]}, "tags"),
        ({"expected_close_on": "soon"}, "expected_close_on"),
    ],
)
def test_wrong_deal_is_refused(program: Program, stages: dict[str, Stage], wrong: dict[str, Any], field: str) -> None:
    assert program.post("/deals", {"name": "Kite"} | wrong, 422)["field"] == field
    assert not Deal.objects.exists()


def test_foreign_company_cannot_be_taken(program: Program, deal: Deal, outsider: User) -> None:
    foreign = CompanyFactory(owner=outsider)
    assert program.patch(f"/deals/{deal.pk}", {"version": 1, "company": foreign.pk}, 422)["field"] == "company"


def test_move_writes_stay_and_audit_as_the_board_does(program: Program, deal: Deal, rep: User) -> None:
    moved = program.post(f"/deals/{deal.pk}/move", {"version": deal.version, "stage": "meeting"})

    assert moved["stage"]["slug"] == "meeting"
    assert [visit.stage.slug for visit in deal.visits.order_by("entered_at")] == ["prospecting", "meeting"]
    entry = AuditEntry.objects.about("deal", deal.pk)[0]
    assert (entry.actor, entry.through) == (rep, "api")
    stale = program.post(f"/deals/{deal.pk}/move", {"version": deal.version, "stage": "close"}, 409)
    assert stale["current"]["stage"]["slug"] == "meeting"
    back = program.post(f"/deals/{deal.pk}/undo", {"version": moved["version"]})
    assert back["stage"]["slug"] == "prospecting"
    assert program.post(f"/deals/{deal.pk}/undo", {"version": back["version"]}, 409)["code"] == "too_late"


def test_stage_says_what_it_requires_and_takes_it(program: Program, deal: Deal, stages: dict[str, Stage]) -> None:
    Stage.objects.filter(pk=stages["proposal"].pk).update(required_fields=["expected_close_on"])
    item = ChecklistItem.objects.create(stage=deal.stage, name="Ask for the budget", is_required=True)
    body = {"version": deal.version, "stage": stages["proposal"].pk}
    refused = program.post(f"/deals/{deal.pk}/move", body, 422)

    assert refused["code"] == "missing_requirement"
    assert {error["field"] for error in refused["errors"]} == {"expected_close_on", f"tick-{item.pk}"}
    deal.refresh_from_db()
    assert deal.stage.slug == "prospecting"
    given = {"expected_close_on": "2030-01-01", "ticked": [item.pk]}
    assert program.post(f"/deals/{deal.pk}/move", body | given)["expected_close_on"] == "2030-01-01"


def test_stage_of_another_pipeline_is_refused(program: Program, deal: Deal) -> None:
    other = Stage.objects.create(pipeline=Pipeline.objects.create(slug="x", name="X"), slug="x", name="X")
    for stage in (other.pk, "x"):
        assert program.post(f"/deals/{deal.pk}/move", {"version": deal.version, "stage": stage}, 422)


def test_deal_is_won_and_lost(program: Program, deal: Deal, rep: User, stages: dict[str, Stage]) -> None:
    won = program.post(f"/deals/{deal.pk}/win", {"version": deal.version, "amount": "900"})
    assert (won["outcome"], won["amount"], won["stage"]["slug"]) == ("won", "900.00", "fulfilment")
    future = (timezone.localdate() + dt.timedelta(days=2)).isoformat()
    other = DealFactory(owner=rep, stage=stages["close"], amount=5)
    assert program.post(f"/deals/{other.pk}/win", {"version": 1, "won_on": future}, 422)["field"] == "won_on"
    reason = LossReason.objects.create(name="Price")
    program.post(f"/deals/{other.pk}/lose", {"version": 1}, 422)
    lost = program.post(f"/deals/{other.pk}/lose", {"version": 1, "reason": reason.pk, "competitor": "Gull"})
    assert (lost["outcome"], lost["loss_reason"]["name"], lost["competitor"]) == ("lost", "Price", "Gull")
    assert program.post(f"/deals/{other.pk}/lose", {"version": 2, "reason": reason.pk}, 422)["code"] == "wrong_stage"


def test_deals_are_filtered(program: Program, deal: Deal, rep: User, stages: dict[str, Stage]) -> None:
    big = DealFactory(name="Gull", owner=rep, stage=stages["close"], amount=9000, tags=["big"])

    def found(query: str) -> list[int]:
        return [item["id"] for item in program.get(f"/deals?{query}")["items"]]

    assert found("") == [big.pk, deal.pk]
    assert found("q=kite") == [deal.pk]
    assert found(f"stage={stages['close'].pk}&pipeline=sales") == [big.pk]
    assert found("amount_from=5000") == [big.pk]
    assert found("tag=big&outcome=open&state=unplanned") == [big.pk]
    assert found("outcome=won") == []
    for wrong in ("outcome=eaten", "stage=0", "state=odd", "amount_from=many", "created_from=soon", "sort=name"):
        program.get(f"/deals?{wrong}", 422)


def test_list_takes_the_same_queries_however_long(
    program: Program, deal: Deal, rep: User, django_assert_num_queries: Any
) -> None:
    for _ in range(20):
        DealFactory(owner=rep, stage=deal.stage, company=CompanyFactory())
    program.get("/deals")
    with django_assert_num_queries(5):  # token, pace, colleagues, teams led, deals
        assert len(program.get("/deals")["items"]) == 21


# --- Companies and contacts -------------------------------------------------------------------------------------------


def test_company_and_contact_are_made_changed_and_deleted(program: Program, rep: User) -> None:
    company = program.post("/companies", {"name": "Kite", "employees": 5}, 201)
    contact = program.post("/contacts", {"name": "Kim", "company": company["id"]}, 201)
    assert (contact["company"]["name"], contact["owner"]["id"], company["version"]) == ("Kite", rep.pk, 1)

    changed = program.patch(f"/companies/{company['id']}", {"version": 1, "country": "Chile"})
    assert (changed["country"], changed["employees"], changed["version"]) == ("Chile", 5, 2)
    stale = program.patch(f"/companies/{company['id']}", {"version": 1, "country": "Peru"}, 409)
    assert stale["current"]["country"] == "Chile"
    assert program.patch(f"/contacts/{contact['id']}", {"version": 1, "company": None})["company"] is None
    program.delete(f"/contacts/{contact['id']}?version=1", 409)
    program.delete(f"/contacts/{contact['id']}?version=2")
    program.delete(f"/companies/{company['id']}?version=2")
    program.get(f"/companies/{company['id']}", 404)


def test_version_rises_with_what_people_say_alone(rep: User) -> None:
    company = CompanyFactory(owner=rep)
    Company.objects.filter(pk=company.pk).update(last_touch_at=timezone.now())
    assert Company.objects.get().version == 1
    Company.objects.filter(pk=company.pk).update(name="Other")
    assert Company.objects.get().version == 2


def test_companies_and_contacts_are_filtered(program: Program, rep: User) -> None:
    kite = CompanyFactory(owner=rep, name="Kite", country="Chile")
    CompanyFactory(owner=rep, name="Gull")
    kim = ContactFactory(owner=rep, name="Kim", company=kite)

    assert [item["id"] for item in program.get("/companies?country=chile")["items"]] == [kite.pk]
    assert [item["id"] for item in program.get("/companies?q=kit")["items"]] == [kite.pk]
    assert [item["id"] for item in program.get(f"/contacts?q=kim&owner={rep.pk}")["items"]] == [kim.pk]


# --- Pipelines --------------------------------------------------------------------------------------------------------


def test_pipelines_are_read_with_their_stages(
    program: Program, sales: Pipeline, django_assert_num_queries: Any
) -> None:
    LossReason.objects.create(name="Too dear", pipeline=sales)
    with django_assert_num_queries(6):
        [pipeline] = program.get("/pipelines")

    assert [stage["slug"] for stage in pipeline["stages"]][:2] == ["prospecting", "qualification"]
    assert pipeline["stages"][-1]["kind"] == "won"
    assert program.get("/pipelines/sales") == pipeline
    program.get("/pipelines/nowhere", 404)
    reasons = {reason["name"]: reason["pipeline"] for reason in program.get("/loss-reasons")}
    assert reasons["Too dear"]["slug"] == "sales"


# --- Converting -------------------------------------------------------------------------------------------------------


def test_lead_becomes_a_deal_once(program: Program, rep: User, stages: dict[str, Stage]) -> None:
    lead = LeadFactory(owner=rep, name="Lena", company_name="Kite Ltd", email="lena@kite.example")
    deal = program.post(f"/leads/{lead.pk}/convert", {"version": 1, "amount": "70", "stage": "meeting"}, 201)

    assert (deal["name"], deal["company"]["name"], deal["contact"]["name"]) == ("Kite Ltd", "Kite Ltd", "Lena")
    assert (deal["lead"], deal["amount"], deal["stage"]["slug"]) == (lead.pk, "70.00", "meeting")
    assert program.get(f"/leads/{lead.pk}")["status"] == "converted"
    assert program.post(f"/leads/{lead.pk}/convert", {"version": 1}, 201)["id"] == deal["id"]
    assert Deal.objects.count() == 1


def test_conversion_takes_the_company_that_is_meant_or_what_is_said(
    program: Program, rep: User, sales: Pipeline
) -> None:
    kite = CompanyFactory(owner=rep, name="Kite Ltd")
    first = LeadFactory(owner=rep, name="Lena", company_name="Kite Ltd")
    assert program.post(f"/leads/{first.pk}/convert", {"version": 1}, 201)["company"]["id"] == kite.pk
    second = LeadFactory(owner=rep, name="Lena", company_name="Kite Ltd")
    said = {"version": 1, "company_name": "", "contact_name": "Lena Two"}
    deal = program.post(f"/leads/{second.pk}/convert", said, 201)
    assert (deal["company"], deal["contact"]["name"]) == (None, "Lena Two")
    assert (Company.objects.count(), Contact.objects.count()) == (1, 2)
    third = LeadFactory(owner=rep)
    assert program.post(f"/leads/{third.pk}/convert", {"version": 9}, 409)["current"]["version"] == 1
