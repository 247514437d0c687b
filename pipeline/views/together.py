"""Several deals moved together: from the board's chosen cards and from the rows chosen in the list."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from crm.views.addresses import way_back
from crm.views.authorising import writer_or_403
from crm.views.requests import PersonRequest
from crm.views.undoable import say_undoable
from pipeline.forms.together import MoveTogetherForm
from pipeline.models import Deal
from pipeline.rules.changing_together import Changes
from pipeline.rules.moving_together import Together, move_together
from pipeline.views.board_cards import draw, rows_of
from pipeline.views.moves import moved_event, wants_card

REASONS = 4
"""So many reasons are told one by one; whoever is refused more is told how many."""


@require_POST
def deal_move_together(request: PersonRequest) -> HttpResponse:
    """Move the chosen deals to a stage; who may not move one, or what it lacks, is said of each that stays."""
    person = writer_or_403(request.user)
    form = MoveTogetherForm(request.POST, by=person)
    if not form.is_valid():
        if form.has_error("to", code="invalid_choice"):
            return HttpResponse(status=404)
        text = " ".join(str(error) for errors in form.errors.values() for error in errors)
        if wants_card(request):
            return HttpResponse(text, status=422, content_type="text/plain; charset=utf-8")
        messages.error(request, text)
        return redirect(way_back(request, "back") or "deal_list")
    seen, now = form.seen(), timezone.now()
    outcome = move_together(seen, to=form.cleaned_data["to"], by=person, now=now, key=form.cleaned_data["key"])
    lacking = len(form.cleaned_data["chosen"]) - len(seen)
    if wants_card(request):
        return _for_board(request, outcome, lacking)
    say_together(request, outcome, lacking)
    return redirect(way_back(request, "back") or "deal_list")


def say_together(
    request: PersonRequest, outcome: Together | Changes, lacking: int, *, done: str = "", undo_url: str = ""
) -> None:
    """Say how many were changed (`done` with their count), with a way to undo it, and which were not and why."""
    if outcome.changed:
        text = (done or _("Changed: %(count)d.")) % {"count": len(outcome.changed)}
        say_undoable(request, text, undo_url=undo_url)
    reasons: dict[str, list[str]] = {}
    for refused in outcome.refused:
        reasons.setdefault(refused.why, []).append(str(refused.record))
    for why, names in list(reasons.items())[:REASONS]:
        messages.warning(
            request, _("Left as it was: %(records)s. %(why)s") % {"records": _enumerated(names), "why": why}
        )
    more = lacking + sum(len(names) for names in list(reasons.values())[REASONS:])
    if more:
        words = ngettext("%(count)d more stays as it was.", "%(count)d more stay as they were.", more)
        messages.warning(request, words % {"count": more})


def _enumerated(names: list[str]) -> str:
    """Name the first three, and say how many more there are."""
    first = ", ".join(_("“%(name)s”") % {"name": name} for name in names[:3])
    more = len(names) - 3
    if more <= 0:
        return first
    return ngettext("%(names)s and %(count)d more", "%(names)s and %(count)d more", more) % {
        "names": first, "count": more,
    }  # fmt: skip


def _for_board(request: PersonRequest, outcome: Together, lacking: int) -> JsonResponse:
    """The moved cards with what there is to undo, and a dialog that names those that stay."""
    rows = rows_of(Deal.objects.filter(pk__in=[deal.pk for deal in outcome.changed]))
    cards = {card.pk: card.html for card in draw(rows, request.user, timezone.now())}
    context = {"outcome": outcome, "lacking": lacking}
    is_whole = not outcome.refused and not lacking
    return JsonResponse(
        {
            "moved": [
                {**moved_event(deal, outcome.before[deal.pk]), "card": cards.get(deal.pk)} for deal in outcome.changed
            ],
            "refused": "" if is_whole else render_to_string("pipeline/deal_together.html", context, request),
            "title": ngettext("%(count)d deal", "%(count)d deals", len(outcome.changed))
            % {"count": len(outcome.changed)},
        }
    )
