"""A line of a deal: so many of a product, at a price."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.forms.inputs import AmountField
from pipeline.models import Deal, LineItem, Product


class LineItemForm(forms.Form):
    """Product, quantity and unit price; without a price the product's own, where it is in the deal's currency."""

    product = forms.ModelChoiceField(Product.objects.none(), label=_("Product"), empty_label=None)
    quantity = AmountField(label=_("Quantity"), max_digits=12, decimal_places=3, initial=1)
    unit_price = AmountField(label=_("Unit price"), required=False)

    def __init__(self, *args: Any, deal: Deal, item: LineItem | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.deal = deal
        kept = item.product_id if item is not None else None
        products = Product.objects.filter(Q(is_archived=False) | Q(pk=kept))
        self.fields["product"].queryset = products  # type: ignore[attr-defined]

    def clean_quantity(self) -> Decimal:
        """None of something is no line."""
        quantity: Decimal = self.cleaned_data["quantity"]
        if quantity == 0:
            raise forms.ValidationError(_("Give a quantity above zero."))
        return quantity

    def clean(self) -> dict[str, Any]:
        """Take the product's own price where none was given."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        product = cleaned.get("product")
        if product is not None and "unit_price" in cleaned and cleaned["unit_price"] is None:
            if product.price is None or product.currency != self.deal.currency:
                self.add_error("unit_price", _("This product has no price in the currency of the deal; give one."))
            else:
                cleaned["unit_price"] = product.price
        return cleaned
