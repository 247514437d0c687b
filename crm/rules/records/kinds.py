"""The kinds of this app that can be brought in: companies, contacts and leads."""

from __future__ import annotations

from collections.abc import Hashable
from functools import cached_property
from typing import Any

from django.db.models.functions import Lower
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy, pgettext_lazy

from crm.models import Company, Contact, DisqualifyReason, Lead, User
from crm.rules.assigning import give_out
from crm.rules.records import references
from crm.rules.records.columns import email, past_instant, text, whole
from crm.rules.records.context import Ask, Kind
from crm.rules.records.entries import Entry, RowRefused
from crm.rules.records.planning import Plan, RecordImporter
from crm.rules.records.references import name_key
from crm.rules.records.registry import register
from crm.rules.response_clock import Clocks, start_clock

LEAD_TIMES = ("first_response_at", "qualified_at", "disqualified_at")
CLOCKED_BY = ("created_at", "source")
"""What decides by when a lead is to be answered."""


class CompanyImporter(RecordImporter[Company]):
    """Companies: known by external id, else by name."""

    model = Company

    def key(self, entry: Entry) -> Hashable:
        return entry["external_id"] or ("name", name_key(entry["name"]))

    def key_column(self) -> str:
        return "external_id" if self.context.has("external_id") else "name"

    def find(self, entries: list[Entry]) -> dict[Hashable, Company]:
        names = {name_key(entry["name"]) for entry in entries}
        by_id = {
            record.external_id: record for record in self.locked(Company.objects.filter(external_id__in=_ids(entries)))
        }
        by_name: dict[Hashable, Company] = {}
        for company in self.locked(Company.objects.present().filter(pk__in=self._named(names)).order_by("-pk")):
            by_name[name_key(company.name)] = company
        found: dict[Hashable, Company] = {}
        for entry in entries:
            namesake = self._adoptable(entry, by_name.get(name_key(entry["name"])))
            if record := by_id.get(entry["external_id"]) or namesake:
                found[self.key(entry)] = record
        return found

    def _named(self, names: set[str]) -> list[int]:
        return [company.pk for name in names for company in self.references.companies_named(name)]

    def _adoptable(self, entry: Entry, namesake: Company | None) -> Company | None:
        """A company of the same name is the same one, unless both have external ids."""
        return None if namesake and namesake.external_id and entry["external_id"] else namesake

    def wanted(self, entry: Entry, record: Company | None) -> dict[str, Any]:
        wanted = _given(entry, "name", "external_id", "domain", "industry", "country", "employees") | _owner(
            self, entry, record
        )
        if record and not entry["external_id"]:
            del wanted["name"]  # it was found by its name: another spelling is no correction
        return wanted


class ContactImporter(RecordImporter[Contact]):
    """Contacts: known by external id, else by e-mail, else by name and company."""

    model = Contact

    def key(self, entry: Entry) -> Hashable:
        if entry["external_id"]:
            return str(entry["external_id"])
        if entry["email"]:
            return ("email", entry["email"])
        return ("name", name_key(entry["name"]), name_key(entry["company"] or ""))

    def key_column(self) -> str:
        return next(column for column in ("external_id", "email", "name") if self.context.has(column))

    def find(self, entries: list[Entry]) -> dict[Hashable, Contact]:
        contacts = self.locked(Contact.objects.select_related("company").order_by("-pk"))
        emails = [entry["email"] for entry in entries if entry["email"]]
        names = [entry["name"] for entry in entries if entry["name"] and not entry["email"]]
        by_id = {contact.external_id: contact for contact in contacts.filter(external_id__in=_ids(entries))}
        present = self.references.reachable(contacts.filter(deleted_at=None)).annotate(address=Lower("email"))
        by_email = {contact.email.lower(): contact for contact in present.filter(address__in=emails)}
        by_name = {
            ("name", name_key(contact.name), name_key(contact.company.name if contact.company else "")): contact
            for contact in present.filter(name__in=names, email="")
        }
        found: dict[Hashable, Contact] = {}
        for entry in entries:
            key = self.key(entry)
            namesake = by_email.get(entry["email"]) if entry["email"] else by_name.get(key)  # type: ignore[call-overload]
            if namesake and namesake.external_id and entry["external_id"]:
                namesake = None
            if contact := by_id.get(entry["external_id"]) or namesake:
                found[key] = contact
        return found

    def wanted(self, entry: Entry, record: Contact | None) -> dict[str, Any]:
        wanted = _given(entry, "name", "external_id", "email", "phone", "position") | _owner(self, entry, record)
        if not wanted.get("name"):
            wanted["name"] = record.name if record else entry["email"]
        if company := self.references.company(entry):
            wanted["company"] = company
        return wanted


class LeadImporter(RecordImporter[Lead]):
    """Leads: known by external id alone; their status follows from their times.

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
        return {lead.external_id: lead for lead in self.locked(Lead.objects.filter(external_id__in=_ids(entries)))}

    def wanted(self, entry: Entry, record: Lead | None) -> dict[str, Any]:
        _refuse_contradictions(entry)
        wanted = _given(entry, "name", "external_id", "email", "phone", "message", *LEAD_TIMES) | _owner(
            self, entry, record
        )
        wanted |= {"company_name": entry["company"] or ""}
        wanted |= {"source": self.references.source(entry)}
        wanted |= {"disqualify_reason": self.references.reason(DisqualifyReason, entry, "disqualify_reason")}
        if entry["created_at"] or record is None:
            wanted["created_at"] = entry["created_at"] or self._earliest(entry)
        if record is None or (not record.converted_at and any(self.context.has(name) for name in LEAD_TIMES)):
            wanted["status"] = _status(entry)
        return wanted | self._clock(wanted, record)

    def settle_new(self, plans: list[Plan[Lead]]) -> None:
        """Give out new leads that name no owner, where the import is to; who gets one is part of what it leaves."""
        if not self.context.options.assigns:
            return
        free = [plan for plan in plans if plan.record.owner_id is None]
        give_out([plan.record for plan in free], else_to=self.context.options.owner_default, now=self.context.now)
        for plan in free:
            plan.after |= {name: getattr(plan.record, name) for name in ("owner", "team", "answer_by")}

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
        return min((entry[name] for name in LEAD_TIMES if entry[name]), default=self.context.now)


def _refuse_contradictions(entry: Entry) -> None:
    """Nothing happens to a lead before it came in; a reason needs its time."""
    for name in LEAD_TIMES:
        if entry["created_at"] and entry[name] and entry[name] < entry["created_at"]:
            raise RowRefused(name, _("This lies before the lead came in (created_at)."))
    if entry["disqualify_reason"] and not entry["disqualified_at"]:
        raise RowRefused("disqualified_at", _("A disqualified lead says when it was disqualified."))


def _status(entry: Entry) -> str:
    if entry["disqualified_at"]:
        return Lead.Status.DISQUALIFIED
    if entry["qualified_at"]:
        return Lead.Status.QUALIFIED
    return Lead.Status.WORKING if entry["first_response_at"] else Lead.Status.NEW


def _ids(entries: list[Entry]) -> list[str]:
    return [entry["external_id"] for entry in entries if entry["external_id"]]


def _given(entry: Entry, *names: str) -> dict[str, Any]:
    """The named columns of a row that the file has, empty texts as empty."""
    texts = {"external_id": None, "employees": None} | dict.fromkeys(LEAD_TIMES)
    return {
        name: entry[name] if entry[name] is not None else texts.get(name, "") for name in names if name in entry.values
    }


def _owner(importer: RecordImporter[Any], entry: Entry, record: Any) -> dict[str, Any]:
    """The owner a row names; for a new record without one, the one to whom the import gives such records."""
    owner = importer.references.owner(entry)
    if owner is None and record is None and not importer.context.options.assigns:
        owner = importer.context.options.owner_default
    return {"owner": owner} if owner else {}


LABELS = {
    "name": gettext_lazy("Name"),
    "external_id": gettext_lazy("External id"),
    "domain": gettext_lazy("Website"),
    "industry": gettext_lazy("Industry"),
    "country": gettext_lazy("Country"),
    "employees": gettext_lazy("Employees"),
    "owner": gettext_lazy("Owner"),
    "email": gettext_lazy("E-mail"),
    "phone": gettext_lazy("Phone"),
    "company": gettext_lazy("Company"),
    "company_id": gettext_lazy("External id of the company"),
    "position": gettext_lazy("Position"),
    "message": gettext_lazy("What they wrote"),
    "source": gettext_lazy("Source"),
    "created_at": gettext_lazy("Created"),
    "first_response_at": gettext_lazy("First answered"),
    "qualified_at": gettext_lazy("Qualified"),
    "disqualified_at": gettext_lazy("Disqualified"),
    "disqualify_reason": gettext_lazy("Reason for disqualifying"),
}


PEOPLE_LABELS = LABELS | {"name": pgettext_lazy("person", "Name"), "created_at": pgettext_lazy("lead", "Created")}


def _people_known() -> set[str]:
    return {name_key(text) for names in User.objects.values_list("name", "email") for text in names}


def _people_choices(by: User) -> list[tuple[str, str]]:
    """Whom `by` may give records to."""
    people = User.objects.assignable_by(by)
    if by.editable_owner_ids is not None:
        people = people.filter(pk__in=by.editable_owner_ids)
    return [(person.email, str(person)) for person in people]


OWNER = Ask("owner", _people_known, _people_choices)
COMPANIES = Kind(
    key="companies",
    columns=(
        text("name", 200, is_required=True),
        text("external_id", 100),
        text("domain", 200),
        text("industry", 120),
        text("country", 120),
        whole("employees"),
        text("owner", 200),
    ),
    importer=CompanyImporter,
    warnings=references.WARNINGS,
    place=3,
    label=gettext_lazy("Companies"),
    labels=LABELS,
    asks=(OWNER,),
    listed_at="company_list",
)
CONTACTS = Kind(
    key="contacts",
    columns=(
        text("name", 200),
        email("email"),
        text("external_id", 100),
        text("phone", 40),
        text("company", 200),
        text("company_id", 500),
        text("position", 120),
        text("owner", 200),
    ),
    importer=ContactImporter,
    needs_one_of=("name", "email"),
    warnings=references.WARNINGS,
    place=2,
    label=gettext_lazy("Contacts"),
    labels=PEOPLE_LABELS,
    asks=(OWNER,),
    listed_at="contact_list",
)
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
        text("owner", 200),
        past_instant("created_at"),
        past_instant("first_response_at"),
        past_instant("qualified_at"),
        past_instant("disqualified_at"),
        text("disqualify_reason", 120),
    ),
    importer=LeadImporter,
    place=1,
    label=gettext_lazy("Leads"),
    labels=PEOPLE_LABELS,
    asks=(OWNER,),
    listed_at="lead_list",
    warnings=references.WARNINGS
    | {
        "lead_creation_unknown": ngettext_lazy(
            "%(count)d lead has no created_at; it is dated by its first time, or by this import.",
            "%(count)d leads have no created_at; they are dated by their first time, or by this import.",
            "count",
        )
    },
)

KINDS = {kind.key: kind for kind in (COMPANIES, CONTACTS, LEADS)}
register(KINDS.values())
