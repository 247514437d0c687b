"""What activities and follow-ups are about: a lead, a contact, a company, or (from the app above) a deal."""

from __future__ import annotations

from functools import cache

from django.apps import apps
from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.db import models


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
