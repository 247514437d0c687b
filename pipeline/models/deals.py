"""Deals: one opportunity each, in one pipeline, at one stage."""

from __future__ import annotations

import datetime as dt
from statistics import median
from typing import Any, Self

import pgtrigger
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, GistIndex
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Exists, ExpressionWrapper, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Greatest, Now
from django.db.models.lookups import GreaterThan
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.models import (
    Activity,
    Campaign,
    Company,
    Contact,
    Lead,
    LeadSource,
    Recoverable,
    SearchedQuerySet,
    Subject,
    audited,
    currency_field,
    holds_personal,
    holds_text,
    search_column,
    step_in_state,
)
from pipeline.models.ranges import TimeRange
from pipeline.models.stages import LossReason, Pipeline, Stage
from pipeline.models.staying import days_rotting
from pipeline.models.triggers import amount_history, deal_agrees_with_visits, stage_totals


class DealQuerySet(SearchedQuerySet):
    """Deals, by how they stand. What open, won and lost mean has its home here."""

    def open(self) -> Self:
        """Neither won nor lost, nor deleted."""
        return self.present().filter(outcome=Deal.Outcome.OPEN)

    def won(self) -> Self:
        """Won and still so."""
        return self.present().filter(outcome=Deal.Outcome.WON)

    def lost(self) -> Self:
        """Lost and still so."""
        return self.present().filter(outcome=Deal.Outcome.LOST)

    def open_at(self, instant: dt.datetime) -> Self:
        """Created at or before `instant`, neither won nor lost by then; unknown creation counts from its recording."""
        began = Q(created_at__lte=instant) | Q(created_at__isnull=True, recorded_at__lte=instant)
        lasting = Q(outcome=Deal.Outcome.OPEN) | Q(won_at__gt=instant) | Q(lost_at__gt=instant)
        return self.present().filter(began, lasting)

    def rotting(self, now: dt.datetime) -> Self:
        """Open deals that have stayed longer than their stage's limit."""
        return self.open().filter(
            stage__rotting_days__isnull=False,
            stage_entered_at__lt=now - F("stage__rotting_days") * dt.timedelta(days=1),
        )

    def without_next_step(self) -> Self:
        """Open deals for which nothing is planned."""
        return self.open().filter(next_step_at__isnull=True)

    def quiet(self, now: dt.datetime) -> Self:
        """Open deals in which, for as many days as their stage allows, nobody on the other side said anything."""
        began = Coalesce("created_at", "recorded_at")
        spoken = Activity.objects.two_way().filter(at__lte=now, at__gt=now - _days(OuterRef("stage__quiet_days")))
        return self.open().filter(
            GreaterThan(now - _days(F("stage__quiet_days")), began),
            *(~Exists(of_one) for of_one in _with_deal_or_contact(spoken)),
            stage__quiet_days__isnull=False,
        )

    def with_contact_at(self) -> Self:
        """Add `contact_at`, when both sides were last in touch about the deal or with its contact, and `began_at`."""
        spoken = Activity.objects.two_way().filter(at__lte=Now()).order_by("-at").values("at")
        latest = Greatest(*(Subquery(of_one[:1]) for of_one in _with_deal_or_contact(spoken)))
        return self.annotate(contact_at=latest, began_at=Coalesce("created_at", "recorded_at"))

    def in_state(self, state: str, now: dt.datetime) -> Self:
        """Open deals that are overdue, due today (by the active clock), planned, unplanned, rotting or quiet."""
        if state in {"rotting", "quiet"}:
            return self.rotting(now) if state == "rotting" else self.quiet(now)
        return self.open().filter(step_in_state(state, now))

    def matching(self, text: str) -> Self:
        """Deals whose own or whose company's name holds every word of `text`, in any case and spelling."""
        return self.filter(holds_text(text, "search", "company__search"))

    def usual_cycle(self, pipeline: Pipeline) -> dt.timedelta | None:
        """Return the median time from opening to winning of the pipeline's latest wins."""
        latest = self.won().filter(pipeline=pipeline, created_at__isnull=False).order_by("-won_at")
        lengths = sorted(won_at - created_at for won_at, created_at in latest.values_list("won_at", "created_at")[:500])
        return median(lengths) if lengths else None

    def in_board_order(self) -> Self:
        """As cards lie in a column."""
        return self.order_by("rank", "pk")


def _days(number: F | OuterRef) -> ExpressionWrapper:
    return ExpressionWrapper(number * dt.timedelta(days=1), models.DurationField())


def _with_deal_or_contact(activities: models.QuerySet[Any, Any]) -> tuple[models.QuerySet[Any, Any], ...]:
    """Narrow `activities` to those of the outer deal, and to those of its contact."""
    keys = ((Deal, "pk"), (Contact, "contact_id"))
    return tuple(
        activities.filter(subject_type=ContentType.objects.get_for_model(model), subject_id=OuterRef(key))
        for model, key in keys
    )


@holds_personal(
    keys=("lead", "contact"),
    only_own_if=Q(company__isnull=True),
    blanks=("name", "loss_note", "external_id", "tags"),
    strikes=("name", "loss_note"),
)
@audited(kind="deal")
@pgtrigger.register(*stage_totals, deal_agrees_with_visits, amount_history)
class Deal(Subject, Recoverable):
    """One opportunity. `stage` is written by `pipeline.rules.moving` alone (and in bulk by the importer).

    `created_at` is null where an import could not know it; such a deal stays out of cycle figures. `rank` orders cards
    within a column (fractional indexing, bytewise); `version` rises with every move or edit and decides who was first.
    """

    class Outcome(models.TextChoices):
        """How it stands."""

        OPEN = "open", pgettext_lazy("deal", "Open")
        WON = "won", _("Won")
        LOST = "lost", _("Lost")

    name = models.CharField(_("name"), max_length=200)
    external_id = models.CharField(_("external id"), max_length=100, unique=True, null=True, blank=True)
    pipeline = models.ForeignKey(Pipeline, models.PROTECT, related_name="deals", verbose_name=_("pipeline"))
    stage = models.ForeignKey(Stage, models.PROTECT, related_name="deals", verbose_name=_("stage"))
    rank = models.CharField(max_length=200, db_collation="C", editable=False)
    outcome = models.CharField(_("outcome"), max_length=4, choices=Outcome.choices, default=Outcome.OPEN)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="deals", verbose_name=_("owner"))
    closing_owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    company = models.ForeignKey(
        Company, models.PROTECT, null=True, blank=True, related_name="deals", verbose_name=_("company")
    )
    contact = models.ForeignKey(
        Contact, models.PROTECT, null=True, blank=True, related_name="deals", verbose_name=_("contact")
    )
    lead = models.OneToOneField(
        Lead, models.PROTECT, null=True, blank=True, related_name="deal", verbose_name=_("lead")
    )
    source = models.ForeignKey(
        LeadSource, models.PROTECT, null=True, blank=True, related_name="deals", verbose_name=_("source")
    )
    campaign = models.ForeignKey(
        Campaign, models.PROTECT, null=True, blank=True, related_name="deals", verbose_name=_("campaign")
    )
    amount = models.DecimalField(
        _("amount"), max_digits=14, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    currency = currency_field()
    expected_close_on = models.DateField(_("expected close"), null=True, blank=True)
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True, verbose_name=_("tags"))
    created_at = models.DateTimeField(_("created"), null=True, blank=True, default=timezone.now)
    recorded_at = models.DateTimeField(auto_now_add=True)
    stage_entered_at = models.DateTimeField(null=True, blank=True, editable=False)
    won_at = models.DateTimeField(_("won"), null=True, blank=True, editable=False)
    lost_at = models.DateTimeField(_("lost"), null=True, blank=True, editable=False)
    loss_reason = models.ForeignKey(
        LossReason, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("loss reason")
    )
    loss_note = models.TextField(_("how it was lost"), blank=True, max_length=10_000)
    competitor = models.CharField(_("competitor"), max_length=120, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    search = search_column("name", names=("name",))

    objects = DealQuerySet.as_manager()

    class Meta:
        verbose_name = _("deal")
        verbose_name_plural = _("deals")
        ordering = ("-recorded_at", "-pk")
        constraints = (
            models.CheckConstraint(
                name="pipeline_deal_outcome_has_its_time",
                condition=Q(outcome="open", won_at=None, lost_at=None)
                | Q(outcome="won", won_at__isnull=False, lost_at=None)
                | Q(outcome="lost", won_at=None, lost_at__isnull=False),
                violation_error_message=_("A won deal says when it was won, a lost one when it was lost, never both."),
            ),
            models.CheckConstraint(
                name="pipeline_deal_closed_after_created",
                condition=Q(created_at=None)
                | Q(outcome="open")
                | Q(won_at__gte=F("created_at"))
                | Q(lost_at__gte=F("created_at")),
                violation_error_message=_("A deal cannot be closed before it was created."),
            ),
            models.CheckConstraint(
                name="pipeline_deal_amount_not_negative",
                condition=Q(amount=None) | Q(amount__gte=0),
                violation_error_message=_("An amount is not negative."),
            ),
        )
        indexes = (
            # A column of the board, card by card.
            models.Index(
                fields=("stage", "rank", "id"),
                name="pipeline_deal_column",
                condition=Q(outcome="open", deleted_at=None),
            ),
            # The same for one owner's cards.
            models.Index(
                fields=("owner", "stage", "rank", "id"),
                name="pipeline_deal_own_column",
                condition=Q(outcome="open", deleted_at=None),
            ),
            # A column of the board by months, soonest first; and one owner's of it, or a column of the board by owners.
            models.Index(
                fields=("pipeline", "expected_close_on", "id"),
                name="pipeline_deal_month",
                condition=Q(outcome="open", deleted_at=None),
            ),
            models.Index(
                fields=("owner", "expected_close_on", "id"),
                name="pipeline_deal_own_month",
                condition=Q(outcome="open", deleted_at=None),
            ),
            # Overdue and today's in a column's activity bar; index-only.
            models.Index(
                fields=("stage", "next_step_at", "owner"),
                name="pipeline_deal_next_step",
                condition=Q(outcome="open", deleted_at=None, next_step_at__isnull=False),
            ),
            # The won column and the figures of won deals.
            models.Index(fields=("stage", "won_at"), name="pipeline_deal_won_column", condition=Q(outcome="won")),
            models.Index(fields=("won_at",), name="pipeline_deal_won", condition=Q(outcome="won")),
            # The figures of lost deals.
            models.Index(fields=("lost_at",), name="pipeline_deal_lost", condition=Q(outcome="lost")),
            # The deal list, newest first, and its owner filter.
            models.Index(fields=("-recorded_at", "-id"), name="pipeline_deal_newest"),
            models.Index(fields=("owner", "-recorded_at", "-id"), name="pipeline_deal_own_newest"),
            # Deals open at an instant of the past: the trend of the open pipeline.
            GistIndex(TimeRange(F("created_at"), Coalesce("won_at", "lost_at")), name="pipeline_deal_life"),
            # The text filter.
            GinIndex(fields=("search",), name="pipeline_deal_search", opclasses=("gin_trgm_ops",)),
        )

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """The deal's page."""
        return reverse("deal_detail", args=[self.pk])

    @property
    def is_open(self) -> bool:
        """Neither won nor lost."""
        return self.outcome == self.Outcome.OPEN

    @property
    def closed_at(self) -> dt.datetime | None:
        """When it was won or lost."""
        return self.won_at or self.lost_at

    def days_in_stage(self, now: dt.datetime) -> int | None:
        """Whole days since it entered its stage; None where that is unknown."""
        return (now - self.stage_entered_at).days if self.stage_entered_at else None

    def rotting_days(self, now: dt.datetime) -> int:
        """Whole days it has stayed beyond its stage's limit; 0 while within, and for a closed deal."""
        return days_rotting(self.stage_entered_at, self.stage.rotting_days, now) if self.is_open else 0


class DealAmountChange(models.Model):
    """What a deal was worth until `at`: so that a value of the past stays what it was. Written by a trigger."""

    deal = models.ForeignKey(Deal, models.CASCADE, related_name="amount_changes")
    at = models.DateTimeField()
    amount = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    currency = models.CharField(max_length=3)

    class Meta:
        indexes = (models.Index(fields=("deal", "at"), name="pipeline_dealamount_as_of"),)

    def __str__(self) -> str:
        return f"{self.deal_id} {self.amount} {self.currency} until {self.at:%Y-%m-%d}"


class ChecklistTick(models.Model):
    """A checklist item that somebody ticked off for a deal."""

    deal = models.ForeignKey(Deal, models.CASCADE, related_name="ticks")
    item = models.ForeignKey("pipeline.ChecklistItem", models.CASCADE, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("deal", "item"), name="pipeline_tick_once"),)

    def __str__(self) -> str:
        return f"{self.deal_id} {self.item_id}"
