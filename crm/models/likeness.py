"""Records that may be the same person or organisation as a lead."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from crm.models.accounts import User
from crm.models.companies import Company, Contact
from crm.models.leads import Lead
from crm.models.text import folded

MOST = 5
SHORTEST_PHONE = 7
"""Fewer digits are an extension, or a typing error."""


@dataclass(frozen=True)
class Likeness:
    """A company or contact that may be meant; `is_same` where an e-mail, a phone or the whole name says so."""

    record: Any
    reason: str
    is_same: bool = True

    def __str__(self) -> str:
        return f"{self.record} · {self.reason}"


def contacts_like(lead: Lead, user: User) -> list[Likeness]:
    """Contacts `user` may see with the lead's e-mail, phone or name, the surest first."""
    visible = Contact.objects.visible_to(user).select_related("company")
    found: dict[int, Likeness] = {}
    if lead.email:
        for contact in visible.filter(search__contains=lead.email.lower())[:MOST]:
            if contact.email.lower() == lead.email.lower():
                found.setdefault(contact.pk, Likeness(contact, _("same e-mail")))
    if pattern := _phone_pattern(lead.phone):
        for contact in visible.filter(phone__regex=pattern)[:MOST]:
            found.setdefault(contact.pk, Likeness(contact, _("same phone")))
    for contact in visible.matching(lead.name)[:MOST]:
        found.setdefault(contact.pk, _by_name(contact, lead.name))
    return list(found.values())[:MOST]


def companies_like(lead: Lead, user: User) -> list[Likeness]:
    """Companies `user` may see with the lead's company name or its e-mail's domain, the surest first."""
    visible = Company.objects.visible_to(user)
    found: dict[int, Likeness] = {}
    if folded(lead.company_name):
        for company in visible.matching(lead.company_name)[:MOST]:
            found.setdefault(company.pk, _by_name(company, lead.company_name))
    domain = lead.email.rpartition("@")[2].lower()
    if domain:
        for company in visible.filter(search__contains=domain)[:MOST]:
            if company.domain.lower().removeprefix("www.") == domain:
                found.setdefault(company.pk, Likeness(company, _("same e-mail domain")))
    return sorted(found.values(), key=lambda likeness: not likeness.is_same)[:MOST]


def _by_name(record: Any, name: str) -> Likeness:
    is_same = folded(record.name) == folded(name)
    return Likeness(record, _("same name") if is_same else _("similar name"), is_same=is_same)


def _phone_pattern(phone: str) -> str:
    """A pattern for the last digits of a number, however it is spaced and whatever country code stands before them."""
    digits = re.sub(r"\D", "", phone)
    return r"[^0-9]*".join(digits[-9:]) + r"[^0-9]*$" if len(digits) >= SHORTEST_PHONE else ""
