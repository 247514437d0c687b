"""Running totals of the board's columns."""

from __future__ import annotations

from django.conf import settings
from django.db import connection, models


class StageTotalQuerySet(models.QuerySet["StageTotal"]):
    """Totals: read by summing rows, kept few by `compact`."""

    def compact(self) -> int:
        """Add up the rows of each stage, owner and currency into one; return how many rows went."""
        with connection.cursor() as cursor:
            cursor.execute(
                """
                WITH gone AS (
                    DELETE FROM pipeline_stagetotal
                    RETURNING stage_id, owner_id, currency, deals, planned, amount
                ), summed AS (
                    INSERT INTO pipeline_stagetotal (stage_id, owner_id, currency, deals, planned, amount)
                    SELECT stage_id, owner_id, currency, sum(deals), sum(planned), sum(amount) FROM gone
                    GROUP BY stage_id, owner_id, currency
                    HAVING sum(deals) <> 0 OR sum(planned) <> 0 OR sum(amount) <> 0
                    RETURNING 1
                )
                SELECT (SELECT count(*) FROM gone) - (SELECT count(*) FROM summed)
                """
            )
            return int(cursor.fetchone()[0])


class StageTotal(models.Model):
    """A part of the totals of the open deals in a stage: how many more deals, with a next step, of what amount."""

    stage = models.ForeignKey("pipeline.Stage", models.CASCADE, related_name="totals", db_index=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    currency = models.CharField(max_length=3)
    deals = models.BigIntegerField()
    planned = models.BigIntegerField(default=0)
    amount = models.DecimalField(max_digits=20, decimal_places=2)

    objects = StageTotalQuerySet.as_manager()

    class Meta:
        # The headers of one pipeline's columns, for the owners one may see.
        indexes = (models.Index(fields=("stage", "owner"), name="pipeline_total_header"),)

    def __str__(self) -> str:
        return f"{self.stage_id} {self.owner_id} {self.deals:+d}"
