"""What an address is asked about: functions from the matrix's world to the arguments of a URL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.access.world import World

Args = Callable[[World], dict[str, Any]]


def of(**names: str) -> Args:
    """Return what gives each argument the key of the record named: `_of(pk="deal", item_pk="line_item")`."""
    return lambda world: {argument: world.records[name].pk for argument, name in names.items()}


def about(kind: str) -> Args:
    return lambda world: {"subject_kind": kind, "subject_pk": world.records[kind].pk}


def on_board(**names: str) -> Args:
    return lambda world: {"slug": "sales", **of(**names)(world)}


ACTIVITY, FOLLOW_UP, LEAD, DEAL = of(pk="activity"), of(pk="follow_up"), of(pk="lead"), of(pk="deal")
COMPANY, CONTACT, CONTRACT = of(pk="company"), of(pk="contact"), of(pk="contract")
FIND = "?q=kestr"
