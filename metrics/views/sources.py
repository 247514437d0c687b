"""Sources and their campaigns beside each other: what came of them, and what it cost. The figures are the engine's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from crm.models import Campaign, LeadSource
from crm.views.addresses import whole_number
from crm.views.dialogs import close_dialog, render_dialog
from crm.views.requests import PersonRequest, posted
from crm.views.spreadsheets import csv_response
from metrics.engine import Results, breakdown, evaluate, without_facts
from metrics.forms.filters import PERIODS
from metrics.forms.spending import CATEGORIES, SpendForm
from metrics.kpi import Kpi, Result
from metrics.kpis import KPIS
from metrics.rules.spending import enter_spend, may_enter_spend
from metrics.scope import Scope
from metrics.views.asking import Question, read_question
from metrics.views.wording import basis, unit_text, value_text

SHOWN = (
    "new_leads", "lead_response_time", "response_within_sla", "lead_conversion", "spend",
    "cost_per_lead", "cost_per_qualified_lead", "cac",
)  # fmt: skip
"""The columns, in reading order."""
FIRST_YEAR, LAST_YEAR = 1970, 2200


@dataclass(frozen=True)
class Cell:
    """One figure: in words, with what it rests on, or why there is none; it leads to its definition and its rows."""

    kpi: Kpi
    result: Result
    url: str

    @property
    def value(self) -> str:
        """The figure with its unit, or a dash."""
        return f"{value_text(self.result.value, self.kpi.unit)} {unit_text(self.kpi.unit, self.result.value)}".strip()

    @property
    def base(self) -> str:
        """What it rests on; without a figure the reason."""
        return str(self.result.reason) if self.result.value is None else " · ".join(basis(self.result))


@dataclass(frozen=True)
class Line:
    """One source, or one campaign within it, or all together."""

    label: str
    cells: Sequence[Cell]
    spend_url: str = ""
    campaigns: Sequence[Line] = field(default_factory=tuple)


@require_safe
def source_list(request: PersonRequest) -> HttpResponse:
    """Show each source with its campaigns, under the same question as the dashboard."""
    question = read_question(request)
    context: dict[str, Any] = {"question": question, "periods": PERIODS.items()}
    if question.scope is None:
        return render(request, "metrics/source_list.html", context, status=422)
    context |= {
        "kpis": [KPIS[key] for key in SHOWN],
        "lines": list(_lines(request, question)),
        "total": _line(request, _("All sources"), evaluate(_kpis(), question.scope)),
    }
    return render(request, "metrics/source_list.html", context)


@require_safe
def source_figures(request: PersonRequest) -> HttpResponseBase:
    """Give the same table for a spreadsheet: unrounded values, with the parts of each share."""
    question = read_question(request)
    if question.scope is None:
        raise Http404
    header = [_("Source"), _("Campaign"), *(str(KPIS[key].name) for key in SHOWN), _("Converted"), _("of"), _("Low"),
              _("High"), _("Pending"), _("Unanswered")]  # fmt: skip
    return csv_response("sources", header, _cells(request, question))


@require_http_methods(["GET", "HEAD", "POST"])
def source_spend(request: PersonRequest, pk: int) -> HttpResponse:
    """Enter what was spent for a source, or with `?campaign=` for one of its campaigns, in the months of a year."""
    if not may_enter_spend(request.user):
        raise PermissionDenied(_("Managers and admins enter what was spent."))
    source = get_object_or_404(LeadSource, pk=pk)
    asked = request.GET.get("campaign")
    campaign = get_object_or_404(source.campaigns, pk=whole_number(asked)) if asked else None
    year = _year(request)
    form = SpendForm(posted(request), source=source, campaign=campaign, year=year)
    if request.method == "POST" and form.is_valid():
        enter_spend(source=source, campaign=campaign, sums=form.sums, by=request.user)
        return close_dialog(request, to="source_list", event="spend-changed")
    context = {
        "title": _("Spend: %(name)s") % {"name": f"{source} · {campaign}" if campaign else source},
        "action": request.get_full_path(),
        "submit": _("Save"),
        "year": year,
        "earlier": _spend_url(source, campaign, year - 1) if year > FIRST_YEAR else "",
        "later": _spend_url(source, campaign, year + 1) if year < LAST_YEAR else "",
        "categories": [category.label for category in CATEGORIES],
    }
    return render_dialog(request, form, context, template="metrics/spend_dialog.html")


def _kpis() -> list[Kpi]:
    return [KPIS[key] for key in SHOWN]


def _year(request: PersonRequest) -> int:
    year = whole_number(request.GET.get("year") or str(timezone.localdate().year))
    if year is None or not FIRST_YEAR <= year <= LAST_YEAR:
        raise Http404
    return year


def _spend_url(source: LeadSource, campaign: Campaign | None, year: int | None = None) -> str:
    query = {name: value for name, value in (("campaign", campaign and campaign.pk), ("year", year)) if value}
    url = reverse("source_spend", args=[source.pk])
    return f"{url}?{urlencode(query)}" if query else url


# --- The table ----------------------------------------------------------------------------------------------------


def _found(scope: Scope, by: str) -> dict[str, Results]:
    """The results of each group that has facts, by its key."""
    return {group.key: group.results for group in breakdown(_kpis(), scope, by)}


def _lines(request: PersonRequest, question: Question) -> Iterator[Line]:
    """Each source that has facts or may be used, by name, with its campaigns; then what came from nowhere known."""
    scope = question.scope
    assert scope is not None
    of_sources, of_campaigns = _found(scope, "source"), _found(scope, "campaign")
    nothing = {by: without_facts(_kpis(), scope, by) for by in ("source", "campaign")}
    may_enter = may_enter_spend(request.user)
    for source in sorted(LeadSource.objects.prefetch_related("campaigns"), key=lambda row: str(row).casefold()):
        if not _is_asked(source, scope) or (source.is_archived and source.slug not in of_sources):
            continue
        campaigns = [
            _line(
                request,
                campaign.name,
                of_campaigns.get(campaign.name, nothing["campaign"]),
                narrowed={"source": source.pk, "campaign": campaign.pk},
                spend_url=_spend_url(source, campaign) if may_enter else "",
            )
            for campaign in source.campaigns.all()
            if scope.filters.campaign in {None, campaign}
        ]
        yield _line(
            request,
            str(source),
            of_sources.get(source.slug, nothing["source"]),
            narrowed={"source": source.pk},
            spend_url=_spend_url(source, None) if may_enter else "",
            campaigns=campaigns,
        )
    if "" in of_sources:
        yield _line(request, _("Unknown source"), of_sources[""])


def _is_asked(source: LeadSource, scope: Scope) -> bool:
    return scope.filters.source in {None, source} and (
        scope.filters.campaign is None or scope.filters.campaign.source_id == source.pk
    )


def _line(
    request: PersonRequest,
    label: str,
    results: Results,
    *,
    narrowed: Mapping[str, Any] | None = None,
    spend_url: str = "",
    campaigns: Sequence[Line] = (),
) -> Line:
    query = request.GET.copy()
    for name, value in (narrowed or {}).items():
        query[name] = str(value)
    cells = [
        Cell(KPIS[key], results[key], f"{reverse('kpi_detail', args=[key])}?{query.urlencode()}#rows") for key in SHOWN
    ]
    return Line(label, cells, spend_url, campaigns)


def _cells(request: PersonRequest, question: Question) -> Iterator[list[Any]]:
    for line in _lines(request, question):
        yield [line.label, "", *_values(line)]
        for campaign in line.campaigns:
            yield [line.label, campaign.label, *_values(campaign)]


def _values(line: Line) -> list[Any]:
    found = {cell.kpi.key: cell.result for cell in line.cells}
    share, response = found["lead_conversion"], found["lead_response_time"]
    parts = [share.numerator, share.denominator, share.low, share.high, share.pending, response.unanswered]
    return [*(cell.result.value for cell in line.cells), *parts]
