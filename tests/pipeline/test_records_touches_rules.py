"""Touches and contracts from files."""

from __future__ import annotations

import datetime as dt

import pytest

from crm.models import Activity, Company
from crm.rules.records.undoing import undo_import
from metrics.rules.records import KINDS
from pipeline.models import Contract
from tests.factories import CompanyFactory, DealFactory, LeadFactory
from tests.factories.records import bring_in, counts, reasons

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sales")]
NOW = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)


def moment(day: int, hour: int = 0) -> dt.datetime:
    return dt.datetime(2026, 6, day, hour, tzinfo=dt.UTC)


TOUCHES = (
    "at,lead,deal,channel,direction,response\n"
    "2026-05-31 10:00,L1,,call,out,none\n"
    "2026-06-03 10:00,L1,,E-Mail,Outbound,positive\n"
    "2026-06-02 10:00,L1,,,in,\n"
    "2026-06-04 10:00,,D1,meeting,,neutral\n"
    "2026-06-04 10:00,,D1,meeting,,neutral\n"
)


@pytest.fixture
def lead(rep):
    return LeadFactory(external_id="L1", created_at=moment(1), owner=rep)


@pytest.fixture
def deal(rep):
    return DealFactory(external_id="D1", owner=rep, created_at=moment(1))


def test_touches_answer_leads_and_are_the_same_when_they_come_again(lead, deal, rep):
    assert counts(bring_in("touches", TOUCHES, now=NOW)) == (5, 0, 0, 0)
    lead.refresh_from_db()
    deal.refresh_from_db()
    assert (lead.first_response_at, lead.status, lead.last_touch_at) == (moment(3, 10), "working", moment(3, 10))
    assert deal.last_touch_at == moment(4, 10)
    assert list(lead.activities.order_by("at").values_list("kind", "direction", "response", "author")) == [
        ("call", "out", "none", rep.pk),
        ("message", "in", "none", rep.pk),
        ("email", "out", "positive", rep.pk),
    ]
    assert counts(bring_in("touches", TOUCHES, now=NOW)) == (0, 0, 5, 0)
    assert counts(bring_in("touches", TOUCHES.replace("none", "negative"), now=NOW)) == (0, 1, 4, 0)
    assert Activity.objects.count() == 5


def test_touches_of_nobody_or_nowhere_are_refused(lead, deal):
    rows = [
        "2026-06-01,,,call,out,",
        "2026-06-01,L2,,call,out,",
        "2026-06-01,,D2,call,out,",
        "2026-06-01,L1,,fax,out,",
        "2026-07-01,L1,,,,",
        ",L1,,,,",
    ]
    outcome = bring_in("touches", TOUCHES.splitlines()[0] + "\n" + "\n".join(rows), now=NOW)
    assert counts(outcome) == (0, 0, 0, 6)
    assert reasons(outcome) == [(2, "lead or deal"), (3, "lead"), (4, "deal"), (5, "channel"), (6, "at"), (7, "at")]


def test_taking_touches_back_leaves_leads_unanswered(lead, deal):
    run = bring_in("touches", TOUCHES, now=NOW).run
    undone = undo_import(run, kinds=KINDS, by=None, now=NOW)
    lead.refresh_from_db()
    assert (undone.deleted, undone.put_back, undone.kept) == (5, 2, 0)
    assert (lead.first_response_at, lead.status, lead.last_touch_at) == (None, "new", None)


def test_contracts_are_known_by_id_or_by_company_and_first_day(rep):
    CompanyFactory(name="Acme", owner=rep)
    file = (
        "external_id,company,starts_on,ends_on,cancelled_on,monthly_value,currency,churn_reason\n"
        "1,acme,2026-01-01,2027-01-01,,100,USD,\n"
        ',Acme,2027-01-01,,,"1 250,50",,\n'
        ",Borg,2026-01-01,,2026-03-01,5,,Too dear\n"
        ",Borg,2026-02-01,2026-02-01,,5,,\n"
        ",Borg,2026-02-01,,2026-01-31,5,,\n"
        ",Borg,,,,5,,\n"
    )
    outcome = bring_in("contracts", file, now=NOW)
    assert (counts(outcome), reasons(outcome)) == (
        (3, 0, 0, 3),
        [(5, "ends_on"), (6, "cancelled_on"), (7, "starts_on")],
    )
    assert counts(bring_in("contracts", file, now=NOW)) == (0, 0, 3, 3)
    assert list(Contract.objects.order_by("pk").values_list("company__name", "monthly_value", "currency", "owner")) == [
        ("Acme", 100, "USD", rep.pk),
        ("Acme", 1250.5, "EUR", rep.pk),
        ("Borg", 5, "EUR", None),
    ]
    assert Company.objects.count() == 2
    assert counts(bring_in("contracts", file.replace("2026-03-01", "2026-04-01"), now=NOW)) == (0, 1, 2, 3)
