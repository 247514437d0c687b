"""Bytes as a message of parts and headers, within bounds: a mail made to be costly costs no more than others.

Python's parser takes the square of a header's length for its parameters, and a thousand bytes of memory for each part.
"""

from __future__ import annotations

from email.message import Message
from email.parser import BytesParser
from email.policy import Compat32, compat32
from itertools import count

from crm.rules.receiving.texts import LONGEST_HEADER

MOST_PARTS_MADE = 3_000
MOST_HEADERS = 1_000


class TooManyParts(ValueError):
    """A message of more parts than anybody writes."""


class BoundedMessage(Message):
    """A message, or a part of one, whose headers have been cut to what is read of them."""

    def set_raw(self, name: str, value: str) -> None:
        """Take a header from the parser."""
        if len(self) < MOST_HEADERS:
            super().set_raw(name, value[:LONGEST_HEADER])


def message_of(raw: bytes) -> Message:
    """Return what the parser makes of the bytes; TooManyParts, or whatever else it dies of."""
    made = count(1)

    def make(policy: Compat32 = compat32) -> BoundedMessage:
        if next(made) > MOST_PARTS_MADE:
            raise TooManyParts
        return BoundedMessage(policy)

    return BytesParser(make, policy=compat32).parsebytes(raw)
