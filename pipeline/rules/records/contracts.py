"""Contracts from files: found by external id, else by company and first day."""

from __future__ import annotations

from collections.abc import Hashable
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from crm.rules.records.entries import Entry, RowRefused
from crm.rules.records.planning import RecordImporter
from crm.rules.records.references import name_key
from pipeline.models import Contract


class ContractImporter(RecordImporter[Contract]):
    """Contracts, owned by whoever owns the company."""

    model = Contract

    def key(self, entry: Entry) -> Hashable:
        return entry["external_id"] or (name_key(entry["company"]), entry["starts_on"])

    def key_column(self) -> str:
        return "external_id" if self.context.has("external_id") else "starts_on"

    def find(self, entries: list[Entry]) -> dict[Hashable, Contract]:
        ids = [entry["external_id"] for entry in entries if entry["external_id"]]
        days = {entry["starts_on"] for entry in entries if not entry["external_id"]}
        contracts = Contract.objects.select_related("company").order_by("pk")
        found: dict[Hashable, Contract] = {
            row.external_id: row for row in self.locked(contracts.filter(external_id__in=ids))
        }
        unnamed = contracts.present().filter(external_id=None, starts_on__in=days)
        return found | {(name_key(row.company.name), row.starts_on): row for row in self.locked(unnamed)}

    def wanted(self, entry: Entry, record: Contract | None) -> dict[str, Any]:
        _refuse_contradictions(entry)
        wanted = {name: entry[name] for name in ("external_id", "starts_on", "ends_on", "cancelled_on")}
        wanted |= {"churn_reason": entry["churn_reason"] or "", "company": self.references.company(entry)}
        if record is None or entry["monthly_value"] is not None:
            wanted["monthly_value"] = entry["monthly_value"] or Decimal(0)
        if record is None or entry["currency"] or self.context.mapping.currency:
            wanted["currency"] = self.context.currency_of(entry)
        if record is None:
            wanted["owner_id"] = wanted["company"].owner_id or getattr(self.context.options.owner_default, "pk", None)
        return wanted


def _refuse_contradictions(entry: Entry) -> None:
    if entry["ends_on"] and entry["ends_on"] <= entry["starts_on"]:
        raise RowRefused("ends_on", _("A contract ends after it starts; ends_on is its first day without it."))
    if entry["cancelled_on"] and entry["cancelled_on"] < entry["starts_on"]:
        raise RowRefused("cancelled_on", _("A contract cannot be cancelled before it starts."))
