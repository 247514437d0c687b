"""E-mail about deals: what a contact writes belongs to their open deal, where there is exactly one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from crm.models import Contact, Lead
from crm.rules.receiving.placing import narrowers, wideners
from pipeline.models import Deal


def _open_deals(person: Any) -> Any:
    if isinstance(person, Contact):
        return Deal.objects.open().filter(contact=person)
    return Deal.objects.open().filter(lead=person) if isinstance(person, Lead) else Deal.objects.none()


def one_open_deal(person: Any) -> Deal | None:
    """Return the person's open deal where there is exactly one."""
    deals = list(_open_deals(person).order_by("-pk")[:2])
    return deals[0] if len(deals) == 1 else None


def deals_in_question(person: Any) -> Iterable[Deal]:
    """Return the deals a message from this person may be about: open ones first, then what was closed last."""
    is_theirs = Q(contact=person) if isinstance(person, Contact) else Q(lead=person)
    latest = Deal.objects.present().filter(is_theirs).order_by("-pk")[:1]
    return dict.fromkeys([*_open_deals(person).order_by("-last_touch_at", "-pk")[:3], *latest])


narrowers.append(one_open_deal)
wideners.append(deals_in_question)
