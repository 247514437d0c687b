"""What was merged into what, and all that is needed to take it apart again."""

from __future__ import annotations

import datetime as dt
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.models.access import KEPT_IN_BIN
from crm.models.personal import holds_personal


class MergeQuerySet(models.QuerySet["Merge"]):
    """Merges, by what became of them."""

    def standing(self) -> Self:
        """Merges that nobody has undone."""
        return self.filter(undone_at__isnull=True)

    def undoable(self, now: dt.datetime) -> Self:
        """Merges that can still be undone; who may is the question of the records."""
        return self.standing().filter(at__gt=now - KEPT_IN_BIN)

    def into(self, kind: str, pk: int) -> Self:
        """Merges whose survivor is this record, the latest first."""
        return self.filter(kind=kind, survivor_id=pk).order_by("-pk")


@holds_personal(by_kind="survivor_id", blanks=("before", "after"))
class Merge(models.Model):
    """Two or more records of a kind made one: who did it, and what that changed in the survivor.

    `before` and `after` hold, by column, what the survivor said: undoing puts back what nobody has changed since.
    """

    kind = models.CharField(_("kind"), max_length=20)
    survivor_id = models.BigIntegerField(_("survivor"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("who"))
    at = models.DateTimeField(_("when"), default=timezone.now)
    before = models.JSONField(_("before"), default=dict, encoder=DjangoJSONEncoder)
    after = models.JSONField(_("after"), default=dict, encoder=DjangoJSONEncoder)
    undone_at = models.DateTimeField(_("undone"), null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("undone by")
    )

    objects = MergeQuerySet.as_manager()

    class Meta:
        verbose_name = _("merge")
        verbose_name_plural = _("merges")
        ordering = ("-pk",)
        # What was merged into a record, on its page.
        indexes = (models.Index(fields=("kind", "survivor_id", "-id"), name="crm_merge_of_survivor"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.survivor_id}"


@holds_personal(by_kind="record_id", blanks=("name", "external_id"))
class MergedRecord(models.Model):
    """One record that went into a merge: its old address leads to the survivor, even when the bin has been emptied."""

    merge = models.ForeignKey(Merge, models.CASCADE, related_name="records")
    kind = models.CharField(max_length=20)
    record_id = models.BigIntegerField()
    name = models.CharField(max_length=200)
    external_id = models.CharField(max_length=100, null=True)
    """What the record gave up for the survivor to have: the column is unique."""

    class Meta:
        # Where an old address leads.
        indexes = (models.Index(fields=("kind", "record_id"), name="crm_mergedrecord_forwards"),)

    def __str__(self) -> str:
        return self.name


class MergeMove(models.Model):
    """Rows of one table that pointed at a merged record and now point at the survivor."""

    merge = models.ForeignKey(Merge, models.CASCADE, related_name="moves")
    model = models.CharField(max_length=80)
    field = models.CharField(max_length=80)
    from_id = models.BigIntegerField()
    row_ids = ArrayField(models.BigIntegerField())

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.model}.{self.field}: {len(self.row_ids)}"
