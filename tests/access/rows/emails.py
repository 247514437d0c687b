"""E-mail: templates, letters, and the door out."""

from __future__ import annotations

from typing import Any

from tests.access.policies import IDENTITIES, Row
from tests.access.world import World

NOWHERE = dict.fromkeys(IDENTITIES, "404")


def _wrong_secret(_world: World) -> dict[str, Any]:
    return {"secret": "x" * 43}


ROWS: dict[str, Row] = {
    "unsubscribe": Row(get=NOWHERE, post=NOWHERE, args=_wrong_secret),
}
