"""What activities and follow-ups are about: a lead, a contact, a company, or (from the app above) a deal."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from django.apps import apps
from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q
from django.utils import timezone

from crm.models.access import OwnedQuerySet

if TYPE_CHECKING:
    from crm.models.accounts import User


class Subject(models.Model):
    """A record with a timeline and next steps.

    `next_step_at` (due time of the first open follow-up) and `last_touch_at` (last outbound or inbound touch) are
    kept by `crm.rules.follow_ups` and `crm.rules.activities`, so that a board of 100,000 deals needs no join.
    """

    activities = GenericRelation("crm.Activity", "subject_id", "subject_type")
    follow_ups = GenericRelation("crm.FollowUp", "subject_id", "subject_type")
    next_step_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_touch_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True


def step_in_state(state: str, now: dt.datetime) -> Q:
    """Say of open records that their next step is overdue, due today (by the active clock), planned or unplanned."""
    tomorrow = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0) + dt.timedelta(days=1)
    return {
        "overdue": Q(next_step_at__lt=now),
        "today": Q(next_step_at__gte=now, next_step_at__lt=tomorrow),
        "planned": Q(next_step_at__gte=tomorrow),
        "unplanned": Q(next_step_at__isnull=True),
    }[state]


class AboutSubject(models.Model):
    """A row about one subject; generic, because deals live in the app above (foreign keys point down)."""

    subject_type = models.ForeignKey(ContentType, models.PROTECT, related_name="+")
    subject_id = models.BigIntegerField()
    subject = GenericForeignKey("subject_type", "subject_id")

    class Meta:
        abstract = True


@cache
def subject_models() -> dict[str, type[Subject]]:
    """Every kind of subject by the word for it in an address: company, contact, deal, lead."""
    return {str(model._meta.model_name): model for model in apps.get_models() if issubclass(model, Subject)}


def kind_of(subject: Subject) -> str:
    """Return the word for this kind of subject in an address."""
    return str(subject._meta.model_name)


def subjects_seen_by(
    user: User, rows: Iterable[AboutSubject], *, related: dict[str, tuple[str, ...]] | None = None
) -> dict[tuple[int, int], Any]:
    """Return those subjects of `rows` that `user` may see, by type id and id; one query a kind.

    `related` names, by kind, what to select along with them.
    """
    found: dict[tuple[int, int], Any] = {}
    for type_id, ids in _named(rows).items():
        model = ContentType.objects.get_for_id(type_id).model_class()
        if model is None:
            continue
        seen = cast("OwnedQuerySet", model._default_manager.all()).visible_to(user)
        if names := (related or {}).get(str(model._meta.model_name)):
            seen = seen.select_related(*names)
        found |= {(type_id, pk): subject for pk, subject in seen.in_bulk(list(ids)).items()}
    return found


def subjects_editable_by(user: User, rows: Iterable[AboutSubject]) -> set[tuple[int, int]]:
    """Return the type ids and ids of those subjects of `rows` that `user` may change; one query a kind."""
    found: set[tuple[int, int]] = set()
    for type_id, ids in _named(rows).items():
        model = ContentType.objects.get_for_id(type_id).model_class()
        if model is not None:
            editable = cast("OwnedQuerySet", model._default_manager.filter(pk__in=ids)).editable_by(user)
            found |= {(type_id, pk) for pk in editable.values_list("pk", flat=True)}
    return found


def _named(rows: Iterable[AboutSubject]) -> dict[int, set[int]]:
    """The ids of the subjects of `rows`, by their type's id."""
    wanted: dict[int, set[int]] = defaultdict(set)
    for row in rows:
        wanted[row.subject_type_id].add(row.subject_id)
    return wanted
