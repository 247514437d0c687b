"""What leads are scored by: the model learned from the team's own outcomes, and the rules that stand in for it."""

from __future__ import annotations

from typing import Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.models.audit import audited
from crm.models.text import Bilingual

FEWEST_OUTCOMES = 200
"""Below that many known outcomes nothing is learned: the score says that it does not know yet."""


class ScoreModelQuerySet(models.QuerySet["ScoreModel"]):
    """Attempts at a model, by what became of them."""

    def in_use(self) -> ScoreModel | None:
        """The model that scores leads today; None while rules do."""
        return self.filter(state=ScoreModel.State.IN_USE).first()

    def measured(self) -> Self:
        """Attempts whose quality was measured on leads they had not seen, oldest first."""
        return self.filter(auc__isnull=False).order_by("started_at")


class ScoreModel(models.Model):
    """One attempt at learning who becomes a customer: its figures on leads it had not seen, and its weights.

    The weights are plain numbers in JSON and are read by code of our own (`crm.rules.scoring.additive`): nothing that
    stands in the database is ever executed.
    """

    class State(models.TextChoices):
        """What became of the attempt."""

        LEARNING = "learning", pgettext_lazy("score model", "learning")
        IN_USE = "in_use", pgettext_lazy("score model", "in use")
        RETIRED = "retired", pgettext_lazy("score model", "replaced by a newer one")
        REJECTED = "rejected", pgettext_lazy("score model", "worse than the one in use")
        POOR = "poor", pgettext_lazy("score model", "no better than chance")
        TOO_FEW = "too_few", pgettext_lazy("score model", "too few outcomes")
        ABANDONED = "abandoned", pgettext_lazy("score model", "stopped half-way")

    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.LEARNING)
    started_at = models.DateTimeField(_("started"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    outcomes = models.PositiveIntegerField(_("known outcomes"), default=0)
    customers = models.PositiveIntegerField(_("of them customers"), default=0)
    held_out = models.PositiveIntegerField(_("leads it was measured on"), default=0)
    auc = models.FloatField("AUC", null=True, blank=True)
    brier = models.FloatField(_("Brier score"), null=True, blank=True)
    chance_brier = models.FloatField(_("Brier score of knowing nothing"), null=True, blank=True)
    rival_brier = models.FloatField(_("Brier score of the model in use, on the same leads"), null=True, blank=True)
    calibration = models.JSONField(_("calibration"), default=list)
    parameters = models.JSONField(_("weights"), null=True, blank=True)
    rescored_to = models.BigIntegerField(_("leads scored up to number"), default=0)
    rescored_at = models.DateTimeField(_("all leads scored"), null=True, blank=True)

    objects = ScoreModelQuerySet.as_manager()

    class Meta:
        verbose_name = _("score model")
        verbose_name_plural = _("score models")
        ordering = ("-started_at", "-pk")
        constraints = (
            models.UniqueConstraint(fields=("state",), condition=Q(state="in_use"), name="crm_scoremodel_one_in_use"),
            models.UniqueConstraint(
                fields=("state",), condition=Q(state="learning"), name="crm_scoremodel_one_learning"
            ),
            models.CheckConstraint(
                name="crm_scoremodel_in_use_knows",
                condition=~Q(state="in_use") | Q(parameters__isnull=False, brier__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M} {self.get_state_display()}"


@audited(kind="scorerule")
class ScoreRule(Bilingual):
    """Points that an admin gives for a fact, used until enough outcomes are known; its name is the reason shown."""

    class Condition(models.TextChoices):
        """What is asked of a lead."""

        SOURCE = "source", _("source is (slug)")
        HAS_COMPANY = "has_company", _("named a company")
        HAS_PHONE = "has_phone", _("left a phone number")
        FREE_MAIL = "free_mail", _("writes from a free mailbox")
        MESSAGE_LENGTH = "message_length", _("wrote at least (characters)")
        MESSAGE_HAS = "message_has", _("wrote the word")
        INBOUND = "inbound", _("got in touch at least (times)")
        POSITIVE = "positive", _("reacted positively")
        NEGATIVE = "negative", _("reacted negatively")
        QUIET_DAYS = "quiet_days", _("silent for at least (days)")

    NEEDS_TEXT = (Condition.SOURCE, Condition.MESSAGE_HAS)
    NEEDS_NUMBER = (Condition.MESSAGE_LENGTH, Condition.INBOUND, Condition.QUIET_DAYS)

    condition = models.CharField(_("condition"), max_length=20, choices=Condition.choices)
    value = models.CharField(_("value"), max_length=120, blank=True, help_text=_("The slug, word or number asked for."))
    points = models.SmallIntegerField(_("points"))
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("score rule")
        verbose_name_plural = _("score rules")
        ordering = ("-points", "pk")
        constraints = (
            models.CheckConstraint(
                name="crm_scorerule_points_fit",
                condition=Q(points__gte=-100, points__lte=100),
                violation_error_message=_("Give between -100 and 100 points."),
            ),
        )

    def clean(self) -> None:
        """A condition that compares has something to compare with."""
        if self.condition in self.NEEDS_TEXT and not self.value.strip():
            raise ValidationError({"value": _("Say which.")})
        if self.condition in self.NEEDS_NUMBER and not self.value.strip().isdecimal():
            raise ValidationError({"value": _("Give a whole number.")})
