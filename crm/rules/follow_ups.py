"""What is to be done next: planned, done, put off, handed over and deleted.

Each rule locks the subject first, and leaves its `next_step_at` (row and instance) and the reminders true.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import cast

from django.db.models import F, Min
from django.utils.translation import gettext as _

from crm.models import FollowUp, OwnedQuerySet, Subject, User
from crm.models.follow_ups import default_reminders
from crm.rules import invitations, outcomes, reminders, repeating
from crm.rules.audit import acting
from crm.rules.errors import NotAllowed, RecordConflict, RuleError
from crm.rules.giving import tell_of_given
from crm.rules.invitations import Guest
from crm.rules.recurring import Repeat
from crm.rules.sequences.stopping import reconsider
from crm.rules.wall_clock import WallTime


class FollowUpClosed(RuleError):
    """The follow-up was done or deleted in the meantime (409)."""

    code = "closed"


class NotAssignable(RuleError):
    """The person cannot be given work: a viewer, departed, or out of sight (422)."""

    code = "not_assignable"


@dataclass(frozen=True)
class Plan:
    """What is to be done, by whom, when on whose clock, and how many minutes before each reminder comes.

    `repeat` begins a series (or changes one, where the edit is of what follows too). `guests` of a meeting are invited;
    None leaves them as they are.
    """

    title: str
    due: WallTime
    assignee: User
    kind: str = FollowUp.Kind.TASK
    note: str = ""
    remind_before: tuple[int, ...] = field(default_factory=lambda: tuple(default_reminders()))
    duration_minutes: int = 30
    location: str = ""
    repeat: Repeat | None = None
    guests: tuple[Guest, ...] | None = None


def plan_follow_up(
    subject: Subject, *, plan: Plan, by: User | None, now: dt.datetime, source_key: str | None = None
) -> FollowUp:
    """Plan the next step of `subject`; raises NotAllowed or NotAssignable. `by` is None for the system itself.

    With a `source_key` there is at most one follow-up of that key, ever: planned again, the first is returned.
    BadRule where it repeats by a rule that is none.
    """
    with acting(by), _locked(subject):
        _require_change(subject, by)
        _require_assignable(plan.assignee, by)
        if source_key and (earlier := FollowUp.objects.filter(source_key=source_key).first()):
            return earlier
        follow_up = FollowUp(subject=subject, author=by, source_key=source_key)
        _write(follow_up, plan, now=now, repeat=plan.repeat)
        tell_of_given([follow_up], to=plan.assignee, by=by, now=now)
    return follow_up


def edit_follow_up(
    follow_up: FollowUp,
    *,
    plan: Plan,
    by: User | None,
    now: dt.datetime,
    seen_version: int | None = None,
    with_following: bool = False,
    tells: bool = True,
) -> FollowUp:
    """Plan an open follow-up anew: other words, another time, another person; raises FollowUpClosed or NotAllowed.

    Of a series only this one is changed, unless it is edited `with_following`: then the series ends here and, while it
    repeats, another begins. With a `seen_version`, RecordConflict where somebody was first.
    """
    with _changing(follow_up, by=by, seen_version=seen_version) as fresh:
        if is_given := plan.assignee.pk != fresh.assignee_id:
            _require_assignable(plan.assignee, by)
        is_begun = fresh.series is None or with_following
        if with_following and fresh.series is not None:
            repeating.end_series(fresh.series, now=now)
            fresh.series, fresh.occurrence_local = None, None
        _write(fresh, plan, now=now, repeat=plan.repeat if is_begun else None)
        if is_given and tells:
            tell_of_given([fresh], to=plan.assignee, by=by, now=now)
    return fresh


def reschedule_follow_up(
    follow_up: FollowUp, *, due: WallTime, by: User, now: dt.datetime, seen_version: int | None = None
) -> FollowUp:
    """Move an open follow-up to another time, its reminders the same while before it."""
    plan = replace(plan_of(follow_up), due=due)
    return edit_follow_up(follow_up, plan=plan, by=by, now=now, seen_version=seen_version)


def snooze_follow_up(follow_up: FollowUp, *, until: WallTime, by: User, now: dt.datetime) -> FollowUp:
    """Put an open follow-up off until then, and remind of it at that very time."""
    plan = replace(plan_of(follow_up), due=until, remind_before=(0,))
    return edit_follow_up(follow_up, plan=plan, by=by, now=now)


def reassign_follow_up(
    follow_up: FollowUp, *, to: User, by: User | None, now: dt.datetime, tells: bool = True
) -> FollowUp:
    """Hand an open follow-up to another person, due at the same instant on their clock.

    They are told of it, unless `tells` is false: the caller tells of many at once.
    """
    return edit_follow_up(follow_up, plan=replace(plan_of(follow_up), assignee=to), by=by, now=now, tells=tells)


def complete_follow_up(
    follow_up: FollowUp,
    *,
    by: User,
    now: dt.datetime,
    outcome: str = "",
    response: str = "",
    next_plan: Plan | None = None,
) -> FollowUp | None:
    """Mark an open follow-up as done, with what came of it, and plan the next; returns the next.

    With a `response` it was a touch and becomes one on the timeline. One of a series plans its next occurrence.
    """
    with _changing(follow_up, by=by) as fresh:
        fresh.done_at, fresh.done_by, fresh.outcome = now, by, outcome
        fresh.save(update_fields=["done_at", "done_by", "outcome"])
        reminders.drop_reminders(fresh, answer="done")
        outcomes.log_outcome(fresh, response=response, by=by, now=now)
        occurrence = _plan_occurrence(fresh, now=now)
        return _plan_next(fresh, next_plan, by=by, now=now) or occurrence


def note_outcome(
    follow_up: FollowUp,
    *,
    outcome: str,
    by: User,
    now: dt.datetime,
    response: str = "",
    next_plan: Plan | None = None,
) -> FollowUp | None:
    """Write down what came of a follow-up that is done, and plan the next; returns the next.

    FollowUpClosed where it is not done (any more).
    """
    subject = cast("Subject", follow_up.subject)
    with acting(by), _locked(subject):
        _require_follow_up_change(follow_up, by)
        done = FollowUp.objects.present().filter(pk=follow_up.pk, done_at__isnull=False)
        if not done.update(outcome=outcome, version=F("version") + 1):
            raise FollowUpClosed(_("This follow-up is not done any more: somebody has opened or deleted it again."))
        fresh = done.select_related("activity").get()
        fresh.subject = subject
        outcomes.log_outcome(fresh, response=response, by=by, now=now)
        return _plan_next(follow_up, next_plan, by=by, now=now)


def reopen_follow_up(follow_up: FollowUp, *, by: User, now: dt.datetime) -> FollowUp:
    """Take back that a follow-up was done or deleted: it is open again, with its time and the reminders still ahead."""
    with acting(by), _locked(cast("Subject", follow_up.subject)):
        _require_follow_up_change(follow_up, by)
        fresh = FollowUp.objects.select_related(*_WHOLE).get(pk=follow_up.pk)
        fresh.subject = follow_up.subject
        outcomes.forget_outcome(fresh, by=by, now=now)
        if fresh.series is not None and fresh.series.ended_at and fresh.series.ended_at == fresh.deleted_at:
            repeating.resume_series(fresh.series)
        fresh.done_at, fresh.done_by, fresh.outcome, fresh.deleted_at = None, None, "", None
        _withdraw_occurrence(fresh)
        _write(fresh, plan_of(fresh), now=now)
    return fresh


def delete_follow_up(follow_up: FollowUp, *, by: User | None, now: dt.datetime, with_following: bool = False) -> None:
    """Put an open follow-up into the bin, from which `reopen_follow_up` takes it for 30 days.

    Of a series only this occurrence is left out, and the next is planned, unless it is deleted `with_following`.
    """
    with _changing(follow_up, by=by) as fresh:
        fresh.deleted_at = now
        fresh.save(update_fields=["deleted_at"])
        reminders.drop_reminders(fresh, answer="deleted")
        invitations.follow(fresh, by=by, now=now)
        if with_following and fresh.series is not None:
            repeating.end_series(fresh.series, now=now)
        _plan_occurrence(fresh, now=now)


def bin_follow_ups(subject: Subject, *, now: dt.datetime) -> None:
    """Put what was planned for a record into the bin with it: nobody is reminded of it, no guest comes in vain."""
    with _locked(subject):
        for follow_up in FollowUp.objects.open().about(subject).select_related("assignee"):
            follow_up.deleted_at = now
            follow_up.save(update_fields=["deleted_at"])
            reminders.drop_reminders(follow_up, answer="deleted")
            invitations.follow(follow_up, now=now)


def unbin_follow_ups(subject: Subject, *, binned_at: dt.datetime, now: dt.datetime) -> None:
    """Take what went into the bin with a record out of it again."""
    with _locked(subject):
        for follow_up in FollowUp.objects.about(subject).filter(deleted_at=binned_at).select_related("assignee"):
            follow_up.deleted_at = None
            _write(follow_up, plan_of(follow_up), now=now)


def follow_zone(user: User, *, zone: str) -> None:
    """Let the person's open follow-ups keep their figures on a clock in `zone`, to which the person has moved."""
    mine = FollowUp.objects.open().filter(assignee=user).exclude(time_zone=zone)
    for follow_up in mine.select_related("subject_type").order_by("subject_type", "subject_id", "pk"):
        subject = cast("Subject | None", follow_up.subject)
        if subject is None:
            continue
        with _locked(subject):
            due = WallTime.stored(follow_up.due_local, follow_up.time_zone).moved_to(zone)
            follow_up.due_at, follow_up.time_zone = due.utc, zone
            follow_up.save(update_fields=["due_at", "time_zone"])
            reminders.move_reminders_to_zone(follow_up, zone)


def plan_of(follow_up: FollowUp) -> Plan:
    """Return the plan a follow-up stands for, to be changed in part."""
    return Plan(
        title=follow_up.title,
        due=WallTime.stored(follow_up.due_local, follow_up.time_zone),
        assignee=follow_up.assignee,
        kind=follow_up.kind,
        note=follow_up.note,
        remind_before=tuple(follow_up.remind_before),
        duration_minutes=follow_up.duration_minutes,
        location=follow_up.location,
        repeat=repeating.rest_of(follow_up),
    )


def whole_plan_of(follow_up: FollowUp) -> Plan:
    """Return the plan with its guests, as a person edits it."""
    guests = tuple(Guest(guest.address, guest.name) for guest in follow_up.attendees.invited())
    return replace(plan_of(follow_up), guests=guests)


def may_change(follow_up: FollowUp, by: User) -> bool:
    """Say whether `by` may change a follow-up: their own (or of those they lead), or of a record they may change."""
    return FollowUp.objects.editable_by(by).filter(pk=follow_up.pk).exists() or _is_editable(
        cast("Subject | None", follow_up.subject), by
    )


def _write(follow_up: FollowUp, plan: Plan, *, now: dt.datetime, repeat: Repeat | None = None) -> None:
    """Save the follow-up as planned, on its assignee's clock, with its reminders, guests and what follows it."""
    was = follow_up.due_at, follow_up.assignee_id
    told = invitations.details_of(follow_up)
    due = plan.due.seen_from(plan.assignee.time_zone)
    follow_up.title, follow_up.kind, follow_up.note = plan.title, plan.kind, plan.note
    follow_up.assignee, follow_up.time_zone = plan.assignee, due.zone
    follow_up.due_local, follow_up.due_at = due.as_stored, due.utc
    follow_up.remind_before = sorted(plan.remind_before)
    follow_up.duration_minutes, follow_up.location = plan.duration_minutes, plan.location
    if repeat is not None:
        repeating.begin_series(follow_up, repeat=repeat)
        due = WallTime.stored(follow_up.due_local, follow_up.time_zone)
    if follow_up.pk is not None and told != invitations.details_of(follow_up):
        follow_up.calendar_sequence += 1
    follow_up.save()
    if follow_up.kind == FollowUp.Kind.MEETING:
        reconsider(follow_up.subject, now=now)  # a planned meeting ends the sequence a person is in
    invitations.follow(follow_up, guests=plan.guests, by=follow_up.author, now=now)
    if follow_up.due_at <= now and was == (follow_up.due_at, follow_up.assignee_id):
        return  # they have been reminded of it already, or will be when their quiet hours end
    times = [replace(due, local=due.local - dt.timedelta(minutes=minutes)) for minutes in plan.remind_before]
    reminders.set_reminders(follow_up, times, now=now)


def _plan_occurrence(ended: FollowUp, *, now: dt.datetime) -> FollowUp | None:
    """Plan what follows an occurrence that is done or left out; nothing where it is planned already."""
    row = repeating.next_of(ended, now=now)
    if row is None:
        return None
    if known := FollowUp.objects.filter(series=row.series, occurrence_local=row.occurrence_local).first():
        return known
    row.subject, row.author = ended.subject, ended.author
    _write(row, plan_of(row), now=now)
    return row


def _withdraw_occurrence(reopened: FollowUp) -> None:
    """Take back what was planned because `reopened` had been done, unless somebody has changed it since."""
    if reopened.series_id is None:
        return
    rows = FollowUp.objects.open().filter(series_id=reopened.series_id, version=1)
    for row in rows.filter(occurrence_local__gt=reopened.occurrence_local):
        reminders.drop_reminders(row, answer="the one before is open again")
        row.delete()


def _plan_next(done: FollowUp, plan: Plan | None, *, by: User, now: dt.datetime) -> FollowUp | None:
    if plan is None:
        return None
    return plan_follow_up(cast("Subject", done.subject), plan=plan, by=by, now=now, source_key=f"after:{done.pk}")


_WHOLE = ("assignee", "series__assignee", "activity")
"""What the rules read along with a follow-up."""


@contextmanager
def _changing(follow_up: FollowUp, *, by: User | None, seen_version: int | None = None) -> Iterator[FollowUp]:
    """Give the follow-up as it is now, locked and open, to a person who may change it."""
    subject = cast("Subject", follow_up.subject)
    with acting(by), _locked(subject):
        if by is not None:
            _require_follow_up_change(follow_up, by)
        if not FollowUp.objects.open().filter(pk=follow_up.pk).update(version=F("version") + 1):
            raise FollowUpClosed(_("This follow-up was done or deleted in the meantime."))
        fresh = FollowUp.objects.select_related(*_WHOLE).get(pk=follow_up.pk)
        if seen_version not in {None, fresh.version - 1}:
            raise RecordConflict(fresh)
        fresh.subject = subject
        yield fresh


@contextmanager
def _locked(subject: Subject) -> Iterator[None]:
    """Keep others from planning for `subject`, and write its next step (row and instance) at the end."""
    rows = type(subject)._default_manager.filter(pk=subject.pk)
    rows.select_for_update(of=("self",), no_key=True).values_list("pk").first()
    yield
    subject.next_step_at = FollowUp.objects.open().about(subject).aggregate(first=Min("due_at"))["first"]
    rows.exclude(next_step_at=subject.next_step_at).update(next_step_at=subject.next_step_at)


def _require_change(subject: Subject, by: User | None) -> None:
    if by is not None and not _is_editable(subject, by):
        raise NotAllowed(_("You may see this record but plan nothing for it."))


def _require_follow_up_change(follow_up: FollowUp, by: User) -> None:
    if not may_change(follow_up, by):
        raise NotAllowed(_("You may see this follow-up but not change it."))


def _require_assignable(assignee: User, by: User | None) -> None:
    people = User.objects.active() if by is None else User.objects.assignable_by(by)
    if not people.filter(pk=assignee.pk).exists():
        raise NotAssignable(_("%(person)s cannot be given work.") % {"person": assignee})


def _is_editable(subject: Subject | None, by: User) -> bool:
    if subject is None:
        return False
    rows = cast("OwnedQuerySet", type(subject)._default_manager.all())
    return rows.editable_by(by).filter(pk=subject.pk).exists()
