"""What became of leads: the evidence from which a score is learned.

A customer is a lead of which a deal was won; none is a lead that was disqualified, or whose deals were all lost. Leads
still in hand and deals still open say nothing yet. It is the same count as the KPI `lead_conversion` makes.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
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
    """Converted leads whose deals are decided; the time that each customer took is noted in `won_after`."""
    leads = Lead.objects.present().filter(status=Lead.Status.CONVERTED, converted_at__isnull=False)
    deals: dict[int, list[tuple[str, dt.datetime | None]]] = defaultdict(list)
    of_leads = Deal.objects.present().filter(lead__in=leads).values_list("lead_id", "outcome", "won_at")
    for pk, outcome, won_at in of_leads.iterator():
        deals[pk].append((outcome, won_at))
    for pk, created_at, ended_at in leads.values_list("pk", "created_at", "converted_at").iterator():
        outcomes = {outcome for outcome, _won_at in deals[pk]}
        if Deal.Outcome.WON in outcomes:
            won_after.append(min(won_at for _outcome, won_at in deals[pk] if won_at) - created_at)
        elif outcomes != {Deal.Outcome.LOST}:
            continue
        yield Outcome(pk, is_customer=Deal.Outcome.WON in outcomes, created_at=created_at, ended_at=ended_at)
