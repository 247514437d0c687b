"""How long a lead has been waiting for its first answer, or waited."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from crm.models.leads import Lead

SHORT = 0.25
"""With less than this share of its time left, a clock turns red before it has run out."""

State = Literal["running", "short", "late", "answered", "answered_late", "back", "stopped"]


@dataclass(frozen=True)
class ResponseClock:
    """What a clock shows: `length` is what is left, by how much it is late, or how long the answer took.

    `left` is the share (0 to 1) of the time that is left. A nurtured lead has no clock but a day to come `back`; one
    that was closed or taken into work without an answer has one that was `stopped`.
    """

    state: State
    length: dt.timedelta = dt.timedelta(0)
    left: float = 0.0


def response_clock(lead: Lead, now: dt.datetime) -> ResponseClock:
    """Read the clock of `lead` at `now`."""
    if lead.status == lead.Status.NURTURING:
        return ResponseClock("back")
    if lead.first_response_at is not None:
        is_late = lead.first_response_at > lead.respond_by
        return ResponseClock("answered_late" if is_late else "answered", lead.first_response_at - lead.created_at)
    if lead.status != lead.Status.NEW:
        return ResponseClock("stopped")
    left = lead.respond_by - now
    if left < dt.timedelta(0):
        return ResponseClock("late", -left)
    goal = lead.respond_by - lead.created_at
    share = left / goal if goal else 0.0
    return ResponseClock("short" if share < SHORT else "running", left, min(share, 1.0))
