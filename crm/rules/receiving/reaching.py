"""The way to somebody's mail server: never to where we should not knock, and never for longer than there is time.

A name is resolved once. All its addresses are checked, and one of those is connected to: a name that leads elsewhere a
moment later leads nobody into our own network.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from crm.rules.errors import RuleError

SECONDS = 20
"""At most for each answer, however much time is left."""
MOST_ADDRESSES = 8
LEADING_ON = tuple(ipaddress.IPv6Network(network) for network in ("64:ff9b::/96", "::/96"))
"""Addresses of version 6 that lead on to the one of version 4 in their last four bytes (RFC 6052, RFC 4291)."""


class MailboxTrouble(RuleError):
    """The mailbox cannot be read now; the message says why."""

    code = "mailbox_trouble"


class Deadline:
    """The moment by which everything with a server is over, however slowly it drips."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def left(self) -> float:
        """How long the next answer may take; TimeoutError when the time is over."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return min(left, SECONDS)

    def shorten(self, seconds: float) -> None:
        """Leave no more than so many seconds from now."""
        self._at = min(self._at, time.monotonic() + seconds)


def reach(host: str, port: int, deadline: Deadline) -> socket.socket:
    """Connect to a host; MailboxTrouble where there is none or it lies inside, OSError where it does not answer."""
    found = addresses_of(host, port, deadline)
    trouble: OSError = ConnectionRefusedError()
    for number, (family, kind, protocol, _name, address) in enumerate(found):
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(deadline.left() / (len(found) - number))
            connection.connect(address)
        except OSError as error:
            connection.close()
            trouble = error
        else:
            connection.settimeout(deadline.left())
            return connection
    raise trouble


def addresses_of(host: str, port: int, deadline: Deadline) -> list[Any]:
    """Return what `getaddrinfo` finds; MailboxTrouble for nothing, or for a host inside our own network.

    Hosts inside may be read where the operator named them (MAILBOX_HOSTS_INSIDE).
    """
    found = _resolved(host, port, deadline)
    if not found:
        raise MailboxTrouble(_("There is no server “%(host)s”.") % {"host": host})
    is_named = host.lower() in settings.MAILBOX_HOSTS_INSIDE
    if not is_named and not all(_is_outside(str(entry[4][0])) for entry in found):
        raise MailboxTrouble(_("“%(host)s” lies inside our own network. Ask your administrator.") % {"host": host})
    return found[:MOST_ADDRESSES]


def _resolved(host: str, port: int, deadline: Deadline) -> list[Any]:
    """Ask for the addresses in a thread: the system's resolver knows no deadline."""
    found: list[Any] = []

    def ask() -> None:
        try:
            found.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError):
            found.clear()

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(deadline.left())
    if asking.is_alive():
        raise TimeoutError
    return found


def _is_outside(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if any(ip in network for network in LEADING_ON) and int(ip) > 1:
        ip = ipaddress.IPv4Address(ip.packed[-4:])
    return ip.is_global and not ip.is_multicast
