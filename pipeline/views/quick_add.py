"""Adding a deal where it will stand: three fields at the top of a column."""

from __future__ import annotations

import json

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from crm.models import Company
from crm.rules.errors import RuleError
from crm.views.authorising import writer_or_403
from crm.views.requests import PersonRequest, posted
from pipeline.forms.moves import QuickAddForm
from pipeline.models import Deal, Stage
from pipeline.rules.deals import open_deal
from pipeline.views.board import read_board
from pipeline.views.board_cards import draw, row_of


@require_http_methods(["GET", "HEAD", "POST"])
def deal_quick_add(request: PersonRequest, slug: str, stage_pk: int) -> HttpResponse:
    """Show the three fields, and open the deal they name; the answer is its card."""
    person = writer_or_403(request.user)
    shown = read_board(request, slug)
    stage = get_object_or_404(
        Stage.objects.live().select_related("pipeline"), pk=stage_pk, pipeline=shown.pipeline, kind=Stage.Kind.OPEN
    )
    form = QuickAddForm(posted(request))
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            fields = {"name": said["name"], "amount": said["amount"]}
            if said["company"]:
                fields["company"] = Company(name=said["company"])  # found or added with the deal, or not at all
            deal = open_deal(stage=stage, fields=fields, by=person, now=timezone.now())
        except RuleError as refusal:
            form.add_error(None, refusal.message)
        else:
            return _added(request, deal)
    page = "pipeline/deal_board.html#deal-add" if request.htmx else "pipeline/deal_board_add.html"
    status = 422 if form.errors else 200
    return render(request, page, {"form": form, "stage": stage, "board": shown}, status=status)


def _added(request: PersonRequest, deal: Deal) -> HttpResponse:
    if not request.htmx:
        return redirect("deal_board", slug=deal.pipeline.slug)
    now = timezone.now()
    [card] = draw([row_of(deal, now)], request.user, now)
    response = HttpResponse(card.html)
    response["HX-Trigger-After-Settle"] = json.dumps({"deal-added": {"pk": deal.pk, "stage": deal.stage_id}})
    return response
