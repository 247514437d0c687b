"""What happened: calls, e-mails, meetings, messages and notes."""

from __future__ import annotations

from typing import Self

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.models.access import OwnedQuerySet, Recoverable
from crm.models.personal import holds_personal
from crm.models.score_triggers import touches_score
from crm.models.subjects import AboutSubject
from crm.models.versions import Versioned, raises_version


class ActivityQuerySet(OwnedQuerySet):
    """Activities, by what they were."""

    owner_field = "author_id"

    def touches(self) -> Self:
        """Outreach and answers: everything but notes, and what machines answered, theirs or ours."""
        return self.filter(is_automatic=False).exclude(kind=Activity.Kind.NOTE)

    def outbound(self) -> Self:
        """What we said to them."""
        return self.touches().filter(direction=Activity.Direction.OUT)

    def two_way(self) -> Self:
        """Where both sides spoke: a person's message to us, something of ours that was answered, a meeting."""
        theirs = Q(direction=Activity.Direction.IN)
        answered = ~Q(response=Activity.Response.NONE) | Q(kind=Activity.Kind.MEETING)
        return self.present().touches().filter(theirs | answered)


@holds_personal(blanks=("title", "body", "import_key"), strikes=("title", "body"))
@pgtrigger.register(
    raises_version("kind", "direction", "response", "at", "title", "body", "duration_minutes", "deleted_at"),
)
class Activity(AboutSubject, Recoverable, Versioned):
    """One call, e-mail, meeting, message or note on the timeline of its subject. All but notes are *touches*."""

    class Kind(models.TextChoices):
        """What it was."""

        CALL = "call", pgettext_lazy("activity", "Call")
        EMAIL = "email", pgettext_lazy("activity", "E-mail")
        MEETING = "meeting", _("Meeting")
        MESSAGE = "message", _("Message")
        NOTE = "note", _("Note")

    class Direction(models.TextChoices):
        """Who spoke first."""

        OUT = "out", _("outbound")
        IN = "in", _("inbound")

    class Response(models.TextChoices):
        """How they took it."""

        NONE = "none", _("no answer")
        NEGATIVE = "negative", _("negative")
        NEUTRAL = "neutral", _("neutral")
        POSITIVE = "positive", _("positive")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    direction = models.CharField(_("direction"), max_length=3, choices=Direction.choices, blank=True)
    response = models.CharField(_("response"), max_length=10, choices=Response.choices, default=Response.NONE)
    at = models.DateTimeField(_("when"), default=timezone.now)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("author")
    )
    title = models.CharField(_("subject"), max_length=200, blank=True)
    body = models.TextField(_("text"), blank=True, max_length=10_000)
    duration_minutes = models.PositiveIntegerField(_("minutes"), null=True, blank=True)
    is_automatic = models.BooleanField(_("sent automatically, in reply"), default=False, editable=False)
    import_key = models.CharField(max_length=200, unique=True, null=True, blank=True, editable=False)
    recorded_at = models.DateTimeField(auto_now_add=True)

    objects = ActivityQuerySet.as_manager()

    class Meta:
        verbose_name = _("activity")
        verbose_name_plural = _("activities")
        triggers = (touches_score,)
        ordering = ("-at", "-pk")
        constraints = (
            models.CheckConstraint(
                name="crm_activity_touch_has_direction",
                condition=Q(kind="note") | ~Q(direction=""),
                violation_error_message=_("A touch is either outbound or inbound."),
            ),
        )
        indexes = (
            # The timeline of a record.
            models.Index(fields=("subject_type", "subject_id", "-at"), name="crm_activity_timeline"),
            # Touches of a period.
            models.Index(fields=("at",), name="crm_activity_touches", condition=~Q(kind="note")),
        )

    def __str__(self) -> str:
        return self.title or self.get_kind_display()
