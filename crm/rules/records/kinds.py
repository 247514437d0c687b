"""The kinds of this app that can be brought in: companies, contacts and leads."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy

from crm.models import Company, Contact
from crm.rules.records import references
from crm.rules.records.columns import email, text, whole
from crm.rules.records.context import Kind
from crm.rules.records.entries import Entry
from crm.rules.records.leads import LEADS
from crm.rules.records.people import LABELS, OWNER, PEOPLE_LABELS, given, ids_of, owner_of
from crm.rules.records.planning import RecordImporter
from crm.rules.records.references import name_key
from crm.rules.records.registry import register


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
            record.external_id: record
            for record in self.locked(Company.objects.filter(external_id__in=ids_of(entries)))
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
        wanted = given(entry, "name", "external_id", "domain", "industry", "country", "employees") | owner_of(
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
        by_id = {contact.external_id: contact for contact in contacts.filter(external_id__in=ids_of(entries))}
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
        wanted = given(entry, "name", "external_id", "email", "phone", "position") | owner_of(self, entry, record)
        if not wanted.get("name"):
            wanted["name"] = record.name if record else entry["email"]
        if company := self.references.company(entry):
            wanted["company"] = company
        return wanted


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
KINDS = {kind.key: kind for kind in (COMPANIES, CONTACTS, LEADS)}
register(KINDS.values())
