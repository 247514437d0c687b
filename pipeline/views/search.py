"""Search over people, companies, deals and leads: what one may see, in any case and script, small typos forgiven."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db import connection, transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from crm.models import Company, Contact, Lead, User, folded
from crm.views.requests import PersonRequest
from pipeline.models import Deal

SHORTEST, LONGEST = 2, 200
IN_MENU, ON_PAGE = 4, 25
LONG_WORD = 8
ALIKE, ALIKE_IF_LONG = 0.25, 0.4
"""How alike the likest stretch of a name must be to what was typed, 0 to 1: two letters swapped pass; a long text has
more in common with what is meant, and in a large table more to compare it with."""

Kind = tuple[str, str, Any, Callable[[Any], str]]


@dataclass(frozen=True)
class Hit:
    """One record found, and the line that tells it from its namesakes."""

    record: Any
    beside: str


@dataclass(frozen=True)
class Group:
    """The records of one kind."""

    title: str
    icon: str
    hits: Sequence[Hit]


@require_safe
def search(request: PersonRequest) -> HttpResponse:
    """Find records by what is typed: in a menu under the field, or on a page of their own."""
    text = request.GET.get("q", "")[:LONGEST].strip()
    is_menu = bool(request.htmx)
    groups = _groups(text, request.user, IN_MENU if is_menu else ON_PAGE) if len(text) >= SHORTEST else []
    template = "pipeline/search.html#menu" if is_menu else "pipeline/search.html"
    context = {"groups": groups, "search_query": text, "is_too_short": 0 < len(text) < SHORTEST}
    return render(request, template, context)


def _groups(text: str, user: User, most: int) -> list[Group]:
    """Return what holds every word of `text`; where nothing at all does, what is most alike."""
    kinds: tuple[Kind, ...] = (
        (_("Contacts"), "user", Contact.objects.visible_to(user).select_related("company"), _beside_contact),
        (_("Companies"), "building", Company.objects.visible_to(user), _beside_company),
        (_("Deals"), "briefcase", Deal.objects.visible_to(user).select_related("company", "stage"), _beside_deal),
        (_("Leads"), "inbox", Lead.objects.visible_to(user).exclude(status=Lead.Status.CONVERTED), _beside_lead),
    )
    return _read(kinds, lambda rows: rows.matching(text).order_by("-pk")[:most]) or _read_alike(kinds, text, most)


def _read(kinds: Iterable[Kind], found: Callable[[Any], Any]) -> list[Group]:
    groups = (
        Group(title, icon, [Hit(record, beside(record)) for record in found(rows)])
        for title, icon, rows, beside in kinds
    )
    return [group for group in groups if group.hits]


def _read_alike(kinds: Iterable[Kind], text: str, most: int) -> list[Group]:
    """PostgreSQL reads the threshold from a setting; the index serves the operator, not the function."""
    typed = folded(text)
    threshold = ALIKE_IF_LONG if len(typed) >= LONG_WORD else ALIKE
    likeness = TrigramWordSimilarity(typed, "search")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('pg_trgm.word_similarity_threshold', %s, true)", [str(threshold)])
        return _read(
            kinds,
            lambda rows: (
                rows.filter(search__trigram_word_similar=typed)
                .annotate(likeness=likeness)
                .order_by("-likeness", "-pk")[:most]
            ),
        )


def _beside_deal(deal: Deal) -> str:
    return f"{deal.company}, {deal.stage}" if deal.company else str(deal.stage)


def _beside_contact(contact: Contact) -> str:
    return ", ".join(str(part) for part in (contact.position, contact.company, contact.email) if part)


def _beside_company(company: Company) -> str:
    return company.domain or company.industry


def _beside_lead(lead: Lead) -> str:
    return ", ".join(part for part in (lead.company_name, lead.email) if part)
