"""Pairs of records that may be one, why, how sure that is, and what people decided about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.apps import apps
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.models.merges import Merge

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from crm.models.accounts import User

MERGEABLE = ("lead", "contact", "company")
"""The kinds of records of which two may be one."""


class Reason(models.TextChoices):
    """What two records have in common."""

    EMAIL = "email", _("same e-mail")
    PHONE = "phone", _("same phone")
    DOMAIN = "domain", _("same domain")
    NAME = "name", _("same name")
    SIMILAR_NAME = "similar_name", _("similar name")
    COMPANY = "company", _("same company")


class Strength(models.IntegerChoices):
    """How sure it is that two records are one."""

    POSSIBLE = 1, _("Possibly the same")
    LIKELY = 2, _("Probably the same")
    CERTAIN = 3, _("Surely the same")


class SuspicionQuerySet(models.QuerySet["DuplicateSuspicion"]):
    """Suspicions, by who may know of them and what was decided."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Suspicions of which `user` may see both records."""
        return self._where_both(lambda rows: rows.visible_to(user))

    def editable_by(self, user: User | AnonymousUser) -> Self:
        """Suspicions that `user` may decide: they may change both records."""
        return self._where_both(lambda rows: rows.editable_by(user))

    def open(self) -> Self:
        """Suspicions that nobody has decided."""
        return self.filter(state=DuplicateSuspicion.State.OPEN)

    def about(self, kind: str, pk: int) -> Self:
        """Suspicions of one record."""
        return self.filter(Q(left_id=pk) | Q(right_id=pk), kind=kind)

    def _where_both(self, cut: object) -> Self:
        reach = Q(pk__in=())
        for kind in MERGEABLE:
            pks = cut(apps.get_model("crm", kind).objects).order_by().values("pk")  # type: ignore[operator]
            reach |= Q(kind=kind, left_id__in=pks, right_id__in=pks)
        return self.filter(reach)


class DuplicateSuspicion(models.Model):
    """Two records of a kind, the older first, that may be one."""

    class State(models.TextChoices):
        """What was decided."""

        OPEN = "open", _("open")
        MERGED = "merged", _("merged")
        DIFFERENT = "different", _("not the same")

    kind = models.CharField(_("kind"), max_length=20)
    left_id = models.BigIntegerField()
    right_id = models.BigIntegerField()
    reasons = ArrayField(models.CharField(max_length=20, choices=Reason.choices), verbose_name=_("reasons"))
    strength = models.PositiveSmallIntegerField(_("how sure"), choices=Strength.choices)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OPEN)
    found_at = models.DateTimeField(_("found"), default=timezone.now)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("decided by")
    )
    merge = models.ForeignKey(Merge, models.SET_NULL, null=True, blank=True, related_name="suspicions")
    """The merge that decided it, or that brought a decision over from a merged record."""

    objects = SuspicionQuerySet.as_manager()

    class Meta:
        verbose_name = _("suspected duplicate")
        verbose_name_plural = _("suspected duplicates")
        ordering = ("-strength", "-pk")
        constraints = (
            models.UniqueConstraint(fields=("kind", "left_id", "right_id"), name="crm_suspicion_pair_once"),
            models.CheckConstraint(name="crm_suspicion_ordered", condition=Q(left_id__lt=F("right_id"))),
        )
        indexes = (
            # The list to work through, the surest first.
            models.Index(fields=("kind", "-strength", "-id"), name="crm_suspicion_open", condition=Q(state="open")),
            # What is suspected of one record; its pairs as the left one are found by the constraint.
            models.Index(fields=("kind", "right_id"), name="crm_suspicion_right"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.left_id} = {self.right_id}"

    @property
    def why(self) -> str:
        """The reasons in words."""
        return ", ".join(str(Reason(reason).label) for reason in self.reasons)


class DuplicateCheck(models.Model):
    """A record that is to be compared with the others; PostgreSQL adds one when a record is new or has changed."""

    kind = models.CharField(max_length=20)
    record_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.kind} {self.record_id}"
