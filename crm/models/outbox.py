"""What is to leave the system, as rows: the queue lives in PostgreSQL, Celery only wakes its workers."""

from __future__ import annotations

from typing import Self

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce, Greatest, Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.models.personal import holds_personal


class OutboxQuerySet(models.QuerySet["OutboxRow"]):
    """Outbox rows, by what is to be done with them."""

    def waiting(self) -> Self:
        """Rows that nobody has begun to send."""
        return self.filter(state=OutboxRow.State.WAITING)

    def flowing(self) -> Self:
        """Rows of kinds that nobody has paused."""
        return self.exclude(kind__in=PausedKind.objects.values("kind"))

    def due(self) -> Self:
        """Waiting rows whose time has come, and rows whose sender's lease ran out, by the database's clock."""
        return self.flowing().filter(
            Q(state=OutboxRow.State.WAITING, available_at__lte=Now())
            | Q(state=OutboxRow.State.IN_FLIGHT, lease_until__lt=Now())
        )

    def with_wait(self) -> Self:
        """Rows with `waits_since`: their time, or when they were written down where that came later.

        A deal is found to have rotted months after it was loaded: nothing stood still meanwhile.
        """
        return self.annotate(waits_since=Greatest(Coalesce("away_since", "available_at"), "created_at"))

    def held(self) -> Self:
        """Waiting rows that the mail server's silence holds up; they go on at its first answer."""
        return self.flowing().filter(state=OutboxRow.State.WAITING, away_since__isnull=False)

    def due_or_held(self) -> Self:
        """Rows that should have gone on by now, whatever holds them up."""
        return self.flowing().filter(
            Q(state=OutboxRow.State.WAITING, available_at__lte=Now())
            | Q(state=OutboxRow.State.WAITING, away_since__isnull=False)
            | Q(state=OutboxRow.State.IN_FLIGHT, lease_until__lt=Now())
        )

    def for_a_person(self) -> Self:
        """Rows that wait for a person's decision: given up, or perhaps sent."""
        return self.filter(state__in=(OutboxRow.State.DEAD, OutboxRow.State.UNCLEAR))


ledger = pgtrigger.Trigger(
    name="ledger",
    when=pgtrigger.After,
    operation=pgtrigger.Update,
    func="""
        IF NEW.state = 'in_flight' AND NEW.lease_owner <> OLD.lease_owner THEN
            INSERT INTO crm_outboxattempt (row_id, number, claimed_at, lease_owner, answer)
            VALUES (NEW.id, NEW.attempts, clock_timestamp(), NEW.lease_owner, '');
        ELSIF OLD.state = 'in_flight' AND (NEW.state <> 'in_flight' OR NEW.answer <> OLD.answer) THEN
            UPDATE crm_outboxattempt SET finished_at = clock_timestamp(), answer = NEW.answer
            WHERE row_id = NEW.id AND lease_owner = OLD.lease_owner;
        END IF;
        RETURN NULL;
    """,
)
"""Each claim of a row and what came of it, as an `OutboxAttempt`."""


@holds_personal(searched=("answer", "payload"), blanks=("answer",), is_log=True)
class OutboxRow(models.Model):
    """One thing to send, once: written in the transaction that caused it, claimed and sent by a worker.

    `due_at` is when it should leave; `available_at` when it is tried next (later for quiet hours and after a failure).
    `away_since` is since when it waits for a mail server that does not answer.
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
    away_since = models.DateTimeField(_("waits for the mail server since"), null=True, blank=True)
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
        triggers = (ledger,)
        indexes = (
            # The sweep: waiting rows in the order they fall due, one person's together.
            models.Index(fields=("available_at", "recipient"), name="crm_outbox_waiting", condition=Q(state="waiting")),
            # What the mail server's silence holds up: whether there is any, and who asks whether it is back.
            models.Index(
                fields=("away_since",), name="crm_outbox_held", condition=Q(state="waiting", away_since__isnull=False)
            ),
            # The operator's page: what left in the last hour.
            models.Index(fields=("finished_at",), name="crm_outbox_finished"),
            # The operator's page: what waits, by kind.
            models.Index(
                fields=("kind", "state"),
                name="crm_outbox_open",
                condition=Q(state__in=("waiting", "in_flight", "unclear", "dead")),
            ),
            # The sweep: rows whose sender died.
            models.Index(fields=("lease_until",), name="crm_outbox_leased", condition=Q(state="in_flight")),
        )

    def __str__(self) -> str:
        return self.dedupe_key


@holds_personal(searched=("answer",), blanks=("answer",), is_log=True)
class OutboxAttempt(models.Model):
    """One try to send one row, for the ledger: taken when, by whom, and what came of it."""

    row = models.ForeignKey(OutboxRow, models.CASCADE, related_name="tries")
    number = models.PositiveSmallIntegerField(_("attempt"))
    claimed_at = models.DateTimeField(_("claimed"), db_default=Now())
    lease_owner = models.CharField(_("taken by"), max_length=100)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    answer = models.TextField(_("what the other side said"), blank=True)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ("pk",)
        constraints = (models.UniqueConstraint(fields=("row", "lease_owner"), name="crm_outboxattempt_lease"),)

    def __str__(self) -> str:
        return f"{self.row_id} / {self.number}"


class PausedKind(models.Model):
    """A kind of rows that nobody claims until an admin lets it go on."""

    kind = models.CharField(_("kind"), max_length=30, primary_key=True)
    paused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("paused by")
    )
    at = models.DateTimeField(_("since"), default=timezone.now)

    class Meta:
        verbose_name = _("paused kind")
        verbose_name_plural = _("paused kinds")

    def __str__(self) -> str:
        return self.kind


class Heartbeat(models.Model):
    """When a recurring duty last ran; /readyz turns red when the sweeper's is old."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} {self.at:%Y-%m-%d %H:%M:%S}"
