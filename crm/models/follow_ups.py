"""What is to be done, and when to remind of it."""

from __future__ import annotations

import datetime as dt
from typing import Self

import pgtrigger
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from crm.models.access import OwnedQuerySet, Recoverable
from crm.models.activities import Activity
from crm.models.audit import audited
from crm.models.personal import holds_personal
from crm.models.series import FollowUpSeries
from crm.models.subjects import AboutSubject, Subject


def default_reminders() -> list[int]:
    """Remind a quarter of an hour before, unless the person says otherwise."""
    return [15]


class FollowUpQuerySet(OwnedQuerySet):
    """Follow-ups, by when they are due."""

    owner_field = "assignee_id"

    def open(self) -> Self:
        """Neither done nor deleted."""
        return self.present().filter(done_at__isnull=True)

    def overdue(self, now: dt.datetime) -> Self:
        """Open and past due."""
        return self.open().filter(due_at__lt=now)

    def about(self, subject: Subject) -> Self:
        """Follow-ups of one record."""
        content_type = ContentType.objects.get_for_model(subject)
        return self.filter(subject_type=content_type, subject_id=subject.pk)

    def done_between(self, start: dt.datetime, end: dt.datetime) -> Self:
        """Done in `[start, end)`."""
        return self.present().filter(done_at__gte=start, done_at__lt=end)


_SAYS_WHEN_CHANGED = pgtrigger.Trigger(
    name="follow_up_updated_at",
    when=pgtrigger.Before,
    operation=pgtrigger.Update,
    func="NEW.updated_at = clock_timestamp(); RETURN NEW;",
)
"""Calendar feeds ask what has changed since: whatever code path changed it."""


@holds_personal(blanks=("title", "note", "outcome", "location"), strikes=("title", "note", "outcome", "location"))
@audited(kind="follow_up", ignore=("uid",))
@pgtrigger.register(_SAYS_WHEN_CHANGED)
class FollowUp(AboutSubject, Recoverable):
    """One thing somebody is to do about a subject; `due_at` is `due_local` on the clock of `time_zone`, in UTC.

    One of a `series` stands for the wall time `occurrence_local` of its rule, wherever it was moved to since. `uid`
    names it in calendars; `calendar_sequence` rises with every change that people who were invited must hear of.
    """

    class Kind(models.TextChoices):
        """The verb of the next step."""

        CALL = "call", _("Call")
        EMAIL = "email", _("Write")
        MEETING = "meeting", _("Meet")
        TASK = "task", _("Do")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.TASK)
    title = models.CharField(_("what is to be done"), max_length=200)
    note = models.TextField(_("note"), blank=True, max_length=10_000)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="follow_ups", verbose_name=_("assignee")
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    due_local = models.DateTimeField(_("due, on the wall clock"), editable=False)
    time_zone = models.CharField(_("time zone"), max_length=64, default=settings.TIME_ZONE)
    due_at = models.DateTimeField(_("due"))
    done_at = models.DateTimeField(_("done"), null=True, blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    outcome = models.TextField(_("outcome"), blank=True, max_length=10_000)
    activity = models.OneToOneField(
        Activity, models.SET_NULL, null=True, blank=True, related_name="follow_up", editable=False
    )
    duration_minutes = models.PositiveIntegerField(_("minutes"), default=30)
    location = models.CharField(_("place or link"), max_length=300, blank=True)
    series = models.ForeignKey(
        FollowUpSeries, models.SET_NULL, null=True, blank=True, related_name="follow_ups", verbose_name=_("repeats")
    )
    occurrence_local = models.DateTimeField(null=True, blank=True, editable=False)
    uid = models.UUIDField(db_default=RandomUUID(), unique=True, editable=False)
    calendar_sequence = models.PositiveIntegerField(default=0, editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)
    remind_before = ArrayField(
        models.PositiveIntegerField(),
        default=default_reminders,
        blank=True,
        verbose_name=_("reminders, minutes before"),
    )
    source_key = models.CharField(max_length=100, unique=True, null=True, blank=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = FollowUpQuerySet.as_manager()

    class Meta:
        verbose_name = _("follow-up")
        verbose_name_plural = _("follow-ups")
        ordering = ("due_at", "pk")
        constraints = (
            models.UniqueConstraint(fields=("series", "occurrence_local"), name="crm_followup_once_an_occurrence"),
            models.CheckConstraint(
                name="crm_followup_occurrence_of_series",
                condition=Q(series=None) | Q(occurrence_local__isnull=False),
                violation_error_message=_("What repeats stands for one time of its rule."),
            ),
        )
        indexes = (
            # My day: one person's open follow-ups in the order they fall due.
            models.Index(
                fields=("assignee", "due_at"), name="crm_followup_my_day", condition=Q(done_at=None, deleted_at=None)
            ),
            # The next step of a record, and its history of them.
            models.Index(fields=("subject_type", "subject_id", "due_at"), name="crm_followup_subject"),
            # The calendar of a person or team, done ones included.
            models.Index(
                fields=("assignee", "due_at", "id"), name="crm_followup_calendar", condition=Q(deleted_at=None)
            ),
            # What a person got done today.
            models.Index(fields=("assignee", "done_at"), name="crm_followup_done", condition=Q(done_at__isnull=False)),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        """Neither done nor deleted."""
        return self.done_at is None and self.deleted_at is None


class Reminder(models.Model):
    """One time at which the assignee is reminded of a follow-up; becomes an outbox row when it is written.

    `fires_local` is the wall time the person chose (stored as if it were UTC), `fires_at` what that is in UTC: the
    first instant after a spring gap, the first of the two in an autumn fold.
    """

    follow_up = models.ForeignKey(FollowUp, models.CASCADE, related_name="reminders")
    fires_local = models.DateTimeField()
    fires_at = models.DateTimeField()

    class Meta:
        verbose_name = _("reminder")
        verbose_name_plural = _("reminders")
        ordering = ("fires_at", "pk")
        constraints = (models.UniqueConstraint(fields=("follow_up", "fires_local"), name="crm_reminder_once_a_time"),)

    def __str__(self) -> str:
        return f"{self.follow_up_id} {self.fires_at:%Y-%m-%d %H:%M}"
