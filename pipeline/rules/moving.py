"""The one way to move a deal; winning and losing included.

Board, form, bulk edit, automation and API all come here. Nothing else writes `Deal.stage` (the importer writes history
in bulk, and says so).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from crm.models import AuditEntry, User
from crm.rules.answers import keep_answer
from crm.rules.audit import acting
from pipeline.models import ChecklistItem, Deal, LossReason, Stage, StageVisit
from pipeline.rules import stays
from pipeline.rules.automation.coming_true import UNDO_WITHIN, fire_on_move, forget_move
from pipeline.rules.checklists import tick_item
from pipeline.rules.locking import claim, share_pipeline
from pipeline.rules.ranks import rank_between
from pipeline.rules.refusals import DealConflict, LossReasonNeeded, TooLateToUndo, WrongStage
from pipeline.rules.requirements import check_requirements
from pipeline.rules.sequences import tell_sequences


@dataclass(frozen=True)
class Place:
    """Where in the column a card was dropped: ids of the cards above and below, as the client saw them."""

    after: int | None = None
    before: int | None = None


@dataclass(frozen=True)
class MoveDetails:
    """What a move brings along: its place, values and ticks that are required, the real amount and time of a win.

    A forced move asks for nothing: an admin closes a stage and its deals must go somewhere.
    """

    place: Place = field(default_factory=Place)
    values: dict[str, Any] = field(default_factory=dict)
    ticked: Sequence[ChecklistItem] = ()
    amount: Decimal | None = None
    won_at: dt.datetime | None = None
    is_forced: bool = False


@dataclass(frozen=True)
class Loss:
    """Why a deal was lost."""

    reason: LossReason | None
    note: str = ""
    competitor: str = ""


def move_deal(
    deal: Deal,
    *,
    to: Stage,
    seen_version: int,
    by: User | None,
    now: dt.datetime,
    details: MoveDetails | None = None,
    key: str = "",
) -> Deal:
    """Move `deal` to `to` if nobody changed it since `seen_version`, its stays and times following, all or nothing.

    Entering a stage of kind won wins the deal, leaving one un-wins it, and a lost deal that moves is open again. Raises
    DealConflict, StageRequires, WrongStage or NotAllowed; then nothing has changed. `by` is None for a stage rule. With
    `key`, the answer is kept for a retry (`crm.rules.answers`).
    """
    details = details or MoveDetails()
    with acting(by):
        fresh = _claimed(deal, seen_version=seen_version, by=by)
        outcome_before = fresh.outcome
        to = _stage_as_it_is(fresh, to)
        _take_values(fresh, details)
        if by is not None:  # a stage rule ticks nothing off
            for item in details.ticked:
                tick_item(fresh, item=item, is_done=True, by=by, now=now)
        if not details.is_forced:
            check_requirements(fresh, to)
        entered = None
        if to.pk != fresh.stage_id or fresh.outcome == Deal.Outcome.LOST:
            entered = _change_stage(fresh, to=to, by=by, now=_moment(fresh, to, details, now))
        fresh.rank = rank_between(to, after=details.place.after, before=details.place.before)
        fresh.save()
        tell_sequences(fresh, outcome_before=outcome_before, now=now)
        if entered is not None:
            fire_on_move(fresh, entered=entered, now=now)
        if by is not None:
            keep_answer(by=by, key=key, purpose=f"deal-{fresh.pk}", answer={"version": fresh.version})
    return fresh


def lose_deal(deal: Deal, *, loss: Loss, seen_version: int, by: User, now: dt.datetime, key: str = "") -> Deal:
    """Close `deal` as lost in the stage where it stands, for a reason; raises LossReasonNeeded or as `move_deal`."""
    with acting(by):
        fresh = _claimed(deal, seen_version=seen_version, by=by)
        if fresh.outcome != Deal.Outcome.OPEN:
            raise WrongStage(_("Only an open deal can be lost; “%(deal)s” is closed already.") % {"deal": fresh})
        if loss.reason is None:
            raise LossReasonNeeded(_("Say why the deal was lost."))
        lost_at = _not_before_stay(fresh, now)
        stays.end_stay(fresh, at=lost_at)
        fresh.outcome, fresh.lost_at, fresh.closing_owner = Deal.Outcome.LOST, lost_at, fresh.owner
        fresh.loss_reason, fresh.loss_note, fresh.competitor = loss.reason, loss.note, loss.competitor
        fresh.save()
        tell_sequences(fresh, outcome_before=Deal.Outcome.OPEN, now=now)
        keep_answer(by=by, key=key, purpose=f"deal-{fresh.pk}", answer={"version": fresh.version})
    return fresh


def undo_move(deal: Deal, *, seen_version: int, by: User, now: dt.datetime, place: Place | None = None) -> Deal:
    """Take back the person's own last move within the time the toast shows; the undone stay keeps its row, marked.

    The card goes back to `place`, between the neighbours it had; without one it keeps the rank it was dropped with.
    Raises TooLateToUndo once the time is over, or somebody else moved the deal.
    """
    with acting(by, note="undo"):
        fresh = _claimed(deal, seen_version=seen_version, by=by)
        last, outcome_before = _last_move(fresh), fresh.outcome
        if last is None or last.actor_id != by.pk or now - last.at > UNDO_WITHIN:
            raise TooLateToUndo(_("This move can no longer be undone; move the deal instead."))
        if fresh.outcome == Deal.Outcome.LOST:
            _clear_loss(fresh)
            stays.resume_stay(fresh)
        elif last.before.get("outcome") == Deal.Outcome.LOST and "stage_id" not in last.after:
            _lose_again(fresh, last.before)  # it was opened again in its stage, without a stay of its own
        else:
            _revert_last_stay(fresh, last, by=by, now=now)
        if place is not None:
            fresh.rank = rank_between(fresh.stage, after=place.after, before=place.before)
        fresh.save()
        tell_sequences(fresh, outcome_before=outcome_before, now=now)
    return fresh


def _claimed(deal: Deal, *, seen_version: int, by: User | None) -> Deal:
    share_pipeline(deal.pipeline_id)
    return claim(deal, seen_version=seen_version, by=by)


def _stage_as_it_is(deal: Deal, to: Stage) -> Stage:
    """Read both stages anew: an admin may have changed them, or archived `to`, before the pipeline was shared."""
    stages = Stage.objects.in_bulk({deal.stage_id, to.pk})
    deal.stage = stages[deal.stage_id]
    found = stages.get(to.pk)
    if found is None or found.pipeline_id != deal.pipeline_id or found.is_archived:
        raise WrongStage(_("Stage “%(stage)s” is not one this deal can go to.") % {"stage": to})
    return found


def _take_values(deal: Deal, details: MoveDetails) -> None:
    for name in Stage.Requirement.values:
        if details.values.get(name) not in {None, ""}:
            setattr(deal, name, details.values[name])
    if details.amount is not None:
        deal.amount = details.amount


def _moment(deal: Deal, to: Stage, details: MoveDetails, now: dt.datetime) -> dt.datetime:
    """When the move counts: now, or for a win the time given, not before the present stay began nor in the future."""
    wanted = details.won_at if to.is_won and details.won_at else now
    return _not_before_stay(deal, min(wanted, now))


def _not_before_stay(deal: Deal, at: dt.datetime) -> dt.datetime:
    """The clocks of two servers may differ: a stay never ends before it began."""
    return max(at, deal.stage_entered_at) if deal.stage_entered_at else at


def _change_stage(deal: Deal, *, to: Stage, by: User | None, now: dt.datetime) -> StageVisit | None:
    """End the present stay, begin the next and return it, and set or clear what follows from its kind.

    A lost deal that is opened again where it was lost goes on with its last stay: None.
    """
    direction = stays.direction_to(deal, to)
    if deal.outcome == Deal.Outcome.LOST and to.pk == deal.stage_id:
        stays.resume_stay(deal)
        _clear_loss(deal)
        return None
    stays.end_stay(deal, at=now)
    _clear_loss(deal)
    deal.stage, deal.stage_entered_at = to, now
    if to.is_won and deal.outcome != Deal.Outcome.WON:
        deal.outcome, deal.won_at, deal.closing_owner = Deal.Outcome.WON, now, deal.owner
    elif not to.is_won:
        deal.outcome, deal.won_at, deal.closing_owner = Deal.Outcome.OPEN, None, None
    return stays.begin_stay(deal, at=now, by=by, direction=direction)


def _clear_loss(deal: Deal) -> None:
    if deal.outcome != Deal.Outcome.LOST:
        return
    deal.outcome, deal.lost_at, deal.closing_owner = Deal.Outcome.OPEN, None, None
    deal.loss_reason, deal.loss_note, deal.competitor = None, "", ""


def _last_move(deal: Deal) -> AuditEntry | None:
    """What the audit log says of the last change of the deal's stage or outcome."""
    is_move = Q(after__has_key="stage_id") | Q(after__has_key="outcome")
    return AuditEntry.objects.about("deal", deal.pk).filter(is_move).first()


def _revert_last_stay(deal: Deal, last: AuditEntry, *, by: User, now: dt.datetime) -> None:
    """Mark the present stay as undone and let the one before it go on, or end where the deal was lost in it."""
    undone = deal.visits.present().select_related("stage").first()
    if undone is None or undone.moved_by_id != by.pk or now - undone.recorded_at > UNDO_WITHIN:
        raise TooLateToUndo(_("This move can no longer be undone; move the deal instead."))
    undone.reverted_at = now
    undone.save(update_fields=["reverted_at"])
    forget_move(deal, undone=undone, now=now)
    before = stays.last_stay(deal)
    if before is None:
        raise TooLateToUndo(_("A deal's first stage cannot be undone; delete the deal instead."))
    stays.resume_stay(deal)
    deal.stage, deal.stage_entered_at = before.stage, before.entered_at
    won_before = before.stage.is_won
    deal.outcome = Deal.Outcome.WON if won_before else Deal.Outcome.OPEN
    deal.won_at = before.entered_at if won_before else None
    deal.closing_owner = deal.owner if won_before else None
    if "amount" in last.before:  # the real amount came with the win
        was = last.before["amount"]
        deal.amount = None if was is None else Decimal(str(was))
    if last.before.get("outcome") == Deal.Outcome.LOST:
        _lose_again(deal, last.before)


def _lose_again(deal: Deal, was: dict[str, Any]) -> None:
    """Lose the deal as it was lost before the move that opened it again."""
    deal.outcome, deal.lost_at = Deal.Outcome.LOST, dt.datetime.fromisoformat(was["lost_at"])
    deal.closing_owner_id, deal.loss_reason_id = was.get("closing_owner_id"), was.get("loss_reason_id")
    deal.loss_note, deal.competitor = was.get("loss_note", ""), was.get("competitor", "")
    stays.end_stay(deal, at=deal.lost_at)


__all__ = ["DealConflict", "Loss", "MoveDetails", "Place", "StageVisit", "lose_deal", "move_deal", "undo_move"]
