"""Public forms that make leads: their fields, what visitors agree to, and where they may stand."""

from __future__ import annotations

import re
from typing import Self
from urllib.parse import urlsplit

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator, URLValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from crm.models.audit import audited
from crm.models.leads import Campaign, LeadSource
from crm.models.text import Bilingual

RESERVED_KEYS = frozenset(
    {"token", "consent", "website_address", "page", "referrer", "lang", "theme"}
    | {f"utm_{name}" for name in ("source", "medium", "campaign", "term", "content")}
)
"""What a form sends along with its own fields; no field may take these names."""

ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?", re.IGNORECASE)


def validate_origin(text: str) -> None:
    """Refuse what is not a scheme and a host alone."""
    if not ORIGIN.fullmatch(text):
        raise ValidationError(_("Write a site as https://www.example.com, without a path."), code="origin")


def in_language(text: str, text_ru: str) -> str:
    """Return the text in the language being spoken, the other one where that is empty."""
    first, second = (text_ru, text) if (get_language() or "").startswith("ru") else (text, text_ru)
    return first or second


class LeadFormQuerySet(models.QuerySet["LeadForm"]):
    """Lead forms, by what they are good for."""

    def public(self) -> Self:
        """Forms that take what visitors send."""
        return self.filter(is_active=True)


@audited(kind="lead_form", ignore=("turn_id",))
class LeadForm(Bilingual):
    """A public form that creates leads; an admin builds it out of fields, without code."""

    class Languages(models.TextChoices):
        """Which languages the form speaks."""

        BOTH = "both", _("English and Russian")
        ENGLISH = "en", _("English")
        RUSSIAN = "ru", _("Russian")

    class OwnerRule(models.TextChoices):
        """Whose its leads are."""

        RULES = "rules", _("as the assignment rules say")
        PERSON = "person", _("always the same person")
        TEAM = "team", _("the people of a team in turn")
        NOBODY = "nobody", _("nobody: they are taken from the inbox")

    slug = models.SlugField(_("slug"), unique=True, help_text=_("Stands in the form's address."))
    is_active = models.BooleanField(_("takes submissions"), default=True)
    languages = models.CharField(_("languages"), max_length=4, choices=Languages.choices, default=Languages.BOTH)
    intro = models.TextField(_("introduction"), blank=True, max_length=2000)
    intro_ru = models.TextField(_("introduction in Russian"), blank=True, max_length=2000)
    source = models.ForeignKey(
        LeadSource, models.PROTECT, null=True, blank=True, related_name="forms", verbose_name=_("source")
    )
    campaign = models.ForeignKey(
        Campaign,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="forms",
        verbose_name=_("campaign"),
        help_text=_("Left empty, utm_campaign in the address names it, where there is a campaign of that name."),
    )
    owner_rule = models.CharField(_("owner"), max_length=8, choices=OwnerRule.choices, default=OwnerRule.RULES)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("person")
    )
    team = models.ForeignKey(
        "crm.Team", models.SET_NULL, null=True, blank=True, related_name="lead_forms", verbose_name=_("team")
    )
    turn = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    """Who of the team got the last lead."""
    consent = models.TextField(
        _("what visitors agree to"),
        blank=True,
        max_length=4000,
        help_text=_("Each change makes a new version; every submission keeps the version its visitor agreed to."),
    )
    consent_ru = models.TextField(_("what visitors agree to, in Russian"), blank=True, max_length=4000)
    thanks = models.TextField(_("thank-you text"), blank=True, max_length=2000)
    thanks_ru = models.TextField(_("thank-you text in Russian"), blank=True, max_length=2000)
    redirect_url = models.URLField(
        _("thank-you page of your own"),
        blank=True,
        validators=[URLValidator(schemes=["https", "http"])],
        help_text=_("Must be on this server or on one of the sites below."),
    )
    sites = ArrayField(
        models.CharField(max_length=200, validators=[validate_origin]),
        verbose_name=_("sites the form stands on"),
        blank=True,
        default=list,
        help_text=_("One a line, such as https://www.example.com. Only these may embed the form or call its address."),
    )
    reply_subject = models.CharField(_("subject of the automatic answer"), max_length=150, blank=True)
    reply_subject_ru = models.CharField(_("subject of the automatic answer in Russian"), max_length=150, blank=True)
    reply = models.TextField(
        _("automatic answer"),
        blank=True,
        max_length=4000,
        help_text=_("Sent once to who left an e-mail address, exactly as written here. Left empty, none is sent."),
    )
    reply_ru = models.TextField(_("automatic answer in Russian"), blank=True, max_length=4000)
    least_seconds = models.PositiveSmallIntegerField(
        _("least seconds to fill in"), default=3, help_text=_("Who is quicker is taken for a program and kept out.")
    )
    most_an_hour = models.PositiveIntegerField(
        _("submissions an hour"), default=200, help_text=_("What goes beyond is kept out, and can be let in.")
    )
    most_by_address = models.PositiveIntegerField(
        _("submissions by one address in 10 minutes"), default=60, help_text=_("People in one office share an address.")
    )

    objects = LeadFormQuerySet.as_manager()

    class Meta:
        verbose_name = _("lead form")
        verbose_name_plural = _("lead forms")
        ordering = ("name",)
        constraints = (
            models.CheckConstraint(
                name="crm_leadform_person_is_named",
                condition=~Q(owner_rule="person") | Q(owner__isnull=False),
                violation_error_message=_("Name the person who gets the leads."),
            ),
        )

    def clean(self) -> None:
        """Refuse a redirect to elsewhere, a team that is missing, a campaign of another source."""
        self.sites = [site.strip().rstrip("/").lower() for site in self.sites if site.strip()]
        errors: dict[str, ValidationError] = {}
        if self.redirect_url and self.redirect_origin not in self.own_origins:
            errors["redirect_url"] = ValidationError(_("Add the site of this page to the sites below first."))
        if self.owner_rule == self.OwnerRule.TEAM and self.team is None:
            errors["team"] = ValidationError(_("Name the team whose people get the leads."))
        if self.campaign and self.source and self.campaign.source_id != self.source_id:
            errors["campaign"] = ValidationError(_("This campaign belongs to another source."))
        if errors:
            raise ValidationError(errors)

    @property
    def spoken(self) -> tuple[str, ...]:
        """The codes of the languages it speaks, the first one by default."""
        return ("en", "ru") if self.languages == self.Languages.BOTH else (self.languages,)

    @property
    def redirect_origin(self) -> str:
        """Scheme and host of the thank-you page of one's own, "" without one."""
        parts = urlsplit(self.redirect_url)
        return f"{parts.scheme}://{parts.netloc}".lower() if self.redirect_url else ""

    @property
    def own_origins(self) -> frozenset[str]:
        """The sites it may send visitors to."""
        return frozenset({*self.sites, settings.PUBLIC_BASE_URL.lower()})

    @property
    def allowed_redirect(self) -> str:
        """Where to send visitors afterwards; "" where that is no longer an allowed site."""
        return self.redirect_url if self.redirect_origin in self.own_origins else ""

    def text(self, name: str) -> str:
        """Return `intro`, `thanks`, `reply` or `reply_subject` in the language being spoken."""
        return in_language(getattr(self, name), getattr(self, f"{name}_ru"))


class LeadFormField(models.Model):
    """One question of a form; its answer goes into a field of the lead, or is kept beside it."""

    class Kind(models.TextChoices):
        """How it is asked."""

        TEXT = "text", _("one line")
        LONG = "long", _("several lines")
        EMAIL = "email", _("e-mail")
        PHONE = "phone", _("phone")
        NUMBER = "number", _("number")
        DATE = "date", _("day")
        CHOICE = "choice", _("one of several")
        TICK = "tick", _("yes or no")

    class MapsTo(models.TextChoices):
        """Where the answer goes."""

        NAME = "name", pgettext_lazy("person", "name")
        COMPANY = "company_name", _("company")
        EMAIL = "email", _("e-mail")
        PHONE = "phone", _("phone")
        MESSAGE = "message", _("what they wrote")

    form = models.ForeignKey(LeadForm, models.CASCADE, related_name="fields", verbose_name=_("form"))
    position = models.PositiveIntegerField(_("position"), default=0)
    key = models.SlugField(
        _("key"),
        max_length=40,
        validators=[
            RegexValidator(r"^[a-z][a-z0-9_-]*$", _("Begin with a small letter; then letters, digits, _ and -."))
        ],
        help_text=_("What a form of your own calls this field."),
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices, default=Kind.TEXT)
    label = models.CharField(_("label"), max_length=200)
    label_ru = models.CharField(_("label in Russian"), max_length=200, blank=True)
    is_required = models.BooleanField(_("required"), default=False)
    maps_to = models.CharField(
        _("goes into"), max_length=12, choices=MapsTo.choices, blank=True, help_text=_("Empty: kept beside the lead.")
    )
    choices = models.TextField(
        _("choices"), blank=True, max_length=4000, help_text=_("One a line; “English | Russian” gives both languages.")
    )

    class Meta:
        verbose_name = _("field of a form")
        verbose_name_plural = _("fields of a form")
        ordering = ("position", "pk")
        constraints = (
            models.UniqueConstraint(fields=("form", "key"), name="crm_leadformfield_one_key"),
            models.UniqueConstraint(
                fields=("form", "maps_to"),
                name="crm_leadformfield_one_place",
                condition=~Q(maps_to=""),
                violation_error_message=_("Two fields cannot go into the same field of the lead."),
            ),
        )

    def __str__(self) -> str:
        return in_language(self.label, self.label_ru)

    def clean(self) -> None:
        """Refuse a reserved key, a choice without choices, and an answer that its place cannot hold."""
        if self.key in RESERVED_KEYS:
            raise ValidationError({"key": _("This key has a meaning of its own; take another.")})
        if self.kind == self.Kind.CHOICE and len(self.options) < 2:
            raise ValidationError({"choices": _("Give at least two choices, one a line.")})
        fitting = {self.MapsTo.EMAIL: {self.Kind.EMAIL}, self.MapsTo.PHONE: {self.Kind.PHONE}}
        if self.maps_to in fitting and self.kind not in fitting[self.MapsTo(self.maps_to)]:
            raise ValidationError({"kind": _("This place of the lead wants a field of its own kind.")})

    @property
    def options(self) -> list[tuple[str, str]]:
        """The choices: what is stored (the English wording) and what is read in the language being spoken."""
        pairs = [line.partition("|") for line in self.choices.splitlines() if line.strip()]
        return [(english.strip(), in_language(english.strip(), russian.strip())) for english, _bar, russian in pairs]


class ConsentText(models.Model):
    """What visitors of a form agreed to from a moment on; never altered, so that it can be shown later."""

    form = models.ForeignKey(LeadForm, models.PROTECT, related_name="consents", verbose_name=_("form"))
    number = models.PositiveIntegerField(_("version"))
    text = models.TextField(_("text"), blank=True)
    text_ru = models.TextField(_("text in Russian"), blank=True)
    since = models.DateTimeField(_("since"), default=timezone.now)

    class Meta:
        verbose_name = _("consent text")
        verbose_name_plural = _("consent texts")
        ordering = ("-number",)
        constraints = (models.UniqueConstraint(fields=("form", "number"), name="crm_consenttext_one_number"),)
        triggers = (pgtrigger.Protect(name="never_altered", operation=pgtrigger.Update | pgtrigger.Delete),)

    def __str__(self) -> str:
        return in_language(self.text, self.text_ru)
