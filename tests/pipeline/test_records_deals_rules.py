"""Deals from files: their one visit, their ends, what contradicts itself, and what is kept of people's work."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from crm.models import AuditEntry, Company, Contact, Lead
from crm.rules.records.undoing import undo_import
from metrics.rules.records import KINDS
from pipeline.models import Deal, StageVisit
from pipeline.rules.moving import MoveDetails, move_deal
from pipeline.rules.records.stories import check_now
from tests.factories import LeadFactory
from tests.factories.records import bring_in, counts, reasons

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sales")]
NOW = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)
HEADER = "external_id,name,owner,stage,created_at,outcome,closed_at,amount\n"


def day(number: int, month: int = 6) -> dt.datetime:
    return dt.datetime(2026, month, number, tzinfo=dt.UTC)


def stays(deal: Deal) -> list[tuple[str, dt.datetime | None, dt.datetime | None]]:
    visits = sorted(
        deal.visits.standing().select_related("stage"), key=lambda v: (v.entered_at is not None, v.entered_at, v.pk)
    )
    return [(visit.stage.slug, visit.entered_at, visit.left_at) for visit in visits]


def deals(*rows: str, rep, **options):
    return bring_in(
        "deals", HEADER + "".join(f"{row}\n" for row in rows), owner_default=rep, now=options.pop("now", NOW), **options
    )


@pytest.mark.parametrize(
    ("row", "outcome", "stage", "expected"),
    [
        ("meeting,2026-06-01,open,", "open", "meeting", [("meeting", day(1), None)]),
        ("Meeting,2026-06-01,,", "open", "meeting", [("meeting", day(1), None)]),
        ("ВСТРЕЧА,,open,", "open", "meeting", [("meeting", None, None)]),
        (",2026-06-01,open,", "open", "prospecting", [("prospecting", day(1), None)]),
        ("proposal,2026-06-01,lost,2026-06-03", "lost", "proposal", [("proposal", day(1), day(3))]),
        (",2026-06-01,won,2026-06-03", "won", "close", [("close", day(1), day(3))]),
        ("meeting,,won,2026-06-03", "won", "meeting", [("meeting", None, day(3))]),
        ("close,2026-06-03,won,2026-06-03", "won", "close", [("close", day(3), day(3))]),
        (
            "fulfilment,2026-06-01,,2026-06-03",
            "won",
            "fulfilment",
            [("close", day(1), day(3)), ("fulfilment", day(3), None)],
        ),
    ],
)
def test_a_deal_without_history_gets_the_stay_that_its_ends_tell(rep, row, outcome, stage, expected):
    assert counts(deals(f"1,Pumps,,{row},100", rep=rep)) == (1, 0, 0, 0)
    deal = Deal.objects.get()
    assert (deal.outcome, deal.stage.slug, stays(deal)) == (outcome, stage, expected)
    assert deal.created_at == expected[0][1]
    assert deal.stage_entered_at == expected[-1][1]
    assert (deal.owner, deal.closing_owner) == (rep, None if outcome == "open" else rep)
    assert (deal.amount, deal.currency, deal.closed_at) == (Decimal(100), "EUR", None if outcome == "open" else day(3))


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("nowhere,2026-06-01,open,,", "stage"),
        ("fulfilment,2026-06-01,open,,", "stage"),
        ("fulfilment,2026-06-01,lost,2026-06-02,", "stage"),
        ("close,2026-06-01,won,,", "closed_at"),
        ("close,2026-06-02,won,2026-06-01,", "closed_at"),
        ("close,2026-06-02,won,2026-06-16,", "closed_at"),
        ("meeting,2026-06-16,open,,", "created_at"),
        ("meeting,2026-06-01,maybe,,", "outcome"),
        ("meeting,2026-06-01,open,,-5", "amount"),
        ("meeting,2026-06-01,open,,5.0051", "amount"),
        ("meeting,2026-06-01,open,,a lot", "amount"),
        ("meeting,2026-06-01,open,,1000000000000", "amount"),
    ],
)
def test_what_contradicts_itself_is_refused_by_column(rep, row, column):
    outcome = deals(f"1,Pumps,,{row}", "2,Valves,,meeting,2026-06-01,open,,1", rep=rep)
    assert (counts(outcome), reasons(outcome)) == ((1, 0, 0, 1), [(2, column)])


def test_unknown_stages_are_answered_with_those_that_exist(rep):
    reason = deals("1,Pumps,,nowhere,2026-06-01,open,,", rep=rep).examples[0][1].reason
    assert "“prospecting”, “qualification”" in reason


def test_problems_name_the_columns_of_the_file(rep):
    mapping = {"columns": {"name": "product", "amount": "Close value", "stage": "Step"}}
    outcome = bring_in(
        "deals", "product,Close value,Step\nA,much,close\nB,1,nowhere\n", mapping=mapping, owner_default=rep
    )
    assert reasons(outcome) == [(2, "Close value"), (3, "Step")]
    assert outcome.examples[1][1].value == "nowhere"


def test_a_pipeline_is_named_in_either_language_or_refused(rep, sales):
    file = f"name,pipeline,stage\nA,{sales.slug.upper()},close\nB,{sales.name_ru},Закрытие\nC,elsewhere,close\n"
    outcome = bring_in("deals", file, owner_default=rep)
    assert (counts(outcome), reasons(outcome)) == ((2, 0, 0, 1), [(4, "pipeline")])


def test_a_deal_needs_an_owner():
    assert reasons(bring_in("deals", "name\nPumps\n")) == [(2, "owner")]


def test_creation_that_nobody_knows_is_said_and_stays_unknown(rep):
    outcome = deals("1,A,,meeting,,open,,", "2,B,,close,,won,2026-06-01,", rep=rep)
    assert "2 deals have no created_at" in outcome.warnings[0]
    assert set(Deal.objects.values_list("created_at", flat=True)) == {None}


def test_currencies_are_checked_and_default_to_the_mappings(rep):
    file = "name,amount,currency\nA,1,\nB,1,rub\nC,1,XXQ\n"
    outcome = bring_in("deals", file, mapping={"currency": "USD"}, owner_default=rep)
    assert (counts(outcome), reasons(outcome)) == ((2, 0, 0, 1), [(4, "currency")])
    assert list(Deal.objects.order_by("name").values_list("currency", flat=True)) == ["USD", "RUB"]


def test_the_same_file_again_changes_nothing_and_a_corrected_one_retells(rep):
    row = "1,Pumps,,meeting,2026-06-01,open,,100"
    deals(row, rep=rep)
    before = Deal.objects.values().get()
    assert counts(deals(row, rep=rep)) == (0, 0, 1, 0)
    assert Deal.objects.values().get() == before
    assert counts(deals("1,Pumps,,close,2026-06-02,won,2026-06-05,120", rep=rep)) == (0, 1, 0, 0)
    deal = Deal.objects.get()
    assert (stays(deal), deal.won_at, deal.amount) == ([("close", day(2), day(5))], day(5), 120)
    assert counts(deals("1,Pumps,,close,2026-06-02,lost,2026-06-06,120", rep=rep)) == (0, 1, 0, 0)
    deal.refresh_from_db()
    assert (deal.won_at, deal.lost_at, stays(deal)) == (None, day(6), [("close", day(2), day(6))])


def test_a_deal_that_people_moved_stays_where_they_moved_it(rep, stages):
    row = "1,Pumps,,meeting,2026-06-01,open,,100"
    deals(row, rep=rep)
    deal = move_deal(
        Deal.objects.get(),
        to=stages["proposal"],
        seen_version=1,
        by=rep,
        now=day(5),
        details=MoveDetails(values={"amount": 100}),
    )
    assert counts(deals(row, rep=rep)) == (0, 0, 1, 0)
    outcome = deals("1,Pumps,,close,2026-06-02,lost,2026-06-09,100", rep=rep)
    assert counts(outcome) == (0, 1, 0, 0)
    assert "history of its own" in outcome.warnings[0]
    deal.refresh_from_db()
    assert stays(deal) == [("meeting", day(2), day(5)), ("proposal", day(5), day(9))]
    assert (deal.stage.slug, deal.lost_at) == ("proposal", day(9))
    assert reasons(deals("1,Pumps,,close,2026-06-02,lost,2026-06-03,100", rep=rep)) == [(2, "closed_at")]


def test_companies_contacts_and_reasons_are_found_or_made(rep):
    file = (
        "external_id,name,company,contact_email,outcome,closed_at,lost_reason\n"
        "1,A,Acme,ann@acme.test,lost,2026-06-01,Too dear\n"
        "2,B,ACME,Ann@acme.test,lost,2026-06-01,too dear\n"
    )
    outcome = bring_in("deals", file, owner_default=rep, now=NOW)
    assert counts(outcome) == (2, 0, 0, 0)
    assert (Company.objects.get().name, Contact.objects.get().company.name) == ("Acme", "Acme")
    assert set(Deal.objects.values_list("loss_reason__name", flat=True)) == {"Too dear"}
    assert counts(bring_in("deals", file, owner_default=rep, now=NOW)) == (0, 0, 2, 0)


def test_a_lead_becomes_one_deal(rep):
    lead = LeadFactory(external_id="L1", created_at=day(1, 5), status="qualified", qualified_at=day(2, 5))
    file = "external_id,name,lead,created_at\n1,A,L1,2026-06-01\n2,B,L1,2026-06-02\n3,C,L2,2026-06-03\n"
    outcome = bring_in("deals", file, owner_default=rep, now=NOW)
    assert (counts(outcome), reasons(outcome)) == ((1, 0, 0, 2), [(3, "lead"), (4, "lead")])
    lead.refresh_from_db()
    assert (lead.status, lead.converted_at, lead.deal.name) == ("converted", day(1), "A")
    undo_import(outcome.run, kinds=KINDS, by=None, now=NOW)
    lead.refresh_from_db()
    assert (lead.status, lead.converted_at, Deal.objects.count()) == ("qualified", None, 0)
    assert Lead.objects.count() == 1


def test_taking_back_a_correction_puts_the_history_back(rep):
    deals("1,Pumps,,meeting,2026-06-01,open,,100", rep=rep)
    run = deals("1,Pumps,,close,2026-06-02,won,2026-06-05,120", rep=rep).run
    undone = undo_import(run, kinds=KINDS, by=rep, now=NOW)
    assert (undone.deleted, undone.put_back, undone.kept) == (0, 1, 0)
    deal = Deal.objects.get()
    assert (deal.outcome, deal.won_at, deal.amount, deal.closing_owner) == ("open", None, 100, None)
    assert stays(deal) == [("meeting", day(1), None)]


def test_taking_back_keeps_deals_that_were_moved(rep, stages):
    run = deals("1,A,,meeting,2026-06-01,open,,100", "2,B,,meeting,2026-06-01,open,,100", rep=rep).run
    move_deal(Deal.objects.get(name="A"), to=stages["qualification"], seen_version=1, by=rep, now=NOW)
    undone = undo_import(run, kinds=KINDS, by=rep, now=NOW)
    assert (undone.deleted, undone.kept) == (1, 1)
    assert Deal.objects.get().name == "A"


def test_the_database_agrees_and_the_audit_log_knows(admin, rep):
    run = deals("1,A,,meeting,,open,,", "2,B,,fulfilment,2026-06-01,,2026-06-02,", rep=rep, by=admin).run
    check_now()
    entries = AuditEntry.objects.filter(kind="deal")
    assert [(entry.actor, entry.through, entry.action, entry.note) for entry in entries] == [
        (admin, "import", "created", f"import {run.pk}")
    ] * 2
    assert StageVisit.objects.count() == 3


def test_a_deals_contact_is_found_or_made_by_name_within_its_company(rep):
    deals = (
        "name,company,contact_name,contact_email,contact_phone\n"
        "A,Berg AG,Anna Berg,anna@berg.test,+49 30 1234567\n"
        "B,Berg AG,Boris Kim,,+49 30 7654321\n"
        "C,Berg AG,boris kim,,\n"
        "D,Kim & Co,Boris Kim,,\n"
        "E,Berg AG,,anna@berg.test,\n"
    )
    assert counts(bring_in("deals", deals, owner_default=rep)) == (5, 0, 0, 0)
    found = dict(Deal.objects.values_list("name", "contact"))
    assert found["B"] == found["C"] != found["D"]
    assert found["A"] == found["E"]
    assert set(Contact.objects.values_list("name", "email", "phone", "company__name")) == {
        ("Anna Berg", "anna@berg.test", "+49 30 1234567", "Berg AG"),
        ("Boris Kim", "", "+49 30 7654321", "Berg AG"),
        ("Boris Kim", "", "", "Kim & Co"),
    }
    bring_in("deals", "name,company,contact_name\nF,Berg AG,Boris Kim\n", owner_default=rep)
    assert Deal.objects.get(name="F").contact_id == found["B"]


def test_a_deals_campaign_is_its_rows_or_its_leads(rep):
    bring_in("leads", "external_id,name,source,campaign\nL1,Anna,Fair,Spring\nL2,Bo,Fair,Spring\n")
    bring_in(
        "deals", "external_id,name,lead,source,campaign\n1,A,L1,,\n2,B,,Web,Launch\n3,C,L2,Web,\n", owner_default=rep
    )
    assert {deal.name: (str(deal.source), str(deal.campaign)) for deal in Deal.objects.select_related("campaign")} == {
        "A": ("Fair", "Spring"),
        "B": ("Web", "Launch"),
        "C": ("Web", "None"),
    }
