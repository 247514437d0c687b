"""What a column of a kind may hold, and how its cells are read and checked."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

from babel.numbers import list_currencies
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from crm.rules.records.formats import Formats
from crm.rules.records.mapping import listed
from crm.rules.records.values import (
    BadValue,
    read_day,
    read_instant,
    read_number,
    read_rate,
    read_whole_number,
)

MOST_WHOLE = 2_147_483_647
CENT = Decimal("0.01")
MOST_MONEY = Decimal(10) ** 12


class Holds(Enum):
    """What must be known of the whole file before a column's cells can be read."""

    OTHER = "other"
    DATES = "dates"
    AMOUNTS = "amounts"


@dataclass(frozen=True)
class Column:
    """One of our columns: its name, how its text becomes a value, and whether every row needs one."""

    name: str
    read: Callable[[str, Formats, dt.datetime], Any]
    is_required: bool = False
    holds: Holds = Holds.OTHER


def text(name: str, length: int, *, is_required: bool = False) -> Column:
    """A text of at most `length` characters."""

    def read(cell: str, _formats: Formats, _now: dt.datetime) -> str:
        if len(cell) > length:
            raise BadValue(
                _("This has %(found)d characters; at most %(length)d fit.") % {"found": len(cell), "length": length}
            )
        return cell

    return Column(name, read, is_required)


def email(name: str) -> Column:
    """An e-mail address, kept in lower case."""

    def read(cell: str, _formats: Formats, _now: dt.datetime) -> str:
        try:
            validate_email(cell)
        except ValidationError:
            raise BadValue(_("This is not an e-mail address, such as anna@example.com.")) from None
        return cell.lower()

    return Column(name, read)


def choice(name: str, options: tuple[str, ...], aliases: dict[str, str] | None = None) -> Column:
    """One of a few words, in any case."""

    def read(cell: str, _formats: Formats, _now: dt.datetime) -> str:
        word = cell.casefold()
        word = (aliases or {}).get(word, word)
        if word not in options:
            raise BadValue(
                _("Give one of %(options)s, or say in the mapping, [values.%(column)s], what it means.")
                % {"options": listed(options), "column": name}
            )
        return word

    return Column(name, read)


def currency(name: str = "currency", *, is_required: bool = False) -> Column:
    """An ISO 4217 code, in any case."""

    def read(cell: str, _formats: Formats, _now: dt.datetime) -> str:
        if cell.upper() not in list_currencies():
            raise BadValue(_("This is not the code of a currency, such as EUR or USD."))
        return cell.upper()

    return Column(name, read, is_required)


def whole(name: str) -> Column:
    """A count."""

    def read(cell: str, formats: Formats, _now: dt.datetime) -> int:
        value = read_whole_number(cell, formats)
        if value > MOST_WHOLE:
            raise BadValue(_("This number is too large."))
        return value

    return Column(name, read)


def money(name: str, *, is_required: bool = False) -> Column:
    """An amount of money, not negative, to the cent."""

    def read(cell: str, formats: Formats, _now: dt.datetime) -> Decimal:
        value = read_number(cell, formats)
        if value < 0:
            raise BadValue(_("An amount is not negative."))
        if value >= MOST_MONEY:
            raise BadValue(_("This number is too large."))
        if value != value.quantize(CENT):
            raise BadValue(
                _("An amount has at most two decimals: write %(rounded)s.") % {"rounded": value.quantize(CENT)}
            )
        return value.quantize(CENT)

    return Column(name, read, is_required, Holds.AMOUNTS)


def rate(name: str) -> Column:
    """An exchange rate: above zero, to eight decimals."""

    def read(cell: str, formats: Formats, _now: dt.datetime) -> Decimal:
        value = read_rate(cell, formats)
        if not 0 < value < 10**10:
            raise BadValue(_("A rate is a number above zero."))
        return value.quantize(Decimal("1e-8")) or Decimal("1e-8")

    return Column(name, read, is_required=True)


def past_instant(name: str, *, is_required: bool = False) -> Column:
    """A moment that has been."""

    def read(cell: str, formats: Formats, now: dt.datetime) -> dt.datetime:
        moment = read_instant(cell, formats).astimezone(dt.UTC)
        if moment > now:
            raise BadValue(_("This lies in the future."))
        return moment

    return Column(name, read, is_required, Holds.DATES)


def past_day(name: str, *, is_required: bool = False) -> Column:
    """A day that has begun."""

    def read(cell: str, formats: Formats, now: dt.datetime) -> dt.date:
        day = read_day(cell, formats)
        if day > now.astimezone(formats.zone).date():
            raise BadValue(_("This lies in the future."))
        return day

    return Column(name, read, is_required, Holds.DATES)


def day(name: str, *, is_required: bool = False) -> Column:
    """Any day."""
    return Column(name, lambda cell, formats, _now: read_day(cell, formats), is_required, Holds.DATES)
