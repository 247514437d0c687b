"""Where sequences hear of what ends them, other than by a touch: mail that came in, and addresses that get no more."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from crm.models import Email
from crm.rules import suppression
from crm.rules.receiving.arriving import arrived
from crm.rules.sequences.stopping import reconsider_address


def hear_of_mail(email: Email) -> None:
    """Ask anew about whoever wrote: the message may lie with another of their records."""
    if email.direction == "in" and email.nature == Email.Nature.PERSON and email.from_address:
        reconsider_address(email.from_address, now=timezone.now())


def hear_of_suppression(address: str, now: dt.datetime) -> None:
    """Ask anew about whoever has the address."""
    reconsider_address(address, now=now)


arrived.append(hear_of_mail)
suppression.told.append(hear_of_suppression)
