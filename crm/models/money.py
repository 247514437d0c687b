"""Currencies and what they were worth."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


def base_currency() -> str:
    """The organisation's currency, in which sums are given."""
    return settings.BASE_CURRENCY


def currency_field(**options: Any) -> models.CharField[str, str]:
    """An ISO 4217 code; the base currency unless said otherwise."""
    return models.CharField(
        _("currency"),
        max_length=3,
        default=base_currency,
        validators=[RegexValidator(r"^[A-Z]{3}$", _("Give a currency as three capital letters, such as EUR."))],
        **options,
    )


class ExchangeRateQuerySet(models.QuerySet["ExchangeRate"]):
    """Rates by day."""

    def on(self, day: dt.date) -> dict[str, Decimal]:
        """Base currency per unit of each currency as last quoted at or before `day`."""
        rows = self.filter(on__lte=day).order_by("currency", "-on").distinct("currency")
        return {settings.BASE_CURRENCY: Decimal(1)} | dict(rows.values_list("currency", "rate"))


class ExchangeRate(models.Model):
    """What one unit of a currency was worth in base currency from a day on, until the next quotation."""

    on = models.DateField(_("from"))
    currency = currency_field()
    rate = models.DecimalField(
        _("base currency per unit"), max_digits=18, decimal_places=8, validators=[MinValueValidator(Decimal("1e-8"))]
    )

    objects = ExchangeRateQuerySet.as_manager()

    class Meta:
        verbose_name = _("exchange rate")
        verbose_name_plural = _("exchange rates")
        ordering = ("-on", "currency")
        constraints = (
            models.UniqueConstraint(fields=("currency", "on"), name="crm_exchangerate_one_a_day"),
            models.CheckConstraint(condition=models.Q(rate__gt=0), name="crm_exchangerate_positive"),
        )

    def __str__(self) -> str:
        return f"{self.on} {self.currency} {self.rate}"
