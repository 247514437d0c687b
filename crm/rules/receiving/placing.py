"""Where a message belongs: by the letter it answers, then by who wrote it; else a person is asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Window
from django.db.models.functions import RowNumber

from crm.models import Contact, Email, Lead, User

Narrow = Callable[[Any], Any]
"""The one record that a contact or lead is talked to about (an open deal), or None; apps above add theirs."""
narrowers: list[Narrow] = []

MOST_SUGGESTED = 6
MOST_LOOKED_AT = 2 * MOST_SUGGESTED


@dataclass(frozen=True)
class Reach:
    """Whose records may be found: those the addressee sees, or everybody's for a mailbox that is nobody's own."""

    person: User | None = None

    def of(self, model: type[Any]) -> Any:
        """Rows of `model` within reach."""
        rows = model.objects.all()
        return rows.present() if self.person is None else rows.visible_to(self.person)


def place_by_thread(message_ids: Sequence[str]) -> tuple[Any, Email | None]:
    """Return the record of the letter that is answered, and that letter: the latest one that has its place."""
    known = Email.objects.filter(message_id__in=[each for each in message_ids if each]).order_by("-created_at")
    for email in known.select_related("activity")[:20]:
        if (subject := present(email.subject)) is not None:
            return subject, email
    return None, None


def place_by_address(addresses: Iterable[str], reach: Reach) -> Any:
    """Return the one record that people with these addresses are talked to about; None for none, or for several."""
    for address in addresses:
        people = people_by_address([address], reach).get(address)
        if not people:
            continue
        if len(people) == 1:
            return _narrowed(people[0], reach)
        if len({_narrowed(person, reach) for person in people}) == 1:
            return _narrowed(people[0], reach)
    return None


def people_by_address(addresses: Collection[str], reach: Reach) -> dict[str, list[Lead | Contact]]:
    """Return, for each address, the leads still worked on and the contacts; without either, who was converted last."""
    wanted = {address for address in addresses if address}
    contacts, leads = (_latest(reach.of(model), wanted) for model in (Contact, Lead))
    return {address: _in_hand(contacts[address], leads[address]) for address in wanted}


def _latest(rows: Any, addresses: Collection[str]) -> dict[str, list[Any]]:
    nth = Window(RowNumber(), partition_by="email_key", order_by="-pk")
    found = defaultdict(list)
    for row in rows.filter(email_key__in=addresses).annotate(nth=nth).filter(nth__lte=MOST_LOOKED_AT).order_by("nth"):
        found[row.email_key].append(row)
    return found


def _in_hand(contacts: list[Contact], leads: list[Lead]) -> list[Lead | Contact]:
    alive = [lead for lead in leads if lead.status in Lead.ALIVE]
    converted = [lead for lead in leads if lead.status == Lead.Status.CONVERTED]
    return [*alive, *contacts[:MOST_SUGGESTED]] or [*converted[:1]]


def is_known(address: str) -> bool:
    """Whether anybody has this address in the records, whoever may see them."""
    nobody = Reach()
    return any(nobody.of(model).filter(email_key=address).exists() for model in (Lead, Contact))


def _narrowed(person: Any, reach: Reach) -> Any:
    for narrow in narrowers:
        record = narrow(person)
        if record is not None and _is_within(record, reach):
            return record
    return person


def _is_within(record: Any, reach: Reach) -> bool:
    return reach.of(type(record)).filter(pk=record.pk).exists()


def present(subject: Any) -> Any:
    """The record, where nobody has deleted it; a converted lead lives on in its deal."""
    if subject is None or subject.deleted_at is not None:
        return None
    is_closed = isinstance(subject, Lead) and subject.status not in Lead.ALIVE
    return _narrowed(subject, Reach()) if is_closed else subject
