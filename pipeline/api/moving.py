"""Moving a deal over the API: the rule that every other way calls too."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Router

from crm.api.authenticating import ApiRequest
from crm.api.authorising import editable
from crm.api.shapes import SeenRecord
from crm.api.writing import filled, write
from crm.rules.errors import RuleError
from pipeline.api.deals import DealShape
from pipeline.api.stages import stage_named
from pipeline.forms.moves import LoseForm, MoveForm, UndoForm, WinForm
from pipeline.models import Deal, Stage
from pipeline.rules.moving import lose_deal, move_deal, undo_move

router = Router(tags=["deals"])


class DealMove(SeenRecord):
    """The stage to go to (id or slug), what it asks for, and between which cards of the column the deal is to lie."""

    stage: int | str
    amount: Decimal | None = None
    company: int | None = None
    contact: int | None = None
    expected_close_on: dt.date | None = None
    source: int | None = None
    ticked: list[int] | None = None
    after: int | None = None
    before: int | None = None


class DealWin(SeenRecord):
    """The real amount and the day; without them the deal's own amount, today."""

    amount: Decimal | None = None
    won_on: dt.date | None = None
    ticked: list[int] | None = None


class DealLoss(SeenRecord):
    """Why it was lost: the id of a reason."""

    reason: int
    competitor: str = ""
    note: str = ""


@router.post("/deals/{int:pk}/move", response=DealShape, url_name="deal_move")
def deal_move(request: ApiRequest, pk: int, body: DealMove) -> HttpResponse:
    """Move a deal to a stage; 422 says what the stage asks for and the deal does not have."""

    def act() -> Deal:
        deal = _deal(request, pk)
        said = body.model_dump(exclude_unset=True, exclude={"stage"})
        said["to"] = stage_named(body.stage, deal.pipeline.stages.live())
        form = filled(lambda data: MoveForm(data, deal=deal, by=request.user), said)
        to, now = form.cleaned_data["to"], timezone.now()
        return move_deal(deal, to=to, seen_version=body.version, by=request.user, now=now, details=form.details())

    return write(request, act)


@router.post("/deals/{int:pk}/win", response=DealShape, url_name="deal_win")
def deal_win(request: ApiRequest, pk: int, body: DealWin) -> HttpResponse:
    """Win a deal: a move to the pipeline's won stage."""

    def act() -> Deal:
        deal, now = _deal(request, pk), timezone.now()
        to = deal.pipeline.stages.live().filter(kind=Stage.Kind.WON).order_by("position").first()
        if to is None:
            raise RuleError(_("This pipeline has no stage that means won; an admin adds one."))
        form = filled(lambda data: WinForm(data, deal=deal, by=request.user), _without_nulls(body))
        return move_deal(deal, to=to, seen_version=body.version, by=request.user, now=now, details=form.details(now))

    return write(request, act)


@router.post("/deals/{int:pk}/lose", response=DealShape, url_name="deal_lose")
def deal_lose(request: ApiRequest, pk: int, body: DealLoss) -> HttpResponse:
    """Lose a deal, for a reason."""

    def act() -> Deal:
        deal = _deal(request, pk)
        form = filled(lambda data: LoseForm(data, deal=deal, by=request.user), body)
        now = timezone.now()
        return lose_deal(deal, loss=form.loss(), seen_version=body.version, by=request.user, now=now)

    return write(request, act)


@router.post("/deals/{int:pk}/undo", response=DealShape, url_name="deal_undo")
def deal_undo(request: ApiRequest, pk: int, body: SeenRecord) -> HttpResponse:
    """Take back one's own last move, within a few seconds."""

    def act() -> Deal:
        deal = _deal(request, pk)
        form = filled(lambda data: UndoForm(data, deal=deal, by=request.user), body)
        now = timezone.now()
        return undo_move(deal, seen_version=body.version, by=request.user, now=now, place=form.place())

    return write(request, act)


def _deal(request: ApiRequest, pk: int) -> Deal:
    return editable(Deal.objects.select_related("stage", "pipeline", "company", "owner"), request.user, pk)


def _without_nulls(body: SeenRecord) -> dict[str, Any]:
    return body.model_dump(exclude_unset=True, exclude_none=True)
