"""Moving a deal over HTTP: the drag, the menu and the deal's page post the same forms."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from crm.models import AuditEntry
from crm.rules.answers import first_answer
from crm.rules.errors import NotAllowed, RuleError
from crm.views.addresses import whole_number
from crm.views.authorising import editable_or_403
from crm.views.dialogs import render_dialog
from crm.views.requests import PersonRequest, posted
from pipeline.forms.moves import LoseForm, MoveForm, UndoForm, WinForm
from pipeline.models import Deal, Stage
from pipeline.rules.moving import lose_deal, move_deal, undo_move
from pipeline.rules.refusals import DealConflict, StageRequires, TooLateToUndo
from pipeline.rules.requirements import missing_for
from pipeline.views.board_cards import Card, draw, row_of

Told = Callable[[Deal], dict[str, Any]]
"""Makes of a changed deal what pages are told of the change."""


@require_http_methods(["GET", "HEAD", "POST"])
def deal_move(request: PersonRequest, pk: int) -> HttpResponse:
    """Move a deal to a stage; what the stage asks for is asked in the same form."""
    deal = _deal(request, pk)
    form = MoveForm(posted(request), deal=deal, by=request.user, initial={"to": request.GET.get("to")})
    if request.method == "POST":
        if form.has_error("to", code="invalid_choice"):
            return HttpResponse(status=404)
        if form.is_valid():
            return answer(request, deal, form, lambda: _moved(request, deal, form), moved_from(deal))
    to = form.fields["to"].queryset.filter(pk=whole_number(str(form["to"].value() or ""))).first()  # type: ignore[attr-defined]
    form.ask_for(missing_for(deal, to) if to else [])
    return ask_again(request, form)


@require_http_methods(["GET", "HEAD", "POST"])
def deal_win(request: PersonRequest, pk: int) -> HttpResponse:
    """Win a deal with its real amount and day: a move to the pipeline's won stage."""
    deal = _deal(request, pk)
    form = WinForm(posted(request), deal=deal, by=request.user)
    to = _won_stage(deal)
    if request.method == "POST" and form.is_valid():
        if to is not None:
            return answer(request, deal, form, lambda: _won(request, deal, form, to), moved_from(deal))
        form.add_error(None, _("This pipeline has no stage that means won; an admin adds one."))
    form.ask_for(missing_for(deal, to) if to else [])
    return ask_again(request, form)


@require_http_methods(["GET", "HEAD", "POST"])
def deal_lose(request: PersonRequest, pk: int) -> HttpResponse:
    """Lose a deal for a reason."""
    deal = _deal(request, pk)
    form = LoseForm(posted(request), deal=deal, by=request.user)
    if request.method == "POST" and form.is_valid():
        return answer(request, deal, form, lambda: _lost(request, deal, form), moved_from(deal))
    return ask_again(request, form)


@require_POST
def deal_undo(request: PersonRequest, pk: int) -> HttpResponse:
    """Take back the last move, within the seconds the toast shows."""
    deal = _deal(request, pk)
    form = UndoForm(request.POST, deal=deal, by=request.user)
    if not form.is_valid():
        return HttpResponse(status=422)
    return answer(request, deal, form, lambda: _undone(request, deal, form), moved_from(deal))


def _deal(request: PersonRequest, pk: int) -> Deal:
    return editable_or_403(Deal.objects.select_related("stage"), request.user, pk=pk)


def _moved(request: PersonRequest, deal: Deal, form: MoveForm) -> Deal:
    said = form.cleaned_data
    return move_deal(
        deal, to=said["to"], seen_version=said["version"], by=request.user, now=timezone.now(), details=form.details(),
        key=said["key"],
    )  # fmt: skip


def _won_stage(deal: Deal) -> Stage | None:
    return deal.pipeline.stages.live().filter(kind=Stage.Kind.WON).order_by("position").first()


def _undone(request: PersonRequest, deal: Deal, form: UndoForm) -> Deal:
    seen_version = form.cleaned_data["version"]
    return undo_move(deal, seen_version=seen_version, by=request.user, now=timezone.now(), place=form.place())


def _won(request: PersonRequest, deal: Deal, form: WinForm, to: Stage) -> Deal:
    said, now = form.cleaned_data, timezone.now()
    return move_deal(
        deal, to=to, seen_version=said["version"], by=request.user, now=now, details=form.details(now), key=said["key"]
    )


def _lost(request: PersonRequest, deal: Deal, form: LoseForm) -> Deal:
    said = form.cleaned_data
    return lose_deal(
        deal, loss=form.loss(), seen_version=said["version"], by=request.user, now=timezone.now(), key=said["key"]
    )


def answer(request: PersonRequest, deal: Deal, form: Any, write: Callable[[], Deal], told: Told) -> HttpResponse:
    """Write, and answer: 200 or a redirect, 409 with the fresh state, 422 with what is missing.

    `told` makes of the fresh deal what pages are told of it.
    """
    try:
        fresh = deal if _was_answered(request, deal, form) else write()
    except DealConflict as conflict:
        if not _was_answered(request, deal, form):  # else the first try of this very move won while it waited
            return _conflict(request, conflict.deal, form, told)
        fresh = conflict.deal
    except StageRequires as refusal:
        return _ask(request, form, refusal)
    except TooLateToUndo as refusal:
        return HttpResponse(refusal.message, status=409, content_type="text/plain; charset=utf-8")
    except NotAllowed:
        raise  # 403
    except RuleError as refusal:
        form.add_error(None, refusal.message)
        return ask_again(request, form)
    return _done(request, fresh, told)


def _was_answered(request: PersonRequest, deal: Deal, form: Any) -> bool:
    key = form.cleaned_data.get("key", "")
    return first_answer(by=request.user, key=key, purpose=f"deal-{deal.pk}") is not None


def _done(request: PersonRequest, deal: Deal, told: Told) -> HttpResponse:
    if not (request.htmx or wants_card(request)):
        return redirect(deal.get_absolute_url())
    event = told(deal)
    body = _card(request, deal, event).html if wants_card(request) and not event["is_lost"] else ""
    response = HttpResponse(body)
    response["HX-Trigger"] = json.dumps({"deal-moved": event, "dialog-close": True})
    return response


def moved_from(before: Deal) -> Told:
    """What pages are told of a move of the deal that was `before`."""
    stage = before.stage
    return lambda deal: moved_event(deal, stage)


def moved_event(deal: Deal, before: Stage) -> dict[str, Any]:
    """What pages are told of a move: which deal, from where, to where, and whether there is something to undo."""
    is_lost = deal.outcome == Deal.Outcome.LOST
    return {
        "by": "stage",
        "undo": reverse("deal_undo", args=[deal.pk]),
        "pk": deal.pk,
        "version": deal.version,
        "stage": deal.stage_id,
        "from": before.pk,
        "title": deal.name,
        "from_label": before.label,
        "to_label": str(deal.get_outcome_display()) if is_lost else deal.stage.label,
        "is_moved": before.pk != deal.stage_id or is_lost,
        "is_lost": is_lost,
    }


def _conflict(request: PersonRequest, fresh: Deal, form: Any, told: Told) -> HttpResponse:
    """Who moved it where and when, the fresh card, and two ways on."""
    last = AuditEntry.objects.about("deal", fresh.pk).select_related("actor").first()
    before = last.before if last else {}
    was = Stage.objects.filter(pk=before["stage_id"]).first() if before.get("stage_id") else None
    event, again = told(fresh), request.path if "to" in form.fields else reverse("deal_move", args=[fresh.pk])
    context = {
        "deal": fresh,
        "last": last,
        "was": was,
        "column": event["stage"],
        "again_url": f"{again}?{urlencode({'to': form.data.get('to', '')})}",
        "card": _card(request, fresh, event),
    }
    if wants_card(request):
        return render(request, "pipeline/deal_conflict.html#beside", context, status=409)
    return render_dialog(
        request,
        form,
        {**context, "title": _("Somebody was first"), "action": request.path, "submit": _("Do it all the same")},
        template="pipeline/deal_conflict.html",
        status=409,
    )


def _ask(request: PersonRequest, form: Any, refusal: StageRequires) -> HttpResponse:
    """The same form, with a field for everything that is missing; what it has no field for is said."""
    if hasattr(form, "ask_for"):
        form.ask_for(refusal.missing)
    for missing in refusal.missing:
        if missing.key in form.fields:
            form.add_error(missing.key, _("The stage asks for this."))
    if any(missing.is_tick for missing in refusal.missing):
        form.add_error("ticked", _("Tick off what is done; the deal moves on when all of it is."))
    if not form.errors:
        form.add_error(None, refusal.message)
    return ask_again(request, form)


def ask_again(request: PersonRequest, form: Any) -> HttpResponse:
    """Show the form in its dialog, with what is wrong in it."""
    title = form.title % {"deal": form.deal}
    context = {"action": request.path, "title": title, "submit": form.submit, "danger": form.is_danger}
    if wants_card(request):
        page = render_to_string("components/dialog.html", {**context, "form": form}, request)
        return HttpResponse(page, status=422 if form.errors else 200)
    return render_dialog(request, form, context)


def wants_card(request: PersonRequest) -> bool:
    """Whether the board itself asks: it handles the answer's HTML and status."""
    return request.headers.get("X-Board") == "drag"


def _card(request: PersonRequest, deal: Deal, event: dict[str, Any]) -> Card:
    now = timezone.now()
    stages = {} if event["by"] == "stage" else {deal.stage_id: deal.stage}
    [card] = draw([row_of(deal, now)], request.user, now, stages=stages)
    return card
