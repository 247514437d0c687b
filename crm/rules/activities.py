"""Logging, correcting and deleting what happened, and what follows: the last touch, a lead's response clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db.models import F, Max, Min
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.models import Activity, Lead, User
from crm.rules.audit import acting
from crm.rules.errors import NotAllowed, RecordConflict
from crm.rules.sequences.stopping import reconsider

EDITABLE = ("kind", "direction", "response", "at", "title", "body", "duration_minutes", "is_automatic")
"""What is said of an activity; its subject and author stay."""


def log_activity(subject: Any, *, fields: Mapping[str, Any], by: User, now: dt.datetime) -> Activity:
    """Write an activity of `EDITABLE` fields on the subject's timeline, at `now` unless said otherwise; or NotAllowed.

    A touch becomes the subject's last touch; the first outbound one that is no automatic reply stops a lead's response
    clock and makes a new lead a working one.
    """
    _refuse_unless_editable(subject, by)
    with acting(by):
        activity = Activity(**{"at": now, **_chosen(fields)}, subject=subject, author=by)
        _make_whole(activity)
        activity.save()
        follow_touches(subject)
        answer_lead(subject)
    return activity


def edit_activity(
    activity: Activity, *, fields: Mapping[str, Any], by: User, seen_version: int | None = None
) -> Activity:
    """Correct the given fields of an activity of one's own (or one's team); what followed from it follows again.

    With `seen_version`, RecordConflict where it was corrected since.
    """
    _refuse_foreign(activity, by)
    with acting(by):
        _refuse_changed(activity, seen_version)
        was_at = activity.at
        for name, value in _chosen(fields).items():
            setattr(activity, name, value)
        _make_whole(activity)
        activity.save()
        follow_touches(activity.subject)
        _reconsider_answer(activity.subject, was_at=was_at)
    return activity


def delete_activity(activity: Activity, *, by: User, now: dt.datetime, seen_version: int | None = None) -> None:
    """Put the activity into the bin, from which `restore_activity` takes it for 30 days."""
    _refuse_foreign(activity, by)
    with acting(by):
        _refuse_changed(activity, seen_version)
        _set_deleted(activity, now)
        follow_touches(activity.subject)
        _reconsider_answer(activity.subject, was_at=activity.at)


def restore_activity(activity: Activity, *, by: User, now: dt.datetime) -> Activity:
    """Take the activity out of the bin, as it was; NotAllowed after 30 days or for who could not have deleted it."""
    if not Activity.objects.in_bin_of(by, now).filter(pk=activity.pk).exists():
        raise NotAllowed(_("This can no longer be taken out of the bin."))
    with acting(by):
        _set_deleted(activity, None)
        follow_touches(activity.subject)
        answer_lead(activity.subject)
    return activity


def follow_touches(subject: Any) -> None:
    """Make `last_touch_at` the time of the subject's latest touch; an earlier one that came from elsewhere stays."""
    latest = subject.activities.present().touches().aggregate(at=Max("at"))["at"]
    if latest is None and not subject.activities.touches().exists():
        return
    type(subject).objects.filter(pk=subject.pk).update(last_touch_at=latest)
    subject.last_touch_at = latest
    reconsider(subject, now=timezone.now())  # an answer or a meeting ends the sequence a person is in


def answer_lead(subject: Any) -> None:
    """Stop the response clock of a lead at its first outbound touch, and let a new lead become a working one."""
    if not isinstance(subject, Lead):
        return
    first = subject.activities.present().outbound().aggregate(at=Min("at"))["at"]
    if first is None:
        return
    answered = max(first, subject.created_at)  # a call logged for before the lead came in answers it at once
    if subject.first_response_at is None or answered < subject.first_response_at:
        _write_lead(subject, first_response_at=answered)
    if subject.status == Lead.Status.NEW:
        _write_lead(subject, status=Lead.Status.WORKING)


def _reconsider_answer(subject: Any, *, was_at: dt.datetime) -> None:
    """Set a lead's clock anew when the touch that had stopped it, at `was_at`, was corrected or deleted."""
    if not isinstance(subject, Lead):
        return
    if subject.first_response_at == max(was_at, subject.created_at):
        _write_lead(subject, first_response_at=None)
    answer_lead(subject)
    if subject.first_response_at is None and subject.status == Lead.Status.WORKING:
        _write_lead(subject, status=Lead.Status.NEW)


def _write_lead(lead: Lead, **fields: Any) -> None:
    Lead.objects.filter(pk=lead.pk).update(version=F("version") + 1, **fields)
    lead.refresh_from_db()


def _chosen(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: fields[name] for name in EDITABLE if name in fields}


def _make_whole(activity: Activity) -> None:
    """A note has no direction and no answer; a touch of which nobody said otherwise was ours."""
    if activity.kind == Activity.Kind.NOTE:
        activity.direction, activity.response = "", Activity.Response.NONE
    elif not activity.direction:
        activity.direction = Activity.Direction.OUT


def _set_deleted(activity: Activity, at: dt.datetime | None) -> None:
    activity.deleted_at = at
    activity.save(update_fields=["deleted_at"])


def _refuse_unless_editable(subject: Any, by: User) -> None:
    if not type(subject).objects.editable_by(by).filter(pk=subject.pk).exists():
        raise NotAllowed(_("You may look at this, but not add to it."))


def _refuse_changed(activity: Activity, seen_version: int | None) -> None:
    fresh = Activity.objects.select_for_update().get(pk=activity.pk)
    if seen_version not in {None, fresh.version}:
        raise RecordConflict(fresh)


def _refuse_foreign(activity: Activity, by: User) -> None:
    if not Activity.objects.editable_by(by).filter(pk=activity.pk).exists():
        raise NotAllowed(_("Only its author, their manager or an admin can change this."))
