"""What became of leads: the evidence from which a score is learned.

A customer is a lead of which a deal was won; none is a lead that was disqualified, or whose deal was lost. Leads
still in hand and deals still open say nothing yet. It is the same count as the KPI `lead_conversion` makes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from crm.models import FEWEST_OUTCOMES, Lead
from crm.rules.scoring.outcomes import Outcome
from pipeline.models import Deal

RIPE_SHARE = 0.9
"""A lead is ripe at the age by which this share of customers were won: among the young, the quick ones are losses."""


def known_outcomes(*, now: dt.datetime) -> list[Outcome]:
    """Return the outcomes known at `now`, of ripe leads where those suffice, in the order in which leads came in."""
    won_after: list[dt.timedelta] = []
    found = [*_disqualified(), *_converted(won_after)]
    found.sort(key=lambda outcome: (outcome.created_at, outcome.lead_id))
    ripe_since = now - _ripe_age(won_after)
    ripe = [outcome for outcome in found if outcome.created_at <= ripe_since]
    return ripe if len(ripe) >= FEWEST_OUTCOMES else found


def _ripe_age(won_after: list[dt.timedelta]) -> dt.timedelta:
    if not won_after:
        return dt.timedelta()
    return sorted(won_after)[int(RIPE_SHARE * (len(won_after) - 1))]


def _disqualified() -> Iterable[Outcome]:
    leads = Lead.objects.present().filter(status=Lead.Status.DISQUALIFIED, disqualified_at__isnull=False)
    for pk, created_at, ended_at in leads.values_list("pk", "created_at", "disqualified_at").iterator():
        yield Outcome(pk, is_customer=False, created_at=created_at, ended_at=ended_at)


def _converted(won_after: list[dt.timedelta]) -> Iterable[Outcome]:
    """Converted leads whose deal is decided; the time that each customer took is noted in `won_after`."""
    leads = Lead.objects.present().filter(status=Lead.Status.CONVERTED, converted_at__isnull=False)
    of_leads = Deal.objects.present().filter(lead__in=leads).exclude(outcome=Deal.Outcome.OPEN)
    decided = {pk: (outcome, won_at) for pk, outcome, won_at in of_leads.values_list("lead_id", "outcome", "won_at")}
    for pk, created_at, ended_at in leads.values_list("pk", "created_at", "converted_at").iterator():
        if pk not in decided:
            continue
        outcome, won_at = decided[pk]
        if won_at is not None:
            won_after.append(won_at - created_at)
        yield Outcome(pk, is_customer=outcome == Deal.Outcome.WON, created_at=created_at, ended_at=ended_at)
