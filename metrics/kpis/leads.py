"""KPIs of leads: how many come in, how soon they are answered, what becomes of them."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from metrics.kpi import Better, Kpi, Result, Unit, count, ratio
from metrics.scope import ALL

LEAD_DIMENSIONS = frozenset({"owner", "team", "source", "campaign", "segment"})


def _new_leads(facts: Any) -> Result:
    return count(facts["leads"] and facts["leads"]["n"])


def _qualified_leads(facts: Any) -> Result:
    return count(facts["leads_qualified"] and facts["leads_qualified"]["n"])


def _lead_conversion(facts: Any) -> Result:
    leads = facts["leads"] or {"n": 0, "won": 0, "dead": 0}
    pending = leads["n"] - leads["won"] - leads["dead"]
    return ratio(
        leads["won"],
        leads["n"],
        reason=_("no leads came in"),
        pending=pending,
        mature=pending == 0 if leads["n"] else None,
    )


def _lead_conversion_period(facts: Any) -> Result:
    won = facts["leads_won"]["n"] if facts["leads_won"] else 0
    return ratio(won, facts["leads"] and facts["leads"]["n"], reason=_("no leads came in"))


def _lead_response_time(facts: Any) -> Result:
    leads = facts["leads"]
    if not leads or not leads["answered"]:
        reason = _("no lead was answered") if leads else _("no leads came in")
        return Result(Unit.HOURS, reason=reason, n=0, unanswered=leads["n"] if leads else 0)
    median, p90 = leads["hours_quantiles"]
    return Result(
        Unit.HOURS,
        value=median,
        median=median,
        mean=leads["mean_hours"],
        p90=p90,
        n=leads["answered"],
        unanswered=leads["n"] - leads["answered"],
    )


def _response_within_sla(facts: Any) -> Result:
    leads = facts["leads"] or {"in_time": 0, "judged": 0}
    return ratio(leads["in_time"], leads["judged"], reason=_("no lead was to be answered yet"))


def _customer_response_rate(facts: Any) -> Result:
    touches = facts["touches"] or {"positive": 0, "n": 0}
    return ratio(touches["positive"], touches["n"], reason=_("no outbound touches"))


DECLARED = (
    Kpi(
        key="new_leads",
        name=gettext_lazy("New leads"),
        question=gettext_lazy("How many leads come in?"),
        formula=gettext_lazy("Leads created in the period."),
        unit=Unit.COUNT,
        better=Better.UP,
        dated_by="created_at",
        facts=("leads",),
        dimensions=LEAD_DIMENSIONS,
        measure=_new_leads,
        rows="leads_created",
    ),
    Kpi(
        key="qualified_leads",
        name=gettext_lazy("Qualified leads"),
        question=gettext_lazy("How many leads prove worth a deal?"),
        formula=gettext_lazy("Leads qualified, or converted without that, in the period."),
        unit=Unit.COUNT,
        better=Better.UP,
        dated_by="qualified_at",
        facts=("leads_qualified",),
        dimensions=LEAD_DIMENSIONS,
        measure=_qualified_leads,
        rows="leads_qualified",
    ),
    Kpi(
        key="lead_conversion",
        name=gettext_lazy("Lead conversion rate"),
        question=gettext_lazy("Which share of leads becomes customers?"),
        formula=gettext_lazy(
            "Of the leads created in the period, the share whose deal was won so far. Pending leads are neither won nor"
            " dead (disqualified, or their deal lost) yet; the figure is mature when none is pending."
        ),
        unit=Unit.RATIO,
        better=Better.UP,
        dated_by="created_at",
        facts=("leads",),
        dimensions=LEAD_DIMENSIONS,
        measure=_lead_conversion,
        rows="leads_created",
        counts_as="cohort",
    ),
    Kpi(
        key="lead_conversion_period",
        name=gettext_lazy("Conversion in period"),
        question=gettext_lazy("How many leads are won for each that comes in?"),
        formula=gettext_lazy(
            "Leads whose deal was won in the period ÷ leads created in the period. A quick figure: it may pass 100 %."
        ),
        unit=Unit.RATIO,
        better=Better.UP,
        dated_by="won_at, created_at",
        facts=("leads", "leads_won"),
        dimensions=LEAD_DIMENSIONS,
        measure=_lead_conversion_period,
        rows="leads_created_or_won",
        counts_as="quick",
    ),
    Kpi(
        key="lead_response_time",
        name=gettext_lazy("Lead response time"),
        question=gettext_lazy("How long does a lead wait for an answer?"),
        formula=gettext_lazy(
            "Median hours from creation to the first outbound touch, over leads created in the period that were"
            " answered; the unanswered are counted beside it."
        ),
        unit=Unit.HOURS,
        better=Better.DOWN,
        dated_by="created_at",
        facts=("leads",),
        dimensions=LEAD_DIMENSIONS,
        measure=_lead_response_time,
        rows="leads_created",
        counts_as="answered",
    ),
    Kpi(
        key="response_within_sla",
        name=gettext_lazy("Answered in time"),
        question=gettext_lazy("Which share of leads is answered in time?"),
        formula=gettext_lazy(
            "Leads created in the period and answered within their time ÷ leads created in the period that were"
            " answered or whose time has run out. A lead's time is its source's, counted in its team's working hours."
        ),
        unit=Unit.RATIO,
        better=Better.UP,
        dated_by="created_at",
        facts=("leads",),
        dimensions=LEAD_DIMENSIONS,
        measure=_response_within_sla,
        rows="leads_created",
        counts_as="in_time",
    ),
    Kpi(
        key="customer_response_rate",
        name=gettext_lazy("Customer response rate"),
        question=gettext_lazy("How often do people answer us positively?"),
        formula=gettext_lazy(
            "Outbound touches in the period with a positive response ÷ outbound touches in the period."
        ),
        unit=Unit.RATIO,
        better=Better.UP,
        dated_by="at",
        facts=("touches",),
        dimensions=ALL,
        measure=_customer_response_rate,
        rows="touches",
    ),
)
