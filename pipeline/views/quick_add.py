"""Adding a deal where it will stand: three fields at the top of a column."""

from __future__ import annotations

import json

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from crm.models import Company
from crm.rules.errors import RuleError
from crm.views.authorising import writer_or_403
from crm.views.requests import PersonRequest, posted
from pipeline.forms.moves import QuickAddForm
from pipeline.models import Deal
from pipeline.rules.deals import open_deal
from pipeline.views.board import read_board
from pipeline.views.board_columns import Board
from pipeline.views.board_groups import Group


@require_http_methods(["GET", "HEAD", "POST"])
def deal_quick_add(request: PersonRequest, slug: str, key: str) -> HttpResponse:
    """Show the three fields, and open the deal they name in the column `key`."""
    person = writer_or_403(request.user)
    shown = read_board(request, slug)
    group = shown.grouping.group(key)
    stage = group.stage or next(iter(shown.grouping.open_stages.values()), None) if group else None
    if group is None or group.beginning is None or stage is None:
        raise Http404
    form = QuickAddForm(posted(request))
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            fields = {**group.beginning, "name": said["name"], "amount": said["amount"]}
            if said["company"]:
                fields["company"] = Company(name=said["company"])  # found or added with the deal, or not at all
            deal = open_deal(stage=stage, fields=fields, by=person, now=timezone.now())
        except RuleError as refusal:
            form.add_error(None, refusal.message)
        else:
            return _added(request, deal, shown, group)
    page = "pipeline/deal_board.html#deal-add" if request.htmx else "pipeline/deal_board_add.html"
    status = 422 if form.errors else 200
    return render(request, page, {"form": form, "group": group, "board": shown}, status=status)


def _added(request: PersonRequest, deal: Deal, shown: Board, group: Group) -> HttpResponse:
    if not request.htmx:
        return redirect(reverse("deal_board", args=[shown.pipeline.slug]) + f"?by={shown.grouping.by}")
    response = HttpResponse()  # an empty place; the page asks for the card where it stands
    response["HX-Trigger-After-Settle"] = json.dumps({"deal-added": {"pk": deal.pk, "stage": group.key}})
    return response
