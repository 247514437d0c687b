"""Phone numbers as people write them, read as E.164."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from django.conf import settings

SHORTEST_PHONE = 5
"""Fewer digits are an extension, or a typing error."""
SHORTEST_BARE_PHONE = 7
"""A number of no known plan, that is compared by its digits, needs more of them to tell anything."""


@dataclass(frozen=True)
class Phone:
    """A number: `e164` ("+79161234567"; the bare digits where no country's plan has it), and its extension."""

    e164: str
    extension: str = ""

    def is_same(self, other: Phone) -> bool:
        """Whether both ring at one desk: two extensions of a switchboard do not."""
        if self.extension and other.extension and self.extension != other.extension:
            return False
        return self.e164 == other.e164 or _is_tail(self, other) or _is_tail(other, self)


def read_phone(written: str) -> Phone | None:
    """Read a number; one without a country code is of the organisation's PHONE_REGION. None where it is none."""
    return _read(written, settings.PHONE_REGION)


@lru_cache(maxsize=50_000)
def _read(written: str, region: str) -> Phone | None:
    digits = re.sub(r"\D", "", written)
    if len(digits) < SHORTEST_PHONE:
        return None
    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return Phone(digits)
    if phonenumbers.is_valid_number(number) or (written.lstrip().startswith("+") and _is_possible(number)):
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    else:
        e164 = str(number.national_number)
    return Phone(e164, number.extension or "")


def _is_possible(number: phonenumbers.PhoneNumber) -> bool:
    return bool(phonenumbers.is_possible_number(number))


def _is_tail(bare: Phone, whole: Phone) -> bool:
    """Whether `bare` is what people dial at home of `whole`, of a country that is not ours."""
    is_bare = not bare.e164.startswith("+") and len(bare.e164) >= SHORTEST_BARE_PHONE
    return is_bare and whole.e164.endswith(bare.e164)
