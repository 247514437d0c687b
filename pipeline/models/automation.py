"""Stage automation: what an admin lets happen by itself when deals enter, stay in or leave a stage."""

from __future__ import annotations

from decimal import Decimal
from typing import Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Case, DecimalField, ExpressionWrapper, F, OuterRef, Q, Subquery, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.models import Bilingual, ExchangeRate, FollowUp, LeadSource, Team, audited, holds_personal
from pipeline.models.deals import Deal, DealQuerySet
from pipeline.models.stages import Stage
from pipeline.models.visits import StageVisit

WORTH = DecimalField(max_digits=30, decimal_places=8)


class FollowUpList(Bilingual):
    """Follow-ups that belong together, to be given to a deal at once."""

    class Meta:
        verbose_name = _("list of follow-ups")
        verbose_name_plural = _("lists of follow-ups")
        ordering = ("name", "pk")


class ListedFollowUp(Bilingual):
    """One follow-up of a list: `name` is what is to be done, so many days after the list was given."""

    given_with = models.ForeignKey(FollowUpList, models.CASCADE, related_name="items", verbose_name=_("list"))
    kind = models.CharField(_("kind"), max_length=10, choices=FollowUp.Kind.choices, default=FollowUp.Kind.TASK)
    after_days = models.PositiveIntegerField(_("after days"), default=1, validators=[MaxValueValidator(3650)])
    at_time = models.TimeField(_("at"), default="10:00")
    position = models.PositiveIntegerField(_("position"), default=0, db_index=True)

    class Meta:
        verbose_name = _("follow-up of a list")
        verbose_name_plural = _("follow-ups of the list")
        ordering = ("given_with", "position", "pk")


class StageRuleQuerySet(models.QuerySet["StageRule"]):
    """Rules."""

    def in_force(self) -> Self:
        """Rules that are switched on, of stages in use, in their order."""
        rules = self.filter(is_active=True, stage__is_archived=False)
        return rules.order_by("position", "pk").prefetch_related("sources", "teams")


@audited(kind="stage_rule")
class StageRule(Bilingual):
    """What happens by itself to deals of one stage that meet its conditions; a condition left empty is met by all."""

    class Trigger(models.TextChoices):
        """When it happens."""

        ENTERING = "entering", pgettext_lazy("stage rule", "when a deal enters")
        STAYING = "staying", pgettext_lazy("stage rule", "when a deal has stayed for so many days")
        LEAVING = "leaving", pgettext_lazy("stage rule", "when a deal moves on to another stage")

    stage = models.ForeignKey(Stage, models.CASCADE, related_name="rules", verbose_name=_("stage"))
    trigger = models.CharField(_("when"), max_length=8, choices=Trigger.choices, default=Trigger.ENTERING)
    days = models.PositiveIntegerField(
        _("days"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text=_("Only for a rule about staying: after how many days in the stage."),
    )
    is_active = models.BooleanField(
        _("in force"), default=False, help_text=_("Look at the dry run first: it shows what would have happened.")
    )
    active_since = models.DateTimeField(_("in force since"), null=True, blank=True, editable=False)
    position = models.PositiveIntegerField(_("position"), default=0, db_index=True)
    least_amount = models.DecimalField(
        _("amount from"),
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text=_("In the base currency; a deal without an amount does not meet it."),
    )
    sources = models.ManyToManyField(LeadSource, blank=True, related_name="+", verbose_name=_("of these sources"))
    teams = models.ManyToManyField(Team, blank=True, related_name="+", verbose_name=_("of owners in these teams"))
    tag = models.CharField(_("with this tag"), max_length=40, blank=True)
    is_unplanned = models.BooleanField(_("only while nothing is planned"), default=False)

    objects = StageRuleQuerySet.as_manager()

    class Meta:
        verbose_name = _("stage rule")
        verbose_name_plural = _("stage rules")
        ordering = ("stage", "position", "pk")
        constraints = (
            models.CheckConstraint(
                name="pipeline_stagerule_days_of_staying",
                condition=Q(trigger="staying", days__gte=1) | (~Q(trigger="staying") & Q(days=None)),
                violation_error_message=_("A rule about staying says after how many days; no other rule does."),
            ),
            models.CheckConstraint(
                name="pipeline_stagerule_active_since",
                condition=Q(is_active=False) | Q(active_since__isnull=False),
                violation_error_message=_("A rule in force says since when."),
            ),
        )
        # What is asked in every move: the rules of a stage for one trigger.
        indexes = (
            models.Index(fields=("stage", "trigger"), name="pipeline_stagerule_asked", condition=Q(is_active=True)),
        )

    def meeting(self, deals: DealQuerySet) -> DealQuerySet:
        """Narrow `deals` to those that meet the rule's conditions."""
        if self.least_amount is not None:
            deals = with_worth(deals).filter(worth__gte=self.least_amount)
        if sources := [source.pk for source in self.sources.all()]:
            deals = deals.filter(source__in=sources)
        if teams := [team.pk for team in self.teams.all()]:
            deals = deals.filter(owner__team__in=teams)
        if self.tag:
            deals = deals.filter(tags__contains=[self.tag])
        return deals.filter(next_step_at__isnull=True) if self.is_unplanned else deals


def with_worth(deals: DealQuerySet) -> DealQuerySet:
    """Deals with what they are worth in base currency today; unknown where the currency has no rate."""
    rates = ExchangeRate.objects.filter(currency=OuterRef("currency"), on__lte=timezone.localdate()).order_by("-on")
    is_base = When(currency=settings.BASE_CURRENCY, then=Value(Decimal(1)))
    rate = Case(is_base, default=Subquery(rates.values("rate")[:1]), output_field=WORTH)
    return deals.alias(worth=ExpressionWrapper(F("amount") * rate, output_field=WORTH))


@audited(kind="stage_action", ignore=("turns",))
class StageAction(models.Model):
    """One thing a rule does; `kind` and what `parameters` it takes are declared in `pipeline.rules.automation`."""

    rule = models.ForeignKey(StageRule, models.CASCADE, related_name="actions", verbose_name=_("rule"))
    kind = models.CharField(_("kind"), max_length=30)
    parameters = models.JSONField(_("parameters"), default=dict, blank=True)
    position = models.PositiveIntegerField(_("position"), default=0, db_index=True)
    turns = models.JSONField(default=dict, editable=False)

    class Meta:
        verbose_name = _("action")
        verbose_name_plural = _("actions")
        ordering = ("rule", "position", "pk")

    def __str__(self) -> str:
        return self.kind


class RuleFiringQuerySet(models.QuerySet["RuleFiring"]):
    """Firings."""

    def waiting(self) -> Self:
        """Those whose actions have not been done."""
        return self.filter(state=RuleFiring.State.WAITING)


@holds_personal(keys=("deal",), blanks=("results", "error"), strikes=("results", "error"))
class RuleFiring(models.Model):
    """One rule that came true for one stay of one deal: once, whatever runs twice or dies.

    `serial` counts how often it was put off and set again: a stay that was left, resumed by an undo and left anew fires
    its leaving rules once. `opened` is the stay that the firing itself began by moving the deal, by which chains of
    rules are known; `depth` is how many firings led to this one.
    """

    class State(models.TextChoices):
        """What became of it."""

        WAITING = "waiting", pgettext_lazy("firing", "waiting")
        DONE = "done", pgettext_lazy("firing", "done")
        DROPPED = "dropped", pgettext_lazy("firing", "not needed")
        STOPPED = "stopped", pgettext_lazy("firing", "stopped: rules in a circle")
        FAILED = "failed", pgettext_lazy("firing", "failed")

    rule = models.ForeignKey(StageRule, models.PROTECT, related_name="firings", verbose_name=_("rule"))
    deal = models.ForeignKey(Deal, models.CASCADE, related_name="firings", verbose_name=_("deal"))
    visit = models.ForeignKey(StageVisit, models.CASCADE, related_name="firings", verbose_name=_("stay"))
    state = models.CharField(_("state"), max_length=7, choices=State.choices, default=State.WAITING)
    at = models.DateTimeField(_("came true"))
    due_at = models.DateTimeField(_("due"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    results = models.JSONField(_("results"), default=list, blank=True)
    reason = models.CharField(_("reason"), max_length=40, blank=True)
    error = models.TextField(_("error"), blank=True)
    depth = models.PositiveSmallIntegerField(_("depth"), default=0)
    serial = models.PositiveSmallIntegerField(default=1)
    opened = models.OneToOneField(
        StageVisit, models.SET_NULL, null=True, blank=True, related_name="opened_by_firing", editable=False
    )

    objects = RuleFiringQuerySet.as_manager()

    class Meta:
        verbose_name = _("firing")
        verbose_name_plural = _("firings")
        ordering = ("-at", "-pk")
        constraints = (models.UniqueConstraint(fields=("deal", "rule", "visit"), name="pipeline_firing_once_a_stay"),)

    def __str__(self) -> str:
        return f"{self.rule_id} for {self.visit_id}"

    @property
    def outbox_key(self) -> str:
        """The key of the outbox row that carries the firing out."""
        return f"stage_rule:{self.pk}:{self.serial}"
