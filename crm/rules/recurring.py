"""When something that repeats comes next: RFC 5545 rules of whole days on a wall clock; everything here is pure.

Rules know nothing of zones: nine o'clock stays nine o'clock in summer, and `WallTime.utc` says which instant that is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from dateutil.rrule import rrule, rrulestr
from django.utils.translation import gettext as _
from icalendar import vRecur

from crm.rules.errors import RuleError
from crm.rules.working_time import NobodyWorks, WorkingHours, add_working_days

LONGEST = 300
FIRST_WITHIN = dt.timedelta(days=366 * 20)
"""A rule whose first occurrence lies further away (a 30th of February) never comes."""
FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
BOUNDS: dict[str, tuple[int, int]] = {
    "INTERVAL": (1, 999),
    "COUNT": (1, 9_999),
    "BYMONTHDAY": (-31, 31),
    "BYMONTH": (1, 12),
    "BYSETPOS": (-366, 366),
}
"""Between which each number of a rule lies; none is nought."""
PARTS = ("FREQ", "INTERVAL", "COUNT", "UNTIL", "BYMONTH", "BYMONTHDAY", "BYDAY", "BYSETPOS", "WKST")


class BadRule(RuleError):
    """The text is no rule of whole days that ever comes (422)."""

    code = "bad_rule"


@dataclass(frozen=True)
class Repeat:
    """How often: a rule as `read_rule` returns it, and whether days off are skipped."""

    rule: str
    skips_days_off: bool = False


@dataclass(frozen=True)
class Occurrence:
    """The wall time a rule names, and that at which it is due: later where a day off was skipped."""

    nominal: dt.datetime
    due: dt.datetime


def read_rule(text: str) -> str:
    """Return an RFC 5545 rule in its one spelling; BadRule unless it is one of days, weeks, months or years."""
    if len(text) > LONGEST:
        raise BadRule(_("This rule is too long."))
    try:
        read = vRecur.from_ical(text.strip().upper().removeprefix("RRULE:"))
        parts = {name: [part] if not isinstance(part, list) else part for name, part in read.items()}
        rule = _spelled(parts)
        _rule(_without_end(rule), dt.datetime(2026, 1, 1))  # noqa: DTZ001 (a wall clock)
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError) as error:
        words = _("This is no rule that we can follow. Write one such as FREQ=WEEKLY;BYDAY=MO,TH.")
        raise BadRule(words) from error
    return rule


def first_occurrence(rule: str, starts: dt.datetime, hours: WorkingHours | None = None) -> Occurrence:
    """Return the first occurrence at or after `starts`; BadRule where none comes within twenty years."""
    soon = _rule(_without_end(rule), starts, until=starts + FIRST_WITHIN)
    if next(iter(soon), None) is None or (found := next(occurrences(rule, starts, hours), None)) is None:
        raise BadRule(_("This never comes: there is no such day."))
    return found


def occurrences(rule: str, starts: dt.datetime, hours: WorkingHours | None = None) -> Iterator[Occurrence]:
    """Yield the occurrences from `starts` on, at most one a day; with `hours` each on a working day."""
    reached: dt.date | None = None
    for nominal in _rule(rule, starts):
        due = nominal if hours is None else _on_a_working_day(nominal, hours)
        if reached is None or due.date() > reached:
            yield Occurrence(nominal, due)
            reached = due.date()


def next_occurrence(
    rule: str, starts: dt.datetime, hours: WorkingHours | None, *, after: dt.datetime, now: dt.datetime
) -> Occurrence | None:
    """Return the first occurrence that follows the one of `after` and is not past on the clock, `now`; None at the end.

    What was missed does not pile up: after three weeks of holidays a weekly call is due once.
    """
    return next((one for one in occurrences(rule, starts, hours) if one.nominal > after and one.due > now), None)


def left_from(rule: str, starts: dt.datetime, occurrence: dt.datetime) -> str:
    """Return the rule as it goes on from one of its occurrences: of so many times, those that are left."""
    parts = parts_of(rule)
    if "COUNT" in parts:
        behind = sum(1 for _at in takewhile(lambda at: at < occurrence, _rule(rule, starts)))
        parts["COUNT"] = str(int(parts["COUNT"]) - behind)
    return ";".join(f"{name}={part}" for name, part in parts.items())


# --- Reading and spelling -------------------------------------------------------------------------------------------


def parts_of(rule: str) -> dict[str, str]:
    """Return the parts of a rule by their names, as texts."""
    return dict(part.split("=", 1) for part in rule.split(";"))


def _spelled(parts: dict[str, list[Any]]) -> str:
    if set(parts) - set(PARTS) or parts["FREQ"][0] not in FREQUENCIES or {"COUNT", "UNTIL"} <= set(parts):
        raise ValueError(parts)
    for name, (least, most) in BOUNDS.items():
        if not all(least <= int(number) <= most and int(number) for number in parts.get(name, ())):
            raise ValueError(name)
    days = [str(day) for day in parts.get("BYDAY", ())]
    if parts["FREQ"][0] in {"DAILY", "WEEKLY"} and any(not day.isalpha() for day in days):
        raise ValueError(days)
    if parts.get("INTERVAL") == [1]:
        del parts["INTERVAL"]
    if "UNTIL" in parts:
        parts["UNTIL"] = [f"{parts['UNTIL'][0]:%Y%m%d}"]
    return ";".join(f"{name}={','.join(str(part) for part in parts[name])}" for name in PARTS if name in parts)


def _without_end(rule: str) -> str:
    return ";".join(part for part in rule.split(";") if not part.startswith(("COUNT=", "UNTIL=")))


def _rule(rule: str, starts: dt.datetime, *, until: dt.datetime | None = None) -> rrule:
    """Read a spelled rule; its last day is included whole."""
    parts = [f"{part}T235959" if part.startswith("UNTIL=") else part for part in rule.split(";")]
    if until is not None:
        parts.append(f"UNTIL={until:%Y%m%dT%H%M%S}")
    found = rrulestr(";".join(parts), dtstart=starts)
    assert isinstance(found, rrule)  # a text of several lines would be a set
    return found


def _on_a_working_day(at: dt.datetime, hours: WorkingHours) -> dt.datetime:
    try:
        return dt.datetime.combine(add_working_days(hours, at.date(), 0), at.time())
    except NobodyWorks:
        return at
