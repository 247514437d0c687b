"""Saved views: here one that its owner shares with the team."""

from __future__ import annotations

from tests.access.policies import OWNERS, READERS, RESTORERS, WRITERS, Row, form, writes
from tests.access.rows.arguments import of

VIEW = of(pk="saved_view")


def _of_deals(_world: object) -> dict[str, str]:
    return {"page": "deals"}


ROWS: dict[str, Row] = {
    "saved_view_create": form(WRITERS, _of_deals),
    "saved_view_edit": form(OWNERS, VIEW),
    "saved_view_update": writes(OWNERS, VIEW),
    "saved_view_first": writes(READERS, VIEW),
    "saved_view_delete": writes(OWNERS, VIEW),
    "saved_view_restore": writes(RESTORERS, of(pk="deleted_saved_view")),
}
