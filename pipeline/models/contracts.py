"""Agreements with customers: what churn is counted from."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from crm.models import Company, OwnedQuerySet, Recoverable, currency_field, holds_personal
from pipeline.models.deals import Deal


@holds_personal(keys=("deal",), blanks=("churn_reason",), strikes=("churn_reason",))
class Contract(Recoverable):
    """One term of a customer: `[starts_on, min(ends_on, cancelled_on))`, whole days; no end means open-ended."""

    company = models.ForeignKey(Company, models.PROTECT, related_name="contracts", verbose_name=_("company"))
    deal = models.ForeignKey(
        Deal, models.SET_NULL, null=True, blank=True, related_name="contracts", verbose_name=_("deal")
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("owner")
    )
    external_id = models.CharField(_("external id"), max_length=100, unique=True, null=True, blank=True)
    starts_on = models.DateField(_("starts on"))
    ends_on = models.DateField(_("ends on"), null=True, blank=True, help_text=_("The first day without it."))
    cancelled_on = models.DateField(_("cancelled on"), null=True, blank=True)
    monthly_value = models.DecimalField(
        _("monthly value"), max_digits=14, decimal_places=2, default=Decimal(0), validators=[MinValueValidator(0)]
    )
    currency = currency_field()
    churn_reason = models.CharField(_("why they left"), max_length=200, blank=True)
    recorded_at = models.DateTimeField(auto_now_add=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        verbose_name = _("contract")
        verbose_name_plural = _("contracts")
        ordering = ("-starts_on", "-pk")
        constraints = (
            models.CheckConstraint(
                name="pipeline_contract_ends_after_start",
                condition=Q(ends_on=None) | Q(ends_on__gt=F("starts_on")),
                violation_error_message=_("A contract ends after it starts."),
            ),
            models.CheckConstraint(
                name="pipeline_contract_cancelled_after_start",
                condition=Q(cancelled_on=None) | Q(cancelled_on__gte=F("starts_on")),
                violation_error_message=_("A contract cannot be cancelled before it starts."),
            ),
            models.CheckConstraint(
                name="pipeline_contract_value_not_negative",
                condition=Q(monthly_value__gte=0),
                violation_error_message=_("A monthly value is not negative."),
            ),
        )
        # Contracts running in a period: churn.
        indexes = (models.Index(fields=("starts_on", "ends_on"), name="pipeline_contract_term"),)

    def __str__(self) -> str:
        return f"{self.company_id} {self.starts_on}"

    def state_on(self, day: dt.date) -> str:
        """Say how it stands on `day`: coming, running, cancelled or ended."""
        if day < self.starts_on:
            return "coming"
        if self.cancelled_on is not None and self.cancelled_on <= day:
            return "cancelled"
        return "ended" if self.ends_on is not None and self.ends_on <= day else "running"
