"""Follow-ups that somebody else does while their assignee is away."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.models.follow_ups import FollowUp
from crm.models.working_time import Absence


class HandOverQuerySet(models.QuerySet[Any]):
    """Follow-ups handed over."""

    def lasting(self) -> HandOverQuerySet:
        """Those that have not come back."""
        return self.filter(returned_at__isnull=True)


class HandOver(models.Model):
    """One follow-up, given to a substitute for the time of an absence: once an absence, whatever follows."""

    follow_up = models.ForeignKey(FollowUp, models.CASCADE, related_name="hand_overs")
    absence = models.ForeignKey(Absence, models.SET_NULL, null=True, related_name="hand_overs")
    giver = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    taker = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    at = models.DateTimeField()
    returned_at = models.DateTimeField(null=True, blank=True)

    objects = HandOverQuerySet.as_manager()

    class Meta:
        verbose_name = _("hand-over")
        verbose_name_plural = _("hand-overs")
        ordering = ("-at", "-pk")
        constraints = (models.UniqueConstraint(fields=("follow_up", "absence"), name="crm_handover_once_an_absence"),)

    def __str__(self) -> str:
        return f"{self.follow_up_id}: {self.giver_id} → {self.taker_id}"
