"""KPIs of customers: who leaves, and what stays."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from metrics.kpi import Better, Kpi, Result, Unit, ratio
from metrics.kpis.deals import money
from metrics.scope import ALL


def _churn_rate(facts: Any) -> Result:
    row = facts["customers"] or {"churned": 0, "n": 0, "at_turn": 0}
    reason = _("no customer had a contract on the first day")
    return ratio(row["churned"], row["n"], reason=reason, excluded=row["at_turn"] or None)


def _share_of_recurring(facts: Any, column: str) -> Result:
    row = facts["recurring"] or {"n": 0, "before": Decimal(0), column: Decimal(0), "missing": None}
    lacking = money(row["before"], row)
    if lacking.reason or not row["before"]:
        reason = lacking.reason or _("no customer had a contract on the first day")
        return Result(Unit.RATIO, reason=reason, n=row["n"])
    above, below = Decimal(row[column]), Decimal(row["before"])
    return Result(Unit.RATIO, value=float(above / below), numerator=above, denominator=below, n=row["n"])


def _revenue_churn(facts: Any) -> Result:
    return _share_of_recurring(facts, "lost")


def _net_revenue_retention(facts: Any) -> Result:
    return _share_of_recurring(facts, "after")


DECLARED = (
    Kpi(
        key="churn_rate",
        name=gettext_lazy("Customer churn"),
        question=gettext_lazy("Which share of customers leaves?"),
        formula=gettext_lazy(
            "Customers with a contract on the period's first day whose first day without one falls in the period ÷"
            " customers with a contract on the first day. A term that follows without a gap is a renewal. Those whose"
            " first day without one is the first day itself are left out, and counted beside it."
        ),
        unit=Unit.RATIO,
        better=Better.DOWN,
        dated_by="starts_on, ends_on, cancelled_on",
        facts=("customers",),
        dimensions=ALL,
        measure=_churn_rate,
        rows="contracts",
        counts_as="leaving",
    ),
    Kpi(
        key="revenue_churn",
        name=gettext_lazy("Revenue churn"),
        question=gettext_lazy("Which share of monthly revenue is lost?"),
        formula=gettext_lazy(
            "Monthly value lost by ends, cancellations and downgrades of the customers active on the first day ÷ their"
            " monthly value on that day. Each counts with how far it fell below its start; a rise makes up for nothing."
        ),
        unit=Unit.RATIO,
        better=Better.DOWN,
        dated_by="starts_on, ends_on, cancelled_on",
        facts=("recurring",),
        dimensions=ALL,
        measure=_revenue_churn,
        rows="contracts",
        counts_as="recurring",
    ),
    Kpi(
        key="net_revenue_retention",
        name=gettext_lazy("Net revenue retention"),
        question=gettext_lazy("How much of the monthly revenue stays, upgrades included?"),
        formula=gettext_lazy(
            "Monthly value on the last day of the customers active on the first day ÷ their value on the first day."
        ),
        unit=Unit.RATIO,
        better=Better.UP,
        dated_by="starts_on, ends_on, cancelled_on",
        facts=("recurring",),
        dimensions=ALL,
        measure=_net_revenue_retention,
        rows="contracts",
        counts_as="recurring",
    ),
)
