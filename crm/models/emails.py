"""E-mail with customers: what was written to one person or came from one, and the texts it is written from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from crm.models.access import OwnedQuerySet, Recoverable, within
from crm.models.accounts import User
from crm.models.activities import Activity
from crm.models.audit import audited
from crm.models.mailboxes import Receipt
from crm.models.outbox import OutboxRow
from crm.models.personal import holds_personal
from crm.models.subjects import subject_models

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

LONGEST_BODY = 100_000


def domain_column(address: str) -> models.GeneratedField:
    """A stored column with what stands behind the last @ of an address, in lower case."""
    parts = Func(Lower(address), Value("@"), Value(-1), function="split_part", output_field=models.TextField())
    return models.GeneratedField(expression=parts, output_field=models.TextField(), db_persist=True)


class EmailTemplateQuerySet(OwnedQuerySet):
    """Templates: one's own, and those shared with everybody."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Also those that are shared."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.visible_owner_ids is None:
            return self.present()
        return self.present().filter(within("owner_id", user.visible_owner_ids) | Q(is_shared=True))


@holds_personal(
    searched=("name", "subject", "subject_ru", "body", "body_ru"),
    strikes=("name", "subject", "subject_ru", "body", "body_ru"),
    is_shared=True,
)
@audited(kind="email_template", ignore=("body", "body_ru"))
class EmailTemplate(Recoverable):
    """A text with merge fields, in both languages; the recipient's or the chosen one is taken, English where empty."""

    name = models.CharField(_("name"), max_length=120)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("owner"))
    is_shared = models.BooleanField(_("shared with everybody"), default=False)
    subject = models.CharField(_("subject"), max_length=200)
    subject_ru = models.CharField(_("subject in Russian"), max_length=200, blank=True)
    body = models.TextField(_("text"), max_length=LONGEST_BODY)
    body_ru = models.TextField(_("text in Russian"), blank=True, max_length=LONGEST_BODY)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    objects = EmailTemplateQuerySet.as_manager()

    class Meta:
        verbose_name = _("e-mail template")
        verbose_name_plural = _("e-mail templates")
        ordering = ("name", "pk")

    def __str__(self) -> str:
        return self.name

    def texts(self, language: str | None = None) -> tuple[str, str]:
        """The subject and the body in a language, by default the one being spoken."""
        is_russian = (language or get_language() or "").startswith("ru")
        if is_russian and self.body_ru:
            return self.subject_ru or self.subject, self.body_ru
        return self.subject, self.body


class EmailQuerySet(models.QuerySet["Email"]):
    """E-mails, by whose they are and what became of them."""

    def visible_to(self, user: User) -> Self:
        """Those about records the person sees; one about nothing yet is the affair of whose mailbox it came into."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        seen = Q(subject_type=None, pk__in=Receipt.objects.addressed_to(user).values("email"))
        for model in subject_models().values():
            kind = ContentType.objects.get_for_model(model)
            ids = model._default_manager.all().visible_to(user).values("pk")  # type: ignore[attr-defined]
            seen |= Q(subject_type=kind, subject_id__in=ids)
        return self.filter(seen)

    def outbound(self) -> Self:
        """Those we wrote."""
        return self.filter(direction=Activity.Direction.OUT)

    def inbound(self) -> Self:
        """Those that came in."""
        return self.filter(direction=Activity.Direction.IN)

    def unsorted(self) -> Self:
        """Those that came in (or were copied to us) and belong to no record yet."""
        return self.filter(subject_type=None, is_set_aside=False)


@holds_personal(
    addresses=("from_address", "to_address"),
    blanks=(
        "from_address",
        "from_name",
        "to_address",
        "to_name",
        "subject_line",
        "html",
        "text",
        "new_text",
        "bounce_detail",
        "copied_to",
        "suggested_for",
    ),
    strikes=("subject_line", "html", "text", "new_text", "copied_to", "suggested_for"),
)
class Email(models.Model):
    """One message to one person, or from one. Outbound it is frozen when queued; its `row` says what became of it."""

    class Nature(models.TextChoices):
        """Who or what wrote it: only a person's is an answer."""

        PERSON = "person", pgettext_lazy("e-mail by", "a person")
        AUTO_REPLY = "auto_reply", _("an automatic reply")
        BOUNCE = "bounce", _("a bounce")
        COMPLAINT = "complaint", _("a complaint")

    direction = models.CharField(_("direction"), max_length=3, choices=Activity.Direction.choices)
    nature = models.CharField(_("written by"), max_length=10, choices=Nature.choices, default=Nature.PERSON)
    subject_type = models.ForeignKey(ContentType, models.PROTECT, null=True, blank=True, related_name="+")
    subject_id = models.BigIntegerField(null=True, blank=True)
    subject = GenericForeignKey("subject_type", "subject_id")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("author")
    )
    template = models.ForeignKey(
        EmailTemplate, models.SET_NULL, null=True, blank=True, related_name="emails", verbose_name=_("template")
    )
    activity = models.OneToOneField(Activity, models.SET_NULL, null=True, blank=True, related_name="email")
    answers = models.ForeignKey(
        Activity,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="answered_by",
        help_text=_("The touch it answers."),
    )
    row = models.OneToOneField(OutboxRow, models.SET_NULL, null=True, blank=True, related_name="email")
    from_address = models.CharField(_("from"), max_length=320, blank=True)
    from_name = models.CharField(max_length=200, blank=True)
    to_address = models.CharField(_("to"), max_length=320, blank=True)
    to_domain = domain_column("to_address")
    to_name = models.CharField(max_length=200, blank=True)
    copied_to = models.TextField(_("copies to"), blank=True)
    subject_line = models.CharField(_("subject"), max_length=500, blank=True)
    html = models.TextField(_("text"), blank=True)
    text = models.TextField(_("plain text"), blank=True)
    new_text = models.TextField(_("what is new in it"), blank=True)
    message_id = models.CharField(max_length=500, blank=True, db_index=True)
    provider_id = models.CharField(
        max_length=500, blank=True, db_index=True, help_text=_("The name that a mail provider gave it, where it did.")
    )
    in_reply_to = models.CharField(max_length=500, blank=True)
    references = models.TextField(blank=True)
    can_unsubscribe = models.BooleanField(_("offers to unsubscribe"), default=False)
    is_set_aside = models.BooleanField(_("set aside"), default=False)
    is_cut = models.BooleanField(_("too large: only its beginning was read"), default=False)
    suggested = models.CharField(
        _("suggested response"), max_length=10, choices=Activity.Response.choices, default=Activity.Response.NONE
    )
    suggested_for = models.CharField(_("words that suggest it"), max_length=200, blank=True)
    bounced_at = models.DateTimeField(_("bounced"), null=True, blank=True)
    bounce_detail = models.CharField(_("why it came back"), max_length=500, blank=True)
    created_at = models.DateTimeField(_("written"), default=timezone.now)
    at = models.DateTimeField(_("sent or received"), null=True, blank=True)

    objects = EmailQuerySet.as_manager()

    class Meta:
        verbose_name = _("e-mail")
        verbose_name_plural = _("e-mails")
        ordering = ("-created_at", "-pk")
        constraints = (
            models.CheckConstraint(
                name="crm_email_subject_whole",
                condition=Q(subject_type__isnull=True, subject_id__isnull=True)
                | Q(subject_type__isnull=False, subject_id__isnull=False),
                violation_error_message=_("An e-mail is about one record, or about none yet."),
            ),
        )
        indexes = (
            # The e-mails of a record.
            models.Index(fields=("subject_type", "subject_id", "-created_at"), name="crm_email_subject"),
            # The daily allowance of a sender.
            models.Index(fields=("author", "at"), name="crm_email_sent_by", condition=Q(direction="out")),
            # The daily allowance of a domain.
            models.Index(fields=("to_domain", "at"), name="crm_email_sent_to", condition=Q(direction="out")),
            # Which of ours an address has got: bounces, threads by address.
            models.Index(Lower("to_address"), F("created_at").desc(), name="crm_email_to"),
            # Whether an address has written: asked before each letter of a sequence.
            models.Index(Lower("from_address"), F("at"), name="crm_email_from", condition=Q(direction="in")),
            # What waits for a person to say where it belongs.
            models.Index(
                fields=("-at",),
                name="crm_email_unsorted",
                condition=Q(subject_type=None, is_set_aside=False),
            ),
        )

    def __str__(self) -> str:
        return self.subject_line or str(_("(no subject)"))


@holds_personal(keys=("email",), is_deleted=True)
class EmailAttachment(models.Model):
    """A file of a template or an e-mail, or one held for its author until the e-mail can be written.

    Its contents stay in the database, where every worker finds them.
    """

    email = models.ForeignKey(Email, models.CASCADE, null=True, blank=True, related_name="attachments")
    template = models.ForeignKey(EmailTemplate, models.CASCADE, null=True, blank=True, related_name="attachments")
    held_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    name = models.CharField(_("name"), max_length=200)
    content_type = models.CharField(max_length=100)
    content = models.BinaryField()
    size = models.PositiveIntegerField(_("bytes"))
    content_id = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        ordering = ("pk",)
        constraints = (
            models.CheckConstraint(
                name="crm_attachment_of_one",
                condition=Q(email__isnull=False, template__isnull=True, held_by__isnull=True)
                | Q(email__isnull=True, template__isnull=False, held_by__isnull=True)
                | Q(email__isnull=True, template__isnull=True, held_by__isnull=False),
                violation_error_message=_("A file belongs to an e-mail or to a template."),
            ),
        )
        # Files held for e-mails that were never written, to throw away.
        indexes = (
            models.Index(fields=("created_at",), name="crm_attachment_held", condition=Q(held_by__isnull=False)),
        )

    def __str__(self) -> str:
        return self.name


@holds_personal(addresses=("address",))
@audited(kind="suppression")
class Suppression(models.Model):
    """An address that gets no more mail, and why; asked again in the moment of sending."""

    class Reason(models.TextChoices):
        """Why nothing is sent any more."""

        UNSUBSCRIBED = "unsubscribed", _("unsubscribed")
        BOUNCED = "bounced", _("the address does not exist")
        COMPLAINED = "complained", _("marked our mail as spam")
        BY_HAND = "by_hand", _("entered by a person")

    address = models.CharField(_("address"), max_length=320, unique=True, help_text=_("In lower case."))
    reason = models.CharField(_("reason"), max_length=12, choices=Reason.choices)
    detail = models.CharField(_("in their words"), max_length=500, blank=True)
    email = models.ForeignKey(Email, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("e-mail"))
    at = models.DateTimeField(_("since"), default=timezone.now)

    class Meta:
        verbose_name = _("suppressed address")
        verbose_name_plural = _("suppressed addresses")
        ordering = ("-at", "-pk")
        constraints = (
            models.CheckConstraint(
                name="crm_suppression_folded",
                condition=Q(address=Lower("address")),
                violation_error_message=_("Write the address in lower case."),
            ),
        )

    def __str__(self) -> str:
        return self.address


@holds_personal(addresses=("address",), is_deleted=True, is_log=True)
class SoftBounce(models.Model):
    """A report that an address could not be reached this time; five in a row, and it gets no more mail."""

    address = models.CharField(_("address"), max_length=320)
    key = models.CharField(max_length=300, unique=True, help_text=_("The report's own: one told twice counts once."))
    email = models.ForeignKey(Email, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("e-mail"))
    detail = models.CharField(_("in their words"), max_length=500, blank=True)
    at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("soft bounce")
        verbose_name_plural = _("soft bounces")
        ordering = ("-at", "-pk")
        # How many in a row an address has had.
        indexes = (models.Index(fields=("address",), name="crm_softbounce_address"),)

    def __str__(self) -> str:
        return self.address
