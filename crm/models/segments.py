"""Segments: saved, named filters over leads or contacts. Always live, never a copied list."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Self
from urllib.parse import urlencode

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.models.access import KEPT_IN_BIN, OwnedQuerySet, Recoverable
from crm.models.accounts import Team
from crm.models.audit import audited
from crm.models.personal import holds_personal

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from crm.models.accounts import User


class SegmentQuerySet(OwnedQuerySet):
    """Segments, by who may use and change them. What a segment finds is always asked for within what one may see."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Segments that `user` may use: their own, those shared with everyone or with their team; admins all."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_admin:
            return self.present()
        reached = Q(owner=user.pk) | Q(shared_with=Segment.Sharing.EVERYONE)
        teams = Team.objects.all()
        if user.may_write:  # a viewer reads what anybody shares
            teams = teams.filter(Q(leaders=user) | Q(pk=user.team_id))
        reached |= Q(shared_with=Segment.Sharing.TEAM, owner__team__in=teams.values("pk"))
        return self.present().filter(reached)

    def editable_by(self, user: User | AnonymousUser) -> Self:
        """Segments that `user` may change: their own, and shared ones of those whose records they change."""
        if not user.is_authenticated or not user.is_active or not user.may_write:
            return self.none()
        return self.visible_to(user).filter(self._changed_by(user))

    def in_bin_of(self, user: User | AnonymousUser, now: dt.datetime) -> Self:
        """Deleted segments that `user` may still take back."""
        if not user.is_authenticated or not user.is_active or not user.may_write:
            return self.none()
        return self.filter(self._changed_by(user), deleted_at__gt=now - KEPT_IN_BIN)

    def about(self, kind: str) -> Self:
        """Segments of leads, or of contacts."""
        return self.filter(about=kind)

    def _changed_by(self, user: User) -> Q:
        if user.is_admin:
            return Q()
        mine = Q(owner=user.pk)
        if not user.is_manager:
            return mine
        return mine | ~Q(shared_with=Segment.Sharing.NOBODY) & Q(owner__in=user.editable_owner_ids or ())


@holds_personal(searched=("name", "conditions"), strikes=("name", "conditions"), is_shared=True)
@audited(kind="segment")
class Segment(Recoverable):
    """A named condition over leads or contacts; `conditions` is a tree that `crm.rules.segments` checks and reads."""

    class About(models.TextChoices):
        """Whom it finds."""

        LEAD = "lead", _("Leads")
        CONTACT = "contact", _("Contacts")

    class Sharing(models.TextChoices):
        """Who else may use it."""

        NOBODY = "nobody", pgettext_lazy("segment", "Only me")
        TEAM = "team", _("My team")
        EVERYONE = "everyone", _("Everyone")

    name = models.CharField(_("name"), max_length=120)
    about = models.CharField(_("of"), max_length=10, choices=About.choices, default=About.LEAD)
    shared_with = models.CharField(
        _("who may use it"),
        max_length=10,
        choices=Sharing.choices,
        default=Sharing.NOBODY,
        help_text=_("Whoever uses it finds only records they may see anyway."),
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="segments", verbose_name=_("owner")
    )
    conditions = models.JSONField(_("conditions"))
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    objects = SegmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        ordering = ("name", "pk")
        constraints = (
            models.UniqueConstraint(
                fields=("owner", "about", "name"),
                condition=Q(deleted_at=None),
                name="crm_segment_name_once",
                violation_error_message=_("You have a segment of this name already."),
            ),
        )
        # The choices of lists and rules.
        indexes = (models.Index(fields=("about", "shared_with"), name="crm_segment_choices"),)

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """The list of those it finds."""
        if self.about == self.About.CONTACT:
            return f"{reverse('contact_list')}?{urlencode({'segment': self.pk})}"
        return f"{reverse('lead_list')}?{urlencode({'view': 'all', 'segment': self.pk})}"
