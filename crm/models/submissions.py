"""What visitors sent through lead forms, be it taken or kept out; and how often a public door was knocked at."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.models.access import within
from crm.models.accounts import User
from crm.models.audit import audited
from crm.models.lead_forms import ConsentText, LeadForm
from crm.models.leads import Lead
from crm.models.personal import holds_personal


class SubmissionQuerySet(models.QuerySet["Submission"]):
    """Submissions, by what became of them and who reads them."""

    def visible_to(self, user: User) -> Self:
        """Those of leads the person sees; those kept out for who manages what the form brings in."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        # Asked of each submission: a set of all leads that one sees would be made first, however few submissions.
        is_of_seen = Exists(Lead.objects.visible_to(user).filter(pk=OuterRef("lead")))
        return self.filter(Q(is_of_seen) | Q(lead=None) & self._managed(user))

    def editable_by(self, user: User) -> Self:
        """Those without a lead that the person may let in or throw out."""
        if not user.is_authenticated or not user.is_active or not user.may_write:
            return self.none()
        return self.filter(self._managed(user), lead=None)

    def kept_out(self) -> Self:
        """Those that wait for a person's eye."""
        return self.filter(state=Submission.State.KEPT_OUT)

    def _managed(self, user: User) -> Q:
        if user.visible_owner_ids is None:
            return Q()
        if not user.is_manager:
            return Q(pk__in=())
        return within("form__team", user.led_team_ids) | Q(form__team=None) & (
            Q(form__owner=None) | within("form__owner_id", user.visible_owner_ids)
        )


@holds_personal(
    keys=("lead",),
    addresses=("email_key",),
    searched=("fields", "answers"),
    blanks=("answers", "fields", "utm", "referrer", "page", "address_mark", "email_key", "phone_key", "content_mark"),
)
@audited(kind="submission", ignore=("answers", "fields", "utm", "referrer", "page", "email_key", "phone_key"))
class Submission(models.Model):
    """What one visitor sent once. Its answers stay as they were given, whatever becomes of form and lead."""

    class State(models.TextChoices):
        """What became of it."""

        TAKEN = "taken", _("became a lead")
        MERGED = "merged", _("added to a lead")
        KEPT_OUT = "kept_out", _("kept out")
        THROWN_OUT = "thrown_out", _("thrown out")

    class Reason(models.TextChoices):
        """Why it was kept out."""

        TRAP = "trap", _("filled in a field that people do not see")
        HURRY = "hurry", _("was quicker than people are")
        ADDRESS = "address", _("too many from one address")
        FORM = "form", _("too many for the form")

    form = models.ForeignKey(LeadForm, models.PROTECT, related_name="submissions", verbose_name=_("form"))
    lead = models.ForeignKey(
        Lead, models.CASCADE, null=True, blank=True, related_name="submissions", verbose_name=_("lead")
    )
    at = models.DateTimeField(pgettext_lazy("submission", "sent"), default=timezone.now)
    state = models.CharField(_("state"), max_length=10, choices=State.choices)
    reason = models.CharField(_("kept out because"), max_length=10, choices=Reason.choices, blank=True)
    answers = models.JSONField(_("answers"), default=list)
    """[{key, label, value}] in the order and words of the form as the visitor saw it."""
    fields = models.JSONField(_("fields of the lead"), default=dict)
    consent = models.ForeignKey(
        ConsentText, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("agreed to")
    )
    language = models.CharField(_("language"), max_length=5, blank=True)
    utm = models.JSONField(_("UTM parameters"), default=dict)
    referrer = models.CharField(_("came from"), max_length=500, blank=True)
    page = models.CharField(_("sent on the page"), max_length=500, blank=True)
    address_mark = models.CharField(max_length=64, blank=True, editable=False)
    """A keyed hash of the visitor's address: it tells whether two were one, not who."""
    email_key = models.CharField(max_length=254, blank=True, editable=False)
    phone_key = models.CharField(max_length=40, blank=True, editable=False)
    """The e-mail and phone given, normalised: by them the same visitor is known again."""
    content_mark = models.CharField(max_length=64, editable=False)
    """A hash of what was said, by which the same again is known."""
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("decided by")
    )

    objects = SubmissionQuerySet.as_manager()

    class Meta:
        verbose_name = _("submission")
        verbose_name_plural = _("submissions")
        ordering = ("-at", "-pk")
        constraints = (
            models.CheckConstraint(
                name="crm_submission_kept_out_has_reason",
                condition=~Q(state="kept_out") | ~Q(reason=""),
                violation_error_message=_("What is kept out is kept out for a reason."),
            ),
        )
        indexes = (
            # The page of what was kept out.
            models.Index(fields=("-at",), name="crm_submission_kept_out", condition=Q(state="kept_out")),
            # The same visitor again.
            models.Index(fields=("form", "email_key"), name="crm_submission_email", condition=~Q(email_key="")),
            models.Index(fields=("form", "phone_key"), name="crm_submission_phone", condition=~Q(phone_key="")),
            # The same sent again, within minutes.
            models.Index(fields=("form", "content_mark", "-at"), name="crm_submission_again"),
        )

    def __str__(self) -> str:
        return str(self.fields.get("name") or self.said_address or self.form)

    @property
    def said_address(self) -> str:
        """The e-mail or phone they left, "" without any."""
        return str(self.fields.get("email") or self.fields.get("phone") or "")


class DoorCount(models.Model):
    """How often somebody knocked at a public door within a stretch of time."""

    key = models.CharField(max_length=120)
    since = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("key", "since"), name="crm_doorcount_one_a_stretch"),)
        # Old stretches are thrown away daily.
        indexes = (models.Index(fields=("since",), name="crm_doorcount_old"),)

    def __str__(self) -> str:
        return f"{self.key} {self.since:%Y-%m-%d %H:%M} {self.count}"
