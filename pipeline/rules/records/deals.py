"""Deals from files: found by external id, told by their ends until a stage history tells them better."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable
from dataclasses import replace
from typing import Any, cast

from django.utils.translation import gettext as _

from crm.models import ImportRow, Lead
from crm.rules.records.context import Context
from crm.rules.records.entries import Entry, RowRefused
from crm.rules.records.planning import Plan, Verdict
from crm.rules.records.references import name_key
from crm.rules.records.snapshots import current
from pipeline.models import Deal, LossReason, Pipeline, Stage
from pipeline.rules.records import stories

CLOSING = ("outcome", "won_at", "lost_at")


class DealImporter(stories.StoryImporter):
    """Deals, with the stays that follow from their ends."""

    model = Deal

    def key(self, entry: Entry) -> Hashable | None:
        """The external id; in the wizard else the name with the company's."""
        if entry["external_id"] or not self.context.options.duplicates:
            return entry["external_id"]
        return ("name", name_key(entry["name"]), name_key(entry["company"] or ""))

    def key_column(self) -> str:
        """Where a doubled key is reported."""
        return "external_id" if self.context.has("external_id") else "name"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._leads: dict[str, Lead] = {}
        self._lead_takers: dict[int, str] = {}
        self._stays: dict[int, list[stories.Stay]] = {}
        self._retold: dict[int, list[stories.Stay]] = {}

    def find(self, entries: list[Entry]) -> dict[Hashable, Deal]:
        self.hold_pipelines()
        keys = [entry["external_id"] for entry in entries if entry["external_id"]]
        known = Deal.objects.select_related("stage", "pipeline", "company").order_by("pk")
        deals = list(self.locked(known.filter(external_id__in=keys)))
        found: dict[Hashable, Deal] = {deal.external_id: deal for deal in deals}
        for deal in self._namesakes(entries, known):
            found[("name", name_key(deal.name), name_key(deal.company.name if deal.company else ""))] = deal
        self._stays = stories.stays_of(list(found.values()))
        self._retold = {}
        self._find_leads([entry["lead"] for entry in entries if entry["lead"]])
        return found

    def _namesakes(self, entries: list[Entry], known: Any) -> list[Deal]:
        """Deals with the names of rows that are known by name."""
        names = {key[1] for key in map(self.key, entries) if isinstance(key, tuple)}
        present = self.references.reachable(known.filter(deleted_at=None)) if names else known.none()
        return list(self.locked(present.filter(search__in=names)))

    def _find_leads(self, keys: list[str]) -> None:
        self._leads = self.references.leads_with(keys)
        takers = Deal.objects.filter(lead__in=self._leads.values()).values_list("lead_id", "external_id")
        self._lead_takers |= {cast("int", lead): key or "" for lead, key in takers}

    # --- What a row wants ---

    def wanted(self, entry: Entry, record: Deal | None) -> dict[str, Any]:
        company = self.references.company(entry)
        wanted = {"name": entry["name"], "external_id": entry["external_id"], "company": company}
        wanted |= self._story(entry, record) | self._owner(entry, record)
        wanted |= {"contact": self.references.contact(entry, company, wanted.get("owner"))}
        wanted |= self._origin(entry, record)
        wanted |= {name: entry[name] for name in ("amount", "expected_close_on")}
        if wanted["outcome"] == Deal.Outcome.LOST:
            wanted["loss_reason"] = self.references.reason(LossReason, entry, "lost_reason")
        if record is None or entry["currency"] or self.context.mapping.currency:
            wanted["currency"] = self.context.currency_of(entry)
        return wanted

    def _origin(self, entry: Entry, record: Deal | None) -> dict[str, Any]:
        """Lead, source and campaign; what the row does not say of where it came from, its lead does."""
        lead, source = self._lead(entry), self.references.source(entry)
        within = source or (lead.source if lead else None)
        within = within or (self.references.source_with(record.source_id) if record else None)
        campaign = self.references.campaign(entry, within)
        origin: dict[str, Any] = {"lead": lead, "source": source or (lead.source if lead else None)}
        if campaign and not within:
            origin["source"] = campaign.source
        if campaign:
            origin["campaign"] = campaign
        elif lead and lead.campaign and lead.campaign.source == origin["source"]:
            origin["campaign"] = lead.campaign
        elif self.context.has("campaign"):
            origin["campaign"] = None
        return origin

    def _owner(self, entry: Entry, record: Deal | None) -> dict[str, Any]:
        owner = self.references.owner(entry)
        if owner is None and record is None:
            owner = self.context.options.owner_default
            if owner is None:
                raise RowRefused("owner", _("A deal has an owner. Name one, or import with --owner-default."))
        return {"owner": owner} if owner else {}

    def _lead(self, entry: Entry) -> Lead | None:
        if not entry["lead"]:
            return None
        lead = self._leads.get(entry["lead"])
        if lead is None:
            raise RowRefused("lead", _("No lead has this external id; import the leads first."))
        taker = self._lead_takers.setdefault(lead.pk, entry["external_id"] or f"line {entry.line}")
        if taker != (entry["external_id"] or f"line {entry.line}"):
            raise RowRefused("lead", _("This lead has become deal “%(deal)s” already.") % {"deal": taker})
        return lead

    def _story(self, entry: Entry, record: Deal | None) -> dict[str, Any]:
        """Pipeline, stage, beginning and end; raises RowRefused where they contradict each other."""
        pipeline = record.pipeline if record and not entry["pipeline"] else self.names.pipeline(entry["pipeline"])
        stage = self.names.stage(pipeline, entry["stage"]) if entry["stage"] else None
        outcome = entry["outcome"] or (Deal.Outcome.WON if stage and stage.is_won else Deal.Outcome.OPEN)
        closed_at = self._closed_at(entry, outcome)
        if stage is None and record is None:
            stage = self._assumed_stage(pipeline, outcome)
        if stage:
            self._refuse_wrong_stage(stage, outcome)
        if entry["created_at"] is None and (record is None or record.created_at is None):
            self.context.warn("creation_unknown")
        return {
            "pipeline": pipeline,
            "created_at": entry["created_at"],
            "outcome": outcome,
            "won_at": closed_at if outcome == Deal.Outcome.WON else None,
            "lost_at": closed_at if outcome == Deal.Outcome.LOST else None,
        } | ({"stage": stage} if stage else {})

    def _closed_at(self, entry: Entry, outcome: str) -> dt.datetime | None:
        closed_at: dt.datetime | None = entry["closed_at"]
        if outcome == Deal.Outcome.OPEN:
            if closed_at:
                self.context.warn("open_with_end")
            return None
        if closed_at is None:
            raise RowRefused("closed_at", _("A deal that was won or lost says when."))
        if entry["created_at"] and closed_at < entry["created_at"]:
            raise RowRefused("closed_at", _("This lies before the deal was created (created_at)."))
        return closed_at

    def _assumed_stage(self, pipeline: Pipeline, outcome: str) -> Stage:
        if outcome == Deal.Outcome.WON:
            return self.names.last_open(pipeline)
        self.context.warn("stage_unknown")
        return self.names.first_open(pipeline)

    def _refuse_wrong_stage(self, stage: Stage, outcome: str) -> None:
        if stage.is_won and outcome != Deal.Outcome.WON:
            raise RowRefused(
                "stage", _("A deal in this stage is won, but the row says it is %(outcome)s.") % {"outcome": outcome}
            )
        if stage.is_archived and outcome == Deal.Outcome.OPEN:
            raise RowRefused("stage", _("This stage is archived; no open deal stands in it."))

    # --- What changes ---

    def creation(self, entry: Entry, wanted: dict[str, Any]) -> Plan[Deal]:
        plan = super().creation(entry, wanted)
        deal = plan.record
        deal.stage_entered_at = stories.simple_story(deal, self.names)[-1].entered_at
        deal.closing_owner = None if deal.is_open else deal.owner
        return plan

    def change(self, entry: Entry, record: Deal, changes: dict[str, Any], wanted: dict[str, Any]) -> Plan[Deal]:
        stays = self._stays[record.pk]
        is_simple = stays == stories.simple_story(record, self.names)
        if not is_simple and changes.pop("stage", None):
            self.context.warn("stage_kept")
        if not changes.keys() & set(stories.STORY_FIELDS):
            return super().change(entry, record, changes, wanted)
        if changes.keys() & set(CLOSING):  # they change together: a deal is never won and lost at once
            changes |= {name: wanted[name] for name in CLOSING}
        before = current(record, [*{*changes, *stories.WRITTEN_FIELDS}]) | {"visits": stories.kept(stays)}
        plan = super().change(entry, record, changes, wanted)
        retold = stories.simple_story(record, self.names) if is_simple else self._reclosed(record, stays, changes)
        record.stage_entered_at = retold[-1].entered_at
        record.closing_owner = None if record.is_open else record.owner
        self._retold[record.pk] = retold
        plan.before = before
        return plan

    def _reclosed(self, deal: Deal, stays: list[stories.Stay], changes: dict[str, Any]) -> list[stories.Stay]:
        """The deal's own history with the beginning and the end that the row gives it; raises RowRefused."""
        if "pipeline" in changes:
            raise RowRefused("pipeline", _("This deal has a history in another pipeline."))
        first, last = stays[0], stays[-1]
        stage = self.names.by_id[last.stage_id]
        if stage.is_won and deal.outcome != Deal.Outcome.WON:
            raise RowRefused("outcome", _("This deal's history ends in a stage that wins it."))
        if stage.is_won:
            deal.won_at = last.entered_at
        elif deal.closed_at and last.entered_at and deal.closed_at < last.entered_at:
            raise RowRefused("closed_at", _("This lies before the deal entered its last stage."))
        if deal.created_at and first.left_at and deal.created_at > first.left_at:
            raise RowRefused("created_at", _("This lies after the deal left its first stage."))
        retold = [replace(first, entered_at=deal.created_at), *stays[1:]]
        return [*retold[:-1], replace(retold[-1], left_at=None if stage.is_won else deal.closed_at)]

    # --- Writing ---

    def insert(self, records: list[Deal]) -> None:
        stories.rank_on_top(records)
        super().insert(records)
        stories.write_stays({deal.pk: stories.simple_story(deal, self.names) for deal in records}, self.names.by_id)

    def update(self, plans: list[Plan[Deal]]) -> None:
        super().update(plans)
        stories.write_told(
            {plan.record: self._retold[plan.record.pk] for plan in plans if plan.record.pk in self._retold},
            self.names.by_id,
        )

    def after_write(self, plans: list[Plan[Deal]]) -> None:
        self._convert_leads(
            [plan for plan in plans if plan.verdict is not Verdict.UNCHANGED and plan.after.get("lead")]
        )
        stories.check_now()

    def _convert_leads(self, plans: list[Plan[Deal]]) -> None:
        """The leads that became deals are converted: when the deal was created, or where that is unknown, closed."""
        rows, leads = [], []
        for plan in plans:
            lead, deal = plan.after["lead"], plan.record
            if lead.converted_at:
                continue
            before = current(lead, ["status", "converted_at"])
            lead.status, lead.version = Lead.Status.CONVERTED, lead.version + 1
            lead.converted_at = deal.created_at or deal.closed_at or self.context.now
            leads.append(lead)
            rows.append(
                ImportRow(
                    run=self.context.run,
                    line=plan.entry.line,
                    model=lead._meta.label_lower,
                    record_id=lead.pk,
                    before=before,
                    after=current(lead, list(before)),
                )
            )
        Lead.objects.bulk_update(leads, ["status", "converted_at", "version"])
        ImportRow.objects.bulk_create(rows)
