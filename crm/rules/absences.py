"""When people are away, as they say themselves; what follows from it is `crm.rules.hand_overs`'s."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from crm.models import Absence, User
from crm.rules.audit import acting


@dataclass(frozen=True)
class Leave:
    """Whole days away, first and last, and who stands in: nobody leaves everything where it is."""

    first: dt.date
    last: dt.date
    substitute: User | None = None
    note: str = ""


def plan_absence(person: User, *, leave: Leave, by: User) -> Absence:
    """Write down that `person` will be away; what falls due meanwhile goes to the substitute once it begins."""
    with acting(by):
        absence: Absence = Absence.objects.create(
            user=person, starts_on=leave.first, ends_on=leave.last, substitute=leave.substitute, note=leave.note
        )
    return absence


def call_off_absence(absence: Absence, *, by: User) -> None:
    """Take an absence back, begun or not; what was handed over and is still open returns by itself."""
    with acting(by):
        absence.delete()
