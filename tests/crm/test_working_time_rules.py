"""Working time: spans, holidays, exceptions, and clocks that jump."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from crm.models import Absence, CalendarException, User, WorkingCalendar
from crm.rules.availability import availability_of, substitute_for
from crm.rules.wall_clock import zone_of
from crm.rules.working_time import (
    AROUND_THE_CLOCK,
    WHOLE_DAY,
    NobodyWorks,
    WorkingHours,
    add_working_days,
    add_working_time,
    hours_of,
    is_working,
    is_working_day,
    next_working_moment,
    working_time_between,
)
from tests.factories import office_hours

HOUR = dt.timedelta(hours=1)
NINE_TO_SIX = (dt.time(9), dt.time(18))
MORNING_AND_AFTERNOON = ((dt.time(9), dt.time(13)), (dt.time(14), dt.time(18)))
OFFICE = WorkingHours(zone="Europe/Berlin", week=((NINE_TO_SIX,),) * 5 + ((), ()))
SHOP = WorkingHours(zone="Europe/Berlin", week=(MORNING_AND_AFTERNOON,) * 6 + ((),))


def at(text: str, zone: str = "Europe/Berlin") -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=zone_of(zone))


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-06-05T16:30", 1, "2026-06-05T17:30"),
        ("2026-06-05T17:30", 1, "2026-06-08T09:30"),  # Friday evening → Monday morning
        ("2026-06-05T17:00", 1, "2026-06-05T18:00"),  # what fills the day ends on it
        ("2026-06-06T12:00", 1, "2026-06-08T10:00"),
        ("2026-06-08T08:59", 1, "2026-06-08T10:00"),
        ("2026-06-08T09:00", 9 * 5, "2026-06-12T18:00"),
        ("2026-06-08T19:00", 0, "2026-06-09T09:00"),
    ],
)
def test_time_is_added_in_working_hours(start: str, hours: int, end: str) -> None:
    assert add_working_time(OFFICE, at(start), hours * HOUR) == at(end)


def test_lunch_is_no_working_time() -> None:
    assert not is_working(SHOP, at("2026-06-06T13:00"))
    assert is_working(SHOP, at("2026-06-06T14:00"))
    assert next_working_moment(SHOP, at("2026-06-06T13:20")) == at("2026-06-06T14:00")
    assert add_working_time(SHOP, at("2026-06-06T12:30"), HOUR) == at("2026-06-06T14:30")
    assert working_time_between(SHOP, at("2026-06-06T12:30"), at("2026-06-08T09:30")) == 5 * HOUR


def test_holidays_of_country_and_region_are_kept() -> None:
    bavaria = WorkingHours(OFFICE.zone, OFFICE.week, "DE", "BY")
    hamburg = WorkingHours(OFFICE.zone, OFFICE.week, "DE", "HH")
    epiphany = dt.date(2026, 1, 6)
    assert (is_working_day(bavaria, epiphany), is_working_day(hamburg, epiphany)) == (False, True)
    # Good Friday to Easter Monday.
    assert add_working_time(hamburg, at("2026-04-02T17:30"), HOUR) == at("2026-04-07T09:30")


def test_weekend_that_makes_up_for_a_holiday_is_worked() -> None:
    russia = WorkingHours("Europe/Moscow", OFFICE.week, "RU")
    assert is_working_day(russia, dt.date(2024, 4, 27))  # a Saturday worked for Monday the 29th
    assert not is_working_day(russia, dt.date(2024, 4, 29))
    assert not is_working_day(russia, dt.date(2024, 4, 20))


@pytest.mark.parametrize(
    ("day", "days", "reached"),
    [
        ("2026-06-05", 1, "2026-06-08"),
        ("2026-06-05", 0, "2026-06-05"),
        ("2026-06-06", 0, "2026-06-08"),
        ("2026-06-06", 1, "2026-06-08"),
        ("2026-06-08", -1, "2026-06-05"),
        ("2026-06-03", 7, "2026-06-12"),
    ],
)
def test_working_days_are_counted(day: str, days: int, reached: str) -> None:
    assert add_working_days(OFFICE, dt.date.fromisoformat(day), days) == dt.date.fromisoformat(reached)


def test_day_on_which_clocks_jump_is_as_long_as_it_is() -> None:
    day = WorkingHours(zone="Europe/Berlin")
    assert working_time_between(day, at("2026-03-29T00:00"), at("2026-03-30T00:00")) == 23 * HOUR
    assert working_time_between(day, at("2026-10-25T00:00"), at("2026-10-26T00:00")) == 25 * HOUR
    assert working_time_between(OFFICE, at("2026-03-27T17:00"), at("2026-03-30T10:00")) == 2 * HOUR


def test_span_within_the_gap_of_spring_is_not_worked() -> None:
    night = WorkingHours(zone="Europe/Berlin", week=(((dt.time(2, 15), dt.time(2, 45)),),) * 7)
    assert next_working_moment(night, at("2026-03-29T00:00")) == at("2026-03-30T02:15")


def test_calendar_that_never_works_says_so() -> None:
    never = WorkingHours(week=((),) * 7)
    for ask in (
        lambda: next_working_moment(never, at("2026-06-05T12:00")),
        lambda: add_working_time(never, at("2026-06-05T12:00"), HOUR),
        lambda: add_working_days(never, dt.date(2026, 6, 5), 1),
        lambda: add_working_days(never, dt.date(2026, 6, 5), -1),
    ):
        with pytest.raises(NobodyWorks):
            ask()
    assert working_time_between(never, at("2026-06-05T12:00"), at("2026-06-08T12:00")) == dt.timedelta(0)


# --- For all calendars and all times --------------------------------------------------------------------------------

ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu", "America/Havana"]
clock_times = st.builds(dt.time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))


@st.composite
def spans_of_day(draw: st.DrawFn) -> tuple[tuple[dt.time, dt.time], ...]:
    edges = sorted(draw(st.lists(clock_times, max_size=4, unique=True)))
    pairs = list(zip(edges[::2], edges[1::2], strict=False))
    return (WHOLE_DAY,) if draw(st.integers(0, 9)) == 0 else tuple(pairs)


calendars = st.builds(
    WorkingHours,
    zone=st.sampled_from(ZONES),
    week=st.lists(spans_of_day(), min_size=7, max_size=7).filter(any).map(tuple),
    country=st.sampled_from(["", "DE", "RU"]),
    exceptions=st.dictionaries(st.dates(dt.date(2011, 12, 1), dt.date(2012, 1, 31)), spans_of_day(), max_size=4),
)
instants = st.datetimes(dt.datetime(2011, 11, 1), dt.datetime(2012, 5, 1), timezones=st.just(dt.UTC))
durations = st.timedeltas(dt.timedelta(0), dt.timedelta(hours=200))


@settings(max_examples=60, deadline=None)
@given(calendars, instants, durations)
def test_time_added_is_the_time_worked_until_then(
    hours: WorkingHours, start: dt.datetime, duration: dt.timedelta
) -> None:
    end = add_working_time(hours, start, duration)

    assert end >= start
    assert working_time_between(hours, start, end) == duration


@settings(max_examples=60, deadline=None)
@given(calendars, instants, durations, durations)
def test_time_worked_adds_up(hours: WorkingHours, start: dt.datetime, one: dt.timedelta, other: dt.timedelta) -> None:
    middle, end = start + one, start + one + other
    halves = working_time_between(hours, start, middle) + working_time_between(hours, middle, end)

    assert halves == working_time_between(hours, start, end)
    assert halves <= one + other


@settings(max_examples=60, deadline=None)
@given(calendars, instants)
def test_next_working_moment_is_worked_and_nothing_before_it_is(hours: WorkingHours, start: dt.datetime) -> None:
    moment = next_working_moment(hours, start)

    assert is_working(hours, moment)
    assert working_time_between(hours, start, moment) == dt.timedelta(0)


@settings(max_examples=60, deadline=None)
@given(calendars, st.dates(dt.date(2011, 11, 1), dt.date(2012, 3, 1)), st.integers(1, 40))
def test_working_days_there_and_back(hours: WorkingHours, day: dt.date, days: int) -> None:
    assume(is_working_day(hours, day))

    assert add_working_days(hours, add_working_days(hours, day, days), -days) == day


# --- Calendars of the database --------------------------------------------------------------------------------------


@pytest.fixture
def office(db: None) -> WorkingCalendar:
    return office_hours("Europe/Berlin", country="DE", region="BY")


def test_calendar_is_read_with_its_exceptions(office: WorkingCalendar) -> None:
    exceptions = (
        {"day": dt.date(2026, 6, 10), "is_working": False},
        {"day": dt.date(2026, 6, 13), "is_working": True},  # a Saturday, worked as a Monday
        {"day": dt.date(2026, 6, 4), "is_working": True, "starts": dt.time(10), "ends": dt.time(12)},  # Corpus Christi
    )
    for exception in exceptions:
        CalendarException.objects.create(calendar=office, **exception)
    hours = hours_of(WorkingCalendar.objects.whole().get())

    assert hours.spans_on(dt.date(2026, 6, 10)) == ()
    assert hours.spans_on(dt.date(2026, 6, 13)) == (NINE_TO_SIX,)
    assert hours.spans_on(dt.date(2026, 6, 4)) == ((dt.time(10), dt.time(12)),)
    assert hours.spans_on(dt.date(2026, 6, 9)) == (NINE_TO_SIX,)


def test_calendar_without_hours_works_around_the_clock(db: None) -> None:
    calendar = WorkingCalendar.objects.create(name="Always")
    assert hours_of(calendar).week == AROUND_THE_CLOCK.week
    assert hours_of(None) is AROUND_THE_CLOCK


def test_own_calendar_before_the_teams_before_the_organisations(office: WorkingCalendar, rep: User) -> None:
    calendars = WorkingCalendar.objects
    assert calendars.of_user(rep) is None
    default = calendars.create(name="All", is_default=True)
    assert calendars.of_user(rep) == default
    assert rep.team is not None
    rep.team.working_calendar = office
    assert calendars.of_user(rep) == calendars.of_team(rep.team) == office
    rep.working_calendar = calendars.create(name="Mine")
    assert calendars.of_user(rep) == rep.working_calendar


# --- People ---------------------------------------------------------------------------------------------------------


def test_who_is_away_is_not_at_work(office: WorkingCalendar, rep: User) -> None:
    rep.working_calendar = office
    Absence.objects.create(user=rep, starts_on=dt.date(2026, 6, 8), ends_on=dt.date(2026, 6, 12))
    Absence.objects.create(user=rep, starts_on=dt.date(2026, 6, 15), ends_on=dt.date(2026, 6, 15))
    when = availability_of([rep])[rep.pk]

    assert when.is_at_work(at("2026-06-05T10:00"))
    assert not when.is_at_work(at("2026-06-09T10:00"))
    assert when.next_shift(at("2026-06-05T10:00")) == at("2026-06-05T10:00")
    assert when.next_shift(at("2026-06-05T19:00")) is None
    assert when.next_shift(at("2026-06-15T19:00")) == at("2026-06-16T09:00")


def test_substitute_of_the_substitute_stands_in(rep: User, colleague: User, manager: User) -> None:
    day = dt.date(2026, 6, 9)
    assert substitute_for(rep, on=day) is None
    Absence.objects.create(user=rep, starts_on=day, ends_on=day, substitute=colleague)
    assert substitute_for(rep, on=day) == colleague
    of_colleague = Absence.objects.create(user=colleague, starts_on=day, ends_on=day, substitute=manager)
    assert substitute_for(rep, on=day) == manager
    of_colleague.substitute = rep
    of_colleague.save()
    assert substitute_for(rep, on=day) is None  # they stand in for each other
