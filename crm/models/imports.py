"""What was brought in from files, by whom, and what is needed to take it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.models.access import within
from crm.models.personal import holds_personal

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from crm.models.accounts import User


class ImportRunQuerySet(models.QuerySet["ImportRun"]):
    """Imports, by what became of them and by who may see them."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Imports that `user` may read: a rep their own, a manager also those of the teams they lead, admins all.

        Narrower than for records: an import shows whole files. One made by a command is nobody's, for admins alone.
        """
        if not user.is_authenticated or not user.is_active or not user.may_write:
            return self.none()
        return self.filter(within("by_id", user.editable_owner_ids))

    def editable_by(self, user: User | AnonymousUser) -> Self:
        """Imports that `user` may carry on, cancel and take back: those they see."""
        return self.visible_to(user)

    def under_way(self) -> Self:
        """Imports that a worker is to carry on with."""
        return self.filter(state__in=ImportRun.UNDER_WAY)

    def standing(self) -> Self:
        """Imports that were carried out and not taken back."""
        return self.exclude(state=ImportRun.State.UNDONE)


class ImportRun(models.Model):
    """One import of one file: counts of its rows, and how far it came."""

    class State(models.TextChoices):
        """How far it came."""

        READING = "reading", _("being read")
        ASKING = "asking", _("has questions")
        CHECKING = "checking", _("being checked")
        CHECKED = "checked", _("ready to import")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        STOPPED = "stopped", _("stopped")
        CANCELLED = "cancelled", _("cancelled")
        UNDOING = "undoing", _("being taken back")
        UNDONE = "undone", _("taken back")

    UNDER_WAY = (State.READING, State.CHECKING, State.RUNNING, State.UNDOING)
    """States in which a worker has something to do; of a command's imports only the last."""
    WRITTEN = (State.RUNNING, State.DONE, State.STOPPED, State.CANCELLED)
    """States in which records may have been written and can be taken back."""

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
    skipped = models.PositiveIntegerField(_("skipped"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)
    warnings = models.JSONField(_("warnings"), default=list)
    last_line = models.PositiveIntegerField(_("last line done"), default=0)
    stop_reason = models.CharField(_("why it stopped"), max_length=500, blank=True)
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
        indexes = (
            # Whether this very file was brought in before.
            models.Index(fields=("file_hash", "kind"), name="crm_importrun_file"),
            # The sweep: imports that a worker is to carry on with.
            models.Index(
                fields=("id",),
                name="crm_importrun_under_way",
                condition=models.Q(state__in=("reading", "checking", "running", "undoing")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.file_name}"

    def get_absolute_url(self) -> str:
        """The import's page."""
        return reverse("import_detail", args=[self.pk])

    @property
    def is_under_way(self) -> bool:
        """Whether a worker has something to do."""
        return self.state in self.UNDER_WAY

    @property
    def done(self) -> int:
        """How many rows it has been through."""
        return self.created + self.updated + self.unchanged + self.skipped + self.failed


@holds_personal(
    searched=("sample", "findings", "profile", "answers"),
    strikes=("sample", "findings", "profile", "answers"),
    is_shared=True,
    belongs_to="run",
)
class ImportFile(models.Model):
    """The file of an import that was uploaded: how it is written, what a person answered, what the check found.

    Its bytes are in `ImportChunk`, so that a worker on any machine can read them; they go after some days, this stays.
    """

    class Duplicates(models.TextChoices):
        """What becomes of a row whose record is there already."""

        UPDATE = "update", _("Update the record")
        SKIP = "skip", _("Skip the row")
        CREATE = "create", _("Create another one")

    run = models.OneToOneField(ImportRun, models.CASCADE, primary_key=True, related_name="file")
    size = models.PositiveIntegerField(_("bytes"))
    language = models.CharField(max_length=5, blank=True)
    is_gone = models.BooleanField(default=False)
    layout = models.JSONField(default=dict)
    """Encoding, separator, header and its line: how its rows are read again."""
    rows = models.PositiveIntegerField(_("rows"), default=0)
    sample = models.JSONField(default=list)
    """The first rows, for the preview."""
    profile = models.JSONField(default=list)
    """A column each: how it writes dates and numbers, and its different values where they are few."""
    program = models.CharField(max_length=40, blank=True)
    """Whose columns these look like; empty where nobody's were recognised."""
    owner_default = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    duplicates = models.CharField(max_length=10, choices=Duplicates.choices, default=Duplicates.UPDATE)
    decisions = models.JSONField(default=dict)
    """Line → what becomes of this very row, where a person said so."""
    answers = models.JSONField(default=dict)
    """What the person said: the kind, a target for each column, formats, what words mean."""
    attempts = models.PositiveSmallIntegerField(default=0)
    """How often a worker began a step that none has ended yet."""
    findings = models.JSONField(default=dict)
    """What the check found, or how far it has come: counts, examples, duplicates."""
    warned = models.JSONField(default=dict)
    """Warning → how often, so far."""

    def __str__(self) -> str:
        return f"file of {self.run_id}"


class ImportChunk(models.Model):
    """A piece of an uploaded file."""

    file = models.ForeignKey(ImportFile, models.CASCADE, related_name="chunks", db_index=False)
    number = models.PositiveIntegerField()
    body = models.BinaryField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("file", "number"), name="crm_importchunk_once"),)

    def __str__(self) -> str:
        return f"{self.file_id} {self.number}"


@holds_personal(searched=("cells", "value"), is_deleted=True, belongs_to="run")
class ImportRefusal(models.Model):
    """A row of an uploaded file that was not imported, as it was, and why: a row of the error file."""

    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="refusals", db_index=False)
    line = models.PositiveIntegerField()
    cells = models.JSONField()
    column = models.CharField(max_length=500)
    value = models.TextField()
    reason = models.TextField()

    class Meta:
        # The error file, in the order of the file; a row is refused once.
        constraints = (models.UniqueConstraint(fields=("run", "line"), name="crm_importrefusal_once"),)

    def __str__(self) -> str:
        return f"{self.run_id} line {self.line}"


class ImportMappingQuerySet(models.QuerySet["ImportMapping"]):
    """Saved mappings."""

    def for_header(self, user: User, header_key: str) -> Self:
        """Those that `user` saved for files with this header, the latest first."""
        return self.filter(owner=user, header_key=header_key).order_by("-saved_at")


@holds_personal(searched=("name", "answers"), strikes=("name", "answers"), is_shared=True, belongs_to="owner")
class ImportMapping(models.Model):
    """What a person once said about files with a header, to be offered again."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(_("kind"), max_length=20)
    header_key = models.CharField(max_length=64)
    """SHA-256 of the header."""
    answers = models.JSONField(default=dict)
    saved_at = models.DateTimeField(default=timezone.now)

    objects = ImportMappingQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("owner", "header_key", "name"), name="crm_importmapping_once"),)

    def __str__(self) -> str:
        return self.name


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
