"""KPIs of costs: what was spent, and what a lead, a qualified one and a customer cost."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from metrics.kpi import Better, Kpi, Result, Unit
from metrics.kpis.deals import money

COST_DIMENSIONS = frozenset({"source", "campaign"})
"""Money is spent for a source or a campaign; it has no owner."""


def _spend(facts: Any) -> Result:
    spend = facts["spend"]
    if not spend:
        return Result(Unit.MONEY, reason=_("no spend recorded in the period"))
    return money(spend["amount"], spend)


def _each(facts: Any, gained: Any, nothing: str) -> Result:
    """Spend ÷ what was gained by it; null without either."""
    spend, n = facts["spend"], gained["n"] if gained else 0
    if not spend:
        return Result(Unit.MONEY, reason=_("no spend recorded in the period"), n=n)
    total = money(spend["amount"], spend, n=n)
    if total.value is None:
        return total
    if not n:
        return Result(Unit.MONEY, reason=nothing, n=0, numerator=Decimal(total.value), denominator=0)
    return money(Decimal(spend["amount"]) / n, spend, n=n, numerator=Decimal(total.value), denominator=n)


def _per_lead(facts: Any) -> Result:
    return _each(facts, facts["leads"], _("no leads came in"))


def _per_qualified_lead(facts: Any) -> Result:
    return _each(facts, facts["leads_qualified"], _("no lead was qualified"))


def _cac(facts: Any) -> Result:
    return _each(facts, facts["new_customers"], _("no new customers in the period"))


def _cost(key: str, words: tuple[Any, Any, Any], *, per: str, dated_by: str, measure: Callable[..., Result]) -> Kpi:
    name, question, formula = words
    return Kpi(
        key=key,
        name=name,
        question=question,
        formula=formula,
        unit=Unit.MONEY,
        better=Better.DOWN,
        dated_by=dated_by,
        facts=("spend", per),
        dimensions=COST_DIMENSIONS,
        measure=measure,
        rows="spend",
    )


DECLARED = (
    Kpi(
        key="spend",
        name=gettext_lazy("Spend"),
        question=gettext_lazy("What is spent to win customers?"),
        formula=gettext_lazy(
            "Sum of the spend on sales and marketing in the period. A month's sum counts on its first day."
        ),
        unit=Unit.MONEY,
        better=Better.NEITHER,
        dated_by="on",
        facts=("spend",),
        dimensions=COST_DIMENSIONS,
        measure=_spend,
        rows="spend",
    ),
    _cost(
        "cost_per_lead",
        (
            gettext_lazy("Cost per lead"),
            gettext_lazy("What does it cost to get a lead?"),
            gettext_lazy("Spend on sales and marketing in the period ÷ leads created in the period."),
        ),
        per="leads",
        dated_by="on, created_at",
        measure=_per_lead,
    ),
    _cost(
        "cost_per_qualified_lead",
        (
            gettext_lazy("Cost per qualified lead"),
            gettext_lazy("What does it cost to get a lead that is worth a deal?"),
            gettext_lazy("Spend on sales and marketing in the period ÷ leads qualified in the period."),
        ),
        per="leads_qualified",
        dated_by="on, qualified_at",
        measure=_per_qualified_lead,
    ),
    _cost(
        "cac",
        (
            gettext_lazy("Acquisition cost"),
            gettext_lazy("What does it cost to win a customer?"),
            gettext_lazy("Spend on sales and marketing in the period ÷ new customers in the period."),
        ),
        per="new_customers",
        dated_by="on, won_at",
        measure=_cac,
    ),
)
