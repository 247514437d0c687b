"""How a file writes its dates and numbers: decided by the file as a whole, or asked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from crm.rules.records.errors import Question

EXAMPLES = 3

SLASHED = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4}|\d{2})(?!\d)")
SPACES = re.compile(r"[\s\u00a0\u2007\u2009\u202f'’]")
POINT = re.compile(r"\d{1,3}(?:,\d{3})+\.\d+|\d+\.\d{1,2}|\d+\.\d{4,}|\d{4,}\.\d+|0+\.\d+|\d{1,3}(?:,\d{3}){2,}|\.\d+")
COMMA = re.compile(r"\d{1,3}(?:\.\d{3})+,\d+|\d+,\d{1,2}|\d+,\d{4,}|\d{4,},\d+|0+,\d+|\d{1,3}(?:\.\d{3}){2,}|,\d+")
EITHER = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")


@dataclass(frozen=True)
class Formats:
    """How this file writes days, instants and numbers."""

    zone: ZoneInfo
    slashed: str | None = None
    """"dmy" or "mdy" for dates like 03/04/2017; None where the file has none."""
    decimal_mark: str = "."


@dataclass
class Evidence:
    """What a file's cells say about its formats, gathered in one pass, before any row is read for its values."""

    slashed: dict[str, list[tuple[int, str]]] = field(default_factory=lambda: {"dmy": [], "mdy": [], "either": []})
    marks: dict[str, list[tuple[int, str]]] = field(default_factory=lambda: {".": [], ",": [], "either": []})

    def see_date(self, line: int, text: str) -> None:
        """Take note of a cell in a column of dates."""
        if (found := SLASHED.match(text)) and (verdict := _slashed_order(int(found[1]), int(found[2]))):
            _remember(self.slashed[verdict], line, text)

    def see_number(self, line: int, text: str) -> None:
        """Take note of a cell in a column of amounts."""
        if text.isdecimal():
            return
        digits = SPACES.sub("", text).lstrip("+-−(").rstrip(")")
        for mark, pattern in ((".", POINT), (",", COMMA), ("either", EITHER)):
            if pattern.fullmatch(digits):
                _remember(self.marks[mark], line, text)
                return

    def settle(self, *, zone: ZoneInfo, date_format: str | None, decimal_mark: str | None) -> Formats:
        """The formats of the file, `date_format` and `decimal_mark` being the mapping's answers.

        Raises Question where the file could be read in two ways.
        """
        return Formats(zone, date_format or self._date_format(), decimal_mark or self._decimal_mark())

    @property
    def leaves_dates_open(self) -> bool:
        """Whether the file's dates could have the day or the month first, or contradict each other."""
        day_first, month_first, either = (self.slashed[order] for order in ("dmy", "mdy", "either"))
        return bool(day_first and month_first) or bool(either and not day_first and not month_first)

    @property
    def leaves_numbers_open(self) -> bool:
        """Whether the file's numbers could be thousands or decimals."""
        points, commas, either = (self.marks[mark] for mark in (".", ",", "either"))
        return bool(either) and bool(points) == bool(commas)

    def add(self, other: Evidence) -> None:
        """Take note of what another column says."""
        for mine, theirs in ((self.slashed, other.slashed), (self.marks, other.marks)):
            for verdict, examples in theirs.items():
                mine[verdict] = [*mine[verdict], *examples][:EXAMPLES]

    def _date_format(self) -> str | None:
        day_first, month_first, either = (self.slashed[order] for order in ("dmy", "mdy", "either"))
        if day_first and month_first:
            raise Question(
                _(
                    "The dates contradict each other: %(day)s has the day first, %(month)s the month. "
                    'Give `date_format` in the mapping: "dmy" or "mdy".'
                )
                % {"day": _quoted(day_first[:1]), "month": _quoted(month_first[:1])}
            )
        if day_first or month_first:
            return "dmy" if day_first else "mdy"
        if either:
            raise Question(
                _(
                    "Dates such as %(examples)s could have the day or the month first. "
                    'Say which: `date_format` in the mapping is "dmy" or "mdy".'
                )
                % {"examples": _quoted(either)}
            )
        return None

    def _decimal_mark(self) -> str:
        points, commas, either = (self.marks[mark] for mark in (".", ",", "either"))
        if either and bool(points) == bool(commas):
            raise Question(
                _(
                    "Numbers such as %(examples)s could be thousands or decimals. "
                    'Say which: `decimal_mark` in the mapping is "." or ",".'
                )
                % {"examples": _quoted(either)}
            )
        return "," if commas and not points else "."


def _slashed_order(first: int, second: int) -> str | None:
    """Which order a date shows: None where both mean the same day, or where neither is one."""
    if (first > 12 and second > 12) or first == second:
        return None
    if first > 12:
        return "dmy"
    return "mdy" if second > 12 else "either"


def _remember(examples: list[tuple[int, str]], line: int, text: str) -> None:
    if len(examples) < EXAMPLES:
        examples.append((line, text))


def _quoted(examples: Iterable[tuple[int, str]]) -> str:
    return ", ".join(_("“%(text)s” (line %(line)d)") % {"text": text, "line": line} for line, text in examples)
