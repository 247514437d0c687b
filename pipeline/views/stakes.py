"""What is at stake, in base currency, as a query: so that rows can be put in its order and summed by the database."""

from __future__ import annotations

import datetime as dt

from django.contrib.contenttypes.models import ContentType
from django.db.models import Case, DecimalField, Expression, F, OuterRef, Subquery, Value, When

from crm.models import ExchangeRate, User
from pipeline.models import Deal, DealQuerySet

MONEY = DecimalField(max_digits=24, decimal_places=10)


class Stakes:
    """Deals' amounts at the rates of one day; an amount whose currency has no rate stays unknown."""

    def __init__(self, user: User, *, on: dt.date) -> None:
        self.user = user
        self.rates = ExchangeRate.objects.on(on)

    @property
    def of_deal(self) -> Expression:
        """The stake of a row of deals."""
        known = [When(currency=code, then=F("amount") * Value(rate)) for code, rate in self.rates.items()]
        return Case(*known, default=None, output_field=MONEY)

    @property
    def of_follow_up(self) -> Expression:
        """The stake of a row about something: that of its deal, where the person may see the deal; else unknown."""
        deal = Deal.objects.visible_to(self.user).filter(pk=OuterRef("subject_id"))
        amount = Subquery(deal.annotate(stake=self.of_deal).values("stake")[:1], output_field=MONEY)
        deals = ContentType.objects.get_for_model(Deal)
        return Case(When(subject_type=deals, then=amount), default=None, output_field=MONEY)

    def missing(self, deals: DealQuerySet) -> list[str]:
        """The currencies of `deals` for which there is no rate: a sum that left them out would be no sum."""
        priced = deals.filter(amount__isnull=False).exclude(currency__in=self.rates)
        return sorted(priced.order_by().values_list("currency", flat=True).distinct())
