"""From text to numbers, days and instants; the file as a whole decides its formats."""

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from crm.rules.records.errors import Question
from crm.rules.records.formats import Evidence, Formats
from crm.rules.records.values import (
    BadValue,
    read_day,
    read_instant,
    read_number,
    read_rate,
    read_whole_number,
)

UTC = Formats(ZoneInfo("UTC"))
BERLIN = Formats(ZoneInfo("Europe/Berlin"))


def settled(*, dates=(), numbers=(), date_format=None, decimal_mark=None) -> Formats:
    evidence = Evidence()
    for line, text in enumerate(dates, start=2):
        evidence.see_date(line, text)
    for line, text in enumerate(numbers, start=2):
        evidence.see_number(line, text)
    return evidence.settle(zone=ZoneInfo("UTC"), date_format=date_format, decimal_mark=decimal_mark)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1054", "1054"),
        ("1 054,00", "1054"),
        ("1\u00a0054,00", "1054"),
        ("1\u202f054,00", "1054"),
        ("1\u2009054", "1054"),
        ("1,054.00", "1054"),
        ("1.054,00", "1054"),
        ("1'054.50", "1054.50"),
        ("1,234,567", "1234567"),
        ("1.234.567", "1234567"),
        ("1,234,567.891", "1234567.891"),
        ("0.125", "0.125"),
        ("0,125", "0.125"),
        (",5", "0.5"),
        ("1054.1234", "1054.1234"),
        ("-12,5", "-12.5"),
        ("−12.5", "-12.5"),
        ("(5)", "-5"),
    ],
)
def test_numbers_as_people_write_them(text, value):
    assert read_number(text, UTC) == Decimal(value)


@pytest.mark.parametrize("text", ["", "$1,054.00", "12 USD", "abc", "1,2,3", "1.2.3", "1e5", "NaN", "٣", "--5", "5%"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(BadValue):
        read_number(text, UTC)


@pytest.mark.parametrize(
    ("numbers", "value"),
    [(["1,054", "2.50"], 1054), (["1.054", "2,50"], 1054), (["1.054", "2.50"], "1.054"), (["1,054", "2,50"], "1.054")],
)
def test_the_files_other_numbers_say_what_a_lone_mark_means(numbers, value):
    assert read_number(numbers[0], settled(numbers=numbers)) == Decimal(value)


@pytest.mark.parametrize("numbers", [["1,054"], ["1.054"], ["1,054", "2.50", "2,50"]])
def test_a_lone_mark_that_could_be_either_is_a_question(numbers):
    with pytest.raises(Question, match="decimal_mark"):
        settled(numbers=numbers)
    assert settled(numbers=numbers, decimal_mark=",").decimal_mark == ","


def test_rates_and_counts_have_no_such_doubt():
    assert read_rate("1,085", UTC) == Decimal("1.085")
    assert read_rate("1.085", UTC) == Decimal("1.085")
    assert read_whole_number("1,054", UTC) == 1054
    assert read_whole_number("1 054", UTC) == 1054
    for text in ("1.5", "-3", "many"):
        with pytest.raises(BadValue):
            read_whole_number(text, UTC)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2017-03-01", (2017, 3, 1)),
        ("2017/3/1", (2017, 3, 1)),
        ("01.03.2017", (2017, 3, 1)),
        ("1.3.17", (2017, 3, 1)),
        ("16 Apr, 2021", (2021, 4, 16)),
        ("Jan 5, 2021", (2021, 1, 5)),
        ("5 января 2021", (2021, 1, 5)),
        ("2017-03-01 13:45", (2017, 3, 1)),
    ],
)
def test_days_that_need_no_decision(text, day):
    assert read_day(text, UTC) == dt.date(*day)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2017-03-01", (2017, 3, 1)),
        ("2024-04-09T21:32:09", (2024, 4, 9, 21, 32, 9)),
        ("2024-04-09 4:30:42", (2024, 4, 9, 4, 30, 42)),
        ("2024-04-09 21:32:09.378", (2024, 4, 9, 21, 32, 9, 378000)),
        ("2024-04-09T21:32:09Z", (2024, 4, 9, 21, 32, 9)),
        ("2024-04-09T21:32:09+03:00", (2024, 4, 9, 18, 32, 9)),
        ("09.04.2024 21:32", (2024, 4, 9, 21, 32)),
        ("16 Apr, 2021 00:02:00", (2021, 4, 16, 0, 2)),
        ("2024-04-09 12:30 AM", (2024, 4, 9, 0, 30)),
        ("2024-04-09 1:30 pm", (2024, 4, 9, 13, 30)),
    ],
)
def test_instants(text, instant):
    assert read_instant(text, UTC) == dt.datetime(*instant, tzinfo=dt.UTC)


def test_times_without_an_offset_are_in_the_files_zone():
    assert read_instant("2024-07-01 00:00", BERLIN) == dt.datetime(2024, 6, 30, 22, tzinfo=dt.UTC)
    assert read_instant("2024-01-01", BERLIN) == dt.datetime(2023, 12, 31, 23, tzinfo=dt.UTC)
    assert read_day("2024-06-30T23:30:00Z", BERLIN) == dt.date(2024, 7, 1)


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2017-02-30", "31.04.2017", "0000-00-00", "0001-01-01", "9999-12-31", "2017-03-01 25:00", "42736",
     "2017-03-01 noon", "1/2", "2017-03-01T10:00:00+99:00"],
)  # fmt: skip
def test_what_is_no_date_is_refused(text):
    with pytest.raises(BadValue):
        read_instant(text, UTC)


@pytest.mark.parametrize(
    ("dates", "first"),
    [
        (["3/4/2017", "25/4/2017"], (2017, 4, 3)),
        (["3/4/2017", "4/25/2017"], (2017, 3, 4)),
        (["2/26/2018 19:58"], (2018, 2, 26)),
        (["5/5/2017", "6/6/2017"], (2017, 5, 5)),
        (["03-04-17", "25-04-17"], (2017, 4, 3)),
    ],
)
def test_the_file_as_a_whole_decides_the_order_of_day_and_month(dates, first):
    assert read_day(dates[0], settled(dates=dates)) == dt.date(*first)


def test_dates_that_could_be_either_are_a_question():
    with pytest.raises(Question, match=r"3/4/2017.*line 2.*date_format"):
        settled(dates=["3/4/2017", "5/6/2017", "2017-01-01"])
    assert read_day("3/4/2017", settled(dates=["3/4/2017"], date_format="mdy")) == dt.date(2017, 3, 4)
    assert read_day("3/4/2017", settled(dates=["3/4/2017"], date_format="dmy")) == dt.date(2017, 4, 3)


def test_dates_that_contradict_each_other_are_a_question():
    with pytest.raises(Question, match=r"25/4/2017.*4/25/2017.*date_format"):
        settled(dates=["25/4/2017", "4/25/2017"])
    month_first = settled(dates=["25/4/2017", "4/25/2017"], date_format="mdy")
    with pytest.raises(BadValue, match="M/D/YYYY"):
        read_day("25/4/2017", month_first)


def test_a_file_said_to_be_iso_has_no_slashed_dates():
    with pytest.raises(BadValue):
        read_day("3/4/2017", settled(date_format="iso"))
