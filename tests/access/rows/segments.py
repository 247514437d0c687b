"""Segments: here one that its owner shares with the team."""

from __future__ import annotations

from tests.access.policies import (
    CLAIMERS,
    EVERYBODY,
    OWNERS,
    READERS,
    RESTORERS,
    WRITERS,
    Row,
    form,
    reads,
    writes,
)
from tests.access.rows.arguments import of

SEGMENT = of(pk="segment")


def _about(_world: object) -> dict[str, str]:
    return {"about": "lead"}


ROWS: dict[str, Row] = {
    "segment_list": reads(EVERYBODY, names=READERS),
    "segment_create": form(WRITERS, _about),
    "segment_preview": writes(
        WRITERS,
        _about,
        fields={"join:0": "all", "field:0.0": "name", "op:0.0": "filled"},
    ),
    "segment_edit": form(OWNERS, SEGMENT),
    "segment_count": reads(READERS, SEGMENT),
    "segment_duplicate": writes(CLAIMERS, SEGMENT),
    "segment_share": form(OWNERS, SEGMENT),
    "segment_delete": writes(OWNERS, SEGMENT),
    "segment_restore": writes(RESTORERS, of(pk="deleted_segment")),
}
