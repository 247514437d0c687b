"""How one invented deal goes through the stages: with skips, steps back, losses, and one real bottleneck."""

from __future__ import annotations

import datetime as dt
import math
import random
from dataclasses import dataclass

# Of each open stage in order: median days of a stay, share of deals lost there.
STAYS = ((5.0, 0.20), (4.5, 0.17), (6.5, 0.14), (6.0, 0.15), (6.5, 0.13), (3.5, 0.09))
PROPOSAL = 3
BOTTLENECK_SINCE = dt.timedelta(days=110)
"""For this long the proposal stage takes and loses about twice as much: what a diagnosis is to find."""


@dataclass(frozen=True, slots=True)
class Stay:
    """One visit: index of the stage (6 is won), when it began, when it ended (None: still there)."""

    stage: int
    entered_at: dt.datetime
    left_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class History:
    """A deal's visits in order, and how it ended."""

    stays: list[Stay]
    outcome: str

    @property
    def ended_at(self) -> dt.datetime | None:
        """When it was won or lost."""
        last = self.stays[-1]
        return None if self.outcome == "open" else last.entered_at if self.outcome == "won" else last.left_at


def invent_history(rng: random.Random, *, created_at: dt.datetime, now: dt.datetime, skill: float) -> History:
    """Let a deal live from `created_at` until it is won or lost, or until `now`; `skill` above 1 loses fewer."""
    stays: list[Stay] = []
    stage, entered_at, steps_back = 0, created_at, 0
    while stage < len(STAYS):
        left_at = entered_at + _length(rng, stage, is_slow=entered_at > now - BOTTLENECK_SINCE)
        if left_at > now:
            return History([*stays, Stay(stage, entered_at, None)], "open")
        stays.append(Stay(stage, entered_at, left_at))
        if rng.random() < _loss(stage, is_slow=entered_at > now - BOTTLENECK_SINCE) / skill:
            return History(stays, "lost")
        draw = rng.random()
        if draw < 0.05 and stage > 0 and steps_back < 2:
            stage, steps_back = stage - 1, steps_back + 1
        else:
            stage = min(stage + (2 if draw > 0.93 else 1), len(STAYS))
        entered_at = left_at
    return History([*stays, Stay(len(STAYS), entered_at, None)], "won")


def _length(rng: random.Random, stage: int, *, is_slow: bool) -> dt.timedelta:
    median = STAYS[stage][0] * (1.9 if is_slow and stage == PROPOSAL else 1.0)
    days = min(median * math.exp(rng.gauss(0, 0.65)), 60.0)
    return dt.timedelta(seconds=int(days * 86_400))


def _loss(stage: int, *, is_slow: bool) -> float:
    return STAYS[stage][1] * (2.0 if is_slow and stage == PROPOSAL else 1.0)
