"""What a wall clock says, in UTC: daylight saving, skipped days and zones that are not whole hours included.

A wall time is a naive datetime beside an IANA zone. In the database its column holds it as if it were UTC
(`as_stored`), since PostgreSQL's `timestamptz` is the only time Django keeps with time zones on.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass

from django.conf import settings


def zone_of(name: str) -> zoneinfo.ZoneInfo:
    """Return the IANA zone `name`, or the organisation's where this machine does not know it."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo(settings.TIME_ZONE)


@dataclass(frozen=True)
class WallTime:
    """What a clock on a wall in `zone` shows."""

    local: dt.datetime
    zone: str

    @classmethod
    def of(cls, instant: dt.datetime, zone: str) -> WallTime:
        """What a clock in `zone` shows at `instant`."""
        return cls(instant.astimezone(zone_of(zone)).replace(tzinfo=None), zone)

    @classmethod
    def stored(cls, column: dt.datetime, zone: str) -> WallTime:
        """The wall time that a column holds as if it were UTC."""
        return cls(column.astimezone(dt.UTC).replace(tzinfo=None), zone)

    @property
    def as_stored(self) -> dt.datetime:
        """The wall time as a column holds it."""
        return self.local.replace(tzinfo=dt.UTC)

    @property
    def utc(self) -> dt.datetime:
        """The instant: right after the gap where clocks skip this time, the first of the two where they repeat it."""
        zone = zone_of(self.zone)
        first = self.local.replace(tzinfo=zone, fold=0).astimezone(dt.UTC)
        if first.astimezone(zone).replace(tzinfo=None) == self.local.replace(fold=0):
            return first
        before_gap = self.local.replace(tzinfo=zone, fold=1).astimezone(dt.UTC)
        return _end_of_gap(before_gap, first, zone)

    def seen_from(self, zone: str) -> WallTime:
        """The same instant on a clock in another zone; in the same zone the very time, in a gap too."""
        return self if zone == self.zone else WallTime.of(self.utc, zone)

    def moved_to(self, zone: str) -> WallTime:
        """The same figures on a clock in another zone: nine o'clock stays nine o'clock."""
        return WallTime(self.local, zone)


def _end_of_gap(before: dt.datetime, after: dt.datetime, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """Find the instant at which the clocks of `zone` jump, between two instants in UTC; to the second."""
    offset = after.astimezone(zone).utcoffset()
    while after - before > dt.timedelta(seconds=1):
        middle = before + (after - before) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after.replace(microsecond=0)
