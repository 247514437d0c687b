"""What a person was told of a stay, so that nobody is told twice."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pipeline.models.visits import StageVisit


class StayAlert(models.Model):
    """Told in a daily digest: this stay has no next step, or has gone quiet. Once, whoever owns the deal then."""

    class Kind(models.TextChoices):
        """Of what."""

        UNPLANNED = "unplanned", _("Nothing planned")
        QUIET = "quiet", _("Gone quiet")

    visit = models.ForeignKey(StageVisit, models.CASCADE, related_name="alerts")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("alert of a stay")
        verbose_name_plural = _("alerts of stays")
        constraints = (models.UniqueConstraint(fields=("visit", "kind"), name="pipeline_alert_once_a_stay"),)

    def __str__(self) -> str:
        return f"{self.visit_id} {self.kind}"
