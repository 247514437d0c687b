"""KPIs of deals: what is open, what was won and lost, how large and how fast."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from metrics.kpi import CENT, Better, Kpi, Result, Unit, count, ratio
from metrics.scope import ALL

NONE_OPEN: dict[str, Any] = {"n": 0, "amount": Decimal(0), "weighted": Decimal(0), "missing": None}
NONE_CLOSED: dict[str, Any] = {"n": 0, "amount": Decimal(0), "missing": None, "cycles": 0}


def money(amount: Decimal | None, row: Any, **extra: Any) -> Result:
    """An amount in the base currency; where a rate is missing null, naming currency and day."""
    lacking = row and row.get("missing")
    if lacking:
        currency, day = lacking.split(" ")
        reason = _("no exchange rate for %(currency)s on %(day)s") % {"currency": currency, "day": day}
        return Result(Unit.MONEY, reason=reason, **extra)
    return Result(Unit.MONEY, value=cents(Decimal(amount or 0)), **extra)


def cents(amount: Decimal) -> Decimal:
    """The amount to two places, halves up, as invoices round."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def _open_deals(facts: Any) -> Result:
    return count((facts["open"] or NONE_OPEN)["n"])


def _open_value(facts: Any) -> Result:
    row = facts["open"] or NONE_OPEN
    return money(row["amount"], row, n=row["n"])


def _weighted_value(facts: Any) -> Result:
    row = facts["open"] or NONE_OPEN
    return money(row["weighted"], row, n=row["n"])


def _won_deals(facts: Any) -> Result:
    return count((facts["won"] or NONE_CLOSED)["n"])


def _won_value(facts: Any) -> Result:
    row = facts["won"] or NONE_CLOSED
    return money(row["amount"], row, n=row["n"])


def _lost_deals(facts: Any) -> Result:
    return count((facts["lost"] or NONE_CLOSED)["n"])


def _win_rate(facts: Any) -> Result:
    won, lost = facts["won"] or NONE_CLOSED, facts["lost"] or NONE_CLOSED
    return ratio(won["n"], won["n"] + lost["n"], reason=_("no deals were closed"))


def _win_rate_value(facts: Any) -> Result:
    won, lost = facts["won"] or NONE_CLOSED, facts["lost"] or NONE_CLOSED
    n = won["n"] + lost["n"]
    total = Decimal(won["amount"]) + Decimal(lost["amount"])
    lacking = money(total, {"missing": won["missing"] or lost["missing"]})
    if lacking.reason or not total:
        reason = lacking.reason or (_("the deals closed have no amounts") if n else _("no deals were closed"))
        return Result(Unit.RATIO, reason=reason, n=n)
    return Result(
        Unit.RATIO,
        value=float(Decimal(won["amount"]) / total),
        numerator=Decimal(won["amount"]),
        denominator=total,
        n=n,
    )


def _win_loss_ratio(facts: Any) -> Result:
    won, lost = facts["won"] or NONE_CLOSED, facts["lost"] or NONE_CLOSED
    if not lost["n"]:
        return Result(Unit.TIMES, reason=_("no deals were lost"), numerator=won["n"], denominator=0, n=won["n"])
    return Result(
        Unit.TIMES, value=won["n"] / lost["n"], numerator=won["n"], denominator=lost["n"], n=won["n"] + lost["n"]
    )


def average_deal_size(facts: Any) -> Result:
    """Revenue won ÷ deals won, median and p90 beside it; deals without an amount are excluded, for no data is not 0."""
    row = facts["won"]
    if not row or not row["amounts"]:
        reason = _("of the deals won none has an amount") if row else _("no deals were won")
        return Result(Unit.MONEY, reason=reason, n=0, excluded=row["n"] if row else None)
    counted = {"n": row["amounts"], "excluded": row["n"] - row["amounts"] or None}
    if row["missing"]:
        return money(None, row, **counted)
    median, p90 = cents(row["median_amount"]), cents(Decimal(str(row["p90_amount"])))
    return money(Decimal(row["amount"]) / row["amounts"], row, median=median, p90=p90, **counted)


def sales_cycle(facts: Any) -> Result:
    """Mean days from creation to winning; deals of unknown creation are left out and counted as excluded."""
    row = facts["won"]
    if not row or not row["cycles"]:
        reason = _("of the deals won none has a known creation") if row else _("no deals were won")
        return Result(Unit.DAYS, reason=reason, n=0, excluded=row["n"] if row else None)
    median, p90 = row["cycle_quantiles"]
    return Result(
        Unit.DAYS,
        value=row["mean_cycle"],
        median=median,
        p90=p90,
        n=row["cycles"],
        excluded=row["n"] - row["cycles"] or None,
    )


def _velocity(facts: Any) -> Result:
    opened, rate, size, cycle = _open_deals(facts), _win_rate(facts), average_deal_size(facts), sales_cycle(facts)
    for part in (rate, size, cycle):
        if part.value is None:
            return Result(Unit.MONEY_PER_DAY, reason=part.reason, n=0)
    parts = {"open_deals": opened, "win_rate": rate, "average_deal_size": size, "sales_cycle": cycle}
    if not cycle.value:
        return Result(Unit.MONEY_PER_DAY, reason=_("the deals won took no time at all"), n=cycle.n, parts=parts)
    value = Decimal(opened.value or 0) * Decimal(rate.value or 0) * Decimal(size.value or 0) / Decimal(cycle.value)
    return Result(Unit.MONEY_PER_DAY, value=cents(value), n=cycle.n, parts=parts)


def _declare(key: str, name: Any, question: Any, formula: Any, **more: Any) -> Kpi:
    return Kpi(key=key, name=name, question=question, formula=formula, **{"dimensions": ALL, **more})


_CLOSED: dict[str, Any] = {"dated_by": "won_at, lost_at", "facts": ("won", "lost"), "rows": "closed"}
_WON: dict[str, Any] = {"dated_by": "won_at", "facts": ("won",), "rows": "won"}
_OPEN: dict[str, Any] = {"dated_by": "created_at, won_at, lost_at", "facts": ("open",), "rows": "open"}

DECLARED = (
    _declare(
        "open_deals",
        gettext_lazy("Open deals"),
        gettext_lazy("How many opportunities are open?"),
        gettext_lazy("Deals created by the end of the period and neither won nor lost by then."),
        unit=Unit.COUNT,
        better=Better.UP,
        measure=_open_deals,
        **_OPEN,
    ),
    _declare(
        "open_value",
        gettext_lazy("Open pipeline"),
        gettext_lazy("What are the open opportunities worth?"),
        gettext_lazy("Sum of the amounts, as they were then, of the deals open at the end of the period."),
        unit=Unit.MONEY,
        better=Better.UP,
        measure=_open_value,
        **_OPEN,
    ),
    _declare(
        "weighted_value",
        gettext_lazy("Weighted pipeline"),
        gettext_lazy("What may come of the open opportunities?"),
        gettext_lazy(
            "Sum of amount × probability of the stage each deal stood in, over the deals open at the end of the period."
        ),
        unit=Unit.MONEY,
        better=Better.UP,
        measure=_weighted_value,
        **_OPEN,
    ),
    _declare(
        "won_deals",
        gettext_lazy("Won deals"),
        gettext_lazy("How many deals were won?"),
        gettext_lazy("Deals won in the period."),
        unit=Unit.COUNT,
        better=Better.UP,
        measure=_won_deals,
        **_WON,
    ),
    _declare(
        "won_value",
        gettext_lazy("Revenue won"),
        gettext_lazy("How much was sold?"),
        gettext_lazy(
            "Sum of the amounts of the deals won in the period, at the exchange rate of the day they were won."
        ),
        unit=Unit.MONEY,
        better=Better.UP,
        measure=_won_value,
        **_WON,
    ),
    _declare(
        "lost_deals",
        gettext_lazy("Lost deals"),
        gettext_lazy("How many deals were lost?"),
        gettext_lazy("Deals lost in the period."),
        unit=Unit.COUNT,
        better=Better.DOWN,
        measure=_lost_deals,
        dated_by="lost_at",
        facts=("lost",),
        rows="lost",
    ),
    _declare(
        "win_rate",
        gettext_lazy("Win rate"),
        gettext_lazy("Which share of closed deals is won?"),
        gettext_lazy("Deals won ÷ deals won or lost, in the period."),
        unit=Unit.RATIO,
        better=Better.UP,
        measure=_win_rate,
        **_CLOSED,
    ),
    _declare(
        "win_rate_value",
        gettext_lazy("Win rate by value"),
        gettext_lazy("Which share of the closed money is won?"),
        gettext_lazy("Amount of deals won ÷ amount of deals won or lost, in the period."),
        unit=Unit.RATIO,
        better=Better.UP,
        measure=_win_rate_value,
        **_CLOSED,
    ),
    _declare(
        "win_loss_ratio",
        gettext_lazy("Win/loss ratio"),
        gettext_lazy("How many deals are won for each one lost?"),
        gettext_lazy("Deals won ÷ deals lost, in the period."),
        unit=Unit.TIMES,
        better=Better.UP,
        measure=_win_loss_ratio,
        **_CLOSED,
    ),
    _declare(
        "average_deal_size",
        gettext_lazy("Average deal size"),
        gettext_lazy("How large is a deal that is won?"),
        gettext_lazy(
            "Revenue won ÷ deals won, in the period; median and 90th percentile beside it. Deals without an amount are"
            " left out."
        ),
        unit=Unit.MONEY,
        better=Better.UP,
        measure=average_deal_size,
        **_WON,
    ),
    _declare(
        "sales_cycle",
        gettext_lazy("Sales cycle"),
        gettext_lazy("How long does it take to win a deal?"),
        gettext_lazy(
            "Mean days from creation to winning, over the deals won in the period; median and 90th percentile beside"
            " it. Deals of unknown creation are left out."
        ),
        unit=Unit.DAYS,
        better=Better.DOWN,
        measure=sales_cycle,
        **_WON,
    ),
    _declare(
        "velocity",
        gettext_lazy("Pipeline velocity"),
        gettext_lazy("How much revenue does the pipeline yield a day?"),
        gettext_lazy("Open deals × win rate × average deal size ÷ mean sales cycle, all of the same period."),
        unit=Unit.MONEY_PER_DAY,
        better=Better.UP,
        measure=_velocity,
        dated_by="won_at, lost_at, created_at",
        facts=("open", "won", "lost"),
        rows="closed_or_open",
        counts_as="closed_or_open",
    ),
)
