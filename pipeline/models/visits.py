"""Stays of deals in stages: the fact table behind the metrics."""

from __future__ import annotations

import datetime as dt
from typing import Self

import pgtrigger
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import connection, models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from pipeline.models.deals import Deal
from pipeline.models.ranges import TimeRange
from pipeline.models.stages import Pipeline, Stage
from pipeline.models.triggers import visits_have_no_gaps

LATEST = 500
"""So many of the latest stays say what is usual: enough for a median, few enough to read while a page waits."""


class StageVisitQuerySet(models.QuerySet["StageVisit"]):
    """Stays."""

    def standing(self) -> Self:
        """Stays that were not undone."""
        return self.filter(reverted_at__isnull=True)

    def present(self) -> Self:
        """The stays that last."""
        return self.standing().filter(left_at__isnull=True)

    def ended_within(self, start: dt.datetime, end: dt.datetime) -> Self:
        """Stays of known beginning that ended in `[start, end)`."""
        return self.standing().filter(entered_at__isnull=False, left_at__gte=start, left_at__lt=end)

    def usual_lengths(self, pipeline: Pipeline) -> dict[int, dt.timedelta]:
        """Return the median length of the latest ended stays in each stage of `pipeline`, by the stage's id."""
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT stage.id, percentile_cont(0.5) WITHIN GROUP (ORDER BY stay.length)
                FROM pipeline_stage stage, LATERAL (
                    SELECT left_at - entered_at AS length FROM pipeline_stagevisit
                    WHERE stage_id = stage.id AND reverted_at IS NULL AND entered_at IS NOT NULL AND left_at IS NOT NULL
                    ORDER BY entered_at DESC LIMIT %s
                ) stay
                WHERE stage.pipeline_id = %s GROUP BY stage.id
                """,
                [LATEST, pipeline.pk],
            )
            return dict(cursor.fetchall())


@pgtrigger.register(*visits_have_no_gaps)
class StageVisit(models.Model):
    """One stay of a deal in a stage. A deal's visits tile its life: PostgreSQL refuses gaps and overlaps.

    `entered_at` is null only where an import could not know when the deal began; a visit that was undone keeps its row
    with `reverted_at` and counts nowhere.
    """

    class Direction(models.TextChoices):
        """Which way the deal came in."""

        START = "start", _("start")
        FORWARD = "forward", _("forward")
        BACK = "back", _("back")

    deal = models.ForeignKey(Deal, models.CASCADE, related_name="visits", verbose_name=_("deal"))
    stage = models.ForeignKey(Stage, models.PROTECT, related_name="visits", verbose_name=_("stage"))
    entered_at = models.DateTimeField(_("entered"), null=True)
    left_at = models.DateTimeField(pgettext_lazy("stay", "left"), null=True, blank=True)
    direction = models.CharField(_("direction"), max_length=7, choices=Direction.choices, default=Direction.START)
    moved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("moved by")
    )
    recorded_at = models.DateTimeField(auto_now_add=True)
    reverted_at = models.DateTimeField(_("undone"), null=True, blank=True)

    objects = StageVisitQuerySet.as_manager()

    class Meta:
        verbose_name = _("stage visit")
        verbose_name_plural = _("stage visits")
        ordering = ("deal", F("entered_at").asc(nulls_first=True), "pk")
        constraints = (
            models.CheckConstraint(
                name="pipeline_visit_ends_after_it_begins",
                condition=Q(left_at=None) | Q(entered_at=None) | Q(left_at__gte=F("entered_at")),
                violation_error_message=_("A stay cannot end before it began."),
            ),
            models.UniqueConstraint(
                fields=("deal",),
                condition=Q(left_at=None, reverted_at=None),
                name="pipeline_visit_one_open",
                violation_error_message=_("A deal stands in one stage at a time."),
            ),
            ExclusionConstraint(
                name="pipeline_visit_no_overlap",
                expressions=[
                    (F("deal"), RangeOperators.EQUAL),
                    (TimeRange(F("entered_at"), F("left_at")), RangeOperators.OVERLAPS),
                ],
                condition=Q(reverted_at=None),
                violation_error_message=_("Two stays of one deal overlap."),
            ),
        )
        indexes = (
            # Stays that ended in a period: time in stage.
            models.Index(fields=("left_at",), name="pipeline_visit_left", condition=Q(reverted_at=None)),
            # First reaches of a stage in a period: the funnel.
            models.Index(
                fields=("stage", "entered_at", "deal"), name="pipeline_visit_reached", condition=Q(reverted_at=None)
            ),
        )

    def __str__(self) -> str:
        return f"{self.deal_id} in {self.stage_id}"
