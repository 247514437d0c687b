"""What came of a follow-up, as the timeline tells it: a call that was made, a meeting that took place, a note."""

from __future__ import annotations

import datetime as dt
from typing import cast

from crm.models import Activity, FollowUp, Subject, User
from crm.rules import activities
from crm.rules.errors import NotAllowed

TOUCHES = {
    FollowUp.Kind.CALL: Activity.Kind.CALL,
    FollowUp.Kind.EMAIL: Activity.Kind.EMAIL,
    FollowUp.Kind.MEETING: Activity.Kind.MEETING,
}
"""The touch that each kind of follow-up is when it is done."""


def log_outcome(follow_up: FollowUp, *, response: str, by: User, now: dt.datetime) -> None:
    """Write what came of a done follow-up on the timeline, once: said again, the entry is corrected.

    Without a `response` it was no touch, and the done follow-up itself tells of it; nor does anything else tell of a
    record that `by` may not add to.
    """
    kind = TOUCHES.get(FollowUp.Kind(follow_up.kind))
    if kind is None or not response:
        return
    fields = {
        "kind": kind,
        "direction": Activity.Direction.OUT,
        "response": response,
        "title": follow_up.title,
        "body": follow_up.outcome,
        "at": min(follow_up.done_at or now, now),
    }
    try:
        _write(follow_up, fields, by=by, now=now)
    except NotAllowed:
        return


def forget_outcome(follow_up: FollowUp, *, by: User, now: dt.datetime) -> None:
    """Take the entry off the timeline again: the follow-up was not done after all."""
    activity = follow_up.activity
    follow_up.activity = None
    if activity is None or activity.deleted_at is not None:
        return
    try:
        activities.delete_activity(activity, by=by, now=now)
    except NotAllowed:
        return


def _write(follow_up: FollowUp, fields: dict[str, object], *, by: User, now: dt.datetime) -> None:
    if follow_up.activity is not None and follow_up.activity.deleted_at is None:
        activities.edit_activity(follow_up.activity, fields=fields, by=by)
        return
    subject = cast("Subject", follow_up.subject)
    follow_up.activity = activities.log_activity(subject, fields=fields, by=by, now=now)
    FollowUp.objects.filter(pk=follow_up.pk).update(activity=follow_up.activity)
