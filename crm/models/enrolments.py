"""Who goes through a sequence: where each person stands, what was done with them, which links they opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.models.companies import Contact
from crm.models.emails import Email
from crm.models.follow_ups import FollowUp
from crm.models.leads import Lead
from crm.models.personal import holds_personal
from crm.models.segments import Segment
from crm.models.sequences import Sequence, SequenceStep
from crm.models.subjects import AboutSubject

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from crm.models.accounts import User

ENDED = ("finished", "stopped")


class EnrolmentQuerySet(models.QuerySet["Enrolment"]):
    """Enrolments, by whose person it is and how far they have come."""

    def alive(self) -> Self:
        """Neither finished nor stopped."""
        return self.exclude(state__in=ENDED)

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Those of leads and contacts whom `user` may see."""
        return self._of_people("visible_to", user)

    def editable_by(self, user: User | AnonymousUser) -> Self:
        """Those of leads and contacts whom `user` may change."""
        return self._of_people("editable_by", user)

    def about(self, person: Lead | Contact) -> Self:
        """Those of one person."""
        return self.filter(subject_type=ContentType.objects.get_for_model(person), subject_id=person.pk)

    def _of_people(self, reach: str, user: User | AnonymousUser) -> Self:
        found = Q(pk__in=())
        for model in (Lead, Contact):
            ids = getattr(model.objects.all(), reach)(user).values("pk")
            found |= Q(subject_type=ContentType.objects.get_for_model(model), subject_id__in=ids)
        return self.filter(found)


@holds_personal(addresses=("address",), blanks=("address",))
class Enrolment(AboutSubject):
    """One person's way through a sequence: `step` is done next, at `due_at`; null `step`: nothing is left.

    `serial` rises with everything done; whoever wants to go on names the one seen, so that nobody goes on twice.
    """

    class State(models.TextChoices):
        """How far it has come."""

        ACTIVE = "active", pgettext_lazy("enrolment", "under way")
        PAUSED = "paused", pgettext_lazy("enrolment", "paused")
        FINISHED = "finished", pgettext_lazy("enrolment", "went through")
        STOPPED = "stopped", pgettext_lazy("enrolment", "stopped")

    sequence = models.ForeignKey(Sequence, models.CASCADE, related_name="enrolments", verbose_name=_("sequence"))
    address = models.CharField(
        _("address"), max_length=320, null=True, help_text=_("In lower case: a person may be several records.")
    )
    sender = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("sender"))
    enrolled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("enrolled by")
    )
    language = models.CharField(_("language of the letters"), max_length=5, choices=settings.LANGUAGES)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.ACTIVE)
    reason = models.CharField(_("why"), max_length=30, blank=True, help_text=_("A key of the stop reasons."))
    detail = models.CharField(_("more exactly"), max_length=500, blank=True)
    step = models.ForeignKey(SequenceStep, models.SET_NULL, null=True, related_name="standing", verbose_name=_("step"))
    serial = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(_("goes on"), null=True)
    is_exclusive = models.BooleanField(default=True, help_text=_("As the sequence said when the person was enrolled."))
    started_at = models.DateTimeField(_("enrolled"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)

    objects = EnrolmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("enrolment")
        verbose_name_plural = _("enrolments")
        ordering = ("-started_at", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=("address",),
                condition=Q(is_exclusive=True, state__in=("active", "paused")),
                name="crm_enrolment_one_at_a_time",
                violation_error_message=_("This person is in a sequence already."),
            ),
            models.UniqueConstraint(
                fields=("sequence", "address"),
                condition=Q(state__in=("active", "paused")),
                name="crm_enrolment_once_a_sequence",
                violation_error_message=_("This person is in this sequence already."),
            ),
            models.CheckConstraint(
                name="crm_enrolment_ended_has_time",
                condition=Q(state__in=ENDED, ended_at__isnull=False) | Q(state__in=("active", "paused"), ended_at=None),
                violation_error_message=_("What has ended says when."),
            ),
        )
        indexes = (
            # The people of a sequence; how many stand before a step.
            models.Index(fields=("sequence", "state", "-started_at"), name="crm_enrolment_people"),
            models.Index(fields=("step",), name="crm_enrolment_standing", condition=Q(state__in=("active", "paused"))),
            # The sequences of a person: their page, and what stops them.
            models.Index(fields=("subject_type", "subject_id"), name="crm_enrolment_person"),
            models.Index(fields=("address",), name="crm_enrolment_address"),
        )

    def __str__(self) -> str:
        return f"{self.sequence_id} / {self.pk}"

    @property
    def is_alive(self) -> bool:
        """Neither finished nor stopped."""
        return self.state not in ENDED


class StepRun(models.Model):
    """One step done with one person; never a second time, unless its letter was withdrawn before it left.

    The last letter before an answer, or before a deal was won, has the credit for it.
    """

    enrolment = models.ForeignKey(Enrolment, models.CASCADE, related_name="runs")
    step = models.ForeignKey(SequenceStep, models.CASCADE, related_name="runs")
    serial = models.PositiveIntegerField()
    variant = models.CharField(max_length=1, blank=True, help_text=_("A or B, where a step has two templates."))
    email = models.OneToOneField(Email, models.SET_NULL, null=True, blank=True, related_name="step_run")
    follow_up = models.ForeignKey(FollowUp, models.SET_NULL, null=True, blank=True, related_name="+")
    at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    won_at = models.DateTimeField(null=True, blank=True)
    won_deal = models.BigIntegerField(null=True, blank=True, help_text=_("The deal, which lives in the app above."))

    class Meta:
        verbose_name = _("step done")
        verbose_name_plural = _("steps done")
        ordering = ("serial",)
        constraints = (
            models.UniqueConstraint(fields=("enrolment", "serial"), name="crm_steprun_serial"),
            models.UniqueConstraint(
                fields=("enrolment", "step"), condition=Q(withdrawn_at=None), name="crm_steprun_once"
            ),
        )
        indexes = (
            # The figures of a sequence's steps.
            models.Index(fields=("step", "variant"), name="crm_steprun_figures"),
            # The credit that a deal which is not won after all takes back.
            models.Index(fields=("won_deal",), name="crm_steprun_won", condition=Q(won_deal__isnull=False)),
        )

    def __str__(self) -> str:
        return f"{self.enrolment_id} / {self.serial}"


@holds_personal(keys=("email",), is_deleted=True)
class EmailLink(models.Model):
    """A link in a letter that leads by way of this site, to the one address kept here; only its digest is kept."""

    email = models.ForeignKey(Email, models.CASCADE, related_name="links")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    url = models.TextField(_("leads to"))
    opened_at = models.DateTimeField(_("first opened"), null=True, blank=True)
    clicks = models.PositiveIntegerField(_("times opened"), default=0)

    class Meta:
        verbose_name = _("link in an e-mail")
        verbose_name_plural = _("links in e-mails")
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.url


@holds_personal(searched=("name", "conditions"), strikes=("name", "conditions"), is_shared=True, belongs_to="by")
class MassEnrolment(models.Model):
    """Everybody in a segment, enrolled stretch by stretch: `reached` is the last one looked at, in the order of ids.

    The segment's question is kept as it was when somebody looked at the preview and agreed.
    """

    sequence = models.ForeignKey(Sequence, models.CASCADE, related_name="mass_enrolments")
    name = models.CharField(_("segment"), max_length=120)
    about = models.CharField(max_length=10, choices=Segment.About.choices)
    conditions = models.JSONField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("enrolled by"))
    is_from_owner = models.BooleanField(_("sent by each person's owner"), default=False)
    language = models.CharField(max_length=5, blank=True, choices=settings.LANGUAGES)
    total = models.PositiveIntegerField(default=0)
    reached = models.BigIntegerField(default=0)
    enrolled = models.PositiveIntegerField(default=0)
    left_out = models.JSONField(default=dict, help_text=_("How many for which reason."))
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("enrolment of a segment")
        verbose_name_plural = _("enrolments of segments")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return self.name
