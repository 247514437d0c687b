"""Which records are about one person: themselves, the lead they were, and (from the app above) their deals."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q

from crm.models import Contact, Lead


@dataclass(frozen=True)
class Ring:
    """A kind of record that is about people: `rows` of a person's, and the `people` one record is about."""

    model: type[models.Model]
    rows: Callable[[Lead | Contact], models.QuerySet[Any]]
    people: Callable[[Any], Iterable[Lead | Contact | None]]


_rings: list[Ring] = []


def register(ring: Ring) -> None:
    """Make a kind of record known whose touches and meetings are also those of its people."""
    _rings.append(ring)


def about(person: Lead | Contact) -> Q:
    """The condition that a row with a subject is about the person."""
    found = Q(pk__in=())
    for ring in _rings:
        kind = ContentType.objects.get_for_model(ring.model)
        found |= Q(subject_type=kind, subject_id__in=ring.rows(person).values("pk"))
    return found


def people_of(subject: Any) -> list[Lead | Contact]:
    """Return the people that a record is about."""
    found = [person for ring in _rings if isinstance(subject, ring.model) for person in ring.people(subject)]
    return [person for person in found if person is not None]


def _leads(person: Lead | Contact) -> models.QuerySet[Any]:
    if isinstance(person, Contact):
        return Lead.objects.filter(contact=person)
    return Lead.objects.filter(pk=person.pk)


def _contacts(person: Lead | Contact) -> models.QuerySet[Any]:
    if isinstance(person, Lead):
        return Contact.objects.filter(leads=person)
    return Contact.objects.filter(pk=person.pk)


register(Ring(Lead, _leads, lambda lead: (lead, lead.contact)))
register(Ring(Contact, _contacts, lambda contact: (contact, *contact.leads.all())))
