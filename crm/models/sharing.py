"""What people keep under a name and share: with nobody, with their team, with everyone."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.models.access import KEPT_IN_BIN, OwnedQuerySet, Recoverable, within

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from crm.models.accounts import User


class Sharing(models.TextChoices):
    """Who else may use it."""

    NOBODY = "nobody", pgettext_lazy("segment", "Only me")
    TEAM = "team", _("My team")
    EVERYONE = "everyone", _("Everyone")


class SharedQuerySet(OwnedQuerySet):
    """Rows that their owner may share (`shared_with`), by who may use and change them."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Rows that `user` may use: their own, those shared with everyone or with their team; admins all."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_admin:
            return self.present()
        reached = Q(owner=user.pk) | Q(shared_with=Sharing.EVERYONE)
        # A viewer reads what anybody shares.
        of_teams = within("owner__team", user.own_team_ids) if user.may_write else Q(owner__team__isnull=False)
        reached |= Q(shared_with=Sharing.TEAM) & of_teams
        return self.present().filter(reached)

    def editable_by(self, user: User | AnonymousUser) -> Self:
        """Rows that `user` may change: their own, and shared ones of those whose records they change."""
        if not user.is_authenticated or not user.is_active or not user.may_write:
            return self.none()
        return self.visible_to(user).filter(self._changed_by(user))

    def in_bin_of(self, user: User | AnonymousUser, now: dt.datetime) -> Self:
        """Deleted rows that `user` may still take back."""
        if not user.is_authenticated or not user.is_active or not user.may_write:
            return self.none()
        return self.filter(self._changed_by(user), deleted_at__gt=now - KEPT_IN_BIN)

    def _changed_by(self, user: User) -> Q:
        if user.is_admin:
            return Q()
        mine = Q(owner=user.pk)
        if not user.is_manager:
            return mine
        return mine | ~Q(shared_with=Sharing.NOBODY) & Q(owner__in=user.editable_owner_ids or ())


class Shared(Recoverable):
    """A row that its owner keeps under a name, alone or with others; what it finds is each reader's own to see."""

    shared_with = models.CharField(
        _("who may use it"),
        max_length=10,
        choices=Sharing.choices,
        default=Sharing.NOBODY,
        help_text=_("Whoever uses it finds only records they may see anyway."),
    )
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("owner"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        abstract = True
