"""What stage rules did for one deal, what they will do, and why they did not."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from crm.views.authorising import visible_or_404
from crm.views.requests import PersonRequest
from pipeline.models import Deal, RuleFiring
from pipeline.rules.automation.words import Result, reason_words, results_of

MOST = 200


@dataclass(frozen=True)
class Line:
    """One firing, with what became of each of its actions."""

    firing: RuleFiring
    reason: str
    results: list[Result]


@require_safe
def deal_firings(request: PersonRequest, pk: int) -> HttpResponse:
    """Show the firings of a deal, the newest first."""
    deal = visible_or_404(Deal.objects.select_related("pipeline"), request.user, pk=pk)
    firings = deal.firings.select_related("rule", "visit__stage")[:MOST]
    lines = [Line(firing, _reason(firing), list(results_of(firing))) for firing in firings]
    return render(request, "pipeline/deal_firings.html", {"deal": deal, "lines": lines})


def _reason(firing: RuleFiring) -> str:
    return reason_words(firing.reason) if firing.reason else ""
