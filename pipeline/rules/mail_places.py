"""E-mail about deals: what a contact writes belongs to their open deal, where there is exactly one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from itertools import chain
from typing import Any

from django.db.models import Window
from django.db.models.functions import RowNumber

from crm.models import Contact, Lead
from crm.rules.receiving.placing import narrowers
from crm.rules.receiving.suggesting import Person, wideners
from pipeline.models import Deal

MOST_OPEN = 3


def _open_deals(person: Any) -> Any:
    if isinstance(person, Contact):
        return Deal.objects.open().filter(contact=person)
    return Deal.objects.open().filter(lead=person) if isinstance(person, Lead) else Deal.objects.none()


def one_open_deal(person: Any) -> Deal | None:
    """Return the person's open deal where there is exactly one."""
    deals = list(_open_deals(person).order_by("-pk")[:2])
    return deals[0] if len(deals) == 1 else None


def deals_in_question(people: Collection[Person]) -> dict[Person, list[Deal]]:
    """Return the deals a message from each may be about: open ones first, then the latest, closed or not."""
    found: dict[Person, dict[Deal, None]] = defaultdict(dict)
    for field, model in (("contact", Contact), ("lead", Lead)):
        theirs = {person.pk: person for person in people if isinstance(person, model)}
        if not theirs:
            continue
        for deal in chain(
            _first(Deal.objects.open(), field, theirs, order_by=("-last_touch_at", "-pk"), most=MOST_OPEN),
            _first(Deal.objects.present(), field, theirs, order_by=("-pk",), most=1),
        ):
            found[theirs[getattr(deal, f"{field}_id")]][deal] = None
    return {person: list(deals) for person, deals in found.items()}


def _first(rows: Any, field: str, people: Collection[int], *, order_by: tuple[str, ...], most: int) -> Any:
    """The first deals of each of these people."""
    nth = Window(RowNumber(), partition_by=field, order_by=order_by)
    return rows.filter(**{f"{field}__in": people}).annotate(nth=nth).filter(nth__lte=most).order_by("nth")


narrowers.append(one_open_deal)
wideners.append(deals_in_question)
