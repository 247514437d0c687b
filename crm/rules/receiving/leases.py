"""The lease by which one reader at a time has a mailbox to itself.

It is renewed, and asked for, in the transaction that keeps a message. A reader that was thought dead finds its lease
gone and keeps nothing; one that is killed has kept whole messages only.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from django.db.models import Q
from django.db.models.functions import Now

from crm.models import Mailbox
from crm.rules.audit import acting, coming_through

LEASE = dt.timedelta(seconds=120)


class LeaseLost(Exception):
    """Somebody else reads the mailbox by now."""


def free() -> Q:
    """Mailboxes that nobody reads."""
    return Q(lease_until=None) | Q(lease_until__lt=Now())


def take_lease(pk: int, *, now: dt.datetime) -> Mailbox | None:
    """Return the mailbox for its one reader; None where it is not to be read, or another reads it."""
    owner = uuid.uuid4().hex
    mine = Mailbox.objects.to_read().filter(free(), pk=pk)
    if not mine.update(lease_until=Now() + LEASE, lease_owner=owner, tried_at=now):
        return None
    return Mailbox.objects.select_related("owner").get(pk=pk)


@contextmanager
def holding(mailbox: Mailbox) -> Iterator[None]:
    """Open a transaction that begins by renewing the lease, and so keeps nothing where it is lost (LeaseLost)."""
    with coming_through("mail"), acting(None):
        mine = Mailbox.objects.filter(pk=mailbox.pk, lease_owner=mailbox.lease_owner)
        if not mine.update(lease_until=Now() + LEASE):
            raise LeaseLost
        yield


def let_go(mailbox: Mailbox) -> None:
    """Give the lease back."""
    mine = Mailbox.objects.filter(pk=mailbox.pk, lease_owner=mailbox.lease_owner)
    mine.update(lease_until=None, lease_owner="")
