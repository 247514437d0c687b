"""Changing a pipeline without rewriting its history: a stage that deals have been in is archived, never deleted."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.models import User
from crm.rules.audit import acting
from crm.rules.errors import NotAllowed, RuleError
from pipeline.models import Deal, Pipeline, Stage
from pipeline.rules.locking import seize_pipeline
from pipeline.rules.moving import MoveDetails, move_deal


class StageHasHistory(RuleError):
    """A stage that deals have stood in keeps its pipeline and kind, and is not deleted."""

    code = "stage_has_history"


class NoPlaceForDeals(RuleError):
    """Open deals stand in the stage, and no other stage was named for them to go to."""

    code = "no_place_for_deals"


class NothingCouldBeWon(RuleError):
    """Open deals of the pipeline could no longer be won: it would have no stage that means it."""

    code = "nothing_could_be_won"


def refuse_no_win(pipeline: Pipeline) -> None:
    """Raise NothingCouldBeWon where a pipeline about to lose its last won stage has open deals."""
    count = Deal.objects.open().filter(pipeline=pipeline).count()
    if count:
        raise NothingCouldBeWon(
            ngettext(
                "“%(pipeline)s” has %(count)d open deal that could no longer be won. Add another won stage first.",
                "“%(pipeline)s” has %(count)d open deals that could no longer be won. Add another won stage first.",
                count,
            )
            % {"pipeline": pipeline, "count": count}
        )


def refuse_unwinnable(stage: Stage) -> None:
    """Raise NothingCouldBeWon where the stage as it is to be would leave open deals without a way to be won."""
    before = Stage.objects.live().filter(pk=stage.pk, kind=Stage.Kind.WON).select_related("pipeline").first()
    if before is None or (stage.is_won and not stage.is_archived and stage.pipeline_id == before.pipeline_id):
        return
    refuse_last_won(before)


def refuse_last_won(stage: Stage) -> None:
    """Raise NothingCouldBeWon where the pipeline has no won stage beside this one, and open deals."""
    others = Stage.objects.live().filter(pipeline=stage.pipeline_id, kind=Stage.Kind.WON).exclude(pk=stage.pk)
    if stage.is_won and not stage.is_archived and not others.exists():
        refuse_no_win(stage.pipeline)


def refuse_deletion(stage: Stage) -> None:
    """Raise StageHasHistory where deals have stood in the stage, NothingCouldBeWon where the open ones need it."""
    refuse_last_won(stage)
    visits = stage.visits.count()
    if visits:
        raise StageHasHistory(
            ngettext(
                "Stage “%(stage)s” keeps the history of %(count)d visit and cannot be deleted; archive it instead.",
                "Stage “%(stage)s” keeps the history of %(count)d visits and cannot be deleted; archive it instead.",
                visits,
            )
            % {"stage": stage, "count": visits}
        )


def refuse_rewriting(stage: Stage) -> None:
    """Raise StageHasHistory where the stage's new pipeline or kind would change what its visits meant."""
    before = Stage.objects.filter(pk=stage.pk).first()
    if before is None or not before.visits.exists():
        return
    if (before.pipeline_id, before.kind) != (stage.pipeline_id, stage.kind):
        raise StageHasHistory(
            _("Deals have been in stage “%(stage)s”: its pipeline and kind stay as they are. Add a stage instead.")
            % {"stage": before}
        )
    if stage.is_archived and Deal.objects.open().filter(stage=stage).exists():
        raise NoPlaceForDeals(
            _("Open deals stand in stage “%(stage)s”. Use “Archive” and say where they go.") % {"stage": before}
        )


def archive_stage(stage: Stage, *, to: Stage | None, by: User, now: dt.datetime) -> int:
    """Archive `stage` after moving its open deals to `to`, the one way deals move; return how many moved.

    Nobody else moves a deal of the pipeline meanwhile. Raises NoPlaceForDeals, NothingCouldBeWon or NotAllowed.
    """
    if not by.is_admin:
        raise NotAllowed(_("Only an admin changes stages."))
    with acting(by, note="stage archived"):
        seize_pipeline(stage.pipeline_id)
        refuse_last_won(stage)
        standing = list(Deal.objects.open().filter(stage=stage).order_by("pk"))
        if standing and (to is None or to.is_archived or to.is_won or to.pipeline_id != stage.pipeline_id):
            raise NoPlaceForDeals(_("Name an open stage of the same pipeline for the deals to go to."))
        for deal in standing:
            move_deal(deal, to=to, seen_version=deal.version, by=by, now=now, details=MoveDetails(is_forced=True))  # type: ignore[arg-type]
        stage.is_archived = True
        stage.save(update_fields=["is_archived"])
    return len(standing)
