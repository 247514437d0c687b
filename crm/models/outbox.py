"""What is to leave the system, as rows: the queue lives in PostgreSQL, Celery only wakes its workers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.models.subjects import AboutSubject


class OutboxQuerySet(models.QuerySet["OutboxRow"]):
    """Outbox rows, by what is to be done with them."""

    def waiting(self) -> Self:
        """Rows that nobody has begun to send."""
        return self.filter(state=OutboxRow.State.WAITING)

    def due(self) -> Self:
        """Waiting rows whose time has come, and rows whose sender's lease ran out, by the database's clock."""
        return self.filter(
            Q(state=OutboxRow.State.WAITING, available_at__lte=Now())
            | Q(state=OutboxRow.State.IN_FLIGHT, lease_until__lt=Now())
        )

    def for_a_person(self) -> Self:
        """Rows that wait for a person's decision: given up, or perhaps sent."""
        return self.filter(state__in=(OutboxRow.State.DEAD, OutboxRow.State.UNCLEAR))


class OutboxRow(models.Model):
    """One thing to send, once: written in the transaction that caused it, claimed and sent by a worker.

    `due_at` is when it should leave; `available_at` when it is tried next (later for quiet hours and after a failure).
    """

    class State(models.TextChoices):
        """How far it has come."""

        WAITING = "waiting", _("waiting")
        IN_FLIGHT = "in_flight", _("in flight")
        SENT = "sent", _("sent")
        DEAD = "dead", _("dead")
        UNCLEAR = "unclear", _("unclear")
        CANCELLED = "cancelled", _("cancelled")
        MERGED = "merged", _("merged into a digest")

    kind = models.CharField(_("kind"), max_length=30)
    dedupe_key = models.CharField(_("key"), max_length=200, unique=True)
    payload = models.JSONField(_("payload"), default=dict)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("recipient")
    )
    due_at = models.DateTimeField(_("due"), default=timezone.now)
    available_at = models.DateTimeField(_("not before"), default=timezone.now)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    lease_until = models.DateTimeField(_("taken until"), null=True, blank=True)
    lease_owner = models.CharField(_("taken by"), max_length=100, blank=True)
    message_id = models.CharField(_("message id"), max_length=200, blank=True)
    merged_into = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="merged", verbose_name=_("digest")
    )
    answer = models.TextField(_("what the other side said"), blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    claimed_at = models.DateTimeField(_("claimed"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    objects = OutboxQuerySet.as_manager()

    class Meta:
        verbose_name = _("outbox row")
        verbose_name_plural = _("outbox")
        ordering = ("-pk",)
        indexes = (
            # The sweep: waiting rows in the order they fall due.
            models.Index(fields=("available_at",), name="crm_outbox_waiting", condition=Q(state="waiting")),
            # The sweep: rows whose sender died.
            models.Index(fields=("lease_until",), name="crm_outbox_leased", condition=Q(state="in_flight")),
        )

    def __str__(self) -> str:
        return self.dedupe_key


@dataclass(frozen=True)
class Unread:
    """How many notices are unread, and the newest of them: told apart by its text, "3-17"."""

    count: int = 0
    newest: int = 0

    def __str__(self) -> str:
        return f"{self.count}-{self.newest}"


class NotificationQuerySet(models.QuerySet["Notification"]):
    """Notices in the page."""

    def unread(self) -> Self:
        """Not yet looked at."""
        return self.filter(read_at__isnull=True)

    def count_unread(self) -> Unread:
        """Count the unread ones, in one query."""
        found = self.unread().aggregate(count=models.Count("pk"), newest=models.Max("pk"))
        return Unread(found["count"], found["newest"] or 0)

    def unread_of(self, user_ids: Collection[int]) -> dict[int, Unread]:
        """Count the unread ones of several people, in one query; who has none is left out."""
        found = self.unread().filter(user_id__in=user_ids).order_by().values("user_id")
        found = found.annotate(count=models.Count("pk"), newest=models.Max("pk"))
        return {each["user_id"]: Unread(each["count"], each["newest"]) for each in found}


class Notification(AboutSubject):
    """A notice shown to one person in the page."""

    class Kind(models.TextChoices):
        """What it tells of."""

        REMINDER = "reminder", _("Reminder")
        ROTTING = "rotting", _("Rotting deal")
        IMPORT = "import", _("Import")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    dedupe_key = models.CharField(max_length=200, unique=True)
    follow_up = models.ForeignKey("crm.FollowUp", models.CASCADE, null=True, blank=True, related_name="+")
    text = models.CharField(max_length=300)
    at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ("-at", "-pk")
        indexes = (
            # The list: one person's notices.
            models.Index(fields=("user", "-at"), name="crm_notification_bell"),
            # The bell, asked for every second by config/live.py.
            models.Index(fields=("user", "id"), name="crm_notification_unread", condition=Q(read_at=None)),
        )

    def __str__(self) -> str:
        return self.text


class Heartbeat(models.Model):
    """When a recurring duty last ran; /readyz turns red when the sweeper's is old."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} {self.at:%Y-%m-%d %H:%M:%S}"
