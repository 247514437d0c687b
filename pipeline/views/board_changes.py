"""What others did to a board while somebody looks at it, read from the audit log."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.template.loader import render_to_string

from crm.models import AuditEntry, FollowUp
from crm.views.requests import PersonRequest
from pipeline.models import Deal
from pipeline.views.board_cards import Card, draw, open_cards
from pipeline.views.board_columns import Board

LATE = dt.timedelta(seconds=6)
"""Entries get their number before their transaction commits: for so long a lower number may still appear."""
LATE_BY = 1_000
MOST = 40
"""With more changes than this the board is drawn anew."""


def changes_since(board: Board, since: int, request: PersonRequest) -> dict[str, Any] | None:
    """Return the cards changed after entry `since` with their places, and who left; None when nothing changed.

    An entry may come twice: the page skips cards whose version it already shows.
    """
    entries = AuditEntry.objects.filter(pk__gt=since - LATE_BY, kind__in=("deal", "follow_up")).order_by("pk")
    recent = [
        (pk, kind, record_id)
        for pk, kind, record_id, at in entries.values_list("pk", "kind", "record_id", "at")[:5_000]
        if pk > since or at > board.now - LATE
    ]
    if not recent:
        return None
    cursor = max(since, recent[-1][0])
    ids = _deal_ids(recent)
    touched = Deal.objects.filter(pk__in=ids, pipeline=board.pipeline).values_list("pk", flat=True)
    if not touched:
        return {"cursor": cursor, "cards": [], "gone": []} if cursor > since else None
    if len(touched) > MOST:
        return {"cursor": cursor, "reload": True}
    deals = list(board.deals.filter(pk__in=touched).select_related("stage", "owner", "company"))
    cards = draw(deals, board.viewer, board.now)
    return {
        "cursor": cursor,
        "cards": [_placed(board, deal, card, request) for deal, card in zip(deals, cards, strict=True)],
        "gone": sorted(set(touched) - {deal.pk for deal in deals}),
    }


def _deal_ids(recent: list[tuple[int, str, int]]) -> set[int]:
    ids = {record_id for _pk, kind, record_id in recent if kind == "deal"}
    follow_ups = [record_id for _pk, kind, record_id in recent if kind == "follow_up"]
    if follow_ups:
        about_deals = FollowUp.objects.filter(pk__in=follow_ups, subject_type=ContentType.objects.get_for_model(Deal))
        ids |= set(about_deals.values_list("subject_id", flat=True))
    return ids


def _placed(board: Board, deal: Deal, card: Card, request: PersonRequest) -> dict[str, Any]:
    """A card's HTML, its column, and the card above it (None: it lies on top)."""
    column = open_cards(deal.stage, board.deals)
    if deal.stage.is_won:
        above = column.filter(won_at__gt=deal.won_at).order_by("won_at", "pk")
    else:
        above = column.filter(rank__lt=deal.rank).order_by("-rank", "-pk")
    return {
        "pk": deal.pk,
        "stage": deal.stage_id,
        "version": deal.version,
        "state": card.state,
        "after": above.values_list("pk", flat=True).first(),
        "html": render_to_string("pipeline/deal_board.html#deal-card", {"card": card, "board": board}, request),
    }
