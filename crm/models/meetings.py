"""Who is invited to a meeting, and what they were sent and answered."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.models.emails import Email
from crm.models.follow_ups import FollowUp
from crm.models.personal import holds_personal


class AttendeeQuerySet(models.QuerySet[Any]):
    """People invited."""

    def invited(self) -> AttendeeQuerySet:
        """Those who are still to come."""
        return self.filter(removed_at__isnull=True)


@holds_personal(addresses=("address",), is_deleted=True, belongs_to="follow_up")
class Attendee(models.Model):
    """One person invited to a follow-up of kind meeting, by their e-mail address."""

    class Answer(models.TextChoices):
        """What they answered: RFC 5545's participation status, in lower case."""

        NEEDS_ACTION = "needs-action", pgettext_lazy("invitation", "no answer yet")
        ACCEPTED = "accepted", pgettext_lazy("invitation", "comes")
        TENTATIVE = "tentative", pgettext_lazy("invitation", "perhaps")
        DECLINED = "declined", pgettext_lazy("invitation", "does not come")

    follow_up = models.ForeignKey(FollowUp, models.CASCADE, related_name="attendees")
    address = models.CharField(_("e-mail"), max_length=320)
    name = models.CharField(_("name"), max_length=200, blank=True)
    answer = models.CharField(_("answer"), max_length=12, choices=Answer.choices, default=Answer.NEEDS_ACTION)
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)
    comment = models.CharField(_("in their words"), max_length=500, blank=True)
    proposed_at = models.DateTimeField(_("the time they propose instead"), null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = AttendeeQuerySet.as_manager()

    class Meta:
        verbose_name = _("attendee")
        verbose_name_plural = _("attendees")
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(fields=("follow_up", "address"), name="crm_attendee_once_a_meeting"),
            models.CheckConstraint(
                name="crm_attendee_folded",
                condition=Q(address=Lower("address")),
                violation_error_message=_("Write the address in lower case."),
            ),
        )

    def __str__(self) -> str:
        return self.name or self.address


class Invitation(models.Model):
    """One letter to one attendee: come (again, with a higher `sequence`), or do not; its `email` is what is sent."""

    class Method(models.TextChoices):
        """RFC 5546's word for it."""

        REQUEST = "REQUEST", _("invitation")
        CANCEL = "CANCEL", _("cancellation")

    attendee = models.ForeignKey(Attendee, models.CASCADE, related_name="invitations")
    method = models.CharField(max_length=7, choices=Method.choices)
    sequence = models.PositiveIntegerField()
    email = models.OneToOneField(Email, models.CASCADE, related_name="invitation")

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(fields=("attendee", "method", "sequence"), name="crm_invitation_once_a_sequence"),
        )

    def __str__(self) -> str:
        return f"{self.method} {self.sequence}"
