"""The dialog that makes a deal out of a lead."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from crm.models import Company, Contact, Lead, User
from pipeline.models import Deal, Pipeline, Stage
from tests.factories import (
    CompanyFactory,
    ContactFactory,
    LeadFactory,
    TeamFactory,
)

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


@pytest.fixture
def lead(rep: User) -> Lead:
    return LeadFactory(name="Daria Fomina", company_name="Grain Mill Co.", email="daria@grain.test", owner=rep)


def said(lead: Lead, stage: Stage, **more: object) -> dict[str, object]:
    return {"version": lead.version, "name": "Belt dryer", "stage": stage.pk, "currency": "EUR", **more}


def convert_url(lead: Lead) -> str:
    return reverse("lead_convert", args=[lead.pk])


def test_the_dialog_offers_who_may_be_meant(web: Client, lead: Lead, rep: User, outsider: User, stages: object) -> None:
    Lead.objects.filter(pk=lead.pk).update(phone="8 (912) 345-67-89")
    same_mail = ContactFactory(name="D. Fomina", email="DARIA@grain.test", owner=rep)
    same_phone = ContactFactory(name="Reception", phone="+7 912 3456789", owner=rep)
    foreign = ContactFactory(name="Daria Fomina", owner=outsider)
    company = CompanyFactory(name="grain mill co.", owner=rep)

    form = web.get(convert_url(lead)).context["form"]

    assert form.initial["contact"] == same_mail
    assert form.initial["company"] == company
    offered = {str(label) for _value, label in form.fields["contact"].choices}
    assert {f"{same_mail} · same e-mail, similar name", f"{same_phone} · same phone"} <= offered
    assert foreign.pk not in {value for value, _label in form.fields["contact"].choices}


def test_a_company_of_the_same_name_is_chosen_and_two_are_told_apart(
    web: Client, lead: Lead, rep: User, stages: object
) -> None:
    CompanyFactory(name="Grain Mill Co.", domain="grain-mill.example", country="Austria", owner=rep)
    form = web.get(convert_url(lead)).context["form"]
    assert form.initial["company"].domain == "grain-mill.example"

    CompanyFactory(name="Grain Mill Co.", domain="grain.test", owner=rep)
    form = web.get(convert_url(lead)).context["form"]
    assert form.initial["company"].domain == "grain.test"
    assert [str(label).partition(" · ")[2] for _value, label in form.fields["company"].choices][1:] == [
        "same domain, same name · grain.test, Rita Rep",
        "same name · grain-mill.example, Austria, Rita Rep",
    ]


def test_converting_answers_with_the_deal(web: Client, lead: Lead, stages: dict[str, Stage]) -> None:
    more = {"company_name": "Grain Mill Co.", "contact_name": "Daria Fomina", "amount": "140000.50"}
    answer = web.post(convert_url(lead), said(lead, stages["meeting"], **more))

    deal = Deal.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, deal.get_absolute_url())
    assert (deal.company.name, deal.contact.name, deal.stage) == ("Grain Mill Co.", "Daria Fomina", stages["meeting"])

    again = web.post(convert_url(lead), said(lead, stages["meeting"], **more), headers=HTMX)
    assert again.status_code == 200
    assert "dialog-close" in again.headers["HX-Trigger"]
    assert (Deal.objects.count(), Company.objects.count(), Contact.objects.count()) == (1, 1, 1)
    assert deal.get_absolute_url() in web.get(lead.get_absolute_url()).content.decode()


def test_who_may_not_change_the_lead_does_not_convert_it(
    client: Client, lead: Lead, colleague: User, viewer: User, stages: dict[str, Stage]
) -> None:
    for person in (colleague, viewer):
        client.force_login(person)
        assert client.get(convert_url(lead)).status_code == 403
        assert client.post(convert_url(lead), said(lead, stages["meeting"])).status_code == 403
    assert not Deal.objects.exists()


def test_what_is_not_theirs_cannot_be_chosen(web: Client, lead: Lead, outsider: User, stages: dict[str, Stage]) -> None:
    company = CompanyFactory(owner=outsider)
    closed = Pipeline.objects.create(slug="closed", name="Closed")
    closed.teams.add(TeamFactory())
    foreign = Stage.objects.create(pipeline=closed, slug="first", name="First")

    for wrong in ({"company": company.pk}, {"stage": foreign.pk}, {"stage": stages["fulfilment"].pk}, {"amount": "x"}):
        assert web.post(convert_url(lead), {**said(lead, stages["meeting"]), **wrong}).status_code == 422
    assert not Deal.objects.exists()


def test_what_the_stage_asks_for_is_said_beside_the_field(web: Client, lead: Lead, stages: dict[str, Stage]) -> None:
    Stage.objects.filter(pk=stages["meeting"].pk).update(required_fields=["amount", "source"])
    answer = web.post(convert_url(lead), said(lead, stages["meeting"], company_name="Kept"), headers=HTMX)

    assert answer.status_code == 422
    assert answer.context["form"].errors["amount"]
    assert "Source" in str(answer.context["form"].non_field_errors())
    assert 'value="Kept"' in answer.content.decode()
    assert not Company.objects.exists()


def test_a_lead_changed_meanwhile_is_shown_anew(web: Client, lead: Lead, stages: dict[str, Stage]) -> None:
    stale = said(lead, stages["meeting"])
    Lead.objects.filter(pk=lead.pk).update(version=2)

    answer = web.post(convert_url(lead), stale)
    assert answer.status_code == 409
    assert 'name="version" value="2"' in answer.content.decode()
    assert not Deal.objects.exists()


@pytest.mark.parametrize("stage", ["9" * 5_000, "9" * 25, "0", "²", "x"])
def test_a_stage_that_is_none_is_no_fault_of_ours(
    web: Client, lead: Lead, stages: dict[str, Stage], stage: str
) -> None:
    assert web.get(convert_url(lead), {"stage": stage}).status_code == 200
    answer = web.post(convert_url(lead), {**said(lead, stages["prospecting"]), "stage": stage})
    assert answer.status_code == 422
    assert not Deal.objects.exists()
