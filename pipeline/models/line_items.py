"""What is sold, and how much of it in a deal."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.models import currency_field
from pipeline.models.deals import Deal


class Product(models.Model):
    """Something that is sold."""

    name = models.CharField(_("name"), max_length=200, unique=True)
    price = models.DecimalField(_("price"), max_digits=14, decimal_places=2, null=True, blank=True)
    currency = currency_field()
    is_archived = models.BooleanField(_("archived"), default=False)

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class LineItem(models.Model):
    """So many of a product, at a price, in a deal."""

    deal = models.ForeignKey(Deal, models.CASCADE, related_name="line_items", verbose_name=_("deal"))
    product = models.ForeignKey(Product, models.PROTECT, related_name="+", verbose_name=_("product"))
    quantity = models.DecimalField(
        _("quantity"), max_digits=12, decimal_places=3, default=1, validators=[MinValueValidator(0)]
    )
    unit_price = models.DecimalField(
        _("unit price"), max_digits=14, decimal_places=2, validators=[MinValueValidator(0)]
    )

    class Meta:
        verbose_name = _("line item")
        verbose_name_plural = _("line items")
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.quantity} × {self.product_id}"
