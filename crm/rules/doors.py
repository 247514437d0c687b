"""Public doors: how often somebody knocks, counted in the database, so that any number of processes agree."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import ipaddress

from django.conf import settings
from django.db import connection

from crm.models import DoorCount

KEPT_FOR = dt.timedelta(days=2)


def knock(key: str, *, within: dt.timedelta, now: dt.datetime) -> int:
    """Count one more knock under `key` and return how many there were in the present stretch of length `within`.

    One statement: of any number at the same instant each gets a number of its own.
    """
    seconds = within.total_seconds()
    since = dt.datetime.fromtimestamp(now.timestamp() // seconds * seconds, tz=dt.UTC)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO crm_doorcount (key, since, count) VALUES (%s, %s, 1)"
            " ON CONFLICT (key, since) DO UPDATE SET count = crm_doorcount.count + 1 RETURNING count",
            [key[:120], since],
        )
        (count,) = cursor.fetchone()
    return int(count)


def forget_knocks(*, now: dt.datetime) -> int:
    """Throw away the counts of stretches long past; return how many."""
    deleted, _kinds = DoorCount.objects.filter(since__lt=now - KEPT_FOR).delete()
    return deleted


def mark_of(address: str) -> str:
    """Return a keyed hash: the address is known again, though not what it was; an IPv6 network is one visitor."""
    try:
        known = ipaddress.ip_address(address)
        if known.version == 6:
            address = str(ipaddress.ip_network(f"{known}/64", strict=False))
    except ValueError:
        address = "unknown"
    return hmac.new(settings.SECRET_KEY.encode(), b"door:" + address.encode(), hashlib.sha256).hexdigest()
