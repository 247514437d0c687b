"""Follow-ups as a list, as a calendar, and as a calendar in other programs."""

from __future__ import annotations

from typing import Any

from tests.access.policies import EVERYBODY, IDENTITIES, OWNERS, WRITERS, Row, reads, writes
from tests.access.rows.arguments import FOLLOW_UP
from tests.access.world import World

NOWHERE = dict.fromkeys(IDENTITIES, "404")
NOT_POSTED = dict.fromkeys(IDENTITIES, "405")


def _wrong_secret(_world: World) -> dict[str, Any]:
    return {"secret": "x" * 43}


ROWS: dict[str, Row] = {
    "follow_up_list": reads(EVERYBODY),
    "follow_up_bulk": writes(WRITERS),
    "follow_up_move": writes(OWNERS, FOLLOW_UP),
    "calendar": reads(EVERYBODY),
    "calendar_events": reads(EVERYBODY, query="?start=2026-01-01&end=2026-01-08"),
    "calendar_feed": Row(get=NOWHERE, post=NOT_POSTED, args=_wrong_secret),
    "calendar_feed_issue": writes(EVERYBODY),
    "calendar_feed_revoke": writes(EVERYBODY),
}
