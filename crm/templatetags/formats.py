"""Numbers, money and times as the reader's language writes them. Formatting only: nothing is converted here."""

import datetime as dt
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.dates import format_date, format_datetime, format_time
from babel.numbers import (
    NumberPattern,
    format_compact_currency,
    format_compact_decimal,
    format_decimal,
    format_percent,
    get_currency_symbol,
    parse_pattern,
)
from django import template
from django.conf import settings
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

register = template.Library()

NO_DATA = "—"
# A sum longer than this is written in its short form where room is scarce: "€2,052,900", but "205,3 млн ₽".
ROOM_FOR_A_SUM = 10
MILLION = 1_000_000

Number = Decimal | float | int


def active_locale() -> Locale:
    """Babel's locale for the language of this request."""
    return _locale(get_language() or settings.LANGUAGE_CODE)


@lru_cache(maxsize=10)
def _locale(language: str) -> Locale:
    return Locale.parse(language, sep="-")


# --- Money and numbers ----------------------------------------------------------------------------------------------


@register.filter
def money(amount: Number | None, currency: str = "") -> str:
    """Write a sum in full: "€73,500", "7 350 000 ₽"; cents only where there are some."""
    if amount is None or amount == "":
        return NO_DATA
    locale = active_locale()
    code = currency or settings.BASE_CURRENCY
    pattern = _money_pattern(locale, code, is_whole=amount == int(amount))
    return str(pattern.apply(amount, locale, currency=code, currency_digits=False))


@lru_cache(maxsize=500)  # a page writes a hundred sums in the same few patterns, which are slow to parse
def _money_pattern(locale: Locale, code: str, *, is_whole: bool) -> NumberPattern:
    pattern = locale.currency_formats["standard"].pattern
    if is_whole:
        pattern = pattern.replace(".00", "")
    if get_currency_symbol(code, locale=locale).isalpha():
        pattern = pattern.replace("¤#", "¤\xa0#")  # "RUB 500", not "RUB500"
    return parse_pattern(pattern)


@register.filter
def money_short(amount: Number | None, currency: str = "") -> str:
    """Write a sum where room is scarce: in full while that is short, else in millions: "205,3 млн ₽"."""
    full = money(amount, currency)
    if amount is None or amount == "" or len(full) <= ROOM_FOR_A_SUM or -MILLION < amount < MILLION:
        return full
    code = currency or settings.BASE_CURRENCY
    return str(format_compact_currency(amount, code, locale=active_locale(), fraction_digits=1))


@register.filter
def money_tight(amount: Number | None, currency: str = "") -> str:
    """Write a second sum beside a first: as `money_short`, but a sign that stands behind millions is left out."""
    short = money_short(amount, currency)
    if amount is None or amount == "" or short == money(amount, currency) or not short[0].isdigit():
        return short
    return str(format_compact_decimal(amount, locale=active_locale(), fraction_digits=1))


@register.filter
def number(value: Number | None, digits: int = 0) -> str:
    """Write a number with at most `digits` decimals: "8,800", "41.6"."""
    if value is None or value == "":
        return NO_DATA
    if isinstance(value, int) and 0 <= value < 1_000:
        return str(value)  # written alike in every language, and most of the numbers on a page
    pattern = "#,##0." + "#" * int(digits) if digits else "#,##0"
    return str(format_decimal(value, format=pattern, locale=active_locale()))


@register.filter
def percent(share: Number | None, digits: int = 0) -> str:
    """Write a share from 0 to 1: "36.1%", "36,1 %"."""
    if share is None or share == "":
        return NO_DATA
    pattern = active_locale().percent_formats[None].pattern
    if digits:
        pattern = pattern.replace("#,##0", "#,##0." + "0" * int(digits))
    return str(format_percent(share, format=pattern, locale=active_locale()))


@register.filter
def out_of_hundred(value: Number | None) -> str:
    """Write a whole number of percent, as a stage's probability is kept: "35%", "35 %"."""
    return NO_DATA if value is None else percent(Decimal(value) / 100)


# --- Durations ------------------------------------------------------------------------------------------------------


@register.filter
def duration(length: dt.timedelta | None) -> str:
    """Write a length of time by its largest unit: "2 d", "4 h", "12 min"."""
    if length is None:
        return NO_DATA
    minutes = int(abs(length.total_seconds()) // 60)
    if minutes >= 24 * 60:
        return _("{count} d").format(count=number(minutes // (24 * 60)))
    if minutes >= 60:
        return _("{count} h").format(count=minutes // 60)
    return _("{count} min").format(count=minutes)


@register.filter
def duration_exact(length: dt.timedelta | None) -> str:
    """Write a length of time by its two largest units: "1 h 24 min", "2 d 4 h"."""
    if length is None:
        return NO_DATA
    minutes = int(abs(length.total_seconds()) // 60)
    whole = dt.timedelta(minutes=minutes)
    rest = whole % dt.timedelta(days=1) if minutes >= 24 * 60 else whole % dt.timedelta(hours=1)
    smallest = dt.timedelta(hours=1) if minutes >= 24 * 60 else dt.timedelta(minutes=1)
    if minutes < 60 or rest < smallest:
        return duration(whole)
    return f"{duration(whole)} {duration(rest)}"


@register.filter
def days(count: int | None) -> str:
    """Write whole days: "14 d", "14 д"."""
    return NO_DATA if count is None else _("{count} d").format(count=number(count))


@register.filter
def days_tight(count: int | None) -> str:
    """Write whole days where a card has little room: "14d", "14 д"."""
    # Translators: days on a card, where room is scarce; Russian wants a narrow space (U+202F): "{count} д".
    return NO_DATA if count is None else _("{count}d").format(count=number(count))


# --- Moments: relative in the text, exact in the title --------------------------------------------------------------


def _short(text: str) -> str:
    """Babel's abbreviation without its full stops: "июл." is "июл" in a narrow column."""
    return text.replace(".", "")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _time_tag(at: dt.datetime | dt.date, text: str) -> SafeString:
    locale = active_locale()
    if isinstance(at, dt.datetime):
        local = timezone.localtime(at)
        exact = format_datetime(local, "d MMMM y, HH:mm:ss zzz", tzinfo=local.tzinfo, locale=locale)
    else:
        exact = format_date(at, "EEEE, d MMMM y", locale=locale)
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), exact, text)


def _local_day(at: dt.datetime | dt.date) -> dt.date:
    return timezone.localtime(at).date() if isinstance(at, dt.datetime) else at


def _day_text(day: dt.date, today: dt.date) -> str:
    pattern = "d MMM" if day.year == today.year else "d MMM y"
    return _short(format_date(day, pattern, locale=active_locale()))


@register.simple_tag
def moment(at: dt.datetime | None, now: dt.datetime | None = None, *, inside: bool = False) -> SafeString | str:
    """Write when something was or will be: "Today 09:12" ("today 09:12" `inside` a sentence), "24 Jun 2025"."""
    if at is None:
        return NO_DATA
    today, day = _local_day(now or timezone.now()), _local_day(at)
    clock = format_time(timezone.localtime(at).time(), "HH:mm", locale=active_locale())
    names = {0: _("Today"), -1: _("Yesterday"), 1: _("Tomorrow")}
    name = names.get((day - today).days) or _day_text(day, today)
    name = name.lower() if inside and (day - today).days in names else name
    return _time_tag(at, name if day.year != today.year else f"{name} {clock}")


@register.simple_tag
def clock(at: dt.datetime | None) -> SafeString | str:
    """Write the time of day alone: "15:00"."""
    if at is None:
        return NO_DATA
    return _time_tag(at, format_time(timezone.localtime(at).time(), "HH:mm", locale=active_locale()))


@register.simple_tag
def day(at: dt.datetime | dt.date | None, now: dt.datetime | None = None, *, weekday: bool = False) -> SafeString | str:
    """Write a day: "3 Jul", or "Fri 3 Jul" with `weekday`; the year where it is not this one."""
    if at is None:
        return NO_DATA
    local = _local_day(at)
    text = _day_text(local, _local_day(now or timezone.now()))
    if weekday:
        text = f"{_capital(_short(format_date(local, 'EEE', locale=active_locale())))} {text}"
    return _time_tag(at, text)


@register.simple_tag
def day_span(start: dt.datetime, end: dt.datetime, now: dt.datetime | None = None) -> str:
    """Write from which day to which: "12 – 15 Jun", "28 May – 3 Jun"; one day alone as itself."""
    first, last, today = _local_day(start), _local_day(end), _local_day(now or timezone.now())
    if first == last:
        return _day_text(first, today)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}\xa0– {_day_text(last, today)}"
    return f"{_day_text(first, last)}\xa0– {_day_text(last, today)}"


@register.simple_tag
def long_day(at: dt.datetime | dt.date) -> str:
    """Write a day as a page's title: "Thursday 2 July", "Четверг, 2 июля"."""
    # Translators: a day as a page's title, in the letters of CLDR: "Thursday 2 July"; Russian wants "EEEE, d MMMM".
    pattern = _("EEEE d MMMM")
    return _capital(str(format_date(_local_day(at), pattern, locale=active_locale())))


@register.simple_tag
def ago(at: dt.datetime | None, now: dt.datetime | None = None) -> SafeString | str:
    """Write how long ago: "12 min ago", "2 d ago", "just now"."""
    if at is None:
        return NO_DATA
    passed = (now or timezone.now()) - at
    if passed < dt.timedelta(minutes=1):
        return _time_tag(at, _("just now"))
    return _time_tag(at, _("{duration} ago").format(duration=duration(passed)))


# --- People ---------------------------------------------------------------------------------------------------------


@register.filter
def initials(name: object) -> str:
    """Take the first letters of the first two words of a name: "Anna Petrova" is AP."""
    words = [word for word in str(name).replace("@", " ").split() if word[0].isalnum()]
    return "".join(word[0] for word in words[:2]).upper() or "?"
