"""A deal's history as lines of its timeline: moves from its stays, everything else from the audit log."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext as _

from crm.models import AuditEntry, User
from crm.templatetags.formats import days, money
from crm.views.changes import MOST, Change, Names, changes_of, field_changes, line
from pipeline.models import Deal, LossReason, RuleFiring, StageVisit
from pipeline.rules.automation.words import sentence_of

SAID_BY_STAYS = frozenset({"stage_id", "pipeline_id", "outcome", "won_at", "lost_at", "closing_owner_id"})
SAID_WITH_LOSS = frozenset({"loss_reason_id", "loss_note", "competitor"})
UNSAID = frozenset({"external_id", "lead_id"})
UNSAID_FIRINGS = (RuleFiring.State.WAITING, RuleFiring.State.DROPPED)


def story_of(deal: Deal, visits: Sequence[StageVisit], reader: User) -> list[Change]:
    """Return the deal's changes, newest first; `visits`: all its stays, undone ones too, oldest first."""
    log = _Log(deal)
    changes = changes_of(deal, reader, describe=log.describe) + _moves(visits) + _firings(deal)
    if deal.lost_at and not log.has_loss:  # lost before it came here
        changes.append(Change(deal.lost_at, "circle-x", _("Lost"), after=str(deal.loss_reason or ""), through=""))
    return sorted(changes, key=lambda change: change.at, reverse=True)


def _moves(visits: Sequence[StageVisit]) -> list[Change]:
    """Say each entering of a stage; an import may not know when the first was, and then says nothing of it."""
    changes, before = [], None
    for visit in visits:
        if visit.entered_at is not None:
            changes.append(_beginning(visit) if before is None else _move(before, visit))
        if visit.reverted_at is None:
            before = visit
    return changes


def _beginning(visit: StageVisit) -> Change:
    assert visit.entered_at is not None
    return Change(visit.entered_at, "plus", _("Opened in"), after=str(visit.stage), actor=visit.moved_by, through="")


def _move(before: StageVisit, visit: StageVisit) -> Change:
    assert visit.entered_at is not None
    return Change(
        visit.entered_at,
        "trophy" if visit.stage.is_won else "arrow-left" if visit.direction == "back" else "arrow-right",
        _("Won") if visit.stage.is_won else _("Moved"),
        before=str(before.stage),
        after=str(visit.stage),
        rest=_after(before, visit.entered_at),
        actor=visit.moved_by,
        through="",
        is_undone=visit.reverted_at is not None,
    )


def _after(before: StageVisit, left_at: dt.datetime) -> str:
    if before.entered_at is None or left_at < before.entered_at:
        return ""
    return _("after {duration}").format(duration=days((left_at - before.entered_at).days))


def _firings(deal: Deal) -> list[Change]:
    """Say what stage rules did of themselves; what came to nothing because of an undo stands on their own page."""
    firings = deal.firings.exclude(state__in=UNSAID_FIRINGS).select_related("rule")[:MOST]
    return [
        Change(
            firing.finished_at or firing.at,
            "bolt",
            _("Rule"),
            after=str(firing.rule),
            rest=sentence_of(firing),
            through="",
            url=reverse("deal_firings", args=[deal.pk]),
        )
        for firing in firings
    ]


class _Log:
    """Reads the audit entries of one deal, newest first; an undone loss is known by the entry that came after it."""

    def __init__(self, deal: Deal) -> None:
        self.deal = deal
        self.has_loss = False
        self._is_next_undone = False

    def describe(self, entry: AuditEntry, names: Names) -> list[Change]:
        if entry.action == AuditEntry.Action.CREATED:
            # How it began is the first stay; that it was imported is news of its own.
            return field_changes(entry, names) if entry.through == "import" else []
        besides = SAID_BY_STAYS | SAID_WITH_LOSS | UNSAID | {"amount", "currency"}
        return [*self._outcome(entry, names), *self._amount(entry), *field_changes(entry, names, besides=besides)]

    def _outcome(self, entry: AuditEntry, names: Names) -> list[Change]:
        was, became = entry.before.get("outcome"), entry.after.get("outcome")
        if became == Deal.Outcome.LOST:
            is_undone, self._is_next_undone, self.has_loss = self._is_next_undone, False, True
            reason = entry.after.get("loss_reason_id")
            return [
                line(
                    entry,
                    "circle-x",
                    _("Lost"),
                    after=names.of(LossReason, reason) if reason else "",
                    rest=entry.after.get("competitor") or "",
                    quote=entry.after.get("loss_note") or "",
                    is_undone=is_undone,
                )
            ]
        if was == Deal.Outcome.LOST and entry.note == "undo":
            self._is_next_undone = True
        elif was == Deal.Outcome.LOST:
            return [line(entry, "rotate", _("Reopened"))]
        return []

    def _amount(self, entry: AuditEntry) -> list[Change]:
        if not {"amount", "currency"} & entry.after.keys():
            return []
        was, became = (self._sum(side) for side in (entry.before, entry.after))
        return [line(entry, "adjustments-horizontal", _("Amount"), before=was, after=became)]

    def _sum(self, side: dict[str, object]) -> str:
        """The log holds what changed; what did not is as the deal has it now."""
        return money(side.get("amount", self.deal.amount), str(side.get("currency", self.deal.currency)))  # type: ignore[arg-type]
