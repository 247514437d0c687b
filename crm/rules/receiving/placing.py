"""Where a message belongs: by the letter it answers, then by who wrote it; else a person is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from crm.models import Contact, Email, Lead, User

Narrow = Callable[[Any], Any]
"""The one record that a contact or lead is talked to about (an open deal), or None; apps above add theirs."""
narrowers: list[Narrow] = []

Widen = Callable[[Any], Iterable[Any]]
"""Further records a message from this person may be about; apps above add theirs."""
wideners: list[Widen] = []

MOST_SUGGESTED = 6


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
        people = people_with(address, reach)
        if len(people) == 1:
            return _narrowed(people[0], reach)
        if people and len({_narrowed(person, reach) for person in people}) == 1:
            return _narrowed(people[0], reach)
    return None


def people_with(address: str, reach: Reach) -> list[Lead | Contact]:
    """Return the leads still worked on with this address, and the contacts; without either, who was converted last."""
    if not address:
        return []
    contacts = list(reach.of(Contact).filter(email_key=address).order_by("-pk")[:MOST_SUGGESTED])
    leads = list(reach.of(Lead).filter(email_key=address).order_by("-pk")[: 2 * MOST_SUGGESTED])
    alive = [lead for lead in leads if lead.status in Lead.ALIVE]
    converted = [lead for lead in leads if lead.status == Lead.Status.CONVERTED]
    return [*alive, *contacts] or converted[:1]


def is_known(address: str) -> bool:
    """Whether anybody has this address in the records, whoever may see them."""
    nobody = Reach()
    return any(nobody.of(model).filter(email_key=address).exists() for model in (Lead, Contact))


def suggestions(address: str, name: str, reach: Reach) -> list[Any]:
    """Return the records a message from this person may belong to, the likeliest first."""
    people = people_with(address, reach)
    if not people and (company := _colleagues(address, reach)):
        people = company
    if len(people) < MOST_SUGGESTED and name:
        people += [each for each in reach.of(Contact).matching(name)[:3] if each not in people]
    people.sort(key=lambda person: person.name.casefold() != name.casefold())
    found: list[Any] = []
    for person in people:
        found += [record for widen in wideners for record in widen(person) if _is_within(record, reach)]
        found.append(person)
    return list(dict.fromkeys(found))[:MOST_SUGGESTED]


FREE_MAIL = frozenset({
    "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com", "icloud.com", "aol.com",
    "gmx.de",
    "mail.ru", "yandex.ru", "ya.ru", "bk.ru", "list.ru", "inbox.ru", "rambler.ru", "proton.me", "protonmail.com",
})  # fmt: skip
"""Domains that say nothing of whom somebody works for."""


def _colleagues(address: str, reach: Reach) -> list[Lead | Contact]:
    domain = address.rpartition("@")[2]
    if not domain or domain in FREE_MAIL:
        return []
    return list(reach.of(Contact).filter(email__iendswith=f"@{domain}").order_by("-last_touch_at")[:3])


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
