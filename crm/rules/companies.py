"""Adding, correcting and deleting companies and contacts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, TypeVar

from django.utils.translation import gettext as _

from crm.models import Company, Contact, User, folded
from crm.rules.audit import acting
from crm.rules.errors import NotAllowed, RecordConflict
from crm.rules.follow_ups import bin_follow_ups, unbin_follow_ups

EDITABLE = {
    Company: ("name", "domain", "industry", "country", "employees", "owner"),
    Contact: ("name", "email", "phone", "position", "company", "owner"),
}
"""What a person says of each."""

Record = TypeVar("Record", Company, Contact)


def add_company(*, fields: Mapping[str, Any], by: User) -> Company:
    """Add a company; it is `by`'s unless said otherwise."""
    return _add(Company(), fields=fields, by=by)


def add_contact(*, fields: Mapping[str, Any], by: User) -> Contact:
    """Add a contact; it is `by`'s unless said otherwise."""
    return _add(Contact(), fields=fields, by=by)


def edit_record(record: Record, *, fields: Mapping[str, Any], by: User, seen_version: int | None = None) -> Record:
    """Write the given fields of a company or contact, and only those: what somebody else wrote into others stays.

    With `seen_version`, RecordConflict where anything was changed since.
    """
    with acting(by):
        fresh = _locked(record, by, seen_version)
        fields = _with_named_company(fields, by)
        names: list[str] = [name for name in EDITABLE[type(record)] if name in fields]
        for name in names:
            setattr(fresh, name, fields[name])
        if names:
            fresh.version += 1
            fresh.save(update_fields=[*names, "version"])
    return fresh


def delete_record(record: Record, *, by: User, now: dt.datetime, seen_version: int | None = None) -> None:
    """Put a company or contact, and what was planned for it, into the bin for 30 days; its deals stay."""
    with acting(by):
        fresh = _locked(record, by, seen_version)
        bin_follow_ups(fresh, now=now)
        fresh.deleted_at = now
        fresh.version += 1
        fresh.save(update_fields=["deleted_at", "version"])


def restore_record(record: Record, *, by: User, now: dt.datetime) -> Record:
    """Take a company or contact out of the bin with what was planned for it."""
    with acting(by):
        binned = type(record).objects.in_bin_of(by, now).select_for_update(no_key=True).filter(pk=record.pk).first()
        if binned is None:
            raise NotAllowed(_("This can no longer be taken out of the bin."))
        binned_at, binned.deleted_at = binned.deleted_at, None
        binned.version += 1
        binned.save(update_fields=["deleted_at", "version"])
        unbin_follow_ups(binned, binned_at=binned_at, now=now)
    return binned


def company_named(name: str, *, by: User) -> Company:
    """Return the company of that name (in any case) that `by` sees, or add one: for forms that take a name."""
    known = Company.objects.visible_to(by).matching(name)
    for company in known[:20]:
        if folded(company.name) == folded(name):
            return company
    return add_company(fields={"name": name.strip()}, by=by)


def contact_named(name: str, *, company: Company | None, by: User) -> Contact:
    """Add a contact of that name to `company`: two people may well be called the same."""
    return add_contact(fields={"name": name.strip(), "company": company}, by=by)


def _add(record: Record, *, fields: Mapping[str, Any], by: User) -> Record:
    if not by.may_write:
        raise NotAllowed(_("You may look, but not add anything."))
    with acting(by):
        fields = _with_named_company(fields, by)
        for name in EDITABLE[type(record)]:
            if name in fields:
                setattr(record, name, fields[name])
        record.owner = record.owner or by
        record.save()
    return record


def _with_named_company(fields: Mapping[str, Any], by: User) -> Mapping[str, Any]:
    """A company that is only named, not saved, is found or added."""
    company = fields.get("company")
    if company is None or company.pk is not None:
        return fields
    return {**fields, "company": company_named(company.name, by=by)}


def _locked(record: Record, by: User, seen_version: int | None = None) -> Record:
    fresh = type(record).objects.editable_by(by).select_for_update(no_key=True).filter(pk=record.pk).first()
    if fresh is None:
        raise NotAllowed(_("You may look at this, but not change it."))
    if seen_version not in {None, fresh.version}:
        raise RecordConflict(fresh)
    return fresh
