"""KPIs of follow-ups: whether what was promised is done."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from metrics.kpi import Better, Kpi, Result, Unit, count, ratio
from metrics.scope import ALL


def _overdue(facts: Any) -> Result:
    return count(facts["overdue"] and facts["overdue"]["n"])


def _on_time(facts: Any) -> Result:
    row = facts["due"] or {"in_time": 0, "n": 0}
    return ratio(row["in_time"], row["n"], reason=_("no follow-up fell due"))


DECLARED = (
    Kpi(
        key="overdue_follow_ups",
        name=gettext_lazy("Overdue follow-ups"),
        question=gettext_lazy("How much is left lying?"),
        formula=gettext_lazy("Follow-ups open and past due, now or when the period ended."),
        unit=Unit.COUNT,
        better=Better.DOWN,
        dated_by="due_at, done_at",
        facts=("overdue",),
        dimensions=ALL,
        measure=_overdue,
        rows="follow_ups_overdue",
    ),
    Kpi(
        key="on_time_follow_ups",
        name=gettext_lazy("Follow-ups on time"),
        question=gettext_lazy("Is what was promised done in time?"),
        formula=gettext_lazy("Follow-ups done by their due time ÷ follow-ups that fell due in the period."),
        unit=Unit.RATIO,
        better=Better.UP,
        dated_by="due_at",
        facts=("due",),
        dimensions=ALL,
        measure=_on_time,
        rows="follow_ups_due",
    ),
)
