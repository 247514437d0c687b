"""Actions that change the deal itself: fields that a rule may set, and its stage."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext_lazy as _

from crm.models import Campaign, LeadSource
from crm.rules.wall_clock import WallTime
from pipeline.models import Deal, Stage
from pipeline.rules.automation.kinds import Act, ActionKind, Line, NotDone, Parameter, Row, Values, Whole, register
from pipeline.rules.deals import edit_deal
from pipeline.rules.moving import move_deal

MOST_TAGS = 30


def _sources() -> Any:
    return LeadSource.objects.filter(is_archived=False)


def _campaigns() -> Any:
    return Campaign.objects.all()


def _stages() -> Any:
    return Stage.objects.live().select_related("pipeline")


def _setter(field: str, read: Callable[[Act, Values], Any]) -> Callable[[Act, Values], str]:
    def run(act: Act, values: Values) -> str:
        value = read(act, values)
        if getattr(act.deal, field) == value:
            raise NotDone("unchanged", _said(value))
        act.deal = edit_deal(act.deal, fields={field: value}, seen_version=act.deal.version, by=None)
        return _said(value)

    return run


def _said(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _close_on(act: Act, values: Values) -> dt.date:
    return WallTime.of(act.now, act.deal.owner.time_zone).local.date() + dt.timedelta(days=values["days"])


def _with_tag(act: Act, values: Values) -> list[str]:
    tags, tag = act.deal.tags, values["tag"]
    return tags if tag in tags or len(tags) >= MOST_TAGS else [*tags, tag]


def _without_tag(act: Act, values: Values) -> list[str]:
    return [tag for tag in act.deal.tags if tag != values["tag"]]


def _declare(key: str, label: Any, field: str, read: Callable[[Act, Values], Any], parameter: Parameter) -> ActionKind:
    return register(ActionKind(key, label, _setter(field, read), (parameter,)))


_TAG = Line(name="tag", label=_("Tag"), longest=40)
_declare(
    "set_expected_close",
    _("Set the expected close"),
    "expected_close_on",
    _close_on,
    Whole(name="days", label=_("So many days later"), least=0),
)
_declare(
    "set_source",
    _("Set the source"),
    "source",
    lambda _act, values: values["source"],
    Row(name="source", label=_("Source"), rows=_sources),
)
_declare(
    "set_campaign",
    _("Set the campaign"),
    "campaign",
    lambda _act, values: values["campaign"],
    Row(name="campaign", label=_("Campaign"), rows=_campaigns),
)
_declare("add_tag", _("Add a tag"), "tags", _with_tag, _TAG)
_declare("remove_tag", _("Remove a tag"), "tags", _without_tag, _TAG)


def _move(act: Act, values: Values) -> str:
    """Move the deal as a person would: with what the stage asks for, and setting off the rules of both stages."""
    to: Stage = values["stage"]
    if act.deal.stage_id == to.pk:
        raise NotDone("unchanged", str(to))
    act.deal = move_deal(act.deal, to=to, seen_version=act.deal.version, by=None, now=act.now)
    act.firing.opened = act.deal.visits.present().first()
    return str(to)


def _move_hinders(deal: Deal, values: Values) -> str:
    return "" if deal.pipeline_id == values["stage"].pipeline_id else "wrong_stage"


MOVE = register(
    ActionKind(
        "move",
        _("Move the deal"),
        _move,
        (Row(name="stage", label=_("To stage"), help=_("Of the same pipeline."), rows=_stages),),
        hinders=_move_hinders,
        place=60,
    )
)
