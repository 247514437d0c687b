"""What was brought in from files, by whom, and what is needed to take it back."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ImportRunQuerySet(models.QuerySet["ImportRun"]):
    """Imports, by what became of them."""

    def standing(self) -> Self:
        """Imports that were carried out and not taken back."""
        return self.exclude(state=ImportRun.State.UNDONE)


class ImportRun(models.Model):
    """One import of one file: counts of its rows, and how far it came."""

    class State(models.TextChoices):
        """How far it came."""

        RUNNING = "running", _("running")
        DONE = "done", _("done")
        STOPPED = "stopped", _("stopped")
        UNDONE = "undone", _("undone")

    kind = models.CharField(_("kind"), max_length=20)
    file_name = models.CharField(_("file"), max_length=255)
    file_hash = models.CharField(_("SHA-256 of the file"), max_length=64)
    mapping = models.JSONField(_("mapping"), default=dict)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("who")
    )
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.RUNNING)
    created = models.PositiveIntegerField(_("created"), default=0)
    updated = models.PositiveIntegerField(_("updated"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)
    warnings = models.JSONField(_("warnings"), default=list)
    last_line = models.PositiveIntegerField(_("last line done"), default=0)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    undone_at = models.DateTimeField(_("undone"), null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("undone by")
    )

    objects = ImportRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ("-pk",)
        # Whether this very file was brought in before.
        indexes = (models.Index(fields=("file_hash", "kind"), name="crm_importrun_file"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.file_name}"


class ImportRow(models.Model):
    """One record that an import made (`before` is null) or changed, and what it was: enough to take it back.

    `after` is what the import left, so that taking back never undoes what a person did since.
    """

    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="rows", db_index=False)
    line = models.PositiveIntegerField()
    model = models.CharField(max_length=40)
    record_id = models.BigIntegerField()
    before = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    after = models.JSONField(default=dict, encoder=DjangoJSONEncoder)

    class Meta:
        indexes = (
            # Taking an import back, its last change first.
            models.Index(fields=("run", "-id"), name="crm_importrow_of_run"),
            # What the last import left of a record, when the next one comes.
            models.Index(fields=("model", "record_id", "id"), name="crm_importrow_of_record"),
        )

    def __str__(self) -> str:
        return f"{self.model} {self.record_id}"
