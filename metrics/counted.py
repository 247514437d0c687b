"""How each record behind a number counts in it: above the line, below it, or not at all.

Each of these says of a row what the facts (`metrics.facts`) say of all of them at once, so that whoever counts a list's
rows arrives at the number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.models import Lead
from metrics.scope import Scope
from pipeline.models import Deal

Rows = QuerySet[Any]
Conditions = Callable[[Rows, Scope], Mapping[str, Any]]


@dataclass(frozen=True)
class Counted:
    """`conditions`: code → when a row counts so, the first that holds; `others` is the code of all other rows."""

    conditions: Conditions
    labels: Mapping[str, Any]
    others: str

    def mark(self, rows: Rows, scope: Scope) -> Rows:
        """Give each row its code as `counts_as`."""
        whens = [When(condition, then=Value(code)) for code, condition in self.conditions(rows, scope).items()]
        return rows.annotate(counts_as=Case(*whens, default=Value(self.others)))

    def label(self, row: Any) -> str:
        """How a marked row counts, in words."""
        return str(self.labels[row.counts_as])


def _deal_of_lead(**condition: Any) -> Exists:
    return Exists(Deal.objects.filter(lead=OuterRef("pk"), deleted_at=None, **condition))


def _cohort(_rows: Rows, _scope: Scope) -> dict[str, Any]:
    is_dead = Q(_deal_of_lead(outcome=Deal.Outcome.LOST)) | Q(status=Lead.Status.DISQUALIFIED)
    return {"won": _deal_of_lead(outcome=Deal.Outcome.WON), "dead": is_dead}


def _quick(_rows: Rows, scope: Scope) -> dict[str, Any]:
    start, end = scope.period.starts_at, scope.period.ends_at
    is_won = Q(_deal_of_lead(outcome=Deal.Outcome.WON, won_at__gte=start, won_at__lt=end))
    came_in = Q(created_at__gte=start, created_at__lt=end)
    return {"both": is_won & came_in, "won": is_won}


def _answered(_rows: Rows, _scope: Scope) -> dict[str, Any]:
    return {"answered": Q(first_response_at__isnull=False)}


def _in_time(_rows: Rows, scope: Scope) -> dict[str, Any]:
    is_late = Q(first_response_at__isnull=False) | Q(answer_by__lte=scope.now)
    return {"in_time": Q(first_response_at__lte=F("answer_by")), "late": is_late}


def _closed_or_open(_rows: Rows, scope: Scope) -> dict[str, Any]:
    start, end = scope.period.starts_at, scope.period.ends_at
    return {
        "won": Q(outcome=Deal.Outcome.WON, won_at__gte=start, won_at__lt=end),
        "lost": Q(outcome=Deal.Outcome.LOST, lost_at__gte=start, lost_at__lt=end),
    }


# --- Contracts, by what their customers do --------------------------------------------------------------------------


def _terms(rows: Rows) -> Rows:
    """Those of the listed contracts that ran for a day at least."""
    return rows.order_by().filter(Q(until__isnull=True) | Q(until__gt=F("starts_on")))


def _runs_on(day: Any) -> Q:
    return Q(starts_on__lte=day) & (Q(until__isnull=True) | Q(until__gt=day))


def _leaving(rows: Rows, scope: Scope) -> dict[str, Any]:
    """A customer counts once: with the first of the contracts that run on the first day."""
    period, theirs = scope.period, _terms(rows).filter(company=OuterRef("company"))
    goes_on = _terms(rows).filter(_runs_on(OuterRef("until")), company=OuterRef("company"))
    ends = theirs.filter(until__gt=period.start, until__lt=period.end).exclude(Exists(goes_on))
    is_there = _runs_on(period.start)
    return {
        "further": is_there & Exists(theirs.filter(_runs_on(period.start), pk__lt=OuterRef("pk"))),
        "left": is_there & Exists(ends),
        "stayed": is_there,
    }


def _recurring(rows: Rows, scope: Scope) -> dict[str, Any]:
    """A contract counts with its value on the days it runs, if its customer was one on the first day."""
    period, theirs = scope.period, _terms(rows).filter(company=OuterRef("company"))
    was_there, is_there = _runs_on(period.start), _runs_on(period.last_day)
    return {
        "both": was_there & is_there,
        "before": was_there,
        "after": is_there & Exists(theirs.filter(_runs_on(period.start))),
    }


COUNTED: dict[str, Counted] = {
    "cohort": Counted(_cohort, {"won": _("won"), "dead": _("not won"), "pending": _("pending")}, others="pending"),
    "quick": Counted(
        _quick,
        {"both": _("came in and won"), "won": _("won, came in earlier"), "came": _("came in")},
        others="came",
    ),
    "answered": Counted(
        _answered,
        {"answered": pgettext_lazy("lead", "answered"), "waiting": _("left out: not answered")},
        others="waiting",
    ),
    "in_time": Counted(
        _in_time,
        {"in_time": _("in time"), "late": _("not in time"), "open": _("left out: its time still runs")},
        others="open",
    ),
    "closed_or_open": Counted(_closed_or_open, {"won": _("won"), "lost": _("lost"), "open": _("open")}, others="open"),
    "leaving": Counted(
        _leaving,
        {
            "left": _("customer who left"),
            "stayed": _("customer who stayed"),
            "further": _("left out: the customer’s further contract"),
            "later": _("left out: does not run on the first day"),
        },
        others="later",
    ),
    "recurring": Counted(
        _recurring,
        {
            "both": _("on the first and the last day"),
            "before": _("on the first day"),
            "after": _("on the last day"),
            "out": _("left out"),
        },
        others="out",
    ),
}
"""Name in `Kpi.counts_as` → how its rows count."""
