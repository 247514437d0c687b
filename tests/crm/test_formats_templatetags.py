"""Money, numbers and times as each language writes them."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.utils.translation import override

from crm.templatetags import formats

NOW = dt.datetime(2026, 7, 2, 11, 0, tzinfo=dt.UTC)  # a Thursday
NBSP = "\xa0"


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    """Whatever language the last request of another test was answered in."""
    with override("en"):
        yield


@pytest.mark.parametrize(
    ("language", "amount", "currency", "text"),
    [
        ("en", 73500, "EUR", "€73,500"),
        ("en", Decimal("73500.00"), "EUR", "€73,500"),
        ("en", Decimal("73500.50"), "EUR", "€73,500.50"),
        ("en", 500, "RUB", "RUB 500"),
        ("ru", 7350000, "RUB", "7 350 000 ₽"),
        ("ru", Decimal("0.5"), "EUR", "0,50 €"),
        ("en", -1200, "EUR", "-€1,200"),
        ("en", None, "EUR", "—"),
    ],
)
def test_money_in_full(language: str, amount: Decimal | int | None, currency: str, text: str) -> None:
    with override(language):
        assert formats.money(amount, currency).replace(NBSP, " ") == text


@pytest.mark.parametrize(
    ("language", "amount", "currency", "short", "tight"),
    [
        ("en", 2052900, "EUR", "€2,052,900", "€2,052,900"),
        ("en", 20529000, "EUR", "€20.5M", "€20.5M"),
        ("ru", 205300000, "RUB", "205,3 млн ₽", "205,3 млн"),
        ("ru", 41230, "RUB", "41 230 ₽", "41 230 ₽"),
        ("en", 0, "EUR", "€0", "€0"),
        ("en", None, "EUR", "—", "—"),
    ],
)
def test_money_where_room_is_scarce(language: str, amount: int | None, currency: str, short: str, tight: str) -> None:
    with override(language):
        assert formats.money_short(amount, currency).replace(NBSP, " ") == short
        assert formats.money_tight(amount, currency).replace(NBSP, " ") == tight


def test_numbers_and_shares_follow_the_language() -> None:
    assert formats.number(8800) == "8,800"
    assert formats.number(41.6, 1) == "41.6"
    assert formats.percent(Decimal("0.361"), 1) == "36.1%"
    assert formats.out_of_hundred(Decimal("35.00")) == "35%"
    with override("ru"):
        assert formats.number(8800).replace(NBSP, " ") == "8 800"
        assert formats.percent(0.361, 1).replace(NBSP, " ") == "36,1 %"


@pytest.mark.parametrize(
    ("length", "text", "exact"),
    [
        (dt.timedelta(seconds=59), "0 min", "0 min"),
        (dt.timedelta(minutes=12), "12 min", "12 min"),
        (dt.timedelta(minutes=84), "1 h", "1 h 24 min"),
        (dt.timedelta(hours=4), "4 h", "4 h"),
        (dt.timedelta(days=2, hours=4), "2 d", "2 d 4 h"),
        (dt.timedelta(days=2, minutes=4), "2 d", "2 d"),
        (-dt.timedelta(days=3), "3 d", "3 d"),
    ],
)
def test_durations(length: dt.timedelta, text: str, exact: str) -> None:
    assert formats.duration(length) == text
    assert formats.duration_exact(length) == exact


def test_a_moment_is_relative_in_the_text_and_exact_in_the_title() -> None:
    moment = str(formats.moment(dt.datetime(2026, 7, 1, 16, 40, tzinfo=dt.UTC), NOW))

    assert "Yesterday 16:40" in moment
    assert "1 July 2026, 16:40:00" in moment
    assert 'datetime="2026-07-01T16:40:00+00:00"' in moment
    assert ">tomorrow 09:12<" in str(
        formats.moment(NOW.replace(hour=9, minute=12) + dt.timedelta(days=1), NOW, inside=True)
    )
    assert ">29 Jun 11:00<" in str(formats.moment(NOW - dt.timedelta(days=3), NOW))
    assert ">2 Jul 2025<" in str(formats.moment(dt.datetime(2025, 7, 2, tzinfo=dt.UTC), NOW))


def test_days_are_cut_in_the_readers_time_zone() -> None:
    from django.utils import timezone

    late_evening = dt.datetime(2026, 7, 1, 22, 30, tzinfo=dt.UTC)
    with timezone.override("Europe/Moscow"):
        assert "Today 01:30" in str(formats.moment(late_evening, NOW))


def test_days_carry_their_weekday_in_both_languages() -> None:
    friday = dt.date(2026, 7, 3)
    assert ">Fri 3 Jul<" in str(formats.day(friday, NOW, weekday=True))
    with override("ru"):
        assert ">Пт 3 июл<" in str(formats.day(friday, NOW, weekday=True))


def test_ago_counts_from_now() -> None:
    assert ">12 min ago<" in str(formats.ago(NOW - dt.timedelta(minutes=12), NOW))
    assert ">just now<" in str(formats.ago(NOW, NOW))


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Anna Petrova", "AP"), ("Анна Петрова", "АП"), ("cher", "C"), ("rep@demo.test", "RD"), ("«»", "?"), ("", "?")],
)
def test_initials(name: str, letters: str) -> None:
    assert formats.initials(name) == letters


def test_hostile_text_stays_text() -> None:
    assert "<" not in formats.initials("<script> <b>")
