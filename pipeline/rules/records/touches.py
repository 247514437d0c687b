"""Touches from files: calls, e-mails, meetings and messages about a lead or a deal."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter, defaultdict
from collections.abc import Hashable
from typing import Any, cast

from django.contrib.contenttypes.models import ContentType
from django.utils.translation import gettext as _

from crm.models import Activity, ImportRow, Lead
from crm.rules.records.context import Context
from crm.rules.records.entries import Entry, RowRefused
from crm.rules.records.planning import Plan, RecordImporter, Verdict
from crm.rules.records.snapshots import current
from pipeline.models import Deal

ACTIVITY_KINDS = {
    "phone": "call",
    "telephone": "call",
    "mail": "email",
    "e-mail": "email",
    "sms": "message",
    "chat": "message",
}


class TouchImporter(RecordImporter[Activity]):
    """Touches, known by what they were: the same row of the same file again is the same touch."""

    model = Activity

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._leads: dict[str, Lead] = {}
        self._deals: dict[str, Deal] = {}
        self._times_seen: Counter[str] = Counter()

    def key(self, entry: Entry) -> Hashable:
        return cast("str", entry["import_key"])

    def key_column(self) -> str:
        return "at"

    def find(self, entries: list[Entry]) -> dict[Hashable, Activity]:
        for entry in entries:
            entry.values["import_key"] = self._import_key(entry)
        deals = (
            Deal.objects.present().filter(external_id__in=_given(entries, "deal")).select_related("lead").order_by("pk")
        )
        self._leads = self.references.leads_with(_given(entries, "lead"))
        list(self.locked(Lead.objects.filter(pk__in=[lead.pk for lead in self._leads.values()]).order_by("pk")))
        self._deals = {cast("str", deal.external_id): deal for deal in self.locked(deals)}
        known = Activity.objects.filter(import_key__in=_given(entries, "import_key"))
        return {activity.import_key: activity for activity in self.locked(known)}

    def _import_key(self, entry: Entry) -> str:
        """What the touch was, without how it was taken, so that a corrected response updates it."""
        parts = (entry["lead"], entry["deal"], entry["at"].isoformat(), entry["channel"], entry["direction"])
        text = "\x1f".join(str(part or "") for part in parts)
        self._times_seen[text] += 1
        return hashlib.sha256(f"{text}\x1f{self._times_seen[text]}".encode()).hexdigest()

    def wanted(self, entry: Entry, record: Activity | None) -> dict[str, Any]:
        subject = self._subject(entry)
        return {
            "subject_type": ContentType.objects.get_for_model(subject),
            "subject_id": subject.pk,
            "kind": entry["channel"] or Activity.Kind.MESSAGE,
            "direction": entry["direction"] or Activity.Direction.OUT,
            "response": entry["response"] or Activity.Response.NONE,
            "at": entry["at"],
            "import_key": entry["import_key"],
        } | ({"author_id": subject.owner_id} if record is None else {})

    def _subject(self, entry: Entry) -> Lead | Deal:
        lead, deal = self._leads.get(entry["lead"]), self._deals.get(entry["deal"])
        if entry["deal"] and deal is None:
            raise RowRefused("deal", _("No deal has this external id; import the deals first."))
        if entry["lead"] and lead is None:
            raise RowRefused("lead", _("No lead has this external id; import the leads first."))
        return cast("Lead | Deal", deal or lead)

    # --- What follows ---

    def after_write(self, plans: list[Plan[Activity]]) -> None:
        """A lead is answered by the first outbound touch since it came in; leads and deals keep their last touch."""
        times: dict[Lead | Deal, list[tuple[dt.datetime, str, int]]] = defaultdict(list)
        for plan in plans:
            if plan.verdict is Verdict.CREATED:
                for subject in self._concerned(plan.entry):
                    times[subject].append((plan.record.at, plan.record.direction, plan.entry.line))
        rows = [row for subject, touches in times.items() if (row := self._touched(subject, touches))]
        leads = [subject for subject in times if isinstance(subject, Lead)]
        deals = [subject for subject in times if isinstance(subject, Deal)]
        Lead.objects.bulk_update(leads, ["last_touch_at", "first_response_at", "status"], batch_size=500)
        Deal.objects.bulk_update(deals, ["last_touch_at"], batch_size=500)
        ImportRow.objects.bulk_create(rows)

    def _concerned(self, entry: Entry) -> list[Lead | Deal]:
        deal = self._deals.get(entry["deal"])
        lead = self._leads.get(entry["lead"]) or (deal.lead if deal else None)
        return [subject for subject in (deal, lead) if subject is not None]

    def _touched(self, subject: Lead | Deal, touches: list[tuple[dt.datetime, str, int]]) -> ImportRow | None:
        names = ["last_touch_at", "first_response_at", "status"] if isinstance(subject, Lead) else ["last_touch_at"]
        before = current(subject, names)
        latest = max(at for at, _direction, _line in touches)
        subject.last_touch_at = max(subject.last_touch_at or latest, latest)
        if isinstance(subject, Lead):
            self._answered(subject, [at for at, direction, _line in touches if direction == Activity.Direction.OUT])
        after = current(subject, names)
        if before == after:
            return None
        model, line = subject._meta.label_lower, touches[0][2]
        return ImportRow(run=self.context.run, line=line, model=model, record_id=subject.pk, before=before, after=after)

    def _answered(self, lead: Lead, outbound: list[dt.datetime]) -> None:
        answers = [at for at in outbound if at >= lead.created_at]
        if lead.first_response_at or not answers:
            return
        lead.first_response_at = min(answers)
        if lead.status == Lead.Status.NEW:
            lead.status = Lead.Status.WORKING


def _given(entries: list[Entry], column: str) -> set[str]:
    return {entry[column] for entry in entries if entry[column]}
