"""Those who might buy, and where they come from."""

from __future__ import annotations

import datetime as dt
from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from crm.models.access import Erasable, within
from crm.models.accounts import User
from crm.models.audit import audited
from crm.models.companies import Company, Contact
from crm.models.keys import KEYS, CompanyKey, PersonKey, PhoneKey, email_key, key_column, key_index
from crm.models.mergeable import Mergeable, MergeableQuerySet, checked_for_duplicates, merged_index, merged_is_gone
from crm.models.personal import holds_personal
from crm.models.score_triggers import SCORED, scored_anew
from crm.models.scores import ScoreModel
from crm.models.subjects import Subject, step_in_state
from crm.models.text import Bilingual, search_column

MOST_MINUTES_TO_ANSWER = 30 * 24 * 60


class LeadSource(Bilingual):
    """Where leads come from: an advertisement, a fair, a referral."""

    slug = models.SlugField(_("slug"), unique=True)
    is_archived = models.BooleanField(_("archived"), default=False)
    respond_within_minutes = models.PositiveIntegerField(
        _("minutes to answer"),
        default=60,
        validators=[MaxValueValidator(MOST_MINUTES_TO_ANSWER)],
        help_text=_("A lead of this source is to be answered within this much of its team's working time."),
    )

    class Meta:
        verbose_name = _("lead source")
        verbose_name_plural = _("lead sources")
        ordering = ("name",)


class Campaign(models.Model):
    """A push within a source, with a beginning and an end."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    source = models.ForeignKey(LeadSource, models.PROTECT, related_name="campaigns", verbose_name=_("source"))
    starts_on = models.DateField(_("starts on"), null=True, blank=True)
    ends_on = models.DateField(_("ends on"), null=True, blank=True)

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse one that is over before it begins."""
        if self.starts_on and self.ends_on and self.ends_on < self.starts_on:
            raise ValidationError({"ends_on": _("It would end before it begins.")})


class DisqualifyReason(Bilingual):
    """Why a lead is no customer."""

    is_archived = models.BooleanField(_("archived"), default=False)

    class Meta:
        verbose_name = _("disqualify reason")
        verbose_name_plural = _("disqualify reasons")
        ordering = ("name",)


class LeadQuerySet(MergeableQuerySet):
    """Leads, by what is to be done with them."""

    def _reach(self, user: User, owner_ids: frozenset[int] | None) -> Q:
        """Also leads nobody owns yet: those of no team, of the person's own team, and of the teams they lead."""
        if owner_ids is None:
            return Q()
        reachable_team = Q(team__isnull=True) | within("team", user.own_team_ids)
        return within("owner_id", owner_ids) | (Q(owner__isnull=True) & reachable_team)

    def waiting(self) -> Self:
        """Leads that nobody has answered."""
        return self.filter(status=Lead.Status.NEW, first_response_at__isnull=True, erased_at__isnull=True)

    def late(self, now: dt.datetime) -> Self:
        """Unanswered leads whose clock has run out."""
        return self.waiting().filter(answer_by__lt=now)

    def with_readiness(self, now: dt.datetime) -> Self:
        """Leads with `readiness`, cold, warm or hot by what they did lately: `Lead.readiness_at` for a query."""
        return self.annotate(readiness=Lead.readiness_when(now))

    def to_score(self) -> Self:
        """Living leads of which something has changed since they were scored, or that never were."""
        return self.present().alive().filter(scored_at__isnull=True)

    def unassigned(self) -> Self:
        """Leads that nobody owns."""
        return self.filter(owner__isnull=True)

    def alive(self) -> Self:
        """Leads still being worked: neither converted nor disqualified."""
        return self.filter(status__in=Lead.ALIVE)

    def in_state(self, state: str, now: dt.datetime) -> Self:
        """Living leads whose next step is overdue, due today, planned or unplanned.

        Who waits for an answer or comes back on a day has a next step in that: they are not unplanned.
        """
        found = self.alive().filter(step_in_state(state, now))
        if state != "unplanned":
            return found
        is_waiting = Q(status=Lead.Status.NEW, first_response_at=None)
        return found.exclude(is_waiting).exclude(status=Lead.Status.NURTURING, nurture_until__isnull=False)

    def nurtured_until(self, day: dt.date) -> Self:
        """Leads that are to come back at or before `day`."""
        return self.filter(status=Lead.Status.NURTURING, nurture_until__lte=day)


class AnswerBy(models.DateTimeField):
    """When a response clock runs out; rules count it in working hours, and who writes rows without gets plain ones."""

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: FBT001 (Django's signature)
        if add and isinstance(model_instance, Lead) and getattr(model_instance, self.attname) is None:
            model_instance.answer_by = model_instance.created_at + model_instance.time_to_answer
        return super().pre_save(model_instance, add)


CLOCKED = ("answer_by", "escalated_at")
"""Columns that follow from when a lead came in, in which the audit log has no interest."""


@holds_personal(
    blanks=("name", "external_id", "company_name", "email", "phone", "message", "score_reasons"),
)
@audited(kind="lead", ignore=(*KEYS, *SCORED, *CLOCKED))
class Lead(Subject, Mergeable, Erasable):
    """Someone who might buy, not yet qualified."""

    class Status(models.TextChoices):
        """How far a lead has come."""

        NEW = "new", pgettext_lazy("lead", "New")
        WORKING = "working", _("Working")
        QUALIFIED = "qualified", _("Qualified")
        CONVERTED = "converted", _("Converted")
        DISQUALIFIED = "disqualified", _("Disqualified")
        NURTURING = "nurturing", _("Nurturing")

    class Readiness(models.TextChoices):
        """How near to buying, by what they did: a sign is a touch of theirs, or a positive answer to one of ours."""

        COLD = "cold", _("Cold")
        WARM = "warm", _("Warm")
        HOT = "hot", _("Hot")

    HOT_FOR = dt.timedelta(days=7)
    """A sign within this time makes a lead hot; having come in within it makes it warm."""
    WARM_FOR = dt.timedelta(days=30)
    """A sign within this time makes a lead warm."""

    ALIVE = (Status.NEW, Status.WORKING, Status.QUALIFIED, Status.NURTURING)

    name = models.CharField(pgettext_lazy("person", "name"), max_length=200)
    external_id = models.CharField(_("external id"), max_length=100, unique=True, null=True, blank=True)
    company_name = models.CharField(_("company"), max_length=200, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    message = models.TextField(_("what they wrote"), blank=True, max_length=10_000)
    source = models.ForeignKey(
        LeadSource, models.PROTECT, null=True, blank=True, related_name="leads", verbose_name=_("source")
    )
    campaign = models.ForeignKey(
        Campaign, models.PROTECT, null=True, blank=True, related_name="leads", verbose_name=_("campaign")
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("owner")
    )
    team = models.ForeignKey("crm.Team", models.SET_NULL, null=True, blank=True, verbose_name=_("team"))
    status = models.CharField(_("status"), max_length=12, choices=Status.choices, default=Status.NEW)
    created_at = models.DateTimeField(_("came in"), default=timezone.now)
    answer_by = AnswerBy(_("to be answered by"), editable=False)
    escalated_at = models.DateTimeField(null=True, blank=True, editable=False)
    """When the team's managers were told that the clock had run out; or when nobody was to be told any more."""
    first_response_at = models.DateTimeField(_("first answered"), null=True, blank=True)
    qualified_at = models.DateTimeField(_("qualified"), null=True, blank=True)
    converted_at = models.DateTimeField(_("converted"), null=True, blank=True)
    disqualified_at = models.DateTimeField(_("disqualified"), null=True, blank=True)
    disqualify_reason = models.ForeignKey(
        DisqualifyReason, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("reason")
    )
    nurture_until = models.DateField(_("comes back on"), null=True, blank=True)
    company = models.ForeignKey(
        Company, models.SET_NULL, null=True, blank=True, related_name="leads", verbose_name=_("company")
    )
    contact = models.ForeignKey(
        Contact, models.SET_NULL, null=True, blank=True, related_name="leads", verbose_name=_("contact")
    )
    # Kept by PostgreSQL (crm/models/score_triggers.py): whatever touches a lead empties `scored_at`, so that the next
    # round scores it anew; until then its former score stays.
    last_sign_at = models.DateTimeField(null=True, blank=True, editable=False)
    scored_at = models.DateTimeField(_("scored"), null=True, blank=True, editable=False)
    score = models.PositiveSmallIntegerField(_("score"), null=True, blank=True, editable=False)
    score_reasons = models.JSONField(default=list, db_default=[], editable=False)
    score_model = models.ForeignKey(
        ScoreModel, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    search = search_column("name", "company_name", "email", "phone", names=("name", "company_name"), phone="phone")
    name_key = key_column(PersonKey("name"))
    company_key = key_column(CompanyKey("company_name"))
    email_key = key_column(email_key("email"))
    phone_key = key_column(PhoneKey("phone"))

    objects = LeadQuerySet.as_manager()

    class Meta:
        verbose_name = _("lead")
        verbose_name_plural = _("leads")
        ordering = ("-created_at", "-pk")
        constraints = (
            merged_is_gone("lead"),
            models.CheckConstraint(
                name="crm_lead_disqualified_has_time",
                condition=~Q(status="disqualified") | Q(disqualified_at__isnull=False),
                violation_error_message=_("A disqualified lead says when it was disqualified."),
            ),
            models.CheckConstraint(
                name="crm_lead_converted_has_time",
                condition=~Q(status="converted") | Q(converted_at__isnull=False),
                violation_error_message=_("A converted lead says when it was converted."),
            ),
            models.CheckConstraint(
                name="crm_lead_score_fits",
                condition=Q(score__isnull=True) | Q(score__lte=100),
                violation_error_message=_("A score is between 0 and 100."),
            ),
        )
        triggers = (scored_anew, checked_for_duplicates("lead", "name", "company_name", "email", "phone"))
        indexes = (
            # The text filter of the lead list.
            GinIndex(fields=("search",), name="crm_lead_search", opclasses=("gin_trgm_ops",)),
            # The lead list, newest first; metrics by the day of coming in.
            models.Index(fields=("-created_at", "-id"), name="crm_lead_by_created"),
            # The inbox tabs; their counts are read from it alone, without a look at the leads.
            models.Index(
                fields=("status", "owner", "-created_at"),
                include=("id", "team", "first_response_at", "nurture_until"),
                name="crm_lead_inbox",
                condition=Q(deleted_at=None),
            ),
            # The lead list by score, best first.
            models.Index(F("score").desc(nulls_last=True), F("id").desc(), name="crm_lead_by_score"),
            # What the next round of scoring takes.
            models.Index(fields=("id",), name="crm_lead_to_score", condition=Q(scored_at=None, deleted_at=None)),
            # Unanswered leads: the response clock, the badge in the top bar.
            models.Index(
                fields=("answer_by", "id"), name="crm_lead_waiting", condition=Q(status="new", first_response_at=None)
            ),
            # Leads put aside, by when they come back: the inbox, and the job that brings them back.
            models.Index(
                fields=("nurture_until", "id"),
                name="crm_lead_nurtured",
                condition=Q(status="nurturing", deleted_at=None),
            ),
            # Clocks that have run out and of which nobody has been told yet.
            models.Index(
                fields=("answer_by",),
                name="crm_lead_to_escalate",
                condition=Q(status="new", first_response_at=None, escalated_at=None, deleted_at=None),
            ),
            # Whether somebody is there already.
            key_index("lead", "name_key"),
            key_index("lead", "company_key"),
            key_index("lead", "email_key"),
            key_index("lead", "phone_key"),
            merged_index("lead"),
        )

    def __str__(self) -> str:
        return self.name if self.erased_at is None else gettext("Erased person")

    def get_absolute_url(self) -> str:
        """The lead's page."""
        return reverse("lead_detail", args=[self.pk])

    @classmethod
    def readiness_when(cls, now: dt.datetime) -> Case:
        """Cold, warm or hot at `now`, as an expression."""
        return Case(
            When(last_sign_at__gt=now - cls.HOT_FOR, then=Value(cls.Readiness.HOT)),
            When(last_sign_at__gt=now - cls.WARM_FOR, then=Value(cls.Readiness.WARM)),
            When(created_at__gt=now - cls.HOT_FOR, then=Value(cls.Readiness.WARM)),
            default=Value(cls.Readiness.COLD),
            output_field=models.CharField(),
        )

    def readiness_at(self, now: dt.datetime) -> str:
        """Cold, warm or hot at `now`."""
        if self.last_sign_at is not None and self.last_sign_at > now - self.WARM_FOR:
            return self.Readiness.HOT if self.last_sign_at > now - self.HOT_FOR else self.Readiness.WARM
        return self.Readiness.WARM if self.created_at > now - self.HOT_FOR else self.Readiness.COLD

    @property
    def is_open(self) -> bool:
        """Whether it is still worked on: neither converted, nor disqualified, nor erased."""
        return self.status in self.ALIVE and self.erased_at is None

    @property
    def needs_no_plan(self) -> bool:
        """Whether what comes next follows from the lead: an answer, the day of its return; or nothing, being closed."""
        if self.status == self.Status.NURTURING:
            return self.nurture_until is not None
        is_waiting = self.status == self.Status.NEW and self.first_response_at is None
        return is_waiting or self.status not in self.ALIVE

    @property
    def time_to_answer(self) -> dt.timedelta:
        """How much of its team's working time the lead may wait for its first answer."""
        minutes = self.source.respond_within_minutes if self.source else settings.RESPOND_WITHIN_MINUTES
        return dt.timedelta(minutes=minutes)
