"""The queue: admins alone."""

from __future__ import annotations

from typing import Any

from tests.access.policies import ADMINS, NOBODY, Row
from tests.access.rows.arguments import Args, of
from tests.access.world import World

ROW: Args = of(pk="outbox_row")


def _kind(_world: World) -> dict[str, Any]:
    return {"kind": "reminder"}


ROWS: dict[str, Row] = {
    "operations": Row(get=ADMINS, post=NOBODY),
    "outbox_list": Row(get=ADMINS, post=NOBODY),
    "outbox_detail": Row(get=ADMINS, post=NOBODY, args=ROW),
    "outbox_row_retry": Row(get=NOBODY, post=ADMINS, args=ROW),
    "outbox_row_cancel": Row(get=NOBODY, post=ADMINS, args=ROW),
    "outbox_row_settle": Row(get=NOBODY, post=ADMINS, args=ROW),
    "outbox_pause": Row(get=NOBODY, post=ADMINS, args=_kind),
    "outbox_resume": Row(get=NOBODY, post=ADMINS, args=_kind),
    "outbox_retry": Row(get=NOBODY, post=ADMINS, args=_kind),
}
