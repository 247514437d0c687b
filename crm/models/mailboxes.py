"""Mailboxes that are read, how far each folder has been read, and what became of each message."""

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
from crm.models.accounts import Team, User
from crm.models.audit import audited

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class MailboxQuerySet(OwnedQuerySet):
    """Mailboxes: a person's own are theirs and their managers' alone, whatever their team shares."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Those whose settings `user` may change; to others there is nothing to show."""
        if not user.is_authenticated or not user.is_active or not user.may_write:
            return self.none()
        led = Q() if user.editable_owner_ids is None else within("team", user.led_team_ids)
        return self.present().filter(within("owner_id", user.editable_owner_ids) | led)

    def to_read(self) -> Self:
        """Those that are read: of people who can log in."""
        return self.present().filter(is_paused=False, owner__is_active=True)


READING = ("last_read_at", "tried_at", "trouble", "trouble_since", "lease_until", "lease_owner")
"""What the reader writes of how it gets on."""


@audited(kind="mailbox", ignore=("secret", *READING))
class Mailbox(Recoverable):
    """A mailbox that is read over IMAP: a person's, a team's, or the one that copies and forwarded mails go to."""

    class Security(models.TextChoices):
        """How the connection is kept from eavesdroppers."""

        TLS = "tls", _("TLS (usually port 993)")
        STARTTLS = "starttls", _("STARTTLS (usually port 143)")
        NONE = "none", _("none: only on a network of your own")

    name = models.CharField(_("name"), max_length=120)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="mailboxes",
        verbose_name=_("owner"),
        help_text=_("Told when it cannot be read."),
    )
    team = models.ForeignKey(
        Team,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="mailboxes",
        verbose_name=_("team"),
        help_text=_("Everybody of this team may place its mail; empty for a mailbox of one person."),
    )
    address = models.EmailField(_("e-mail address"), help_text=_("The address under which it gets mail."))
    takes_copies = models.BooleanField(
        _("takes copies and forwarded mail"),
        default=False,
        help_text=_("People send copies to it, each by an address of their own with a + in it."),
    )
    host = models.CharField(_("IMAP server"), max_length=255)
    port = models.PositiveIntegerField(
        _("port"), default=993, validators=[MinValueValidator(1), MaxValueValidator(65_535)]
    )
    security = models.CharField(_("encryption"), max_length=8, choices=Security.choices, default=Security.TLS)
    username = models.CharField(_("user name"), max_length=255)
    secret = models.TextField(_("password"), blank=True, editable=False)
    folder = models.CharField(_("folder"), max_length=255, default="INBOX")
    sent_folder = models.CharField(
        _("folder of sent mail"),
        max_length=255,
        blank=True,
        help_text=_("Mail written in another program is put on the timeline too. Empty: it is not looked at."),
    )
    keeps_unknown = models.BooleanField(
        _("asks where mail of unknown people belongs"),
        default=True,
        help_text=_("Off: only mail of people who are leads or contacts is kept."),
    )
    reads_from = models.DateField(_("reads mail since"), default=timezone.localdate)
    is_paused = models.BooleanField(_("paused"), default=False)
    last_read_at = models.DateTimeField(_("last read"), null=True, blank=True, editable=False)
    tried_at = models.DateTimeField(_("last tried"), null=True, blank=True, editable=False)
    trouble = models.CharField(_("trouble"), max_length=500, blank=True, editable=False)
    trouble_since = models.DateTimeField(_("in trouble since"), null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    lease_owner = models.CharField(max_length=100, blank=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects = MailboxQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("e-mail", "mailbox")
        verbose_name_plural = pgettext_lazy("e-mail", "mailboxes")
        ordering = ("name", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=("host", "username", "folder"),
                condition=Q(deleted_at=None),
                name="crm_mailbox_once",
                violation_error_message=_("This mailbox is read already."),
            ),
        )

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """The page with its settings."""
        return reverse("mailbox_edit", args=[self.pk])


class MailFolder(models.Model):
    """How far a folder has been read: the last UID, which counts only under its UIDVALIDITY (RFC 3501)."""

    mailbox = models.ForeignKey(Mailbox, models.CASCADE, related_name="folders")
    name = models.CharField(max_length=255)
    is_sent = models.BooleanField(default=False)
    uid_validity = models.BigIntegerField(default=0)
    last_uid = models.BigIntegerField(default=0)
    # The message that was begun last, and how often: one of which its readers die is not tried for ever.
    tried_uid_validity = models.BigIntegerField(default=0)
    tried_uid = models.BigIntegerField(default=0)
    tries = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("folder of a mailbox")
        verbose_name_plural = _("folders of mailboxes")
        ordering = ("pk",)
        constraints = (models.UniqueConstraint(fields=("mailbox", "name"), name="crm_mailfolder_once"),)

    def __str__(self) -> str:
        return self.name


class ReceiptQuerySet(models.QuerySet["Receipt"]):
    """Receipts, by whom they concern."""

    def addressed_to(self, user: User) -> Self:
        """Of messages that `user` may place: sent to them, to their team, or to whom they lead."""
        if not user.may_write:
            return self.none()
        if user.editable_owner_ids is None:
            return self.all()
        teams = Q(mailbox__team__leaders=user)
        if user.team_id:
            teams |= Q(mailbox__team_id=user.team_id)
        return self.filter(within("person_id", user.editable_owner_ids) | Q(person=None) & teams)


class Receipt(models.Model):
    """One message read from a mailbox, once: by its UID, and by its Message-ID wherever else in it the message lies."""

    class Outcome(models.TextChoices):
        """What became of it."""

        KEPT = "kept", _("kept")
        KNOWN = "known", _("came in before")
        OURS = "ours", _("written here")
        INTERNAL = "internal", _("between colleagues")
        UNKNOWN = "unknown", _("of nobody known")
        BROKEN = "broken", _("not readable")

    mailbox = models.ForeignKey(Mailbox, models.CASCADE, related_name="receipts")
    folder = models.ForeignKey(MailFolder, models.CASCADE, related_name="+")
    uid_validity = models.BigIntegerField()
    uid = models.BigIntegerField()
    key = models.CharField(max_length=64, help_text=_("A hash of the Message-ID and the sender, else of all of it."))
    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome.choices)
    email = models.ForeignKey("crm.Email", models.SET_NULL, null=True, blank=True, related_name="receipts")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("addressee")
    )
    at = models.DateTimeField(_("read"), default=timezone.now)

    objects = ReceiptQuerySet.as_manager()

    class Meta:
        verbose_name = _("received message")
        verbose_name_plural = _("received messages")
        ordering = ("-pk",)
        constraints = (
            models.UniqueConstraint(fields=("folder", "uid_validity", "uid"), name="crm_receipt_uid"),
            models.UniqueConstraint(fields=("mailbox", "key"), name="crm_receipt_key"),
        )

    def __str__(self) -> str:
        return f"{self.folder_id}:{self.uid}"


class DropAddress(models.Model):
    """The part behind the + of the address to which a person sends copies and forwards mail."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="drop_address")
    token = models.CharField(max_length=40, unique=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("address for copies")
        verbose_name_plural = _("addresses for copies")

    def __str__(self) -> str:
        return self.token
