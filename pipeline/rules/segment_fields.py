"""What segments can ask about the deals of a lead or a contact."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from django.db.models import OuterRef
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.models import User
from crm.rules.segments import CONTACT, LEAD, Asking, SegmentField, register
from crm.rules.segments.kinds import ACTIVITY, FLAG, NUMBER, STATE
from pipeline.models import Deal, Stage, with_worth

DEALS = _("Deals")


def _open(asking: Asking, *, of: str) -> Any:
    return asking.seen(Deal.objects.open()).filter(**{of: OuterRef("pk")})


def _won(asking: Asking, *, of: str) -> Any:
    return asking.seen(Deal.objects.won()).filter(**{of: OuterRef("pk")})


def _lost(asking: Asking, *, of: str) -> Any:
    return asking.seen(Deal.objects.lost()).filter(**{of: OuterRef("pk")})


def _with_worth(asking: Asking, *, deals: Callable[[Asking], Any]) -> Any:
    return with_worth(deals(asking))


def _stages(_by: User | None) -> Iterable[tuple[str, str]]:
    stages = Stage.objects.select_related("pipeline").order_by("pipeline__position", "pipeline_id", "position")
    return [(str(stage.pk), f"{stage.pipeline}: {stage}") for stage in stages]


def _fields(about: str) -> Iterable[SegmentField]:
    """A lead's deal is the one it became; a contact's are those they are named in: those that whoever asks sees."""
    open_, won, lost = (partial(deals, of=about) for deals in (_open, _won, _lost))
    yield SegmentField(
        "open_deal",
        about,
        DEALS,
        _("Has an open deal"),
        FLAG,
        rows=open_,
        says=pgettext_lazy("in a sentence", "has an open deal"),
    )
    yield SegmentField("stage", about, DEALS, _("Stage of an open deal"), STATE, "stage", choices=_stages, rows=open_)
    yield SegmentField(
        "open_amount",
        about,
        DEALS,
        _("Amount of an open deal"),
        NUMBER,
        "worth",
        rows=partial(_with_worth, deals=open_),
    )
    yield SegmentField(
        "won_amount",
        about,
        DEALS,
        _("Amount of a won deal"),
        NUMBER,
        "worth",
        rows=partial(_with_worth, deals=won),
    )
    yield SegmentField(
        "won_deals",
        about,
        DEALS,
        _("Deals won"),
        ACTIVITY,
        rows=won,
        dated_by="won_at",
        says=pgettext_lazy("in a sentence", "deal won"),
    )
    yield SegmentField(
        "lost_deals",
        about,
        DEALS,
        _("Deals lost"),
        ACTIVITY,
        rows=lost,
        dated_by="lost_at",
        says=pgettext_lazy("in a sentence", "deal lost"),
    )


register(*_fields(LEAD), *_fields(CONTACT))
