"""Stage rules with their actions."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from pipeline.models import FollowUpList, RuleFiring, Stage, StageAction, StageRule, StageVisit


def rule_for(stage: Stage, *actions: tuple[str, dict[str, Any]], **fields: Any) -> StageRule:
    """A rule in force for a month, by default about entering, with actions of these kinds and parameters."""
    since = timezone.now() - dt.timedelta(days=30)
    said = {"name": f"Rule {StageRule.objects.count() + 1}", "is_active": True, "active_since": since, **fields}
    rule: StageRule = StageRule.objects.create(stage=stage, **said)
    for position, (kind, parameters) in enumerate(actions, start=1):
        StageAction.objects.create(rule=rule, kind=kind, parameters=parameters, position=position)
    return rule


def list_of(*titles: str, **fields: Any) -> FollowUpList:
    """A list of follow-ups with these titles."""
    given: FollowUpList = FollowUpList.objects.create(name="List")
    for position, title in enumerate(titles, start=1):
        given.items.create(name=title, position=position, **fields)
    return given


def let_time_pass(seconds: float = 60) -> None:
    """Shift everything that rules look at into the past: stays, firings and what is queued for them."""
    from django.db.models import F

    from crm.models import OutboxRow

    by = dt.timedelta(seconds=seconds)
    StageVisit.objects.update(recorded_at=F("recorded_at") - by)
    RuleFiring.objects.update(due_at=F("due_at") - by)
    OutboxRow.objects.waiting().update(available_at=F("available_at") - by, due_at=F("due_at") - by)
