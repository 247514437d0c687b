"""Figures in words: a value with its unit, what it rests on, and how it changed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from babel.dates import format_date
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.templatetags.formats import active_locale, money, number, percent
from metrics.kpi import Better, Kpi, Result, Unit
from metrics.scope import Period
from metrics.statistics import differ

CLOSE_ENOUGH = 0.0005
"""A change smaller than this share, or by less than this of a share, is none: it would read "0 points"."""


@dataclass(frozen=True)
class Change:
    """How a value stands against the one before: words, an arrow's icon, and whether it is better."""

    text: str
    arrow: str = ""
    judgement: str = ""
    before: str = ""


def value_text(value: Any, unit: Unit) -> str:
    """Write a value in the reader's language, without its unit's name: "36.1%", "€27,588", "41.6"."""
    if value is None:
        return "—"
    if unit in {Unit.MONEY, Unit.MONEY_PER_DAY}:
        return money(Decimal(value).quantize(Decimal(1)) if abs(value) >= 100 else Decimal(value))
    if unit is Unit.RATIO:
        return percent(value, 1)
    if unit is Unit.COUNT:
        return number(value)
    return number(value, 2 if unit is Unit.TIMES or abs(value) < 1 else 1)


def unit_text(unit: Unit, value: Any) -> str:
    """Name the unit that stands small beside the value; most values carry theirs already."""
    if value is None:
        return ""
    if unit in {Unit.DAYS, Unit.HOURS}:
        count = _spoken(abs(value))
        return ngettext("day", "days", count) if unit is Unit.DAYS else ngettext("hour", "hours", count)
    return _("a day") if unit is Unit.MONEY_PER_DAY else ""


def _spoken(size: float) -> int:
    """The number that the unit's word follows: a fraction is spoken of like two, "1.5 days", «1,5 дня»."""
    shown = round(size, 1 if size >= 1 else 2)
    return int(shown) if shown == int(shown) else 2


def with_unit(value: Any, unit: Unit) -> str:
    """Write a value with its unit: "41.6 days"."""
    return f"{value_text(value, unit)} {unit_text(unit, value)}".strip()


def period_text(period: Period) -> str:
    """Write a period by its first and last day: "1 Apr – 30 Jun 2026"; a whole month by its name."""
    locale, last = active_locale(), period.last_day
    if period.whole_months == 1:
        return str(format_date(period.start, "LLLL y", locale=locale))
    first = "d MMM" if period.start.year == last.year else "d MMM y"
    return f"{_day(period.start, first)} – {_day(last, 'd MMM y')}".replace(".", "")


def month_text(month: dt.date) -> str:
    """Write a month short: "Jun 2026"."""
    return _day(month, "LLL y").replace(".", "")


def _day(day: dt.date, pattern: str) -> str:
    return str(format_date(day, pattern, locale=active_locale()))


def interval_text(result: Result) -> str:
    """Write the 95 % interval of a share: "28.1–45.1%"."""
    if result.low is None or result.high is None:
        return ""
    return f"{number(result.low * 100, 1)}–{percent(result.high, 1)}"


def basis(result: Result) -> list[str]:
    """Say what a value rests on: parts, interval, median, p90, n and what is left out."""
    said = [_parts(result), _interval(result), *_spread(result), *_remainder(result)]
    return [words for words in said if words]


def _parts(result: Result) -> str:
    if result.parts:
        part = result.parts
        return _("{count} × {rate} × {size} ÷ {cycle} d").format(
            count=number(part["open_deals"].value),
            rate=value_text(part["win_rate"].value, Unit.RATIO),
            size=value_text(part["average_deal_size"].value, Unit.MONEY),
            cycle=value_text(part["sales_cycle"].value, Unit.DAYS),
        )
    if result.unit is Unit.COUNT or result.numerator is None or not result.denominator:
        return ""
    above, below = (_part(part, result) for part in (result.numerator, result.denominator))
    return (
        _("{above} of {below}").format(above=above, below=below) if result.unit is Unit.RATIO else f"{above} ÷ {below}"
    )


def _part(part: Any, result: Result) -> str:
    is_sum = isinstance(part, Decimal) and result.unit in {Unit.RATIO, Unit.MONEY}
    return value_text(part, Unit.MONEY) if is_sum else number(part)


def _interval(result: Result) -> str:
    interval = interval_text(result)
    return _("interval {interval}").format(interval=interval) if interval else ""


def _spread(result: Result) -> list[str]:
    said = []
    if result.median is not None and result.median != result.value:
        said.append(_("median {value}").format(value=value_text(result.median, result.unit)))
    if result.mean is not None and result.mean != result.value:
        said.append(_("mean {value}").format(value=value_text(result.mean, result.unit)))
    if result.p90 is not None and result.unit is not Unit.MONEY:
        said.append(f"p90 {value_text(result.p90, result.unit)}")
    if result.n is not None and result.unit is not Unit.COUNT and not (result.parts or result.denominator):
        said.append(f"n = {number(result.n)}")
    return said


def _remainder(result: Result) -> list[str]:
    said = []
    if result.pending:
        said.append(_("{count} pending").format(count=number(result.pending)))
    if result.unanswered:
        said.append(_("{count} unanswered").format(count=number(result.unanswered)))
    if result.excluded:
        said.append(_("{count} left out").format(count=number(result.excluded)))
    return said


def change(kpi: Kpi, now: Result, before: Result) -> Change:
    """Compare a value with the one before it, as far as that can be done honestly."""
    if now.value is None:
        return Change(str(now.reason or ""))
    if before.value is None:
        return Change(_("nothing to compare with"), before=str(before.reason or ""))
    told = with_unit(before.value, kpi.unit)
    if now.is_few or before.is_few:
        return Change(_("too few to say"), before=told)
    if now.mature is False:
        return Change(_("not final yet"), before=told)
    return _difference(kpi, now, before, told)


def _difference(kpi: Kpi, now: Result, before: Result, told: str) -> Change:
    step = float(now.value or 0) - float(before.value or 0)
    size = abs(step) / abs(float(before.value)) if before.value else None
    is_same_share = kpi.unit is Unit.RATIO and abs(step) < CLOSE_ENOUGH
    if step == 0 or is_same_share or (size is not None and size < CLOSE_ENOUGH):
        return Change(_("unchanged"), before=told)
    arrow = "arrow-up" if step > 0 else "arrow-down"
    extent = _extent(kpi.unit, step, size)
    if _is_chance(now, before):
        return Change(_("{change}, within chance").format(change=extent), arrow, before=told)
    judgement = _judgement(kpi.better, step)
    words = {"better": _("{change} better"), "worse": _("{change} worse")}.get(judgement, "{change}")
    return Change(words.format(change=extent), arrow, judgement, told)


def _extent(unit: Unit, step: float, size: float | None) -> str:
    """How far it moved: points of a share, days and hours as such, else percent of what it was."""
    if unit is Unit.RATIO:
        points = abs(step) * 100
        return ngettext("{count} point", "{count} points", round(points)).format(count=number(points, 1))
    if unit in {Unit.DAYS, Unit.HOURS}:
        return f"{number(abs(step), 1 if abs(step) >= 0.1 else 2)} {unit_text(unit, step)}"
    return value_text(abs(step), unit) if size is None else percent(size, 1)


def _judgement(better: Better, step: float) -> str:
    if better is Better.NEITHER:
        return ""
    return "better" if (step > 0) == (better is Better.UP) else "worse"


def _is_chance(now: Result, before: Result) -> bool:
    """Whether two proportions differ no more than chance explains; other values come without a test."""
    first, second = _proportion(now), _proportion(before)
    return first is not None and second is not None and not differ(first, second)


def _proportion(result: Result) -> tuple[int, int] | None:
    above, below = result.numerator, result.denominator
    if result.low is None or not isinstance(above, int) or not isinstance(below, int):
        return None
    return above, below
