"""From the text of a cell to a value: numbers, days and instants, read in the formats the file as a whole decides."""

import datetime as dt
import re
from decimal import Decimal

from django.utils.translation import gettext as _

from crm.rules.records.formats import COMMA, EITHER, POINT, SLASHED, SPACES, Formats

EARLIEST_YEAR, LATEST_YEAR = 1900, 2200

_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4}|\d{2})(?!\d)")
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_WORDED = re.compile(r"(?:(\d{1,2})[ -]([^\W\d_]{3,})\.?|([^\W\d_]{3,})\.? (\d{1,2}))[, -]+(\d{4})(?!\d)")
_TIME = re.compile(
    r"[T,\s]*(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(?:([AaPp])\.?[Mm]\.?)?\s*(Z|z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})?"
)
# The first letters of each month as English and Russian write it; both genitive and nominative begin so.
_MONTHS = {
    beginning: number
    for number, beginnings in enumerate(
        (
            ("jan", "янв"),
            ("feb", "фев"),
            ("mar", "мар"),
            ("apr", "апр"),
            ("may", "май", "мая"),
            ("jun", "июн"),
            ("jul", "июл"),
            ("aug", "авг"),
            ("sep", "сен"),
            ("oct", "окт"),
            ("nov", "ноя"),
            ("dec", "дек"),
        ),
        start=1,
    )
    for beginning in beginnings
}

_PLAIN = re.compile(r"\d+")


class BadValue(ValueError):
    """A cell that cannot be what its column holds; the message says what would be right."""


def read_number(text: str, formats: Formats) -> Decimal:
    """A number as people write it: `1 054,00`, `1,054.00`, `1054`, `(5)` for minus five."""
    digits = SPACES.sub("", text)
    if digits.isdecimal() and digits.isascii():
        return Decimal(digits)
    bracketed = digits.startswith("(") and digits.endswith(")")
    sign = -1 if bracketed or digits[:1] in "-−" else 1
    digits = digits[1:-1] if bracketed else digits.removeprefix(digits[:1] if digits[:1] in "+-−" else "")
    mark = _decimal_mark_of(digits, formats)
    if mark is None:
        raise BadValue(_("This is not a number. Give digits alone, such as 1054.00; a currency has its own column."))
    grouping = "," if mark == "." else "."
    return sign * Decimal(digits.replace(grouping, "").replace(mark, "."))


def _decimal_mark_of(digits: str, formats: Formats) -> str | None:
    if not digits.isascii():
        return None
    if _PLAIN.fullmatch(digits):
        return "."
    if EITHER.fullmatch(digits):
        return formats.decimal_mark
    if POINT.fullmatch(digits):
        return "."
    return "," if COMMA.fullmatch(digits) else None


def read_rate(text: str, formats: Formats) -> Decimal:
    """A number that is never grouped in thousands: its only mark is the decimal one."""
    digits = SPACES.sub("", text).replace(",", ".")
    try:
        return Decimal(digits) if re.fullmatch(r"\d*\.?\d+", digits, re.ASCII) else read_number(text, formats)
    except ArithmeticError:
        raise BadValue(_("This is not a number. Give a rate such as 1.0842.")) from None


def read_whole_number(text: str, formats: Formats) -> int:
    """A count: any mark in it groups thousands."""
    digits = SPACES.sub("", text)
    if re.fullmatch(r"\d{1,3}([.,]\d{3})+", digits, re.ASCII):
        digits = digits.replace(",", "").replace(".", "")
    value = read_number(digits, formats)
    if value != value.to_integral_value() or value < 0:
        raise BadValue(_("This is not a whole number, such as 120."))
    return int(value)


def read_day(text: str, formats: Formats) -> dt.date:
    """A day; of an instant with an offset, the day in the file's time zone."""
    if len(text) == 10 and (quick := _quick_iso(text)):
        return quick
    return read_instant(text, formats).astimezone(formats.zone).date()


def read_instant(text: str, formats: Formats) -> dt.datetime:
    """An instant; a day alone is its midnight, a time without an offset is in the file's time zone."""
    if len(text) == 10 and (quick := _quick_iso(text)):
        return dt.datetime(quick.year, quick.month, quick.day, tzinfo=formats.zone)
    (year, month, day), end = _date_parts(text, formats)
    rest = text[end:].strip()
    try:
        moment = dt.datetime(year, month, day)  # noqa: DTZ001 - its time and zone come below
    except ValueError:
        raise BadValue(_("There is no such day. %(hint)s") % {"hint": _date_hint(formats)}) from None
    if not EARLIEST_YEAR <= year <= LATEST_YEAR:
        raise BadValue(_("The year %(year)d is not between 1900 and 2200.") % {"year": year})
    return _with_time(moment, rest, formats) if rest else moment.replace(tzinfo=formats.zone)


def _quick_iso(text: str) -> dt.date | None:
    """A plain YYYY-MM-DD, which is what most files hold."""
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return day if text[4] == "-" == text[7] and EARLIEST_YEAR <= day.year <= LATEST_YEAR else None


def _date_parts(text: str, formats: Formats) -> tuple[tuple[int, int, int], int]:
    """Year, month and day at a text's beginning, and where they end."""
    if found := _ISO.match(text):
        return (int(found[1]), int(found[2]), int(found[3])), found.end()
    if found := _DOTTED.match(text):
        return (_full_year(found[3]), int(found[2]), int(found[1])), found.end()
    if formats.slashed != "iso" and (found := SLASHED.match(text)):
        first, second = int(found[1]), int(found[2])
        day, month = (second, first) if formats.slashed == "mdy" else (first, second)
        return (_full_year(found[3]), month, day), found.end()
    if (found := _WORDED.match(text)) and (month := _MONTHS.get((found[2] or found[3])[:3].lower(), 0)):
        return (int(found[5]), month, int(found[1] or found[4])), found.end()
    raise BadValue(_("This is not a date. %(hint)s") % {"hint": _date_hint(formats)})


def _date_hint(formats: Formats) -> str:
    if formats.slashed:
        return _("This file's dates are %(format)s; 2017-03-31 is always understood.") % {
            "format": {"mdy": "M/D/YYYY", "dmy": "D/M/YYYY"}.get(formats.slashed, "YYYY-MM-DD")
        }
    return _("Give it as 2017-03-31 or 31.03.2017.")


def _full_year(digits: str) -> int:
    """A year of two digits is the one nearest to now that people mean: 69 to 99 are of the last century."""
    year = int(digits)
    if len(digits) == 4:
        return year
    return year + (1900 if year >= 69 else 2000)


def _with_time(day: dt.datetime, text: str, formats: Formats) -> dt.datetime:
    found = _TIME.fullmatch(text)
    if found is None:
        raise BadValue(_("“%(text)s” is not a time of day, such as 14:30 or 14:30:00+02:00.") % {"text": text})
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    if found[5]:
        hour = hour % 12 + (12 if found[5].lower() == "p" else 0)
    try:
        moment = day.replace(
            hour=hour, minute=minute, second=second, microsecond=int((found[4] or "0")[:6].ljust(6, "0"))
        )
    except ValueError:
        raise BadValue(
            _("“%(text)s” is not a time of day, such as 14:30 or 14:30:00+02:00.") % {"text": text}
        ) from None
    return moment.replace(tzinfo=_offset(found[6]) or formats.zone)


def _offset(text: str | None) -> dt.tzinfo | None:
    if text is None:
        return None
    if text in {"Z", "z", "UTC", "GMT"}:
        return dt.UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    shift = dt.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    if shift >= dt.timedelta(hours=24):
        raise BadValue(_("“%(text)s” is not an offset from UTC.") % {"text": text})
    return dt.timezone(-shift if text[0] == "-" else shift)
