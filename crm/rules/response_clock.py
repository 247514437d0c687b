"""The response clock of leads: by when each is to be answered in its team's working hours, and what its clock shows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from crm.models import Lead, Team, WorkingCalendar
from crm.rules.working_time import (
    NobodyWorks,
    WorkingHours,
    add_working_time,
    hours_of,
    is_working,
    next_working_moment,
    working_time_between,
)

SHORT = 0.25
"""With less than this share of its time left, a clock turns red before it has run out."""
BATCH = 500

State = Literal["running", "short", "resting", "late", "answered", "answered_late", "back", "stopped"]


@dataclass(frozen=True)
class ResponseClock:
    """What a clock shows: `length` is what is left, by how much it is late, or how long the answer took.

    What is left is working time, of which `left` is the share (0 to 1); outside working hours the clock is `resting`
    until `resumes_at`. A nurtured lead has no clock but a day to come `back`; one that was closed or taken into work
    without an answer has one that was `stopped`.
    """

    state: State
    length: dt.timedelta = dt.timedelta(0)
    left: float = 0.0
    goal: dt.timedelta = dt.timedelta(0)
    resumes_at: dt.datetime | None = None


class Clocks:
    """Reads the clocks of leads at `now`; calendars are asked for once, when the first clock needs them."""

    def __init__(self, now: dt.datetime) -> None:
        self.now = now

    def answer_by(self, lead: Lead) -> dt.datetime:
        """Return when the lead's clock runs out: its source's time, counted in the working hours of its team."""
        try:
            return add_working_time(self.hours_of(lead), lead.created_at, lead.time_to_answer)
        except NobodyWorks:
            return lead.created_at + lead.time_to_answer

    def hours_of(self, lead: Lead) -> WorkingHours:
        """Return the working hours of the lead's team, else of its owner's, else of the organisation."""
        team_id = lead.team_id or (lead.owner.team_id if lead.owner else None)
        return self._hours_by_team.get(team_id, self._hours_by_team[None])

    def read(self, lead: Lead) -> ResponseClock:
        """Read the clock of `lead`."""
        goal = lead.time_to_answer
        if lead.status == Lead.Status.NURTURING:
            return ResponseClock("back", goal=goal)
        if lead.first_response_at is not None:
            is_late = lead.first_response_at > lead.answer_by
            took = lead.first_response_at - lead.created_at
            return ResponseClock("answered_late" if is_late else "answered", took, goal=goal)
        if lead.status != Lead.Status.NEW:
            return ResponseClock("stopped", goal=goal)
        if lead.answer_by < self.now:
            return ResponseClock("late", self.now - lead.answer_by, goal=goal)
        return self._running(lead, goal)

    def _running(self, lead: Lead, goal: dt.timedelta) -> ResponseClock:
        hours = self.hours_of(lead)
        left = working_time_between(hours, self.now, lead.answer_by)
        share = min(left / goal, 1.0) if goal else 0.0
        if not is_working(hours, self.now):
            return ResponseClock("resting", left, share, goal, _resumes_at(hours, self.now))
        return ResponseClock("short" if share < SHORT else "running", left, share, goal)

    @cached_property
    def _hours_by_team(self) -> Mapping[int | None, WorkingHours]:
        """The hours of teams that have a calendar of their own; under None those of all others."""
        calendars = {calendar.pk: calendar for calendar in WorkingCalendar.objects.whole()}
        hours = {key: hours_of(calendar) for key, calendar in calendars.items()}
        default = next((hours[key] for key, calendar in calendars.items() if calendar.is_default), hours_of(None))
        if not calendars:
            return {None: default}
        teams = Team.objects.filter(working_calendar__isnull=False).values_list("pk", "working_calendar_id")
        return {None: default} | {team: hours[calendar] for team, calendar in teams if calendar is not None}


def start_clock(lead: Lead, *, clocks: Clocks) -> None:
    """Set by when a lead that has come in is to be answered; nobody is called for one that came in too late for it."""
    lead.answer_by = clocks.answer_by(lead)
    spare_managers(lead, now=clocks.now)


def spare_managers(lead: Lead, *, now: dt.datetime) -> None:
    """Call nobody for a lead whose clock had run out before anybody could look: brought in, or back, too late."""
    if lead.answer_by <= now:
        lead.escalated_at = lead.escalated_at or now


def restart_running_clocks(*, now: dt.datetime) -> int:
    """Count running clocks anew after calendars, teams or sources have changed; return how many run out elsewhere.

    What has run out (and was escalated) or was answered stays as it was.
    """
    clocks = Clocks(now)
    moved = []
    running = Lead.objects.present().waiting().filter(escalated_at=None).select_related("source", "owner")
    for lead in running.iterator(chunk_size=BATCH):
        was, lead.answer_by = lead.answer_by, clocks.answer_by(lead)
        if lead.answer_by != was:
            moved.append(lead)
    Lead.objects.bulk_update(moved, ["answer_by"], batch_size=BATCH)
    return len(moved)


def _resumes_at(hours: WorkingHours, now: dt.datetime) -> dt.datetime | None:
    try:
        return next_working_moment(hours, now)
    except NobodyWorks:
        return None
