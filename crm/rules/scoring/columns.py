"""What the columns of a strange table hold: numbers, days, categories, texts, or nothing worth learning from."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from zoneinfo import ZoneInfo

from crm.rules.records.errors import Question
from crm.rules.records.formats import Evidence, Formats
from crm.rules.records.reading import normal_name
from crm.rules.records.values import BadValue, read_instant, read_number
from crm.rules.scoring.additive import Kind, Value
from crm.rules.scoring.words import words_of

UNKNOWN = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "nil", "none", "-", "–", "—", "?"})
MOSTLY = 0.95
"""A column is what this share of its known cells are; the others count as unknown."""
SAMPLE = 500
"""Different cells that are tried before a whole column is read as numbers or days."""
TEXT_WORDS, TEXT_SHARE, FEWEST_TEXTS = 4.0, 0.3, 20
"""A text has about this many words, and this share of its cells are found once only."""
SERIAL_SPREAD = 20
"""Whole numbers that never repeat, within this many times their count, number the rows."""

_ID_WORDS = frozenset({"id", "uuid", "guid", "number", "no", "nr", "num", "code", "key", "index", "номер", "код", "ид"})
_PLAIN = re.compile(r"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|[+-]?\.\d+")
_AROUND_NUMBER = re.compile(r"^[\s$€£₽¥]+|[\s$€£₽¥%]+$")
_MAILBOX = re.compile(r"[^@\s]+@([^@\s]+\.[^@\s]+)")


@dataclass(frozen=True)
class Feature:
    """One column of numbers, levels or words."""

    key: str
    kind: Kind
    values: list[Value]


@dataclass(frozen=True)
class Reading:
    """What a column gave: its features, or (with none) why it is left out."""

    features: tuple[Feature, ...]
    left_out: str = ""


def read_column(name: str, cells: Sequence[str]) -> Reading:
    """Find out what a column holds and read it so; a column of days becomes its day, weekday and hour."""
    known = Counter({cell: count for cell, count in Counter(cells).items() if cell.casefold() not in UNKNOWN})
    if not known:
        return Reading((), "it is empty")
    is_distinct = 1 < len(known) == known.total()
    if numbers := _numbers(known):
        if is_distinct and _is_serial(name, numbers):
            return Reading((), "its numbers never repeat: it numbers the rows")
        return Reading((Feature(name, "number", [numbers.get(cell) for cell in cells]),))
    if moments := _moments(known):
        return Reading(tuple(_of_moments(name, [moments.get(cell) for cell in cells])))
    return _read_words(name, cells, known, is_distinct=is_distinct)


def _read_words(name: str, cells: Sequence[str], known: Counter[str], *, is_distinct: bool) -> Reading:
    """Read mailboxes by their domain, texts by their words, and everything that repeats as categories."""
    if domains := _domains(known):
        return Reading((Feature(name, "category", [domains.get(cell) for cell in cells]),))
    if _is_text(known):
        said = {cell: words_of(cell) for cell in known}
        return Reading((Feature(name, "words", [said.get(cell, ()) for cell in cells]),))
    if is_distinct:
        return Reading((), "its values never repeat: it names the rows")
    levels = {cell: cell.casefold() for cell in known}
    return Reading((Feature(name, "category", [levels.get(cell) for cell in cells]),))


def _mostly(found: Mapping[str, object], known: Counter[str]) -> bool:
    return sum(known[cell] for cell in found) >= MOSTLY * known.total()


def _sample(known: Counter[str]) -> Counter[str]:
    return Counter(dict(islice(known.items(), SAMPLE)))


# --- Numbers --------------------------------------------------------------------------------------------------------


def _numbers(known: Counter[str]) -> dict[str, float]:
    """Read each distinct cell as a number; nothing where they mostly are none."""
    evidence = Evidence()
    for cell in known:
        if not cell.isdecimal() and not _PLAIN.fullmatch(cell):
            evidence.see_number(0, _AROUND_NUMBER.sub("", cell))
    formats = _settled(evidence)
    for some in (_sample(known), known):
        found = {cell: number for cell in some if (number := _number(cell, formats)) is not None}
        if not _mostly(found, some):
            return {}
    return found


def _number(cell: str, formats: Formats) -> float | None:
    if _PLAIN.fullmatch(cell):
        return _bounded(float(cell))
    try:
        return _bounded(float(read_number(_AROUND_NUMBER.sub("", cell), formats)))
    except (BadValue, ArithmeticError, ValueError):
        return None


def _bounded(number: float) -> float | None:
    """A number that a tree can sort; beyond that somebody's key was held down."""
    return number if abs(number) < 1e300 else None


def _is_serial(name: str, numbers: dict[str, float]) -> bool:
    values = numbers.values()
    if not all(number.is_integer() for number in values):
        return False
    is_named_so = not _ID_WORDS.isdisjoint(normal_name(name).split("_"))
    return is_named_so or (len(numbers) >= FEWEST_TEXTS and max(values) - min(values) < SERIAL_SPREAD * len(numbers))


# --- Days -----------------------------------------------------------------------------------------------------------


def _moments(known: Counter[str]) -> dict[str, dt.datetime]:
    """Read each distinct cell as an instant; nothing where they mostly are none."""
    evidence = Evidence()
    for cell in known:
        evidence.see_date(0, cell)
    formats = _settled(evidence)
    for some in (_sample(known), known):
        found = {cell: moment for cell in some if (moment := _moment(cell, formats)) is not None}
        if not _mostly(found, some):
            return {}
    return found


def _moment(cell: str, formats: Formats) -> dt.datetime | None:
    try:
        return read_instant(cell, formats)
    except (BadValue, ValueError, OverflowError):
        return None


def _of_moments(name: str, moments: Sequence[dt.datetime | None]) -> list[Feature]:
    """When it was, on which weekday, and (where times are given) at which hour."""
    features = [
        Feature(name, "number", [moment.timestamp() / 86400 if moment else None for moment in moments]),
        Feature(f"{name} (weekday)", "category", [str(moment.isoweekday()) if moment else None for moment in moments]),
    ]
    if any(moment and (moment.hour or moment.minute) for moment in moments):
        features.append(Feature(f"{name} (hour)", "number", [float(m.hour) if m else None for m in moments]))
    return features


def _settled(evidence: Evidence) -> Formats:
    """The formats of one column; where they could be either, one of them: what is learned is the same order of days."""
    zone = ZoneInfo("UTC")
    try:
        return evidence.settle(zone=zone, date_format=None, decimal_mark=None)
    except Question:
        commas = len(evidence.marks[","]) > len(evidence.marks["."])
        return Formats(zone, slashed="dmy" if evidence.slashed["dmy"] else "mdy", decimal_mark="," if commas else ".")


# --- Words ----------------------------------------------------------------------------------------------------------


def _domains(known: Counter[str]) -> dict[str, str]:
    """The domain of each e-mail address; nothing where cells mostly are none."""
    found = {cell: match[1].casefold() for cell in known if (match := _MAILBOX.fullmatch(cell))}
    return found if _mostly(found, known) else {}


def _is_text(known: Counter[str]) -> bool:
    sample = _sample(known)
    words = sum((cell.count(" ") + 1) * count for cell, count in sample.items()) / sample.total()
    return len(known) >= FEWEST_TEXTS and words >= TEXT_WORDS and len(known) >= TEXT_SHARE * known.total()
