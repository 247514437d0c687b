"""What companies, contacts and leads from files have in common: labels, owners, and the columns a row gives."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy, pgettext_lazy

from crm.models import User
from crm.rules.records.context import Ask
from crm.rules.records.entries import Entry
from crm.rules.records.planning import RecordImporter
from crm.rules.records.references import name_key

TIMES = ("first_response_at", "qualified_at", "disqualified_at")
"""What happens to a lead, and when."""


def ids_of(entries: list[Entry]) -> list[str]:
    """The external ids that rows name."""
    return [entry["external_id"] for entry in entries if entry["external_id"]]


def given(entry: Entry, *names: str) -> dict[str, Any]:
    """The named columns of a row that the file has, empty texts as empty."""
    texts = {"external_id": None, "employees": None} | dict.fromkeys(TIMES)
    return {
        name: entry[name] if entry[name] is not None else texts.get(name, "") for name in names if name in entry.values
    }


def owner_of(importer: RecordImporter[Any], entry: Entry, record: Any) -> dict[str, Any]:
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
    "campaign": gettext_lazy("Campaign"),
    "status": gettext_lazy("Status"),
    "created_at": gettext_lazy("Created"),
    "first_response_at": gettext_lazy("First answered"),
    "qualified_at": gettext_lazy("Qualified"),
    "disqualified_at": gettext_lazy("Disqualified"),
    "disqualify_reason": gettext_lazy("Reason for disqualifying"),
    "nurture_until": gettext_lazy("Comes back on"),
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
