"""What a deal is made of. The amount stays what the person says; the sum of the items is only offered."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db.models import F, Sum
from django.utils.translation import gettext as _

from crm.models import User
from crm.rules.audit import acting
from crm.rules.errors import NotAllowed
from pipeline.models import Deal, LineItem
from pipeline.rules.deals import edit_deal

EDITABLE = ("product", "quantity", "unit_price")


def put_line_item(deal: Deal, *, fields: Mapping[str, Any], by: User, item: LineItem | None = None) -> LineItem:
    """Add a line of `EDITABLE` fields to the deal, or write them into the line `item`."""
    with acting(by):
        _refuse_unless_editable(deal, by)
        item = item or LineItem(deal=deal)
        for name in EDITABLE:
            if name in fields:
                setattr(item, name, fields[name])
        item.save()
    return item


def remove_line_item(item: LineItem, *, by: User) -> None:
    """Take a line off its deal."""
    with acting(by):
        _refuse_unless_editable(item.deal, by)
        item.delete()


def sum_of_items(deal: Deal) -> Decimal | None:
    """Return what the deal's lines come to, in its currency; None without lines."""
    total = deal.line_items.aggregate(total=Sum(F("quantity") * F("unit_price")))["total"]
    return None if total is None else Decimal(total).quantize(Decimal("0.01"))


def take_sum(deal: Deal, *, seen_version: int, by: User) -> Deal:
    """Make the sum of the lines the deal's amount; raises as `edit_deal`."""
    with acting(by):
        return edit_deal(deal, fields={"amount": sum_of_items(deal)}, seen_version=seen_version, by=by)


def _refuse_unless_editable(deal: Deal, by: User) -> None:
    if not Deal.objects.editable_by(by).filter(pk=deal.pk).exists():
        raise NotAllowed(_("You may see this deal but not change it."))
