"""What deals mean to sequences: touches of a deal are its people's, and one that is won or lost ends theirs."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from crm.models import Contact, Enrolment, Lead
from crm.rules.sequences.circles import Ring, people_of
from crm.rules.sequences.circles import register as register_ring
from crm.rules.sequences.crediting import forget_won, note_won
from crm.rules.sequences.reasons import StopReason, register
from crm.rules.sequences.stopping import reconsider
from pipeline.models import Deal


def tell_sequences(deal: Deal, *, outcome_before: str, now: dt.datetime) -> None:
    """End the sequences of a deal's people once it is closed, and credit them with a win; or take the credit back."""
    if deal.outcome == outcome_before:
        return
    if deal.outcome == Deal.Outcome.OPEN:
        forget_won(deal.pk)
        return
    if deal.outcome == Deal.Outcome.WON:
        note_won(people_of(deal), deal_id=deal.pk, now=now)
    reconsider(deal, now=now)


def _deals(person: Lead | Contact) -> QuerySet[Any]:
    deals = Deal.objects.present()
    if isinstance(person, Contact):
        return deals.filter(contact=person)
    return deals.filter(Q(lead=person) | Q(contact__isnull=False, contact=person.contact_id))


def _closed_as(outcome: str) -> Any:
    """Whether a deal of the person's was closed so since they were enrolled."""
    closed = {Deal.Outcome.WON: "won_at__gte", Deal.Outcome.LOST: "lost_at__gte"}[Deal.Outcome(outcome)]

    def holds(enrolment: Enrolment, person: Any, _now: dt.datetime) -> bool:
        return bool(_deals(person).filter(**{"outcome": outcome, closed: enrolment.started_at}).exists())

    return holds


register_ring(Ring(Deal, _deals, lambda deal: (deal.contact, deal.lead)))
register(
    StopReason("won", _("a deal was won"), _closed_as(Deal.Outcome.WON)),
    StopReason("lost", _("a deal was lost"), _closed_as(Deal.Outcome.LOST)),
)
