"""Ticking off what a stage asks for."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _

from crm.models import User
from crm.rules.audit import acting
from crm.rules.errors import NotAllowed
from pipeline.models import ChecklistItem, ChecklistTick, Deal
from pipeline.rules.refusals import WrongStage


def tick_item(deal: Deal, *, item: ChecklistItem, is_done: bool, by: User, now: dt.datetime) -> None:
    """Tick `item` off for the deal, or take the tick back; the same again changes nothing."""
    with acting(by):
        if not Deal.objects.editable_by(by).filter(pk=deal.pk).exists():
            raise NotAllowed(_("You may see this deal but not change it."))
        if item.stage.pipeline_id != deal.pipeline_id:
            raise WrongStage(_("“%(item)s” belongs to another pipeline.") % {"item": item})
        if is_done:
            ChecklistTick.objects.get_or_create(deal=deal, item=item, defaults={"by": by, "at": now})
        else:
            ChecklistTick.objects.filter(deal=deal, item=item).delete()
