"""Several chosen cards of a board moved together, handed over or re-dated: what its columns stand for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

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
from pipeline.forms.together import HandOverTogetherForm, MoveTogetherForm, RedateTogetherForm, TogetherForm
from pipeline.models import Deal
from pipeline.rules.changing_together import Changes
from pipeline.rules.moving_together import Seen, Together, hand_over_together, move_together, redate_together
from pipeline.views.board_cards import draw, rows_of
from pipeline.views.board_groups import column_label
from pipeline.views.moves import moved_event, wants_card
from pipeline.views.regrouping import handed_over_event, redated_event

Write = Callable[[list[Seen], dict[str, Any]], Together]
Event = Callable[[Deal, Any], dict[str, Any]]
"""Makes of a changed deal, and of what it had before, what pages are told of the change."""

REASONS = 4
"""So many reasons are told one by one; whoever is refused more is told how many."""


@require_POST
def deal_move_together(request: PersonRequest) -> HttpResponse:
    """Move the chosen deals to a stage; who may not move one, or what it lacks, is said of each that stays."""
    person = writer_or_403(request.user)
    form = MoveTogetherForm(request.POST, by=person)
    if form.has_error("to", code="invalid_choice"):
        return HttpResponse(status=404)
    now = timezone.now()
    return _answer(request, form, lambda seen, said: move_together(seen, by=person, now=now, **said), moved_event)


@require_POST
def deal_hand_over_together(request: PersonRequest) -> HttpResponse:
    """Give the chosen deals to somebody else."""
    person = writer_or_403(request.user)
    form = HandOverTogetherForm(request.POST, by=person)
    return _answer(request, form, lambda seen, said: hand_over_together(seen, by=person, **said), handed_over_event)


@require_POST
def deal_redate_together(request: PersonRequest) -> HttpResponse:
    """Expect the chosen deals to close in another month."""
    person = writer_or_403(request.user)
    form = RedateTogetherForm(request.POST, by=person)
    return _answer(
        request, form, lambda seen, said: redate_together(seen, by=person, today=form.today, **said), _month_event
    )


def _answer(request: PersonRequest, form: TogetherForm, write: Write, event: Event) -> HttpResponse:
    if not form.is_valid():
        text = " ".join(str(error) for errors in form.errors.values() for error in errors)
        if wants_card(request):
            return HttpResponse(text, status=422, content_type="text/plain; charset=utf-8")
        messages.error(request, text)
        return redirect(way_back(request, "back") or "deal_list")
    seen = form.seen()
    outcome = write(seen, {name: form.cleaned_data[name] for name in ("to", "key")})
    lacking = len(form.cleaned_data["chosen"]) - len(seen)
    if wants_card(request):
        return _for_board(request, outcome, lacking, event)
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


def _month_event(deal: Deal, was: dt.date | None) -> dict[str, Any]:
    """Months in place of days: the chosen had several."""
    event = redated_event(deal, was)
    return {**event, "from_label": column_label(event["from"]), "to_label": column_label(event["stage"])}


def _for_board(request: PersonRequest, outcome: Together, lacking: int, event: Event) -> JsonResponse:
    """The moved cards with what there is to undo, and a dialog that names those that stay."""
    rows = rows_of(Deal.objects.filter(pk__in=[deal.pk for deal in outcome.changed]))
    cards = {card.pk: card.html for card in draw(rows, request.user, timezone.now())}
    context = {"outcome": outcome, "lacking": lacking}
    is_whole = not outcome.refused and not lacking
    return JsonResponse(
        {
            "moved": [{**event(deal, outcome.before[deal.pk]), "card": cards.get(deal.pk)} for deal in outcome.changed],
            "refused": "" if is_whole else render_to_string("pipeline/deal_together.html", context, request),
            "title": ngettext("%(count)d deal", "%(count)d deals", len(outcome.changed))
            % {"count": len(outcome.changed)},
        }
    )
