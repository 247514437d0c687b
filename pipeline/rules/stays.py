"""A deal's stays in stages: begun, ended and undone by the rules that move it, and by nothing else."""

from __future__ import annotations

import datetime as dt

from crm.models import User
from pipeline.models import Deal, Stage, StageVisit


def begin_stay(
    deal: Deal, *, at: dt.datetime | None, by: User | None, direction: str = StageVisit.Direction.START
) -> StageVisit:
    """Open the deal's stay in its present stage."""
    return StageVisit.objects.create(deal=deal, stage=deal.stage, entered_at=at, moved_by=by, direction=direction)


def end_stay(deal: Deal, *, at: dt.datetime) -> None:
    """Close the deal's last stay at `at`: the open one, or of a closed deal the one that ended when it was closed."""
    if deal.visits.present().update(left_at=at):
        return
    last = last_stay(deal)
    if last is not None:
        last.left_at = at
        last.save(update_fields=["left_at"])


def resume_stay(deal: Deal) -> None:
    """Let the deal's last stay go on, as if it had not ended."""
    last = last_stay(deal)
    if last is not None and last.left_at is not None:
        last.left_at = None
        last.save(update_fields=["left_at"])


def last_stay(deal: Deal) -> StageVisit | None:
    """Return the deal's latest stay that was not undone."""
    return deal.visits.standing().order_by("entered_at", "pk").last()


def direction_to(deal: Deal, to: Stage) -> str:
    """Say whether `to` lies ahead of the deal's stage or behind it."""
    is_ahead = to.position > deal.stage.position
    return StageVisit.Direction.FORWARD if is_ahead else StageVisit.Direction.BACK
