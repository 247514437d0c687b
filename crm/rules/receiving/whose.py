"""Whose a message is: which addresses are ours, and whom of us a message concerns."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from crm.models import DropAddress, Mailbox, User
from crm.rules.receiving.parsing import Mail, Pair
from crm.rules.receiving.placing import is_known

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
TOKEN_LENGTH = 14


@dataclass(frozen=True)
class Ours:
    """The addresses of the people here and of the mailboxes that are read, each with the person who writes from it."""

    people: Mapping[str, User]
    mailboxes: Mapping[str, User | None]

    @classmethod
    def known(cls) -> Ours:
        """Read them."""
        people = {person.email.lower(): person for person in User.objects.active()}
        rows = Mailbox.objects.present().select_related("owner")
        return cls(people, {box.address.lower(): None if box.team_id else box.owner for box in rows})

    def has(self, address: str) -> bool:
        """Whether an address is ours; what stands behind a + is not looked at."""
        plain = _without_plus(address)
        return any(self._is_ours(each) for each in dict.fromkeys((address, plain)))

    def _is_ours(self, address: str) -> bool:
        """An admin has entered people's addresses; a mailbox's is its owner's word, and no claim to a customer's."""
        return address in self.people or (address in self.mailboxes and not is_known(address))

    def wrote(self, mail: Mail) -> bool:
        """Whether one of us wrote the message."""
        return self.has(mail.sender[1])

    def outside(self, pairs: Iterable[Pair]) -> list[Pair]:
        """Return those that are not ours, none twice."""
        return list({address: (name, address) for name, address in pairs if not self.has(address)}.values())

    def author(self, address: str) -> User | None:
        """Return the person who writes from an address of ours."""
        return self.people.get(address) or self.mailboxes.get(address)


def addressee(mail: Mail, mailbox: Mailbox) -> tuple[User | None, bool]:
    """Return whom a message concerns (None: the mailbox's team), and whether that person sent it here on purpose.

    An address for copies tells whose it is. What somebody else sends to it is shown to that person, and put nowhere.
    """
    if mailbox.takes_copies and (person := _dropped_by(mail, mailbox)):
        return person, _is_from(mail, person)
    return (None if mailbox.team_id else mailbox.owner), False


def _dropped_by(mail: Mail, mailbox: Mailbox) -> User | None:
    tokens = [token for address in _all_recipients(mail) if (token := _token_in(address, mailbox.address))]
    found = DropAddress.objects.filter(token__in=tokens, user__is_active=True).select_related("user").first()
    return found.user if found else None


def _is_from(mail: Mail, person: User) -> bool:
    own = {person.email.lower(), *(box.address.lower() for box in person.mailboxes.present())}
    return mail.sender[1] in own


def _all_recipients(mail: Mail) -> Sequence[str]:
    return [*mail.delivered_to, *(address for _name, address in (*mail.to, *mail.cc))][:100]


def _token_in(address: str, base: str) -> str:
    local, _at, domain = address.rpartition("@")
    base_local, _at, base_domain = base.lower().rpartition("@")
    name, plus, token = local.partition("+")
    return token if plus and (name, domain) == (base_local, base_domain) else ""


def _without_plus(address: str) -> str:
    local, at, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"


# --- Addresses for copies ---------------------------------------------------------------------------------------------


def drop_address_of(person: User) -> str:
    """Return the address to which the person sends copies and forwards mail; "" where no mailbox takes them."""
    mailbox = Mailbox.objects.to_read().filter(takes_copies=True).order_by("pk").first()
    token = DropAddress.objects.filter(user=person).values_list("token", flat=True).first()
    if mailbox is None or token is None:
        return ""
    local, at, domain = mailbox.address.rpartition("@")
    return f"{local}+{token}{at}{domain}"


def renew_drop_address(person: User, *, now: dt.datetime) -> DropAddress:
    """Give the person a new address for copies; what is sent to the old one concerns nobody any more."""
    while True:
        token = "".join(secrets.choice(LETTERS) for _letter in range(TOKEN_LENGTH))
        try:
            with transaction.atomic():
                fresh = {"token": token, "created_at": now}
                return DropAddress.objects.update_or_create(user=person, defaults=fresh)[0]
        except IntegrityError:
            continue  # somebody has that very token
