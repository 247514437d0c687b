"""Who gets no more mail: people who unsubscribed or complained, addresses that do not exist."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable

from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from crm.models import Email, SoftBounce, Suppression, User
from crm.models.keys import folded_address
from crm.rules.audit import acting
from crm.rules.errors import NotAllowed

Told = Callable[[str, dt.datetime], object]
told: list[Told] = []
"""Who wants to know at once, in the same transaction, that an address gets no more mail."""
ADDRESS = re.compile(r"[^\s@,;:<>()\"'\[\]]{1,64}@(?:[\w-]+\.)+[\w-]{2,}")
LONGEST_ADDRESS = 320


def suppressed(address: str) -> Suppression | None:
    """Return why nothing is sent to `address`, or None where mail may go."""
    return Suppression.objects.filter(address=folded_address(address)).first()


def suppressed_among(addresses: Iterable[str]) -> dict[str, str]:
    """Return, for those of the addresses that get no mail, the reason in words; in one query."""
    wanted = {folded_address(address) for address in addresses if address}
    found = Suppression.objects.filter(address__in=wanted)
    return {row.address: row.get_reason_display() for row in found}


def suppress(
    address: str, *, reason: str, by: User | None, now: dt.datetime, detail: str = "", email: Email | None = None
) -> Suppression:
    """Send nothing more to `address`; the first reason stays. Mail that waits is stopped when its turn comes."""
    with acting(by):
        found, _created = Suppression.objects.get_or_create(
            address=folded_address(address),
            defaults={"reason": reason, "detail": detail[:500], "email": email, "at": now},
        )
        for tell in told:
            tell(found.address, now)
    return found


def suppress_all(text: str, *, by: User, now: dt.datetime) -> int:
    """Send nothing more to every address that stands in a text; return how many were new. For managers and admins."""
    _refuse_unless_in_charge(by)
    addresses = {folded_address(address) for address in ADDRESS.findall(text)}
    known = set(Suppression.objects.filter(address__in=addresses).values_list("address", flat=True))
    new = sorted(address for address in addresses - known if len(address) <= LONGEST_ADDRESS)
    rows = [Suppression(address=address, reason=Suppression.Reason.BY_HAND, at=now) for address in new]
    with acting(by, note="a list was brought in"):
        Suppression.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1_000)
        for address in _written_to(new):
            for tell in told:
                tell(address, now)
    return len(rows)


def _written_to(addresses: list[str]) -> set[str]:
    """Those of the addresses that we have ever written to: nobody else waits to know of them."""
    letters = Email.objects.outbound().annotate(folded=Lower("to_address")).filter(folded__in=addresses)
    return set(letters.values_list("folded", flat=True))


def allow_again(suppression: Suppression, *, by: User) -> None:
    """Let mail go to the address again, as a manager or admin decided; its soft bounces count from nought."""
    _refuse_unless_in_charge(by)
    with acting(by):
        SoftBounce.objects.filter(address=suppression.address).delete()
        suppression.delete()


def _refuse_unless_in_charge(by: User) -> None:
    """The list is the organisation's."""
    if not by.is_in_charge:
        raise NotAllowed(_("This list is for managers and admins."))
