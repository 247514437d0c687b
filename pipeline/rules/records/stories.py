"""A deal's life as stays in stages, as files tell it.

This is the one place beside `pipeline.rules.moving` that writes stages and visits: history that is brought in was not
moved here, has no mover, and asks for no requirements, follow-ups or reminders. It is written in bulk, and PostgreSQL
holds it to the same constraints: stays tile the deal's life and agree with the deal.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from django.db import connection

from crm.rules.records.context import Context
from crm.rules.records.planning import RecordImporter
from crm.rules.records.snapshots import plain
from pipeline.models import Deal, Pipeline, Stage, StageVisit
from pipeline.rules.locking import share_pipeline
from pipeline.rules.ranks import ranks_on_top
from pipeline.rules.records.stages import StageNames

STORY_FIELDS = ("pipeline", "stage", "created_at", "outcome", "won_at", "lost_at")
WRITTEN_FIELDS = (*STORY_FIELDS, "stage_entered_at", "closing_owner", "rank")


@dataclass(frozen=True)
class Stay:
    """One stay: which stage, from when (None: unknown) till when (None: still), and who here moved the deal there."""

    stage_id: int
    entered_at: dt.datetime | None
    left_at: dt.datetime | None = None
    moved_by_id: int | None = None


def simple_story(deal: Deal, names: StageNames) -> list[Stay]:
    """The life of a deal of which only its ends are known: one stay, in the stage it names.

    A deal won in a stage that wins has stood in the last open stage until then: it was not won when it was created.
    """
    if deal.stage.is_won and deal.won_at:
        before = names.last_open(deal.pipeline)
        return [Stay(before.pk, deal.created_at, deal.won_at), Stay(deal.stage.pk, deal.won_at)]
    return [Stay(deal.stage.pk, deal.created_at, deal.closed_at)]


def joined(stays: Iterable[Stay], *, ends_at: dt.datetime | None) -> list[Stay]:
    """Stays in order, each ending when the next begins and the last at `ends_at`; stays in one stage made one."""
    merged: list[Stay] = []
    for stay in stays:
        if not merged or merged[-1].stage_id != stay.stage_id:
            merged.append(stay)
    tiled = [replace(stay, left_at=following.entered_at) for stay, following in pairwise(merged)]
    return [*tiled, replace(merged[-1], left_at=ends_at)]


def stays_of(deals: Iterable[Deal]) -> dict[int, list[Stay]]:
    """The stays of deals as they stand, in order: deal id → stays."""
    stays: dict[int, list[Stay]] = defaultdict(list)
    visits = (
        StageVisit.objects.standing().filter(deal__in=[deal.pk for deal in deals]).order_by("deal", "entered_at", "pk")
    )
    for visit in sorted(visits, key=lambda visit: visit.entered_at is not None):  # an unknown beginning comes first
        stays[visit.deal_id].append(Stay(visit.stage_id, visit.entered_at, visit.left_at, visit.moved_by_id))
    return stays


def write_told(stories: dict[Deal, list[Stay]], stages: dict[int, Stage]) -> None:
    """Write deals whose story was told anew, and their stays."""
    if not stories:
        return
    rank_on_top(list(stories))
    Deal.objects.bulk_update(stories, WRITTEN_FIELDS, batch_size=500)
    write_stays({deal.pk: stays for deal, stays in stories.items()}, stages)


def rank_on_top(deals: list[Deal]) -> None:
    """Put cards on top of the columns of their stages, in the order of the file."""
    by_stage: dict[Stage, list[Deal]] = defaultdict(list)
    for deal in deals:
        by_stage[deal.stage].append(deal)
    for stage, cards in by_stage.items():
        for deal, rank in zip(cards, ranks_on_top(stage, len(cards)), strict=True):
            deal.rank = rank


def write_stays(stories: dict[int, list[Stay]], stages: dict[int, Stage]) -> None:
    """Let the stays of deals (id → stays in order) be these and no others; stays that were undone keep their rows."""
    StageVisit.objects.standing().filter(deal__in=stories).delete()
    StageVisit.objects.bulk_create(
        StageVisit(
            deal_id=deal_id,
            stage_id=stay.stage_id,
            entered_at=stay.entered_at,
            left_at=stay.left_at,
            moved_by_id=stay.moved_by_id,
            direction=_direction(before, stay, stages),
        )
        for deal_id, stays in stories.items()
        for before, stay in zip([None, *stays], stays, strict=False)
    )


class StoryImporter(RecordImporter[Deal]):
    """What deals and their histories have in common: both write stays, and put them back."""

    model = Deal

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.names = StageNames()
        self.written = (Deal, StageVisit)

    def hold_pipelines(self) -> None:
        """Keep every pipeline's stages as they are until this step is written, and read them afresh."""
        self.names = StageNames()
        if self.context.run:
            for pk in Pipeline.objects.order_by("pk").values_list("pk", flat=True):
                share_pipeline(pk)

    @classmethod
    def put_back(cls, record: Any, before: dict[str, Any]) -> None:
        visits = before.get("visits")
        super().put_back(record, {name: value for name, value in before.items() if name != "visits"})
        if visits is not None:
            write_stays({record.pk: from_kept(visits)}, StageNames().by_id)


def check_now() -> None:
    """Let PostgreSQL check stays against deals in this step, rather than when it commits."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def _direction(before: Stay | None, stay: Stay, stages: dict[int, Stage]) -> str:
    if before is None:
        return StageVisit.Direction.START
    is_ahead = stages[stay.stage_id].position > stages[before.stage_id].position
    return StageVisit.Direction.FORWARD if is_ahead else StageVisit.Direction.BACK


def kept(stays: list[Stay]) -> list[list[Any]]:
    """Stays as JSON, to put them back."""
    return [[stay.stage_id, plain(stay.entered_at), plain(stay.left_at), stay.moved_by_id] for stay in stays]


def from_kept(rows: list[list[Any]]) -> list[Stay]:
    """Stays from their JSON."""
    return [
        Stay(stage_id, _moment(entered_at), _moment(left_at), moved_by_id)
        for stage_id, entered_at, left_at, moved_by_id in rows
    ]


def _moment(text: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None
