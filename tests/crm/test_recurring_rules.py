"""When what repeats comes next: rules of whole days on a wall clock, whatever the clocks do."""

from __future__ import annotations

import datetime as dt
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.rules.recurring import BadRule, first_occurrence, next_occurrence, occurrences, read_rule
from crm.rules.wall_clock import WallTime
from crm.rules.working_time import WorkingHours

START = dt.datetime(2026, 7, 1, 9)  # a Wednesday
OFFICE: tuple[tuple[dt.time, dt.time], ...] = ((dt.time(9), dt.time(18)),)
WEEKDAYS = WorkingHours(zone="Europe/Berlin", week=(OFFICE,) * 5 + ((), ()), country="DE")


def days(rule: str, count: int = 4, start: dt.datetime = START, hours: WorkingHours | None = None) -> list[str]:
    return [f"{one.due:%m-%d}" for one in islice(occurrences(read_rule(rule), start, hours), count)]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=DAILY", ["07-01", "07-02", "07-03", "07-04"]),
        ("RRULE:freq=weekly;byday=mo,th", ["07-02", "07-06", "07-09", "07-13"]),
        ("FREQ=WEEKLY;INTERVAL=2", ["07-01", "07-15", "07-29", "08-12"]),
        ("FREQ=MONTHLY;BYDAY=2TU", ["07-14", "08-11", "09-08", "10-13"]),
        ("FREQ=MONTHLY;BYDAY=-1FR", ["07-31", "08-28", "09-25", "10-30"]),
        ("FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1", ["07-31", "08-31", "09-30", "10-31"]),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=28,29;BYSETPOS=-1", ["02-28", "02-29", "02-28", "02-28"]),
        ("FREQ=DAILY;COUNT=2", ["07-01", "07-02"]),
        ("FREQ=DAILY;UNTIL=20260702", ["07-01", "07-02"]),
        ("FREQ=DAILY;UNTIL=20260702T080000Z", ["07-01", "07-02"]),
    ],
)
def test_rules_name_their_days(rule: str, expected: list[str]) -> None:
    assert days(rule) == expected


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "every day",
        "FREQ=HOURLY",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=100000",
        "FREQ=WEEKLY;BYDAY=2MO",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=DAILY;BYHOUR=9",
        "FREQ=DAILY;COUNT=2;UNTIL=20270101",
        "FREQ=MONTHLY;BYMONTHDAY=32",
        "FREQ=MONTHLY;BYMONTHDAY=0",
        "FREQ=DAILY\nRRULE:FREQ=WEEKLY",
        "FREQ=DAILY;UNTIL=99999999",
        "FREQ=DAILY;" + "BYMONTH=1," * 100,
    ],
)
def test_what_is_no_rule_of_days_is_refused(rule: str) -> None:
    with pytest.raises(BadRule):
        read_rule(rule)


def test_a_day_that_never_comes_is_refused_at_once() -> None:
    with pytest.raises(BadRule):
        first_occurrence(read_rule("FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30"), START)


def test_a_day_off_moves_to_the_next_working_day_and_never_falls_on_another() -> None:
    # Saturday, Sunday and Monday are one Monday.
    assert days("FREQ=DAILY", 5, dt.datetime(2026, 7, 3, 9), WEEKDAYS) == ["07-03", "07-06", "07-07", "07-08", "07-09"]
    # Christmas of 2026 is a Friday: Monday the 28th.
    assert days("FREQ=YEARLY", 1, dt.datetime(2026, 12, 25, 9), WEEKDAYS) == ["12-28"]


def test_what_was_missed_does_not_pile_up() -> None:
    late = dt.datetime(2026, 7, 22, 8)
    found = next_occurrence("FREQ=WEEKLY", START, None, after=START, now=late)
    assert found is not None
    assert found.due == dt.datetime(2026, 7, 22, 9)
    assert next_occurrence("FREQ=DAILY;COUNT=3", START, None, after=START, now=late) is None


def test_done_early_it_is_not_due_again_for_the_same_time() -> None:
    found = next_occurrence("FREQ=DAILY", START, None, after=START, now=START - dt.timedelta(days=1))
    assert found is not None
    assert found.nominal == START + dt.timedelta(days=1)


CLOCK_CHANGES = [
    ("Europe/Berlin", dt.datetime(2026, 3, 27)),
    ("Europe/Berlin", dt.datetime(2026, 10, 23)),
    ("America/New_York", dt.datetime(2026, 3, 6)),
    ("America/New_York", dt.datetime(2026, 10, 30)),
    ("Australia/Lord_Howe", dt.datetime(2026, 4, 3)),
    ("Australia/Lord_Howe", dt.datetime(2026, 10, 2)),
    ("Pacific/Apia", dt.datetime(2011, 12, 27)),
    ("Asia/Kathmandu", dt.datetime(1985, 12, 29)),
]


@pytest.mark.parametrize(("zone", "start"), CLOCK_CHANGES)
@settings(max_examples=60, deadline=None)
@given(minutes=st.integers(0, 24 * 60 - 1))
def test_each_day_of_a_clock_change_comes_once_and_in_order(zone: str, start: dt.datetime, minutes: int) -> None:
    first = start + dt.timedelta(minutes=minutes)
    nominal = [one.nominal for one in islice(occurrences("FREQ=DAILY", first), 7)]
    instants = [WallTime(local, zone).utc for local in nominal]

    assert nominal == [first + dt.timedelta(days=day) for day in range(7)]
    assert instants == sorted(instants)
    # The midnight of a day that is skipped is that of the day after.
    assert len(set(instants)) == (6 if zone == "Pacific/Apia" and not minutes else 7)
    for local, instant in zip(nominal, instants, strict=True):
        shown = WallTime.of(instant, zone).local
        # At the very time on the wall or, where clocks skipped it, at the first instant after.
        assert shown == local or shown > local


def test_a_day_that_samoa_skipped_comes_at_its_end() -> None:
    nominal = [one.nominal for one in islice(occurrences("FREQ=DAILY", dt.datetime(2011, 12, 29, 9)), 3)]
    shown = [WallTime.of(WallTime(local, "Pacific/Apia").utc, "Pacific/Apia").local for local in nominal]
    assert [f"{local:%d %H:%M}" for local in shown] == ["29 09:00", "31 00:00", "31 09:00"]


@settings(max_examples=60, deadline=None)
@given(
    frequency=st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    interval=st.integers(1, 30),
    start=st.datetimes(dt.datetime(2024, 1, 1), dt.datetime(2030, 1, 1)),
    has_hours=st.booleans(),
)
def test_completing_one_after_the_other_meets_each_occurrence_once(
    frequency: str, interval: int, start: dt.datetime, has_hours: bool
) -> None:
    rule = read_rule(f"FREQ={frequency};INTERVAL={interval};COUNT=6")
    hours = WEEKDAYS if has_hours else None
    every = list(occurrences(rule, start, hours))
    met = [first_occurrence(rule, start, hours)]
    while found := next_occurrence(rule, start, hours, after=met[-1].nominal, now=met[-1].due):
        met.append(found)
    assert [one.due.date() for one in met] == sorted({one.due.date() for one in every})
