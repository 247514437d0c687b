"""What the lists of records share: their columns, and several of their rows changed at once."""

from __future__ import annotations

from tests.access.policies import EVERYBODY, WRITERS, Row, form, writes


def _deals(_world: object) -> dict[str, str]:
    return {"name": "deals"}


ROWS: dict[str, Row] = {
    "columns_choose": form(EVERYBODY, _deals),
    "bulk_edit": writes(WRITERS, _deals),
    "bulk_undo": writes(WRITERS, lambda _world: {"key": "none"}),
}
