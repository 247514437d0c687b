"""What others did to a board while somebody looks at it, read from the audit log."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

from django.contrib.contenttypes.models import ContentType
from django.db.models import Q

from crm.models import AuditEntry, FollowUp, within
from pipeline.models import Deal
from pipeline.views.board_cards import Card, Row, rows_of
from pipeline.views.board_columns import Board

LATE = dt.timedelta(seconds=6)
"""Entries get their number before their transaction commits: for so long a lower number may still appear."""
LATE_BY = 1_000
MOST = 40
"""With more changes than this the board is drawn anew."""


class Entry(NamedTuple):
    """What is read of an audit entry; `owner_was` where the owner changed."""

    pk: int
    kind: str
    record_id: int
    owner_was: int | None


def changes_since(board: Board, since: int) -> dict[str, Any] | None:
    """Return the cards changed after entry `since` with their places, and who left; None when nothing changed.

    An entry may come twice: the page skips cards whose version it already shows.
    """
    recent = _entries_after(since, board.now)
    if not recent:
        return None
    cursor = max(since, recent[-1].pk)
    touched = set(_of_this_board(board, recent).values_list("pk", flat=True))
    if not touched:
        return {"cursor": cursor, "cards": [], "gone": []} if cursor > since else None
    if len(touched) > MOST:
        return {"cursor": cursor, "reload": True}
    rows = rows_of(board.deals.filter(pk__in=touched))
    cards = board.drawn(rows)
    return {
        "cursor": cursor,
        "cards": [_placed(board, row, card) for row, card in zip(rows, cards, strict=True)],
        "gone": sorted(touched - {row.pk for row in rows}),
    }


def _entries_after(since: int, now: dt.datetime) -> list[Entry]:
    late = Q(pk__gt=since - LATE_BY, at__gt=now - LATE)
    entries = AuditEntry.objects.filter(Q(pk__gt=since) | late, kind__in=("deal", "follow_up")).order_by("pk")
    return [Entry(*values) for values in entries.values_list("pk", "kind", "record_id", "before__owner_id")[:5_000]]


def _of_this_board(board: Board, entries: list[Entry]) -> Any:
    """The changed deals that the viewer sees, in the bin or out of it, or saw until they got another owner."""
    ids = {entry.record_id for entry in entries if entry.kind == "deal"}
    follow_ups = [entry.record_id for entry in entries if entry.kind == "follow_up"]
    if follow_ups:
        about_deals = FollowUp.objects.filter(pk__in=follow_ups, subject_type=ContentType.objects.get_for_model(Deal))
        ids |= set(about_deals.values_list("subject_id", flat=True))
    changed = Deal.objects.filter(pk__in=ids, pipeline=board.pipeline)
    seen = board.viewer.visible_owner_ids
    if seen is None:
        return changed
    taken_away = {entry.record_id for entry in entries if entry.owner_was in seen}
    return changed.filter(within("owner_id", seen) | Q(pk__in=taken_away))


def place_of(board: Board, row: Row) -> tuple[str, int | None]:
    """In which column a card lies, and the deal of the card above it (None: it lies on top)."""
    key = board.grouping.key_of(row)
    group = board.grouping.group(key)
    above = group.cards(board.deals).filter(group.order.above(row)).reverse() if group else Deal.objects.none()
    return key, above.values_list("pk", flat=True).first()


def _placed(board: Board, row: Row, card: Card) -> dict[str, Any]:
    """A card's HTML, its column, and the card above it."""
    key, above = place_of(board, row)
    return {
        "pk": card.pk,
        "stage": key,
        "version": card.version,
        "state": card.state,
        "after": above,
        "html": card.html,
    }
