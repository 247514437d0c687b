"""Money spent to win customers."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.models import Campaign, LeadSource, audited, currency_field


@audited(kind="spend")
class Spend(models.Model):
    """What was spent on a day, for sales or marketing, where known for one lead source or campaign. It has no owner."""

    class Category(models.TextChoices):
        """Whose money it was."""

        SALES = "sales", _("Sales")
        MARKETING = "marketing", _("Marketing")

    on = models.DateField(_("on"))
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=2, validators=[MinValueValidator(0)])
    currency = currency_field()
    category = models.CharField(_("category"), max_length=10, choices=Category.choices, default=Category.MARKETING)
    source = models.ForeignKey(
        LeadSource, models.PROTECT, null=True, blank=True, related_name="spend", verbose_name=_("source")
    )
    campaign = models.ForeignKey(
        Campaign, models.PROTECT, null=True, blank=True, related_name="spend", verbose_name=_("campaign")
    )
    is_monthly = models.BooleanField(_("for the whole month"), default=False, editable=False)
    """Entered as the month's sum, and dated its first day."""
    import_key = models.CharField(max_length=200, unique=True, null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("spend")
        verbose_name_plural = _("spend")
        ordering = ("-on", "-pk")
        constraints = (
            models.CheckConstraint(
                name="metrics_spend_not_negative",
                condition=models.Q(amount__gte=0),
                violation_error_message=_("Spend is not negative."),
            ),
            models.UniqueConstraint(
                fields=("source", "campaign", "category", "on"),
                name="metrics_spend_one_a_month",
                condition=models.Q(is_monthly=True),
                nulls_distinct=False,
            ),
        )
        # The spend of a period: acquisition cost.
        indexes = (models.Index(fields=("on",), name="metrics_spend_day"),)

    def __str__(self) -> str:
        return f"{self.on} {self.amount} {self.currency}"

    def clean(self) -> None:
        """A campaign's money is its source's."""
        if self.campaign and self.source is None:
            self.source = self.campaign.source
        elif self.campaign and self.campaign.source_id != self.source_id:
            raise ValidationError({"campaign": _("This campaign belongs to another source.")})
