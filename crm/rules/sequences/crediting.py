"""Deals won by people in a sequence, to the credit of the last letter before; said by the app above."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from crm.models import Contact, Enrolment, Lead, StepRun

CREDITED_FOR = dt.timedelta(days=180)
"""A deal won later than that after a letter has other causes."""


def note_won(people: Iterable[Lead | Contact], *, deal_id: int, now: dt.datetime) -> None:
    """Credit the last letter of a sequence that each of `people` got, if that is not too long ago."""
    for person in people:
        letters = StepRun.objects.filter(
            enrolment__in=Enrolment.objects.about(person), email__at__gt=now - CREDITED_FOR
        )
        last = letters.order_by("-email__at").first()
        if last is not None and last.won_at is None:
            StepRun.objects.filter(pk=last.pk).update(won_at=now, won_deal=deal_id)


def forget_won(deal_id: int) -> None:
    """Take the credit back: the deal is not won after all."""
    StepRun.objects.filter(won_deal=deal_id).update(won_at=None, won_deal=None)
