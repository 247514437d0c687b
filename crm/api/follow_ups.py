"""What is to be done, over the API."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema

from crm.api import authorising
from crm.api.authenticating import ApiRequest
from crm.api.problems import FieldError, invalid
from crm.api.reading import Asked, filters_of, page_of
from crm.api.shapes import Page, PersonRef, SeenRecord, Sent, SubjectRef, shape_of, subject_ref
from crm.api.writing import filled, write
from crm.forms.follow_ups import FollowUpForm, OutcomeForm, RescheduleForm
from crm.forms.repeats import OWN
from crm.models import FollowUp, User
from crm.rules import follow_ups as rules
from crm.rules.versions import hold_follow_up
from crm.rules.wall_clock import WallTime

router = Router(tags=["follow-ups"])
RELATED = ("assignee", "author", "done_by", "subject_type", "series")
STATES = ("open", "overdue", "done", "all")


class FollowUpShape(Schema):
    """One thing to be done; `due_at` in UTC is `due_local` on the clock of `time_zone`."""

    id: int
    version: int
    subject: SubjectRef
    kind: FollowUp.Kind
    title: str
    note: str
    assignee: PersonRef
    author: PersonRef | None
    due_at: dt.datetime
    due_local: str
    time_zone: str
    remind_before: list[int]
    duration_minutes: int
    location: str
    rule: str
    done_at: dt.datetime | None
    done_by: PersonRef | None
    outcome: str
    created_at: dt.datetime

    @staticmethod
    def resolve_subject(follow_up: Any) -> SubjectRef:
        """Return what it is about."""
        return subject_ref(follow_up)

    @staticmethod
    def resolve_rule(follow_up: Any) -> str:
        """Return how it repeats; empty where it does not."""
        return follow_up.series.rule if follow_up.series and follow_up.series.ended_at is None else ""

    @staticmethod
    def resolve_due_local(follow_up: Any) -> str:
        """Return the time on the wall, which has no offset."""
        return follow_up.due_local.astimezone(dt.UTC).replace(tzinfo=None).isoformat(timespec="minutes")


shape_of(FollowUp, FollowUpShape)


class FollowUpsAsked(Asked):
    """Follow-ups of one record or of one's people, by assignee and state: open (without asking), overdue, done, all."""

    subject_kind: str = ""
    subject_id: int | None = None
    assignee: int | None = None
    state: str = "open"


class FollowUpFields(Sent):
    """A next step. `due` without an offset is on the clock of the token's person; `remind_before` is in minutes.

    `rule` is an RFC 5545 recurrence rule of whole days: done, the follow-up plans its next occurrence. Empty ends it.
    """

    title: str | None = None
    kind: str | None = None
    due: dt.datetime | None = None
    assignee: int | None = None
    note: str | None = None
    remind_before: list[int] | None = None
    duration_minutes: int | None = None
    location: str | None = None
    rule: str | None = None
    skips_days_off: bool | None = None


class FollowUpNew(FollowUpFields):
    """A new follow-up; its assignee is oneself unless said otherwise."""

    subject_kind: str
    subject_id: int
    title: str
    due: dt.datetime


class FollowUpChange(FollowUpFields, SeenRecord):
    """Fields of a follow-up as it was seen; what is not sent stays. Of a series, `scope` is "this" or "following"."""

    scope: str | None = None


class NextStep(Sent):
    """What is to be done next, and when."""

    title: str
    due: dt.datetime
    kind: FollowUp.Kind = FollowUp.Kind.CALL


class FollowUpOutcome(SeenRecord):
    """What came of it, and the next step, if there is one."""

    outcome: str = ""
    response: str = ""
    next: NextStep | None = None


class FollowUpTime(SeenRecord):
    """When it is due instead."""

    due: dt.datetime


class FollowUpSnooze(SeenRecord):
    """Until when it is put off; one is reminded at that very time."""

    until: dt.datetime


@router.get("/follow-ups", response=Page[FollowUpShape], url_name="follow_up_list")
def follow_up_list(request: ApiRequest, asked: Query[FollowUpsAsked]) -> dict[str, Any]:
    """Follow-ups, the earliest due first."""
    filters = filters_of(request, asked)
    rows = _in_state(_about(request, filters), filters.get("state", "all"))
    if "assignee" in filters:
        if not User.objects.visible_to(request.user).filter(pk=filters["assignee"]).exists():
            raise invalid([FieldError("assignee", "invalid_choice", _("There is no such person here."))])
        rows = rows.filter(assignee=filters["assignee"])
    return page_of(request, rows.select_related(*RELATED), asked, ("due_at", "pk"))


@router.post("/follow-ups", response={201: FollowUpShape})
def follow_up_create(request: ApiRequest, body: FollowUpNew) -> HttpResponse:
    """Plan the next step of a record."""

    def act() -> FollowUp:
        subject = authorising.subject(body.subject_kind, body.subject_id, request.user, to_change=True)
        form = filled(lambda data: FollowUpForm(data, person=request.user), _said(body))
        return rules.plan_follow_up(subject, plan=form.said(), by=request.user, now=timezone.now())

    return write(request, act, status=201)


@router.get("/follow-ups/{int:pk}", response=FollowUpShape, url_name="follow_up_detail")
def follow_up_detail(request: ApiRequest, pk: int) -> FollowUp:
    """One follow-up: of one's people, or of a record that one sees."""
    follow_up = FollowUp.objects.present().select_related(*RELATED).filter(pk=pk).first()
    if follow_up is None:
        raise Http404
    if not FollowUp.objects.visible_to(request.user).filter(pk=pk).exists():
        authorising.subject(follow_up.subject_type.model, follow_up.subject_id, request.user, to_change=False)
    return follow_up


@router.patch("/follow-ups/{int:pk}", response=FollowUpShape)
def follow_up_edit(request: ApiRequest, pk: int, body: FollowUpChange) -> HttpResponse:
    """Plan an open follow-up anew: other words, another time, another person."""

    def act() -> FollowUp:
        follow_up = _held(request, pk, body.version)
        plan = rules.whole_plan_of(follow_up)
        form = filled(lambda data: FollowUpForm(data, person=request.user, plan=plan), _said(body))
        return rules.edit_follow_up(
            follow_up, plan=form.said(), by=request.user, now=timezone.now(), with_following=form.with_following
        )

    return write(request, act)


@router.delete("/follow-ups/{int:pk}", response={204: None})
def follow_up_delete(request: ApiRequest, pk: int, version: Query[int]) -> HttpResponse:
    """Put an open follow-up into the bin, for 30 days."""

    def act() -> None:
        rules.delete_follow_up(_held(request, pk, version), by=request.user, now=timezone.now())

    return write(request, act)


# --- What is done with a follow-up ----------------------------------------------------------------------------------


@router.post("/follow-ups/{int:pk}/done", response=FollowUpShape, url_name="follow_up_done")
def follow_up_done(request: ApiRequest, pk: int, body: FollowUpOutcome) -> HttpResponse:
    """Mark an open follow-up as done, with what came of it and the next step."""

    def act() -> FollowUp:
        follow_up = _held(request, pk, body.version)
        said: dict[str, Any] = {"outcome": body.outcome, "response": body.response}
        if body.next:
            said |= {**body.next.model_dump(), "due": _on_the_clock(body.next.due)}
        form = filled(lambda data: OutcomeForm(data, person=request.user), said)
        stays = User.objects.assignable_by(request.user).filter(pk=follow_up.assignee_id).exists()
        plan = form.next_plan(follow_up.assignee if stays else request.user)
        came_of_it = {name: form.cleaned_data[name] for name in ("outcome", "response")}
        rules.complete_follow_up(follow_up, by=request.user, now=timezone.now(), next_plan=plan, **came_of_it)
        return follow_up

    return write(request, act)


@router.post("/follow-ups/{int:pk}/snooze", response=FollowUpShape, url_name="follow_up_snooze")
def follow_up_snooze(request: ApiRequest, pk: int, body: FollowUpSnooze) -> HttpResponse:
    """Put an open follow-up off."""

    def act() -> FollowUp:
        until, now = _wall_time(body.until, "until"), timezone.now()
        if until.utc <= now:
            raise invalid([FieldError("until", "past", _("Choose a time that is still to come."))])
        return rules.snooze_follow_up(_held(request, pk, body.version), until=until, by=request.user, now=now)

    return write(request, act)


@router.post("/follow-ups/{int:pk}/reschedule", response=FollowUpShape, url_name="follow_up_reschedule")
def follow_up_reschedule(request: ApiRequest, pk: int, body: FollowUpTime) -> HttpResponse:
    """Move an open follow-up to another time, its reminders with it."""

    def act() -> FollowUp:
        due, now = _wall_time(body.due, "due"), timezone.now()
        return rules.reschedule_follow_up(_held(request, pk, body.version), due=due, by=request.user, now=now)

    return write(request, act)


@router.post("/follow-ups/{int:pk}/reopen", response=FollowUpShape, url_name="follow_up_reopen")
def follow_up_reopen(request: ApiRequest, pk: int, body: SeenRecord) -> HttpResponse:
    """Take back that a follow-up was done."""

    def act() -> FollowUp:
        return rules.reopen_follow_up(_held(request, pk, body.version), by=request.user, now=timezone.now())

    return write(request, act)


# --- Pieces -----------------------------------------------------------------------------------------------------------


def _held(request: ApiRequest, pk: int, version: int) -> FollowUp:
    follow_up = authorising.changeable_follow_up(request.user, pk)
    hold_follow_up(follow_up, seen_version=version)
    return follow_up


def _about(request: ApiRequest, filters: dict[str, Any]) -> Any:
    named = {"subject_kind", "subject_id"} & set(filters)
    if not named:
        return FollowUp.objects.visible_to(request.user)
    if len(named) == 1:
        raise invalid([FieldError("subject_id", "required", _("Give both the kind and the id, or neither."))])
    subject = authorising.subject(filters["subject_kind"], filters["subject_id"], request.user, to_change=False)
    return subject.follow_ups.present()


def _in_state(rows: Any, state: str) -> Any:
    if state not in STATES:
        message = _("One of: %(kinds)s.") % {"kinds": ", ".join(STATES)}
        raise invalid([FieldError("state", "unknown", message)])
    if state == "open":
        return rows.open()
    if state == "overdue":
        return rows.overdue(timezone.now())
    return rows.filter(done_at__isnull=False) if state == "done" else rows


def _said(body: FollowUpFields) -> dict[str, Any]:
    said = body.model_dump(exclude_unset=True, exclude={"subject_kind", "subject_id", "version"})
    if "rule" in said:
        said["repeat"] = OWN if said["rule"] else ""
    return said | ({"due": _on_the_clock(body.due)} if body.due else {})


def _wall_time(moment: dt.datetime, field: str) -> WallTime:
    form = RescheduleForm({"due": _on_the_clock(moment)})
    if not form.is_valid():
        raise invalid(FieldError(field, "invalid", str(message)) for message in form.errors["due"])
    return form.cleaned_data["due"]


def _on_the_clock(moment: dt.datetime) -> str:
    """What the clock of the token's person shows, as the form reads it."""
    if moment.tzinfo is None:
        return moment.isoformat()
    try:
        return WallTime.of(moment, timezone.get_current_timezone_name()).local.isoformat()
    except OverflowError:  # no clock has it, as the form says
        return moment.isoformat()
