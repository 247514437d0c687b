"""The path across the top of a deal's page: where it was and how long, where it stands, what is usual ahead."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from django.core.cache import cache

from pipeline.models import Deal, Pipeline, Stage, StageVisit

State = Literal["past", "skipped", "here", "lost", "won", "coming"]
USUAL_SECONDS = 3600
"""What is usual changes slowly: it is computed once an hour."""


@dataclass(frozen=True)
class PathCell:
    """One stage of the path. `days` is how long the deal stayed there, `day` which day of its stay it is."""

    stage: Stage
    state: State
    days: int | None = None
    entered_at: dt.datetime | None = None
    left_at: dt.datetime | None = None
    day: int | None = None
    is_late: bool = False
    usual: dt.timedelta | None = None


def path_of(deal: Deal, stages: Sequence[Stage], visits: Sequence[StageVisit], now: dt.datetime) -> list[PathCell]:
    """Return a cell for each live stage of the deal's pipeline, and for an archived one it has been in."""
    stays: dict[int, list[StageVisit]] = {}
    for visit in visits:
        if visit.reverted_at is None:
            stays.setdefault(visit.stage_id, []).append(visit)
    usual = usual_stays(deal.pipeline)
    return [
        _cell(deal, stage, stays.get(stage.pk, []), now, usual)
        for stage in stages
        if not stage.is_archived or stage.pk in stays
    ]


def _cell(
    deal: Deal, stage: Stage, stays: Sequence[StageVisit], now: dt.datetime, usual: Mapping[int, dt.timedelta]
) -> PathCell:
    if stage.pk == deal.stage_id:
        return _present(deal, stage, now)
    if stage.position > deal.stage.position:
        return PathCell(stage, "coming", usual=usual.get(stage.pk) if deal.is_open else None)
    known = [stay for stay in stays if stay.entered_at is not None]
    if not known:
        return PathCell(stage, "past" if stays else "skipped")
    lasted = sum(((stay.left_at or now) - stay.entered_at for stay in known), dt.timedelta())  # type: ignore[operator]
    return PathCell(stage, "past", days=lasted.days, entered_at=known[0].entered_at, left_at=known[-1].left_at or now)


def _present(deal: Deal, stage: Stage, now: dt.datetime) -> PathCell:
    if deal.outcome == Deal.Outcome.LOST:
        return PathCell(stage, "lost", left_at=deal.lost_at)
    if deal.outcome == Deal.Outcome.WON:
        return PathCell(stage, "won", left_at=deal.won_at)
    stayed = deal.days_in_stage(now)
    day = None if stayed is None else stayed + 1
    return PathCell(stage, "here", day=day, entered_at=deal.stage_entered_at, is_late=deal.rotting_days(now) > 0)


def usual_stays(pipeline: Pipeline) -> dict[int, dt.timedelta]:
    """Return the median of the latest stays in each stage of the pipeline, by its id; read once an hour."""
    key = f"usual-stays-{pipeline.pk}"
    usual: dict[int, dt.timedelta] | None = cache.get(key)
    if usual is None:
        usual = StageVisit.objects.usual_lengths(pipeline)
        cache.set(key, usual, USUAL_SECONDS)
    return usual


def usual_cycle(pipeline: Pipeline) -> dt.timedelta | None:
    """Return the median time from opening to winning of the pipeline's latest wins; read once an hour."""
    key = f"usual-cycle-{pipeline.pk}"
    return cache.get_or_set(key, lambda: Deal.objects.usual_cycle(pipeline), USUAL_SECONDS)
