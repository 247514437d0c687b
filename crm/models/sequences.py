"""Sequences: ordered steps that a person is taken through until they answer. Who stands where is in enrolments.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.models.access import OwnedQuerySet, Recoverable, within
from crm.models.audit import audited
from crm.models.emails import EmailTemplate
from crm.models.follow_ups import FollowUp

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from crm.models.accounts import User

MOST_DAYS = 365


class SequenceQuerySet(OwnedQuerySet):
    """Sequences: one's own and one's team's, and those shared with everybody."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Also those that are shared."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.visible_owner_ids is None:
            return self.present()
        return self.present().filter(within("owner_id", user.visible_owner_ids) | Q(is_shared=True))

    def running(self) -> Self:
        """Those that take people on."""
        return self.present().filter(state=Sequence.State.ACTIVE)


@audited(kind="sequence")
class Sequence(Recoverable):
    """Letters, waits and follow-ups in an order; an answer ends the letters, whatever step a person stands at."""

    class State(models.TextChoices):
        """Whether it takes people on and goes on with those it has."""

        DRAFT = "draft", pgettext_lazy("sequence", "Draft")
        ACTIVE = "active", pgettext_lazy("sequence", "Running")
        PAUSED = "paused", pgettext_lazy("sequence", "Paused")

    class SendsAt(models.TextChoices):
        """At what time of a working day its letters leave."""

        WORKING_HOURS = "working_hours", _("In the sender's working hours")
        MORNING = "morning", _("In the recipient's morning")

    name = models.CharField(_("name"), max_length=120)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("owner"))
    is_shared = models.BooleanField(
        _("shared with everybody"), default=False, help_text=_("Others may enrol their people; only you change it.")
    )
    state = models.CharField(_("state"), max_length=6, choices=State.choices, default=State.DRAFT)
    sends_at = models.CharField(
        _("letters leave"), max_length=13, choices=SendsAt.choices, default=SendsAt.WORKING_HOURS
    )
    allows_others = models.BooleanField(
        _("people may be in other sequences meanwhile"),
        default=False,
        help_text=_("Off: a person in a sequence of this kind is in no second one."),
    )
    tracks_links = models.BooleanField(
        _("notice when a link is opened"),
        default=True,
        help_text=_("Links in its letters lead by way of this site; a branch can ask about it."),
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    objects = SequenceQuerySet.as_manager()

    class Meta:
        verbose_name = _("sequence")
        verbose_name_plural = _("sequences")
        ordering = ("name", "pk")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Its steps and figures."""
        return reverse("sequence_detail", args=[self.pk])

    @property
    def is_running(self) -> bool:
        """Whether it goes on."""
        return self.state == self.State.ACTIVE and self.deleted_at is None


class SequenceStepQuerySet(models.QuerySet["SequenceStep"]):
    """Steps; who sees the sequence sees them."""

    def present(self) -> Self:
        """Those that nobody has taken out."""
        return self.filter(removed_at=None)


@audited(kind="sequence_step")
class SequenceStep(models.Model):
    """One step. Taken out, it stays for the figures of those who had it; nobody gets a step twice, wherever it moves.

    A letter is of `template`, or for `share_b` percent of the people of `template_b`. A branch leads to `goes_to`
    (further on; null: the end) where its `condition` holds, else to the next step.
    """

    class Kind(models.TextChoices):
        """What it does."""

        EMAIL = "email", pgettext_lazy("sequence step", "E-mail")
        WAIT = "wait", pgettext_lazy("sequence step", "Wait")
        FOLLOW_UP = "follow_up", pgettext_lazy("sequence step", "Follow-up")
        BRANCH = "branch", pgettext_lazy("sequence step", "Branch")

    class Condition(models.TextChoices):
        """What a branch asks."""

        OPENED = "opened", _("they opened a link in the last e-mail")
        NO_ANSWER = "no_answer", _("they have not answered")
        ANSWERED = "answered", _("they have answered")
        ALWAYS = "always", _("in any case")

    sequence = models.ForeignKey(Sequence, models.CASCADE, related_name="steps", verbose_name=_("sequence"))
    position = models.PositiveSmallIntegerField(_("position"))
    kind = models.CharField(_("kind"), max_length=9, choices=Kind.choices)
    template = models.ForeignKey(
        EmailTemplate, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("e-mail template")
    )
    template_b = models.ForeignKey(
        EmailTemplate, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("second template")
    )
    share_b = models.PositiveSmallIntegerField(
        _("percent who get the second"), default=50, validators=[MinValueValidator(1), MaxValueValidator(99)]
    )
    days = models.PositiveSmallIntegerField(_("working days"), default=0, validators=[MaxValueValidator(MOST_DAYS)])
    follow_up_kind = models.CharField(
        _("what is to be done"), max_length=10, choices=FollowUp.Kind.choices, default=FollowUp.Kind.CALL
    )
    title = models.CharField(_("title"), max_length=200, blank=True)
    note = models.TextField(_("note"), blank=True, max_length=10_000)
    condition = models.CharField(_("if"), max_length=9, choices=Condition.choices, blank=True)
    goes_to = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("go on with")
    )
    removed_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = SequenceStepQuerySet.as_manager()

    class Meta:
        verbose_name = _("sequence step")
        verbose_name_plural = _("sequence steps")
        ordering = ("position", "pk")
        constraints = (
            models.CheckConstraint(
                name="crm_sequencestep_letter_has_template",
                condition=~Q(kind="email") | Q(template__isnull=False),
                violation_error_message=_("An e-mail is written from a template."),
            ),
            models.CheckConstraint(
                name="crm_sequencestep_share",
                condition=Q(share_b__gte=1, share_b__lte=99),
                violation_error_message=_("Each of the two templates goes to somebody."),
            ),
        )
        # The steps of a sequence in their order.
        indexes = (models.Index(fields=("sequence", "position"), name="crm_sequencestep_order"),)

    def __str__(self) -> str:
        return self.title or (str(self.template) if self.template else self.get_kind_display())
