"""Leads from files: their times, where they stand, and where they came from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable
from functools import cached_property
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy, override

from crm.models import DisqualifyReason, Lead, User
from crm.rules.assigning import give_out
from crm.rules.records import references
from crm.rules.records.columns import Column, day, email, past_instant, text
from crm.rules.records.context import Ask, Kind
from crm.rules.records.entries import Entry, RowRefused
from crm.rules.records.formats import Formats
from crm.rules.records.mapping import listed
from crm.rules.records.people import OWNER, PEOPLE_LABELS, TIMES, given, ids_of, owner_of
from crm.rules.records.planning import Plan, RecordImporter
from crm.rules.records.references import name_key
from crm.rules.records.values import BadValue
from crm.rules.response_clock import Clocks, start_clock

Status = Lead.Status
CLOCKED_BY = ("created_at", "source")
"""What decides by when a lead is to be answered."""
IN_HAND = (Status.NEW, Status.WORKING, Status.QUALIFIED)
"""The way of a lead that is worked on, which its times tell as well."""


class LeadImporter(RecordImporter[Lead]):
    """Leads: known by external id alone; their status is the one named, as far as their times do not say more.

    A history may hold two leads of one person; only in the wizard are two rows with one name and e-mail the same.
    """

    model = Lead

    def key(self, entry: Entry) -> Hashable | None:
        if entry["external_id"] or not (self.context.options.duplicates and entry["email"]):
            return entry["external_id"]
        return ("email", entry["email"], name_key(entry["name"]))

    def key_column(self) -> str:
        return "external_id" if self.context.has("external_id") else "email"

    def find(self, entries: list[Entry]) -> dict[Hashable, Lead]:
        return {lead.external_id: lead for lead in self.locked(Lead.objects.filter(external_id__in=ids_of(entries)))}

    def wanted(self, entry: Entry, record: Lead | None) -> dict[str, Any]:
        refuse_contradictions(entry)
        wanted = given(entry, "name", "external_id", "email", "phone", "message", *TIMES) | owner_of(
            self, entry, record
        )
        if self.context.has("company"):
            wanted["company_name"] = entry["company"] or ""
        wanted |= self._origin(entry, record)
        if self.context.has("disqualify_reason"):
            wanted["disqualify_reason"] = self.references.reason(DisqualifyReason, entry, "disqualify_reason")
        if entry["created_at"] or record is None:
            wanted["created_at"] = entry["created_at"] or self._earliest(entry)
        if record is None or (not record.converted_at and any(map(self.context.has, ("status", *TIMES)))):
            wanted |= self._standing(entry, wanted)
        return wanted | self._clock(wanted, record)

    def creation(self, entry: Entry, wanted: dict[str, Any]) -> Plan[Lead]:
        return super().creation(entry, wanted | self._dated(wanted, None))

    def change(self, entry: Entry, record: Lead, changes: dict[str, Any], wanted: dict[str, Any]) -> Plan[Lead]:
        return super().change(entry, record, changes | self._dated(changes, record), wanted)

    def settle_new(self, plans: list[Plan[Lead]]) -> None:
        """Give out new leads that name no owner, where the import is to; who gets one is part of what it leaves."""
        if not self.context.options.assigns:
            return
        free = [plan for plan in plans if plan.record.owner_id is None]
        give_out([plan.record for plan in free], else_to=self.context.options.owner_default, now=self.context.now)
        for plan in free:
            plan.after |= {name: getattr(plan.record, name) for name in ("owner", "team", "answer_by")}

    def _origin(self, entry: Entry, record: Lead | None) -> dict[str, Any]:
        """Source and campaign; a campaign that is known brings its source along."""
        source = self.references.source(entry)
        within = source or (self.references.source_with(record.source_id) if record else None)
        campaign = self.references.campaign(entry, within)
        origin: dict[str, Any] = {"source": source} if self.context.has("source") else {}
        if self.context.has("campaign"):
            origin["campaign"] = campaign
        if campaign and not within:
            origin["source"] = campaign.source
        return origin

    def _standing(self, entry: Entry, wanted: dict[str, Any]) -> dict[str, Any]:
        """Where the lead stands; a time that only its status tells is dated once it stands there."""
        standing: dict[str, Any] = {"status": _status(entry)}
        if self.context.has("nurture_until") or standing["status"] == Status.NURTURING:
            standing["nurture_until"] = entry["nurture_until"]
        if entry["status"] == Status.CONVERTED:
            self.context.warn("leads_converted_elsewhere")
        if standing["status"] == Status.NURTURING and not entry["nurture_until"]:
            self.context.warn("lead_return_unknown")
        for status, name in ((Status.DISQUALIFIED, "disqualified_at"), (Status.QUALIFIED, "qualified_at")):
            if standing["status"] == status and not entry[name]:
                wanted.pop(name, None)
        return standing

    def _dated(self, fields: dict[str, Any], record: Lead | None) -> dict[str, Any]:
        """The times that follow from a status which `fields` change: without one of its own, it is this import's."""
        status = fields.get("status")
        dated: dict[str, Any] = {}
        for its, name in ((Status.DISQUALIFIED, "disqualified_at"), (Status.QUALIFIED, "qualified_at")):
            if status == its and not (fields.get(name) or (record and getattr(record, name))):
                dated[name] = self.context.now
                self.context.warn("lead_status_undated")
        if record and status and status != Status.DISQUALIFIED and record.disqualified_at:
            dated |= {"disqualified_at": None, "disqualify_reason": None}
        if record and status and status != Status.NURTURING and record.nurture_until:
            dated["nurture_until"] = None
        return dated

    def _clock(self, wanted: dict[str, Any], record: Lead | None) -> dict[str, Any]:
        """By when the lead is to be answered, where that is new; the same file again changes nothing."""
        if record and all(getattr(record, name) == wanted.get(name, getattr(record, name)) for name in CLOCKED_BY):
            return {}
        lead = Lead(**{name: wanted.get(name, getattr(record, name, None)) for name in (*CLOCKED_BY, "owner", "team")})
        start_clock(lead, clocks=self.clocks)
        came_in = {} if record else {"escalated_at": lead.escalated_at}
        return {"answer_by": lead.answer_by} | came_in

    @cached_property
    def clocks(self) -> Clocks:
        """Reads each calendar once a file."""
        return Clocks(self.context.now)

    def _earliest(self, entry: Entry) -> Any:
        """A lead without a creation time came in by its first time, or else now; said in the report either way."""
        self.context.warn("lead_creation_unknown")
        return min((entry[name] for name in TIMES if entry[name]), default=self.context.now)


def refuse_contradictions(entry: Entry) -> None:
    """Nothing happens to a lead before it came in; who is no customer is not in hand, and only the nurtured return."""
    for name in TIMES:
        if entry["created_at"] and entry[name] and entry[name] < entry["created_at"]:
            raise RowRefused(name, _("This lies before the lead came in (created_at)."))
    said = entry["status"] or (Status.DISQUALIFIED if entry["disqualified_at"] else None)
    if entry["disqualified_at"] and said != Status.DISQUALIFIED:
        raise RowRefused("status", _("A lead with a time of disqualification is disqualified."))
    if entry["disqualify_reason"] and said != Status.DISQUALIFIED:
        reason = _("A disqualified lead says when it was disqualified, or has the status “disqualified”.")
        raise RowRefused("disqualified_at", reason)
    if entry["nurture_until"] and said not in (None, Status.NURTURING):
        raise RowRefused("nurture_until", _("Only a lead with the status “nurturing” comes back on a day."))


def _status(entry: Entry) -> str:
    """The status named, or which the times tell; one that is a deal elsewhere is qualified until its deal comes."""
    if entry["status"] in (Status.DISQUALIFIED, Status.NURTURING):
        return str(entry["status"])
    if entry["disqualified_at"]:
        return Status.DISQUALIFIED
    if entry["nurture_until"]:
        return Status.NURTURING
    told = Status.QUALIFIED if entry["qualified_at"] else Status.WORKING if entry["first_response_at"] else Status.NEW
    said = Status.QUALIFIED if entry["status"] == Status.CONVERTED else entry["status"] or Status.NEW
    return max(told, said, key=IN_HAND.index)


def status_words() -> dict[str, str]:
    """Every word for a status, in lower case: its own and its labels in each language."""
    words = {str(value): str(value) for value in Status.values}
    for language, _name in settings.LANGUAGES:
        with override(language):
            words |= {name_key(str(label)): str(value) for value, label in Status.choices}
    return words


def _status_column() -> Column:
    def read(cell: str, _formats: Formats, _now: dt.datetime) -> str:
        if status := status_words().get(name_key(cell)):
            return status
        options = listed([str(label) for label in Status.labels])
        raise BadValue(
            _("Give one of %(options)s, or say in the mapping, [values.%(column)s], what it means.")
            % {"options": options, "column": "status"}
        )

    return Column("status", read)


def _status_choices(_by: User) -> list[tuple[str, str]]:
    return [(str(value), str(label)) for value, label in Status.choices]


LEADS = Kind(
    key="leads",
    columns=(
        text("name", 200, is_required=True),
        text("external_id", 100),
        text("company", 200),
        email("email"),
        text("phone", 40),
        text("message", 10_000),
        text("source", 120),
        text("campaign", 120),
        text("owner", 200),
        _status_column(),
        past_instant("created_at"),
        past_instant("first_response_at"),
        past_instant("qualified_at"),
        past_instant("disqualified_at"),
        text("disqualify_reason", 120),
        day("nurture_until"),
    ),
    importer=LeadImporter,
    place=1,
    label=gettext_lazy("Leads"),
    labels=PEOPLE_LABELS,
    asks=(OWNER, Ask("status", lambda: set(status_words()), _status_choices)),
    listed_at="lead_list",
    warnings=references.WARNINGS
    | {
        "lead_creation_unknown": ngettext_lazy(
            "%(count)d lead has no created_at; it is dated by its first time, or by this import.",
            "%(count)d leads have no created_at; they are dated by their first time, or by this import.",
            "count",
        ),
        "lead_status_undated": ngettext_lazy(
            "%(count)d lead does not say when it was qualified or disqualified; it is dated by this import.",
            "%(count)d leads do not say when they were qualified or disqualified; they are dated by this import.",
            "count",
        ),
        "lead_return_unknown": ngettext_lazy(
            "%(count)d nurtured lead names no day of return; it stays aside until somebody takes it up.",
            "%(count)d nurtured leads name no day of return; they stay aside until somebody takes them up.",
            "count",
        ),
        "leads_converted_elsewhere": ngettext_lazy(
            "%(count)d lead was a deal there; it is qualified here until that deal is brought in.",
            "%(count)d leads were deals there; they are qualified here until those deals are brought in.",
            "count",
        ),
    },
)
