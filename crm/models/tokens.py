"""Secrets that open one door each: public links, and the API. Only their SHA-256 is kept."""

from __future__ import annotations

import datetime as dt
from typing import Any, Self

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Model, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.models.accounts import User
from crm.models.audit import audited


class SecretQuerySet(models.QuerySet[Any]):
    """Secrets, by whether they still open anything."""

    def alive(self, now: dt.datetime) -> Self:
        """Neither revoked nor expired."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)


class Secret(models.Model):
    """What is kept of 32 random bytes that somebody else holds."""

    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    def is_alive(self, now: dt.datetime) -> bool:
        """Whether it still opens its door: `SecretQuerySet.alive` for one row."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


class TokenQuerySet(SecretQuerySet):
    """Tokens, by their door."""

    def opening(self, opened: Model, act: str = "") -> Self:
        """Tokens for one act, or any, on one object."""
        kind = ContentType.objects.get_for_model(opened)
        rows = self.filter(object_type=kind, object_id=opened.pk)
        return rows.filter(act=act) if act else rows


class Token(Secret):
    """Lets whoever holds its secret do one act with one object, without logging in; `crm.rules.tokens` makes them."""

    act = models.CharField(_("act"), max_length=40)
    object_type = models.ForeignKey(ContentType, models.CASCADE, related_name="+")
    object_id = models.BigIntegerField()
    opens = GenericForeignKey("object_type", "object_id")
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("issued by")
    )

    objects = TokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("link token")
        verbose_name_plural = _("link tokens")
        # All tokens of one object, to revoke them.
        indexes = (models.Index(fields=("object_type", "object_id", "act"), name="crm_token_object"),)

    def __str__(self) -> str:
        return f"{self.act} {self.object_id}"


class ApiTokenQuerySet(SecretQuerySet):
    """Tokens of the REST API, by whose they are."""

    def of(self, person: User) -> Self:
        """Those of one person; nobody else sees them, save admins in the Django admin."""
        return self.filter(user=person)


@audited(kind="api_token", ignore=("digest", "last_used_at", "busy_until"))
class ApiToken(Secret):
    """Lets a program act as a person, within its scope and that person's rights; it dies with their account.

    `busy_until` paces it: every request moves it on by a fixed step, and too far ahead of the clock is too fast.
    """

    class Scope(models.TextChoices):
        """What a program may do with it."""

        READ = "read", _("Read")
        WRITE = "write", _("Read and write")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens", verbose_name=_("person")
    )
    name = models.CharField(_("what it is for"), max_length=80)
    scope = models.CharField(_("may"), max_length=5, choices=Scope.choices, default=Scope.READ)
    hint = models.CharField(_("begins with"), max_length=16, editable=False)
    busy_until = models.DateTimeField(default=timezone.now, editable=False)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ("-created_at", "-pk")
        constraints = (
            models.CheckConstraint(
                name="crm_apitoken_expires",
                condition=Q(expires_at__isnull=False),
                violation_error_message=_("A token expires."),
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def may_write(self) -> bool:
        """Whether its scope holds more than reading."""
        return self.scope == self.Scope.WRITE
