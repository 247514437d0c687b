"""What is to be done again and again: a rule on the assignee's wall clock; one occurrence at a time is planned."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.models.audit import audited
from crm.models.personal import holds_personal


@holds_personal(keys=("follow_ups",), blanks=("title", "note", "location"), strikes=("title", "note", "location"))
@audited(kind="follow_up_series")
class FollowUpSeries(models.Model):
    """How a follow-up repeats, and what the next occurrence says unless this one is edited alone.

    `rule` is an RFC 5545 recurrence rule of whole days (`FREQ=WEEKLY;BYDAY=MO`), counted from `starts_local`, a wall
    time without a zone (stored as if it were UTC): nine o'clock stays nine o'clock in summer and in another city.
    """

    rule = models.CharField(_("repeats"), max_length=300)
    starts_local = models.DateTimeField(editable=False)
    skips_days_off = models.BooleanField(
        _("on working days only"),
        default=False,
        help_text=_("An occurrence on a holiday or weekend moves to the next working day."),
    )
    title = models.CharField(max_length=200)
    kind = models.CharField(max_length=10)
    note = models.TextField(blank=True)
    location = models.CharField(max_length=300, blank=True)
    duration_minutes = models.PositiveIntegerField(default=30)
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    remind_before = ArrayField(models.PositiveIntegerField(), default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("series of follow-ups")
        verbose_name_plural = _("series of follow-ups")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return self.title
