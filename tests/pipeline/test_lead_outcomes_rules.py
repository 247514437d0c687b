"""Which outcomes a score learns from."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from crm.models import FEWEST_OUTCOMES, Lead
from pipeline.rules import lead_outcomes
from tests.factories import DealFactory, LeadFactory

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def _converted(deal: dict[str, Any]) -> Lead:
    lead = LeadFactory(status="converted", created_at=NOW - 90 * DAY, converted_at=NOW - 80 * DAY)
    DealFactory(lead=lead, created_at=NOW - 80 * DAY, **deal)
    return lead


def test_a_lead_counts_by_what_became_of_it(stages: Any) -> None:
    won = {"outcome": "won", "won_at": NOW - 10 * DAY, "stage": stages["fulfilment"]}
    lost = {"outcome": "lost", "lost_at": NOW - 20 * DAY}
    customer, gone = _converted(won), _converted(lost)
    _converted({})
    refused = LeadFactory(status="disqualified", created_at=NOW - 9 * DAY, disqualified_at=NOW - 5 * DAY)
    LeadFactory()

    found = {outcome.lead_id: outcome.is_customer for outcome in lead_outcomes.known_outcomes(now=NOW)}

    assert found == {customer.pk: True, gone.pk: False, refused.pk: False}


def test_unripe_leads_teach_only_where_the_ripe_do_not_suffice(stages: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _converted({"outcome": "won", "won_at": NOW - 10 * DAY, "stage": stages["fulfilment"]})
    young = LeadFactory(status="disqualified", created_at=NOW - 9 * DAY, disqualified_at=NOW - 5 * DAY)
    assert FEWEST_OUTCOMES > 2
    assert young.pk in {outcome.lead_id for outcome in lead_outcomes.known_outcomes(now=NOW)}

    monkeypatch.setattr(lead_outcomes, "FEWEST_OUTCOMES", 1)

    assert young.pk not in {outcome.lead_id for outcome in lead_outcomes.known_outcomes(now=NOW)}
