"""A lead becomes a deal, once, and takes along what belongs to it."""

from __future__ import annotations

import datetime as dt
import threading
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from crm.models import Campaign, Company, Contact, Lead, User
from crm.rules.errors import NotAllowed, RuleError
from crm.rules.leads import LeadConflict, WrongStatus, edit_lead
from pipeline.models import Deal, Stage, StageVisit
from pipeline.rules.converting import Conversion, convert_lead, reopen_converted_lead
from pipeline.rules.deals import delete_deal, restore_deal
from pipeline.rules.refusals import StageRequires, WrongStage
from tests.factories import (
    ActivityFactory,
    CompanyFactory,
    ContactFactory,
    FollowUpFactory,
    LeadFactory,
    LeadSourceFactory,
    UserFactory,
    sales_pipeline,
)

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 6, 10, 12, tzinfo=dt.UTC)
Stages = dict[str, Stage]


@pytest.fixture
def lead(rep: User) -> Lead:
    source = LeadSourceFactory()
    return LeadFactory(
        name="Daria Fomina",
        company_name="Grain Mill Co.",
        email="daria@grain.test",
        phone="+371 2000 1000",
        owner=rep,
        source=source,
        campaign=Campaign.objects.create(name="Dryers, spring", source=source),
        created_at=NOW - dt.timedelta(days=2),
    )


def convert(lead: Lead, by: User, into: Conversion) -> Deal:
    return convert_lead(lead, into=into, seen_version=lead.version, by=by, now=NOW)


def anew(stages: Stages, **fields: object) -> Conversion:
    return Conversion(
        stage=stages["qualification"], company_name="Grain Mill Co.", contact_name="Daria Fomina", deal=fields
    )


def test_a_lead_becomes_company_contact_and_deal(lead: Lead, rep: User, stages: Stages) -> None:
    deal = convert(lead, rep, anew(stages, name="Belt dryer", amount=Decimal(140_000), currency="EUR"))

    deal.refresh_from_db()
    assert (deal.name, deal.amount, deal.stage, deal.owner) == (
        "Belt dryer",
        Decimal(140_000),
        stages["qualification"],
        rep,
    )
    assert (deal.lead, deal.source, deal.campaign, deal.created_at) == (lead, lead.source, lead.campaign, NOW)
    assert (deal.company.name, deal.company.owner) == ("Grain Mill Co.", rep)
    assert (deal.contact.name, deal.contact.email, deal.contact.phone) == (
        "Daria Fomina",
        "daria@grain.test",
        "+371 2000 1000",
    )
    assert deal.contact.company == deal.company
    assert StageVisit.objects.get(deal=deal).entered_at == NOW

    lead.refresh_from_db()
    assert (lead.status, lead.converted_at, lead.qualified_at) == ("converted", NOW, NOW)
    assert (lead.company, lead.contact) == (deal.company, deal.contact)


def test_existing_company_and_contact_are_used(lead: Lead, rep: User, stages: Stages) -> None:
    company, contact = CompanyFactory(owner=rep), ContactFactory(owner=rep)

    deal = convert(lead, rep, Conversion(stage=stages["prospecting"], company=company, contact=contact))

    assert (deal.company, deal.contact, deal.name) == (company, contact, "Grain Mill Co.")
    assert (Company.objects.count(), Contact.objects.count()) == (1, 1)


def test_a_person_without_a_company_gets_none(lead: Lead, rep: User, stages: Stages) -> None:
    deal = convert(lead, rep, Conversion(stage=stages["prospecting"], contact_name="Daria"))

    assert deal.company is None
    assert not Company.objects.exists()


def test_what_is_planned_moves_and_what_was_said_is_remembered(lead: Lead, rep: User, stages: Stages) -> None:
    touched_at = NOW - dt.timedelta(hours=3)
    said = ActivityFactory(subject=lead, author=rep, at=touched_at)
    Lead.objects.filter(pk=lead.pk).update(last_touch_at=touched_at)
    planned = FollowUpFactory(subject=lead, assignee=rep)
    done = FollowUpFactory(subject=lead, assignee=rep, done_at=NOW)

    deal = convert(lead, rep, anew(stages))

    deal.refresh_from_db()
    lead.refresh_from_db()
    assert list(deal.follow_ups.all()) == [planned]
    assert deal.next_step_at == planned.due_at
    assert deal.last_touch_at == touched_at
    assert list(lead.follow_ups.all()) == [done]
    assert list(lead.activities.all()) == [said]
    assert lead.next_step_at is None


def test_an_unassigned_lead_becomes_its_converters(stages: Stages, rep: User) -> None:
    lead = LeadFactory()
    deal = convert(lead, rep, anew(stages))

    lead.refresh_from_db()
    assert (deal.owner, lead.owner) == (rep, rep)


def test_a_manager_converts_for_the_owner(lead: Lead, rep: User, manager: User, stages: Stages) -> None:
    assert convert(lead, manager, anew(stages)).owner == rep


def test_a_second_click_gets_the_first_deal(lead: Lead, rep: User, stages: Stages) -> None:
    first = convert(lead, rep, anew(stages))
    assert convert(lead, rep, anew(stages)) == first
    lead.refresh_from_db()
    assert convert(lead, rep, anew(stages)) == first

    assert (Deal.objects.count(), Company.objects.count(), Contact.objects.count()) == (1, 1, 1)


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_make_one_deal() -> None:
    stage = sales_pipeline().stages.get(slug="prospecting")
    rep = UserFactory()
    for _round in range(5):
        lead = LeadFactory(owner=rep)
        gate, deals = threading.Barrier(2), []

        def click(lead: Lead = lead, gate: threading.Barrier = gate, deals: list[object] = deals) -> None:
            try:
                connection.ensure_connection()
                gate.wait(timeout=10)
                deals.append(convert(lead, rep, Conversion(stage=stage, company_name=lead.name)))
            except RuleError as refusal:
                deals.append(refusal)
            finally:
                connection.close()

        threads = [threading.Thread(target=click) for _click in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=20)

        assert deals == [Deal.objects.get(lead=lead)] * 2
        assert Company.objects.filter(name=lead.name).count() == 1


def test_a_lead_changed_in_the_meantime_is_not_converted(lead: Lead, rep: User, manager: User, stages: Stages) -> None:
    edit_lead(lead, fields={"phone": "1"}, seen_version=lead.version, by=manager)
    with pytest.raises(LeadConflict):
        convert(lead, rep, anew(stages))
    assert not Deal.objects.exists()


def test_a_disqualified_lead_is_not_converted(rep: User, stages: Stages) -> None:
    lead = LeadFactory(owner=rep, status="disqualified", disqualified_at=NOW)
    with pytest.raises(WrongStatus):
        convert(lead, rep, anew(stages))


@pytest.mark.parametrize("who", ["colleague", "outsider", "viewer"])
def test_only_those_who_may_change_a_lead_convert_it(
    lead: Lead, who: str, stages: Stages, request: pytest.FixtureRequest
) -> None:
    with pytest.raises(NotAllowed):
        convert(lead, request.getfixturevalue(who), anew(stages))
    assert not Company.objects.exists()


def test_a_company_one_does_not_see_cannot_be_chosen(lead: Lead, rep: User, outsider: User, stages: Stages) -> None:
    theirs = CompanyFactory(owner=outsider)
    with pytest.raises(NotAllowed):
        convert(lead, rep, Conversion(stage=stages["prospecting"], company=theirs))


def test_what_the_stage_refuses_leaves_everything_as_it_was(lead: Lead, rep: User, stages: Stages) -> None:
    stages["qualification"].required_fields = ["amount"]
    stages["qualification"].save()

    with pytest.raises(StageRequires):
        convert(lead, rep, anew(stages))
    with pytest.raises(WrongStage):
        convert(lead, rep, Conversion(stage=stages["fulfilment"], company_name="Grain Mill Co."))

    lead.refresh_from_db()
    assert (lead.status, lead.version) == ("new", 1)
    assert not Company.objects.exists()


def test_a_mistaken_conversion_is_taken_up_again_once_its_deal_is_deleted(
    lead: Lead, rep: User, stages: Stages
) -> None:
    deal = convert(lead, rep, anew(stages))
    lead.refresh_from_db()
    with pytest.raises(WrongStatus):
        reopen_converted_lead(lead, seen_version=lead.version, by=rep, now=NOW)

    delete_deal(deal, seen_version=deal.version, by=rep, now=timezone.now())
    again = reopen_converted_lead(lead, seen_version=lead.version, by=rep, now=NOW)

    assert (again.status, again.converted_at) == ("qualified", None)
    second = convert(again, rep, Conversion(stage=stages["qualification"], contact=again.contact))
    assert (second.lead, second.pk == deal.pk) == (again, False)
    assert Contact.objects.count() == 1
    restored = restore_deal(deal, by=rep, now=timezone.now())
    assert restored.lead is None
