"""Who gets no more mail: people who unsubscribed or complained, addresses that do not exist."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from crm.models import Email, Suppression, User
from crm.rules.audit import acting

Told = Callable[[str, dt.datetime], object]
told: list[Told] = []
"""Who wants to know at once, in the same transaction, that an address gets no more mail."""


def folded_address(address: str) -> str:
    """Return an address as suppression compares it."""
    return address.strip().lower()


def suppressed(address: str) -> Suppression | None:
    """Return why nothing is sent to `address`, or None where mail may go."""
    return Suppression.objects.filter(address=folded_address(address)).first()


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


def allow_again(suppression: Suppression, *, by: User) -> None:
    """Let mail go to the address again, as a person decided."""
    with acting(by):
        suppression.delete()
