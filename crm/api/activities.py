"""What happened, over the API."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema

from crm.api import authorising
from crm.api.authenticating import ApiRequest
from crm.api.problems import FieldError, invalid
from crm.api.reading import Asked, filters_of, page_of
from crm.api.shapes import Page, PersonRef, SeenRecord, Sent, SubjectRef, shape_of, subject_ref
from crm.api.writing import filled, write
from crm.forms.activities import ASKED, ActivityForm
from crm.models import Activity
from crm.rules.activities import delete_activity, edit_activity, log_activity

router = Router(tags=["activities"])
RELATED = ("author", "subject_type")


class ActivityShape(Schema):
    """A call, e-mail, meeting, message or note."""

    id: int
    version: int
    subject: SubjectRef
    kind: Activity.Kind
    direction: str
    response: Activity.Response
    at: dt.datetime
    author: PersonRef | None
    title: str
    body: str
    duration_minutes: int | None
    recorded_at: dt.datetime

    @staticmethod
    def resolve_subject(activity: Any) -> SubjectRef:
        """Return what it is about."""
        return subject_ref(activity)


shape_of(Activity, ActivityShape)


class ActivitiesAsked(Asked):
    """Activities of one record (a lead, contact, company or deal), or without it those of one's people."""

    subject_kind: str = ""
    subject_id: int | None = None


class ActivityFields(Sent):
    """What a person says of an activity; which fields there are depends on its kind. Without `at` it was just now."""

    title: str | None = None
    body: str | None = None
    direction: str | None = None
    response: str | None = None
    duration_minutes: int | None = None
    at: dt.datetime | None = None


class ActivityNew(ActivityFields):
    """A new activity."""

    subject_kind: str
    subject_id: int
    kind: Activity.Kind


class ActivityChange(ActivityFields, SeenRecord):
    """Fields of an activity as it was seen; what is not sent stays."""


@router.get("/activities", response=Page[ActivityShape], url_name="activity_list")
def activity_list(request: ApiRequest, asked: Query[ActivitiesAsked]) -> dict[str, Any]:
    """Activities, latest first."""
    filters = filters_of(request, asked)
    return page_of(request, _about(request, filters).select_related(*RELATED), asked, ("-at", "-pk"))


@router.post("/activities", response={201: ActivityShape})
def activity_create(request: ApiRequest, body: ActivityNew) -> HttpResponse:
    """Write what happened onto a record's timeline."""

    def act() -> Activity:
        subject = authorising.subject(body.subject_kind, body.subject_id, request.user, to_change=True)
        now = timezone.now()
        said = _said(body, body.kind)
        form = filled(lambda data: ActivityForm(data, kind=body.kind, now=now), said)
        return log_activity(subject, fields=form.said(), by=request.user, now=now)

    return write(request, act, status=201)


@router.get("/activities/{int:pk}", response=ActivityShape, url_name="activity_detail")
def activity_detail(request: ApiRequest, pk: int) -> Activity:
    """One activity."""
    return authorising.visible(Activity.objects.select_related(*RELATED), request.user, pk)


@router.patch("/activities/{int:pk}", response=ActivityShape)
def activity_edit(request: ApiRequest, pk: int, body: ActivityChange) -> HttpResponse:
    """Correct an activity of one's own, or of one's team."""

    def act() -> Activity:
        activity = authorising.editable(Activity.objects, request.user, pk)
        said, now = _said(body, activity.kind), timezone.now()
        form = filled(lambda data: ActivityForm(data, instance=activity, kind=activity.kind, now=now), said)
        return edit_activity(activity, fields=form.said(), by=request.user, seen_version=body.version)

    return write(request, act)


@router.delete("/activities/{int:pk}", response={204: None})
def activity_delete(request: ApiRequest, pk: int, version: Query[int]) -> HttpResponse:
    """Put an activity into the bin, for 30 days."""

    def act() -> None:
        activity = authorising.editable(Activity.objects, request.user, pk)
        delete_activity(activity, by=request.user, now=timezone.now(), seen_version=version)

    return write(request, act)


def _about(request: ApiRequest, filters: dict[str, Any]) -> Any:
    """A record's timeline is for whoever sees the record; without one, what the person's people did."""
    if not filters:
        return Activity.objects.visible_to(request.user)
    if set(filters) != {"subject_kind", "subject_id"}:
        raise invalid([FieldError("subject_id", "required", _("Give both the kind and the id, or neither."))])
    subject = authorising.subject(filters["subject_kind"], filters["subject_id"], request.user, to_change=False)
    return subject.activities.present()


def _said(body: ActivityFields, kind: str) -> dict[str, Any]:
    """The fields that this kind of activity has; another is a mistake, and said to be one."""
    said = body.model_dump(exclude_unset=True, exclude={"subject_kind", "subject_id", "kind", "version"})
    if foreign := sorted(set(said) - set(ASKED[kind])):
        message = _("An activity of this kind has no such field.")
        raise invalid(FieldError(name, "unknown", message) for name in foreign)
    return said
