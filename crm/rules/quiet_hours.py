"""When a person wants to be left alone."""

from __future__ import annotations

import datetime as dt

from crm.models import User
from crm.rules.wall_clock import WallTime


def quiet_until(user: User, *, now: dt.datetime) -> dt.datetime | None:
    """Return when the quiet hours end in which `now` lies on the person's clock; None when it is not quiet."""
    if user.quiet_from is None or user.quiet_until is None or user.quiet_from == user.quiet_until:
        return None
    local = WallTime.of(now, user.time_zone).local
    clock, begin, end = local.time(), user.quiet_from, user.quiet_until
    is_quiet = begin <= clock < end if begin < end else clock >= begin or clock < end
    if not is_quiet:
        return None
    day = local.date() if clock < end else local.date() + dt.timedelta(days=1)
    wakes = WallTime(dt.datetime.combine(day, end), user.time_zone).utc
    # An hour that autumn repeats may end "before" now: then it is over.
    return wakes if wakes > now else None
