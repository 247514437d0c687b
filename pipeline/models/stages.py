"""Pipelines, their stages and what a stage asks for."""

from __future__ import annotations

from decimal import Decimal
from typing import Self

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from crm.models import Bilingual, QualifyingQuestion, Team, User, audited
from pipeline.models.triggers import probability_history


class PipelineQuerySet(models.QuerySet["Pipeline"]):
    """Pipelines, by who works in them."""

    def visible_to(self, user: User) -> Self:
        """Pipelines open to everybody, and those of a team the person belongs to or leads."""
        pipelines = self.filter(is_archived=False)
        if user.visible_owner_ids is None:
            return pipelines
        restricted = Pipeline.teams.through.objects.filter(pipeline=OuterRef("pk"))
        return pipelines.filter(~Q(Exists(restricted)) | Q(Exists(restricted.filter(team__one_of=user.own_team_ids))))


class Pipeline(Bilingual):
    """An ordered process that deals go through."""

    slug = models.SlugField(_("slug"), unique=True)
    position = models.PositiveIntegerField(_("position"), default=0, db_index=True)
    teams = models.ManyToManyField(
        Team,
        blank=True,
        related_name="pipelines",
        verbose_name=_("teams"),
        help_text=_("Empty: everybody works in it."),
    )
    qualifying_questions = models.ManyToManyField(
        QualifyingQuestion,
        blank=True,
        related_name="+",
        verbose_name=_("checklist of its leads"),
        help_text=_(
            "Asked about leads that would become deals here, unless their source has questions of its own. "
            "Questions that no pipeline and no source names are asked about every lead."
        ),
    )
    is_archived = models.BooleanField(_("archived"), default=False)

    objects = PipelineQuerySet.as_manager()

    class Meta:
        verbose_name = _("pipeline")
        verbose_name_plural = _("pipelines")
        ordering = ("position", "pk")


class StageQuerySet(models.QuerySet["Stage"]):
    """Stages."""

    def live(self) -> Self:
        """Stages a deal can stand in today."""
        return self.filter(is_archived=False)


@audited(kind="stage")
@pgtrigger.register(probability_history)
class Stage(Bilingual):
    """One step of a pipeline; entering one of kind *won* wins the deal."""

    class Kind(models.TextChoices):
        """What standing in the stage means."""

        OPEN = "open", pgettext_lazy("stage", "Open")
        WON = "won", pgettext_lazy("stage", "Won")

    class Color(models.TextChoices):
        """The palette of stages; none is red, green or amber, which speak of state."""

        SLATE = "slate", _("slate")
        CYAN = "cyan", _("cyan")
        BLUE = "blue", _("blue")
        INDIGO = "indigo", _("indigo")
        PURPLE = "purple", _("purple")
        PLUM = "plum", _("plum")
        TEAL = "teal", _("teal")
        CLAY = "clay", _("clay")
        OLIVE = "olive", _("olive")
        GRAPHITE = "graphite", _("graphite")

    class Requirement(models.TextChoices):
        """What a deal must have before it enters a stage."""

        AMOUNT = "amount", _("Amount")
        COMPANY = "company", _("Company")
        CONTACT = "contact", _("Contact")
        EXPECTED_CLOSE = "expected_close_on", _("Expected close")
        SOURCE = "source", _("Source")

    pipeline = models.ForeignKey(Pipeline, models.PROTECT, related_name="stages", verbose_name=_("pipeline"))
    slug = models.SlugField(_("slug"))
    position = models.PositiveIntegerField(_("position"), default=0, db_index=True)
    kind = models.CharField(_("kind"), max_length=4, choices=Kind.choices, default=Kind.OPEN)
    probability = models.DecimalField(
        _("probability, %"),
        max_digits=5,
        decimal_places=2,
        default=Decimal(0),
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100))],
    )
    rotting_days = models.PositiveIntegerField(
        _("rotting after, days"), null=True, blank=True, help_text=_("Empty: a deal may stay as long as it likes.")
    )
    quiet_days = models.PositiveIntegerField(
        _("quiet after, days"),
        null=True,
        blank=True,
        help_text=_("Without an answer or a meeting for so long, a deal has gone quiet. Empty: never."),
    )
    color = models.CharField(_("colour"), max_length=10, choices=Color.choices, default=Color.SLATE)
    required_fields = ArrayField(
        models.CharField(max_length=30, choices=Requirement.choices),
        default=list,
        blank=True,
        verbose_name=_("required on entering"),
    )
    playbook = models.TextField(_("playbook"), blank=True)
    playbook_ru = models.TextField(_("playbook in Russian"), blank=True)
    is_archived = models.BooleanField(_("archived"), default=False)

    objects = StageQuerySet.as_manager()

    class Meta:
        verbose_name = _("stage")
        verbose_name_plural = _("stages")
        ordering = ("pipeline", "position", "pk")
        constraints = (
            models.UniqueConstraint(fields=("pipeline", "slug"), name="pipeline_stage_slug_once"),
            models.CheckConstraint(
                name="pipeline_stage_probability_percent",
                condition=Q(probability__gte=0, probability__lte=100),
                violation_error_message=_("A probability lies between 0 and 100 %."),
            ),
        )

    @property
    def is_won(self) -> bool:
        """Whether entering this stage wins the deal."""
        return self.kind == self.Kind.WON

    @property
    def playbook_text(self) -> str:
        """What good sellers do here, in the language being spoken."""
        is_russian = (get_language() or "").startswith("ru")
        return self.playbook_ru if is_russian and self.playbook_ru else self.playbook


class StageProbabilityChange(models.Model):
    """The probability a stage had until `at`: so that a weighted value of the past stays what it was."""

    stage = models.ForeignKey(Stage, models.CASCADE, related_name="probability_changes")
    at = models.DateTimeField()
    before = models.DecimalField(max_digits=5, decimal_places=2)

    class Meta:
        indexes = (models.Index(fields=("stage", "at"), name="pipeline_stageprob_as_of"),)

    def __str__(self) -> str:
        return f"{self.stage_id} {self.before} until {self.at:%Y-%m-%d}"


class ChecklistItem(Bilingual):
    """One thing to tick off while a deal stands in a stage."""

    stage = models.ForeignKey(Stage, models.CASCADE, related_name="checklist", verbose_name=_("stage"))
    is_required = models.BooleanField(_("needed to move on"), default=False)
    position = models.PositiveIntegerField(_("position"), default=0, db_index=True)

    class Meta:
        verbose_name = _("checklist item")
        verbose_name_plural = _("checklist")
        ordering = ("stage", "position", "pk")


class LossReason(Bilingual):
    """Why a deal was lost."""

    pipeline = models.ForeignKey(
        Pipeline,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="loss_reasons",
        verbose_name=_("pipeline"),
        help_text=_("Empty: for every pipeline."),
    )
    position = models.PositiveIntegerField(_("position"), default=0, db_index=True)
    is_archived = models.BooleanField(_("archived"), default=False)

    class Meta:
        verbose_name = _("loss reason")
        verbose_name_plural = _("loss reasons")
        ordering = ("position", "pk")
