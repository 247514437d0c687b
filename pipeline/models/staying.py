"""How much too long something has lasted: a deal's stay at a stage, or the silence around it."""

from __future__ import annotations

import datetime as dt


def days_quiet(contact_at: dt.datetime | None, began_at: dt.datetime, limit: int | None, now: dt.datetime) -> int:
    """Return the whole days of silence, once it has lasted longer than `limit` days; 0 while it has not."""
    silence = now - max(filter(None, (contact_at, began_at)))
    return silence.days if limit is not None and silence > dt.timedelta(days=limit) else 0


def days_rotting(entered_at: dt.datetime | None, limit: int | None, now: dt.datetime) -> int:
    """Return the whole days a stay has lasted beyond `limit` days, at least 1 once beyond it; 0 while within."""
    if limit is None or entered_at is None:
        return 0
    over = now - entered_at - dt.timedelta(days=limit)
    return over.days + 1 if over > dt.timedelta(0) else 0
