"""A person's data, on their request: what is held about them, a copy of it, and its erasure, which is final.

What remains are rows without words: who sold what, when, and how soon it was answered, but no longer with whom.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any, Literal

from django.apps import apps
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from crm.models import (
    ERASED,
    AuditEntry,
    Contact,
    Email,
    Holding,
    ImportRow,
    Lead,
    OutboxRow,
    Person,
    Subject,
    User,
    blank_of,
    holdings,
    subject_models,
)
from crm.models.person import Reach, is_number
from crm.models.personal import all_rows
from crm.rules import outbox
from crm.rules.audit import acting, erasing
from crm.rules.errors import NotAllowed
from crm.rules.importing.uploading import forget_uploads_about
from crm.rules.personal_logs import beside_keys, entries, erase_entries, own_keys, strike_entries

LEAD, CONTACT, COMPANY = "crm.lead", "crm.contact", "crm.company"
NOT_COPIED = frozenset({"search", "content"})
"""Columns that repeat others, and files themselves."""
LONGEST_STRUCK = 60
"""Of a name that is told apart by a number; there is room for it in every such column."""


# --- Who it is --------------------------------------------------------------------------------------------------------


def person_of(*records: Subject) -> Person:
    """Return the person of these leads and contacts, with all that conversion or a merge has tied to them."""
    leads = {record.pk for record in records if isinstance(record, Lead)}
    contacts = {record.pk for record in records if isinstance(record, Contact)}
    size = 0
    while size < len(leads) + len(contacts):
        size = len(leads) + len(contacts)
        contacts |= set(all_rows(Lead).filter(pk__in=leads, contact__isnull=False).values_list("contact_id", flat=True))
        leads |= set(all_rows(Lead).filter(contact__in=contacts).values_list("pk", flat=True))
        leads |= _merged(Lead, leads)
        contacts |= _merged(Contact, contacts)
    named: list[Any] = [*all_rows(Lead).filter(pk__in=leads), *all_rows(Contact).filter(pk__in=contacts)]
    person = Person(
        own={LEAD: frozenset(leads), CONTACT: frozenset(contacts)},
        beside={COMPANY: frozenset(record.company_id for record in named if record.company_id)},
        names=_said({record.name.strip() for record in named}),
        emails=_said({email for record in named if "@" in (email := record.email.strip())}),
        phones=_said({phone for record in named if is_number(phone := record.phone.strip())}),
    )
    return _with_subjects(person)


def same_address(record: Lead | Contact, *, by: User) -> list[Any]:
    """Return further leads and contacts with the e-mail address of `record` that `by` may change."""
    if not record.email:
        return []
    known = person_of(record).own
    return [
        row
        for model in (Lead, Contact)
        for row in model.objects.editable_by(by)
        .filter(email__iexact=record.email)
        .exclude(pk__in=known[model._meta.label_lower])
    ]


def _merged(model: type[Lead | Contact], pks: set[int]) -> set[int]:
    """Return what was merged into these records, and what they were merged into."""
    merged = all_rows(model).filter(merged_into__isnull=False)
    pairs = merged.filter(Q(pk__in=pks) | Q(merged_into__in=pks)).values_list("pk", "merged_into_id")
    return {pk for pair in pairs for pk in pair}


def _said(texts: set[str]) -> tuple[str, ...]:
    return tuple(sorted(texts - {"", ERASED}))


def _with_subjects(person: Person) -> Person:
    """Add what else has a timeline: a deal without a company is the person's own, one with a company names them."""
    own, beside = dict(person.own), dict(person.beside)
    for holding in holdings():
        if issubclass(holding.model, Subject) and holding.label not in own:
            own[holding.label] = frozenset(holding.rows(person).values_list("pk", flat=True))
            beside[holding.label] = frozenset(holding.rows_beside(person).values_list("pk", flat=True))
    return replace(person, own=own, beside=beside)


def _within_reach(person: Person, by: User, verb: Literal["visible_to", "editable_by"], now: dt.datetime) -> Person:
    """The person as far as `by` may look for them beyond their own records."""
    if by.is_admin:
        return person
    reach = Reach(by, verb, now)
    beside = {
        label: frozenset(all_rows(model).filter(reach.over(model), pk__in=pks).values_list("pk", flat=True))
        for label, pks in person.beside.items()
        for model in (apps.get_model(label),)
    }
    return replace(person, beside=beside, reach=reach)


# --- What is held -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Held:
    """So many rows of one table."""

    label: str
    name: str
    count: int


def held_about(person: Person, *, by: User, now: dt.datetime) -> list[Held]:
    """Count what an erasure by `by` empties or deletes, table by table, empty ones left out."""
    person = _within_reach(person, by, "editable_by", now)
    counts = [
        Held(holding.label, str(holding.model._meta.verbose_name_plural), holding.rows(person).count())
        for holding in reversed(tuple(holdings()))
    ]
    return [held for held in counts if held.count]


def copy_of(person: Person, *, by: User, now: dt.datetime) -> dict[str, Any]:
    """Return what is held about a person, for machines to read: their rows by table, as they stand; or NotAllowed.

    Of rows of others' that name them only what does. All of it as far as `by` may see: an admin's copy is whole.
    """
    require_say(person, by)
    person = _within_reach(person, by, "visible_to", now)
    held = {holding.label: _copied(holding.rows(person)) for holding in reversed(tuple(holdings()))}
    named = {
        holding.label: [
            {"pk": pk, **said}
            for pk, row in holding.rows_beside(person).in_bulk().items()
            if (said := person.said_in({name: getattr(row, name) for name in holding.strikes}))
        ]
        for holding in reversed(tuple(holdings()))
        if holding.strikes
    }
    ledgers = {model._meta.label_lower: _copied(entries(model, own_keys(person))) for model in (AuditEntry, ImportRow)}
    return {
        "format": "voronka.person",
        "version": 1,
        "made_at": now,
        "held": {label: rows for label, rows in {**held, **ledgers}.items() if rows},
        "named_in": {label: rows for label, rows in named.items() if rows},
    }


def _copied(rows: models.QuerySet[Any]) -> list[dict[str, Any]]:
    columns = [
        field.attname
        for field in rows.model._meta.concrete_fields
        if field.name not in NOT_COPIED and not isinstance(field, models.GeneratedField)
    ]
    return list(rows.order_by("pk").values(*columns))


# --- Erasure ----------------------------------------------------------------------------------------------------------


def require_say(person: Person, by: User) -> None:
    """Raise NotAllowed unless `by` is an admin, or a manager who may change every record that is the person's own."""
    if by.is_admin:
        return
    for model in subject_models().values():
        rows: Any = model._default_manager
        present = rows.present().filter(pk__in=person.own.get(model._meta.label_lower, ()))
        if not by.is_manager or present.exclude(pk__in=rows.editable_by(by).values("pk")).exists():
            raise NotAllowed(_("Only an admin, or who leads all that is held about this person, may do this."))


def erase_person(person: Person, *, by: User, now: dt.datetime) -> None:
    """Take a person out of everything, for good; what was counted stays counted. Raises NotAllowed.

    What is not tied to their records (letters from the same address, texts that name them) as far as `by` may change
    it: an admin's erasure reaches all. The audit log keeps who did what when; of each record it says that it was
    erased, no longer what it held.
    """
    require_say(person, by)
    person = _within_reach(person, by, "editable_by", now)
    with acting(by), erasing():
        erase_entries(own_keys(person))
        strike_entries(beside_keys(person), person)
        _cancel_letters(person)
        forget_uploads_about(person)
        for holding in holdings():
            _strike(holding, person)
            _blank(holding, person, now=now)


def _cancel_letters(person: Person) -> None:
    """Withdraw what is still to be sent to the person."""
    letters = next(holding for holding in holdings() if holding.model is Email).rows(person)
    outbox.cancel(OutboxRow.objects.filter(email__in=letters.values("pk")), answer="the recipient was erased")


def _blank(holding: Holding, person: Person, *, now: dt.datetime) -> None:
    rows = holding.rows(person)
    if holding.is_deleted:
        rows.delete()
        return
    changes = {name: blank_of(holding.model._meta.get_field(name)) for name in holding.blanks}
    if holding.label in (LEAD, CONTACT):
        changes["erased_at"] = now
    if any(field.name == "version" for field in holding.model._meta.fields):
        changes["version"] = models.F("version") + 1
    if holding.blanks:
        rows.update(**changes)


def _strike(holding: Holding, person: Person) -> None:
    if not holding.strikes:
        return
    changed = []
    for row in holding.rows_beside(person):
        was = {name: getattr(row, name) for name in holding.strikes}
        if (became := person.strike(was)) != was:
            for name, value in became.items():
                setattr(row, name, value)
            changed.append(row)
    try:
        with transaction.atomic():
            _write_struck(holding, changed)
    except IntegrityError:  # names that must differ (of views, say) named the same person
        for row in filter(lambda row: ERASED in row.name, changed):
            row.name = f"{row.name[:LONGEST_STRUCK]} {row.pk}"
        _write_struck(holding, changed)


def _write_struck(holding: Holding, rows: list[Any]) -> None:
    all_rows(holding.model).bulk_update(rows, holding.strikes, batch_size=500)
