"""What segments can ask about the deals of a lead or a contact."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from django.db.models import OuterRef
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.models import User
from crm.rules.segments import CONTACT, LEAD, SegmentField, register
from crm.rules.segments.kinds import ACTIVITY, FLAG, NUMBER, STATE
from pipeline.models import Deal, Stage, with_worth

DEALS = _("Deals")


def _open(field: str) -> Any:
    return Deal.objects.present().open().filter(**{field: OuterRef("pk")})


def _won(field: str) -> Any:
    return Deal.objects.present().won().filter(**{field: OuterRef("pk")})


def _lost(field: str) -> Any:
    return Deal.objects.present().lost().filter(**{field: OuterRef("pk")})


def _with_worth(deals: Callable[[str], Any], field: str) -> Any:
    return with_worth(deals(field))


def _stages(_by: User | None) -> Iterable[tuple[str, str]]:
    stages = Stage.objects.select_related("pipeline").order_by("pipeline__position", "pipeline_id", "position")
    return [(str(stage.pk), f"{stage.pipeline}: {stage}") for stage in stages]


def _fields(about: str) -> Iterable[SegmentField]:
    """A lead's deal is the one it became; a contact's are those they are named in."""
    yield SegmentField(
        "open_deal",
        about,
        DEALS,
        _("Has an open deal"),
        FLAG,
        rows=partial(_open, about),
        says=pgettext_lazy("in a sentence", "has an open deal"),
    )
    yield SegmentField(
        "stage", about, DEALS, _("Stage of an open deal"), STATE, "stage", choices=_stages, rows=partial(_open, about)
    )
    yield SegmentField(
        "open_amount",
        about,
        DEALS,
        _("Amount of an open deal"),
        NUMBER,
        "worth",
        rows=partial(_with_worth, _open, about),
    )
    yield SegmentField(
        "won_amount", about, DEALS, _("Amount of a won deal"), NUMBER, "worth", rows=partial(_with_worth, _won, about)
    )
    yield SegmentField(
        "won_deals",
        about,
        DEALS,
        _("Deals won"),
        ACTIVITY,
        rows=partial(_won, about),
        dated_by="won_at",
        says=pgettext_lazy("in a sentence", "deal won"),
    )
    yield SegmentField(
        "lost_deals",
        about,
        DEALS,
        _("Deals lost"),
        ACTIVITY,
        rows=partial(_lost, about),
        dated_by="lost_at",
        says=pgettext_lazy("in a sentence", "deal lost"),
    )


register(*_fields(LEAD), *_fields(CONTACT))
