"""The rows behind a number: what a person may open of the records a KPI counted.

The engine counts by who closed a deal; the rows are the records the viewer may open today. A deal that was handed to
another team since still counts for whoever won it, but is no longer theirs to open.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import F, Func, Min, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from crm.models import Activity, FollowUp, Lead
from metrics.models import Spend
from metrics.scope import Scope
from pipeline.models import Contract, Deal, StageVisit

Rows = QuerySet[Any]

_CLOSER = Coalesce("closing_owner", "owner")


def rows_of(name: str, scope: Scope) -> Rows:
    """Return the records named `name` (`Kpi.rows`) within `scope` that its viewer may open, latest first."""
    return ROWS[name](scope)


def _deals(scope: Scope) -> Any:
    deals = Deal.objects.present() if scope.viewer is None else Deal.objects.visible_to(scope.viewer)
    deals = deals.select_related("stage", "owner", "company").annotate(credited=_CLOSER)
    same: dict[str, Any] = {name: name for name in ("pipeline", "source", "campaign")}
    return _narrowed(deals, scope, owner="credited", segment="lead", **same)


def _won(scope: Scope) -> Rows:
    return _within(_deals(scope).won(), "won_at", scope)


def _lost(scope: Scope) -> Rows:
    return _within(_deals(scope).lost(), "lost_at", scope)


def _closed(scope: Scope) -> Rows:
    start, end = scope.period.starts_at, scope.period.ends_at
    is_closed = Q(won_at__gte=start, won_at__lt=end) | Q(lost_at__gte=start, lost_at__lt=end)
    return _deals(scope).filter(is_closed).order_by(Coalesce("won_at", "lost_at").desc(), "-pk")


def _open(scope: Scope) -> Rows:
    return _deals(scope).open_at(min(scope.period.ends_at, scope.now)).order_by(F("amount").desc(nulls_last=True), "pk")


def _closed_or_open(scope: Scope) -> Rows:
    """What flows: deals closed in the period, the latest first, and those open at its end."""
    flowing = _closed(scope) | _deals(scope).open_at(min(scope.period.ends_at, scope.now))
    return flowing.order_by(Coalesce("won_at", "lost_at").desc(nulls_last=True), "-pk")


def _reached(scope: Scope) -> Rows:
    entered = StageVisit.objects.standing().filter(deal=OuterRef("pk")).values("deal")
    first = Subquery(entered.annotate(first=Min("entered_at")).values("first"))
    start, end = scope.period.starts_at, scope.period.ends_at
    moved = StageVisit.objects.standing().filter(entered_at__gte=start, entered_at__lt=end).values("deal")
    return _deals(scope).filter(pk__in=moved).annotate(entered_at=first).order_by("-entered_at", "-pk")


def _stays(scope: Scope) -> Rows:
    visits = StageVisit.objects.ended_within(scope.period.starts_at, scope.period.ends_at)
    visits = visits.filter(deal__in=_deals(scope).order_by().values("pk")).select_related("deal", "stage")
    return visits.annotate(stay=F("left_at") - F("entered_at")).order_by("-stay", "-pk")


def _leads(scope: Scope) -> Rows:
    leads = Lead.objects.present() if scope.viewer is None else Lead.objects.visible_to(scope.viewer)
    of_team = Q(owner__team=scope.filters.team) | Q(owner__isnull=True, team=scope.filters.team)
    leads = leads.select_related("source", "owner")
    return _narrowed(leads, scope, team=of_team, owner="owner", source="source", campaign="campaign", segment="pk")


def _leads_created(scope: Scope) -> Rows:
    return _within(_leads(scope), "created_at", scope)


def _leads_created_or_won(scope: Scope) -> Rows:
    return (_leads_created(scope) | _leads_won(scope)).order_by("-created_at", "-pk")


def _leads_won(scope: Scope) -> Rows:
    won = Deal.objects.won().filter(won_at__gte=scope.period.starts_at, won_at__lt=scope.period.ends_at)
    return _leads(scope).filter(pk__in=won.values("lead"))


def _leads_qualified(scope: Scope) -> Rows:
    return _within(_leads(scope), "qualified_at", scope)


def _touches(scope: Scope) -> Rows:
    touches = Activity.objects.present() if scope.viewer is None else Activity.objects.visible_to(scope.viewer)
    outbound = touches.outbound().select_related("author", "subject_type")
    return _within(_narrowed(outbound, scope, about=True, owner="author"), "at", scope)


def _follow_ups(scope: Scope) -> Rows:
    follow_ups = FollowUp.objects.present() if scope.viewer is None else FollowUp.objects.visible_to(scope.viewer)
    follow_ups = follow_ups.select_related("assignee", "subject_type")
    return _narrowed(follow_ups, scope, about=True, owner="assignee")


def _follow_ups_due(scope: Scope) -> Rows:
    return _within(_follow_ups(scope).filter(due_at__lte=scope.now), "due_at", scope)


def _follow_ups_overdue(scope: Scope) -> Rows:
    then = min(scope.period.ends_at, scope.now)
    late = Q(done_at__isnull=True) | Q(done_at__gt=then)
    return _follow_ups(scope).filter(late, due_at__lt=then, created_at__lte=then).order_by("due_at", "pk")


def _contracts(scope: Scope) -> Rows:
    contracts = Contract.objects.present() if scope.viewer is None else Contract.objects.visible_to(scope.viewer)
    counted = contracts.select_related("company", "owner").annotate(
        accountable=Coalesce("owner", "deal__owner", "company__owner"),
        until=Func("ends_on", "cancelled_on", function="LEAST"),
    )
    of_deal: dict[str, Any] = {name: f"deal__{name}" for name in ("pipeline", "source", "campaign")}
    fitting = _narrowed(counted, scope, owner="accountable", segment="deal__lead", **of_deal)
    runs = Q(until__isnull=True) | Q(until__gte=scope.period.start)
    return fitting.filter(runs, starts_on__lt=scope.period.end).order_by("until", "pk")


def _spend(scope: Scope) -> Rows:
    """Spend has no owner: only who reads everything opens it."""
    spend = Spend.objects.select_related("source", "campaign")
    spend = spend.filter(on__gte=scope.period.start, on__lt=scope.period.end)
    if not scope.is_whole:
        return spend.none()
    return _narrowed(spend, scope, source="source", campaign="campaign").order_by("-on", "-pk")


def _within(rows: Rows, field: str, scope: Scope) -> Rows:
    rows = rows.filter(**{f"{field}__gte": scope.period.starts_at, f"{field}__lt": scope.period.ends_at})
    return rows.order_by(f"-{field}", "-pk")


def _narrowed(rows: Rows, scope: Scope, *, team: Q | None = None, about: bool = False, **fields: str) -> Rows:
    """Apply the filters, each to the field that holds its dimension; a filter that finds no field leaves nothing.

    Rows `about` a subject have the pipeline and source of the deal or lead it is.
    """
    if scope.filters.team is not None:
        if team is None and "owner" in fields:
            team = Q(**{f"{fields['owner']}__in": scope.team_member_ids})
        rows = rows.none() if team is None else rows.filter(team)
    if scope.filters.segment is not None:
        rows = _in_segment(rows, scope, about=about, field=fields.pop("segment", ""))
    for name in sorted(scope.filters.used - {"team", "segment"}):
        chosen = getattr(scope.filters, name)
        if name in fields:
            rows = rows.filter(**{fields[name]: chosen.pk})
        else:
            rows = rows.filter(_about(name, chosen.pk)) if about else rows.none()
    return rows


def _in_segment(rows: Rows, scope: Scope, *, about: bool, field: str) -> Rows:
    """Rows of the segment's leads: by the field that holds the lead, or about such a lead or its deal."""
    if field:
        return rows.filter(**{f"{field}__in": scope.segment_leads})
    if not about:
        return rows.none()
    types = ContentType.objects.get_for_models(Deal, Lead)
    deals = Deal.objects.filter(lead__in=scope.segment_leads).values("pk")
    is_about_lead = Q(subject_type=types[Lead], subject_id__in=scope.segment_leads)
    return rows.filter(is_about_lead | Q(subject_type=types[Deal], subject_id__in=deals))


def _about(dimension: str, pk: int) -> Q:
    """About a deal, or where leads have the dimension about a lead, that holds `pk` in it."""
    types = ContentType.objects.get_for_models(Deal, Lead)
    fitting = Q(subject_type=types[Deal], subject_id__in=Deal.objects.filter(**{dimension: pk}).values("pk"))
    if dimension in {"source", "campaign"}:
        leads = Lead.objects.filter(**{dimension: pk})
        fitting |= Q(subject_type=types[Lead], subject_id__in=leads.values("pk"))
    return fitting


ROWS: dict[str, Callable[[Scope], Rows]] = {
    "won": _won,
    "lost": _lost,
    "closed": _closed,
    "open": _open,
    "closed_or_open": _closed_or_open,
    "reached": _reached,
    "stays": _stays,
    "leads_created": _leads_created,
    "leads_won": _leads_won,
    "leads_created_or_won": _leads_created_or_won,
    "leads_qualified": _leads_qualified,
    "touches": _touches,
    "follow_ups_due": _follow_ups_due,
    "follow_ups_overdue": _follow_ups_overdue,
    "contracts": _contracts,
    "spend": _spend,
}
"""Name in `Kpi.rows` → the records."""
