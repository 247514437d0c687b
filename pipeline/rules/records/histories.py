"""Stage histories from files: the rows of one deal together are its life."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import replace
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from crm.rules.records.context import Context
from crm.rules.records.entries import Entry, RowRefused
from crm.rules.records.planning import Plan, Verdict, last_left, refuse, remember
from crm.rules.records.snapshots import column_of, current
from pipeline.models import Deal, Stage
from pipeline.rules.records import stories
from pipeline.rules.records.stories import Stay

AFTER_FIELDS = ("stage", "created_at", "outcome", "won_at", "lost_at", "stage_entered_at")


class HistoryImporter(stories.StoryImporter):
    """Replaces what was known of deals' stays by what the file tells, the moves that people made here kept."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._told: dict[Deal, list[Stay]] = {}
        self._records: list[Plan[Deal]] = []
        self._of_unknown_creation: set[int] = set()

    def plan(self, entries: list[Entry]) -> list[Plan[Deal]]:
        self.hold_pipelines()
        by_deal: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            by_deal[entry["deal"]].append(entry)
        found = self.locked(
            Deal.objects.filter(external_id__in=by_deal).select_related("stage", "pipeline", "owner").order_by("pk")
        )
        deals = {deal.external_id: deal for deal in found}
        stays = stories.stays_of(deals.values())
        self._told, self._records = {}, []
        left = last_left("deals", Deal, [deal.pk for deal in deals.values()])
        self._of_unknown_creation = {pk for pk, fields in left.items() if not fields.get("created_at")}
        plans: list[Plan[Deal]] = []
        for key, rows in by_deal.items():
            deal = deals.get(key)
            plans += self._plan_deal(deal, rows, stays[deal.pk]) if deal else self._refuse_unknown(rows)
        return plans

    def _refuse_unknown(self, rows: list[Entry]) -> list[Plan[Deal]]:
        for entry in rows:
            refuse(entry, RowRefused("deal", _("No deal has this external id; import the deals first.")), self.context)
        return []

    def _plan_deal(self, deal: Deal, rows: list[Entry], present: list[Stay]) -> list[Plan[Deal]]:
        good = [entry for entry in rows if self._stage_fits(entry, deal)]
        good.sort(key=lambda entry: (entry["entered_at"], entry.line))
        while good and self._refuse_wrong_end(good[-1], deal):
            good.pop()
        if not good:
            return []
        told = self._tell(deal, good, present)
        if [(stay.stage_id, stay.entered_at) for stay in told] == [
            (stay.stage_id, stay.entered_at) for stay in present
        ]:
            return [Plan(entry, deal, Verdict.UNCHANGED) for entry in good]
        self._remember(deal, good, present, told)
        known = {(stay.stage_id, stay.entered_at) for stay in present}
        verdicts = [
            Verdict.UNCHANGED if (entry["stage"].pk, entry["entered_at"]) in known else Verdict.CREATED
            for entry in good
        ]
        if Verdict.CREATED not in verdicts:
            verdicts[-1] = Verdict.UPDATED
        return [Plan(entry, deal, verdict) for entry, verdict in zip(good, verdicts, strict=True)]

    # --- One row against its deal ---

    def _stage_fits(self, entry: Entry, deal: Deal) -> bool:
        """Whether the row can be a stay of the deal; its stage's name becomes the stage."""
        try:
            _refuse_binned(deal)
            if not isinstance(entry["stage"], Stage):
                entry.values["stage"] = self.names.stage(deal.pipeline, entry["stage"])
            self._refuse_wrong_time(entry, deal)
        except RowRefused as refusal:
            refuse(entry, refusal, self.context)
            return False
        return True

    def _refuse_wrong_time(self, entry: Entry, deal: Deal) -> None:
        moment: dt.datetime = entry["entered_at"]
        created_at = self._known_creation(deal)
        if created_at and moment < created_at:
            raise RowRefused(
                "entered_at", _("This lies before the deal was created (%(at)s).") % {"at": _shown(created_at)}
            )
        if deal.lost_at and moment > deal.lost_at:
            raise RowRefused(
                "entered_at", _("This lies after the deal was lost (%(at)s).") % {"at": _shown(deal.lost_at)}
            )
        if deal.won_at and moment > deal.won_at and not entry["stage"].is_won:
            raise RowRefused(
                "entered_at", _("This lies after the deal was won (%(at)s).") % {"at": _shown(deal.won_at)}
            )

    def _known_creation(self, deal: Deal) -> dt.datetime | None:
        """When the deal was created, unless that is known from an earlier history alone, which this one may correct."""
        return None if deal.pk in self._of_unknown_creation else deal.created_at

    def _refuse_wrong_end(self, entry: Entry, deal: Deal) -> bool:
        if deal.outcome == Deal.Outcome.LOST and entry["stage"].is_won:
            refuse(entry, RowRefused("stage", _("A deal in this stage is won, but the deal was lost.")), self.context)
            return True
        return False

    # --- The story ---

    def _tell(self, deal: Deal, rows: list[Entry], present: list[Stay]) -> list[Stay]:
        """The deal's stays: those of the file, and among them those into which people moved it here."""
        stays = [Stay(entry["stage"].pk, entry["entered_at"]) for entry in rows]
        stays += [stay for stay in present if stay.moved_by_id and stay.entered_at]
        stays.sort(key=lambda stay: stay.entered_at or self.context.now)
        first, created_at = stays[0], self._known_creation(deal)
        if created_at and first.entered_at and first.entered_at > created_at:
            self.context.warn("begun_before")
            stays[0] = replace(first, entered_at=created_at)
        return stories.joined(stays, ends_at=deal.closed_at)

    def _remember(self, deal: Deal, rows: list[Entry], present: list[Stay], told: list[Stay]) -> None:
        """Let the deal be what its story says, and keep what it was."""
        before = current(deal, [*stories.WRITTEN_FIELDS]) | {"visits": stories.kept(present)}
        last, stage = told[-1], self.names.by_id[told[-1].stage_id]
        deal.created_at, deal.stage, deal.stage_entered_at = told[0].entered_at, stage, last.entered_at
        if stage.is_won:
            deal.outcome, deal.won_at, deal.closing_owner = Deal.Outcome.WON, last.entered_at, deal.owner
            told[-1] = replace(last, left_at=None)
        deal.version += 1
        self._told[deal] = told
        after: dict[str, Any] = {name: getattr(deal, column_of(deal, name)) for name in AFTER_FIELDS}
        self._records.append(Plan(rows[0], deal, Verdict.UPDATED, before, after))

    def write(self, plans: list[Plan[Deal]]) -> None:  # noqa: ARG002 - it writes deals, not rows
        stories.write_told(self._told, self.names.by_id)
        Deal.objects.bulk_update(self._told, ["version"], batch_size=500)
        remember(self.context.run, self._records)
        stories.check_now()


def _refuse_binned(deal: Deal) -> None:
    if deal.deleted_at:
        raise RowRefused("deal", _("This deal is in the bin; take it out first."))


def _shown(moment: dt.datetime) -> str:
    return date_format(timezone.localtime(moment), "DATETIME_FORMAT")
