"""Spend and exchange rates from files; and every kind that can be brought in, those of the apps below included."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Hashable
from typing import Any, cast

from django.conf import settings
from django.utils.translation import gettext as _

from crm.models import ExchangeRate
from crm.rules.records import references
from crm.rules.records.columns import choice, currency, money, past_day, rate, text
from crm.rules.records.context import Context, Kind
from crm.rules.records.entries import Entry, RowRefused
from crm.rules.records.planning import RecordImporter
from crm.rules.records.registry import register
from metrics.models import Spend
from pipeline.rules.records import kinds as pipeline_kinds


class SpendImporter(RecordImporter[Spend]):
    """Spend has no name of its own: a row is the same as before when all of it is, counted within the file."""

    model = Spend

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._times_seen: Counter[str] = Counter()

    def key(self, entry: Entry) -> Hashable:
        return cast("str", entry["import_key"])

    def find(self, entries: list[Entry]) -> dict[Hashable, Spend]:
        for entry in entries:
            entry.values["import_key"] = self._import_key(entry)
        keys = [entry["import_key"] for entry in entries]
        return {spend.import_key: spend for spend in self.locked(Spend.objects.filter(import_key__in=keys))}

    def _import_key(self, entry: Entry) -> str:
        source = references.name_key(entry["source"] or "")
        parts = (entry["on"], entry["amount"], self.context.currency_of(entry), self._category(entry), source)
        text = "\x1f".join(map(str, parts))
        self._times_seen[text] += 1
        return hashlib.sha256(f"{text}\x1f{self._times_seen[text]}".encode()).hexdigest()

    def _category(self, entry: Entry) -> str:
        return str(entry["category"] or Spend.Category.MARKETING)

    def wanted(self, entry: Entry, record: Spend | None) -> dict[str, Any]:  # noqa: ARG002
        return {
            "on": entry["on"],
            "amount": entry["amount"],
            "currency": self.context.currency_of(entry),
            "category": self._category(entry),
            "source": self.references.source(entry),
            "import_key": entry["import_key"],
        }


class RateImporter(RecordImporter[ExchangeRate]):
    """Rates: one a day and currency; another one for the same day corrects it."""

    model = ExchangeRate

    def key(self, entry: Entry) -> Hashable:
        return (entry["on"], entry["currency"])

    def key_column(self) -> str:
        return "on"

    def find(self, entries: list[Entry]) -> dict[Hashable, ExchangeRate]:
        days = {entry["on"] for entry in entries}
        return {(row.on, row.currency): row for row in self.locked(ExchangeRate.objects.filter(on__in=days))}

    def wanted(self, entry: Entry, record: ExchangeRate | None) -> dict[str, Any]:  # noqa: ARG002
        if entry["currency"] == settings.BASE_CURRENCY:
            raise RowRefused("currency", _("This is the base currency itself; its rate is always 1."))
        return {name: entry[name] for name in ("on", "currency", "rate")}


SPEND = Kind(
    key="spend",
    columns=(
        past_day("on", is_required=True),
        money("amount", is_required=True),
        currency(),
        choice("category", tuple(Spend.Category.values)),
        text("source", 120),
    ),
    importer=SpendImporter,
    warnings=references.WARNINGS,
)
RATES = Kind(
    key="rates",
    columns=(past_day("on", is_required=True), currency(is_required=True), rate("rate")),
    importer=RateImporter,
)

KINDS = pipeline_kinds.KINDS | {kind.key: kind for kind in (SPEND, RATES)}
register(KINDS.values())
