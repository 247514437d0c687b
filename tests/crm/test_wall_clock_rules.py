"""Wall times in zones that skip and repeat them."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.rules.wall_clock import WallTime, zone_of

SKIPPED_AND_REPEATED = [
    # Berlin: 2:00 to 3:00 does not exist on 29 March, and comes twice on 25 October.
    ("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:00"),
    ("Europe/Berlin", "2026-03-29T02:00", "2026-03-29T01:00"),
    ("Europe/Berlin", "2026-03-29T03:00", "2026-03-29T01:00"),
    ("Europe/Berlin", "2026-03-29T01:59", "2026-03-29T00:59"),
    ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30"),
    ("Europe/Berlin", "2026-10-25T03:00", "2026-10-25T02:00"),
    ("America/New_York", "2026-03-08T02:30", "2026-03-08T07:00"),
    ("America/New_York", "2026-11-01T01:30", "2026-11-01T05:30"),
    # Lord Howe moves its clocks by half an hour.
    ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30"),
    ("Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45"),
    # Apia skipped the whole of 30 December 2011 when it crossed the date line.
    ("Pacific/Apia", "2011-12-30T09:00", "2011-12-30T10:00"),
    ("Pacific/Apia", "2011-12-31T00:00", "2011-12-30T10:00"),
    ("Pacific/Apia", "2026-07-02T09:00", "2026-07-01T20:00"),
    # Kathmandu is a quarter of an hour off everybody else.
    ("Asia/Kathmandu", "2026-07-02T09:00", "2026-07-02T03:15"),
]


@pytest.mark.parametrize(("zone", "local", "utc"), SKIPPED_AND_REPEATED)
def test_wall_time_becomes_the_instant_it_names(zone: str, local: str, utc: str) -> None:
    instant = WallTime(dt.datetime.fromisoformat(local), zone).utc

    assert instant == dt.datetime.fromisoformat(utc).replace(tzinfo=dt.UTC)


@given(
    st.datetimes(dt.datetime(2010, 1, 1), dt.datetime(2030, 1, 1)),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu"]),
)
def test_clock_never_shows_less_than_was_asked_for(local: dt.datetime, zone: str) -> None:
    local = local.replace(microsecond=0)
    shown = WallTime(local, zone).utc.astimezone(zone_of(zone)).replace(tzinfo=None)

    assert shown >= local
    assert shown - local <= dt.timedelta(days=1)


def test_changed_zone_keeps_the_figures_and_another_viewer_the_instant() -> None:
    nine = WallTime(dt.datetime(2026, 7, 2, 9), "Europe/Berlin")

    assert nine.moved_to("America/New_York").utc == dt.datetime(2026, 7, 2, 13, tzinfo=dt.UTC)
    assert nine.seen_from("America/New_York") == WallTime(dt.datetime(2026, 7, 2, 3), "America/New_York")
    gap = WallTime(dt.datetime(2026, 3, 29, 2, 30), "Europe/Berlin")
    assert gap.seen_from("Europe/Berlin") is gap


def test_unknown_zone_is_the_organisations() -> None:
    assert WallTime(dt.datetime(2026, 7, 2, 9), "Mars/Olympus").utc == dt.datetime(2026, 7, 2, 9, tzinfo=dt.UTC)


def test_column_holds_the_wall_time_as_if_it_were_utc() -> None:
    nine = WallTime(dt.datetime(2026, 7, 2, 9), "Asia/Kathmandu")

    assert WallTime.stored(nine.as_stored, "Asia/Kathmandu") == nine
