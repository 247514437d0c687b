"""Giving a deal the follow-ups of a list, each once per firing."""

from __future__ import annotations

import datetime as dt

from django.utils import translation
from django.utils.translation import gettext_lazy as _

from crm.models import User
from crm.rules.follow_ups import Plan, plan_follow_up
from crm.rules.wall_clock import WallTime
from pipeline.models import FollowUpList, ListedFollowUp
from pipeline.rules.automation.kinds import Act, ActionKind, NotDone, OneOf, Row, Values, register
from pipeline.rules.automation.people import managers_of


def _lists() -> object:
    return FollowUpList.objects.all()


def _run(act: Act, values: Values) -> str:
    assignee = _assignee(act, values)
    titles = []
    for item in values["list"].items.all():
        key = f"rule:{act.firing.pk}:{act.firing.serial}:{act.action.pk}:{item.pk}"
        follow_up = plan_follow_up(
            act.deal, plan=_plan(item, assignee, now=act.now), by=None, now=act.now, source_key=key
        )
        titles.append(follow_up.title)
    if not titles:
        raise NotDone("unchanged")
    return ", ".join(titles)


def _assignee(act: Act, values: Values) -> User:
    if values["assignee"] == "manager":
        managers = managers_of(act.deal)
        if not managers:
            raise NotDone("nobody")
        return managers[0]
    if not act.deal.owner.is_active:
        raise NotDone("owner_left")
    return act.deal.owner


def _plan(item: ListedFollowUp, assignee: User, *, now: dt.datetime) -> Plan:
    """In the assignee's language and on their clock; a day that is today may be past its time: then at once."""
    with translation.override(assignee.language):
        title = item.label
    day = WallTime.of(now, assignee.time_zone).local.date() + dt.timedelta(days=item.after_days)
    due = WallTime(dt.datetime.combine(day, item.at_time), assignee.time_zone)
    if due.utc < now:
        due = WallTime.of(now, assignee.time_zone)
    return Plan(title, due, assignee, kind=item.kind)


FOLLOW_UPS = register(
    ActionKind(
        "follow_ups",
        _("Create follow-ups"),
        _run,
        (
            Row(name="list", label=_("From the list"), rows=_lists),
            OneOf(
                name="assignee",
                label=_("For"),
                choices=(("owner", _("the deal's owner")), ("manager", _("the owner's manager"))),
                is_required=False,
            ),
        ),
        place=10,
    )
)
