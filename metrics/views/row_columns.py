"""How the records behind a number are listed: for each kind of record its columns and where a row leads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.models import Activity, FollowUp, Lead
from crm.templatetags.formats import money, number
from metrics.counted import COUNTED
from metrics.kpi import Kpi
from metrics.models import Spend
from pipeline.models import Contract, Deal, StageVisit


@dataclass(frozen=True)
class Column:
    """One column: its heading, what a person reads, and what a spreadsheet gets where that differs."""

    title: Any
    read: Callable[[Any], Any]
    exported: Callable[[Any], Any] | None = None
    is_number: bool = False

    def export(self, row: Any) -> Any:
        """The cell of a spreadsheet."""
        return (self.exported or self.read)(row)


@dataclass(frozen=True)
class Listing:
    """The columns of one kind of record, and the page that a row leads to."""

    columns: Sequence[Column]
    url: Callable[[Any], str | None]


def _day(at: Any) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d}" if at else ""


def _moment(at: Any) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}" if at else ""


def _sum(field: str) -> Column:
    titles = {"amount": _("Amount"), "monthly_value": _("Monthly value")}
    return Column(
        titles[field],
        lambda row: money(getattr(row, field), row.currency),
        exported=lambda row: getattr(row, field),
        is_number=True,
    )


def _subject_url(row: Any) -> str | None:
    subject = row.subject
    return subject.get_absolute_url() if subject is not None else None


CURRENCY = Column(_("Currency"), lambda row: row.currency)


def columns_of(kpi: Kpi, model: type) -> Sequence[Column]:
    """The columns in which a KPI's rows are listed; the last one says how each counts."""
    columns = LISTINGS[model].columns
    return (*columns, Column(_("Counts as"), COUNTED[kpi.counts_as].label)) if kpi.counts_as else columns


LISTINGS: dict[type, Listing] = {
    Deal: Listing(
        (
            Column(_("Deal"), lambda deal: deal.name),
            Column(_("Company"), lambda deal: str(deal.company or "")),
            _sum("amount"),
            CURRENCY,
            Column(_("Stage"), lambda deal: str(deal.stage)),
            Column(_("Outcome"), lambda deal: str(deal.get_outcome_display())),
            Column(_("Owner"), lambda deal: str(deal.owner)),
            Column(_("Created"), lambda deal: _day(deal.created_at) or _("unknown")),
            Column(_("Closed"), lambda deal: _day(deal.closed_at)),
        ),
        lambda deal: deal.get_absolute_url(),
    ),
    StageVisit: Listing(
        (
            Column(_("Deal"), lambda visit: visit.deal.name),
            Column(_("Stage"), lambda visit: str(visit.stage)),
            Column(_("Entered"), lambda visit: _moment(visit.entered_at)),
            Column(pgettext_lazy("stay", "Left"), lambda visit: _moment(visit.left_at)),
            Column(
                _("Days"),
                lambda visit: number((visit.left_at - visit.entered_at).total_seconds() / 86400, 1),
                exported=lambda visit: round((visit.left_at - visit.entered_at).total_seconds() / 86400, 2),
                is_number=True,
            ),
        ),
        lambda visit: visit.deal.get_absolute_url(),
    ),
    Lead: Listing(
        (
            Column(_("Lead"), lambda lead: lead.name),
            Column(_("Source"), lambda lead: str(lead.source or "")),
            Column(_("Status"), lambda lead: str(lead.get_status_display())),
            Column(_("Owner"), lambda lead: str(lead.owner or "")),
            Column(_("Came in"), lambda lead: _moment(lead.created_at)),
            Column(_("First answer"), lambda lead: _moment(lead.first_response_at)),
        ),
        lambda lead: lead.get_absolute_url(),
    ),
    Activity: Listing(
        (
            Column(_("Kind"), lambda touch: str(touch.get_kind_display())),
            Column(_("About"), lambda touch: str(touch.subject or "")),
            Column(_("When"), lambda touch: _moment(touch.at)),
            Column(_("Author"), lambda touch: str(touch.author or "")),
            Column(pgettext_lazy("noun", "Answer"), lambda touch: str(touch.get_response_display())),
        ),
        _subject_url,
    ),
    FollowUp: Listing(
        (
            Column(_("Follow-up"), lambda follow_up: follow_up.title),
            Column(_("About"), lambda follow_up: str(follow_up.subject or "")),
            Column(_("Assignee"), lambda follow_up: str(follow_up.assignee or "")),
            Column(_("Due"), lambda follow_up: _moment(follow_up.due_at)),
            Column(_("Done"), lambda follow_up: _moment(follow_up.done_at)),
        ),
        _subject_url,
    ),
    Contract: Listing(
        (
            Column(_("Company"), lambda contract: str(contract.company)),
            Column(_("From"), lambda contract: contract.starts_on.isoformat()),
            Column(_("Until"), lambda contract: contract.ends_on.isoformat() if contract.ends_on else ""),
            Column(_("Cancelled"), lambda contract: contract.cancelled_on.isoformat() if contract.cancelled_on else ""),
            _sum("monthly_value"),
            CURRENCY,
            Column(_("Why they left"), lambda contract: contract.churn_reason),
        ),
        lambda contract: contract.company.get_absolute_url(),
    ),
    Spend: Listing(
        (
            Column(_("Day"), lambda spend: spend.on.isoformat()),
            Column(_("Category"), lambda spend: str(spend.get_category_display())),
            Column(_("Source"), lambda spend: str(spend.source or "")),
            Column(_("Campaign"), lambda spend: str(spend.campaign or "")),
            _sum("amount"),
            CURRENCY,
        ),
        lambda _spend: None,
    ),
}
"""Model → how its rows are listed."""
