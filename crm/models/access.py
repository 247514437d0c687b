"""Who may see and change what: the one place that decides.

A rep sees what is theirs and, where their team shares, the team's; a manager sees the teams they lead; admins and
viewers see all. A rep changes what is theirs; a manager what they see; an admin everything; a viewer nothing.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Q

from crm.models.text import holds_text

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from crm.models.accounts import User


KEPT_IN_BIN = dt.timedelta(days=30)
"""How long a deleted row can be taken back."""


def within(field: str, ids: frozenset[int] | None) -> Q:
    """The condition that `field` (a foreign key to a user or team) is among `ids`; None means everybody."""
    return Q() if ids is None else Q(**{f"{field}__one_of": ids})


@models.ForeignKey.register_lookup
class OneOf(models.Lookup):
    """A foreign key that is among ids given as one array: with `in`, Django handles each of a big team's ids apart."""

    lookup_name = "one_of"

    def get_prep_lookup(self) -> Any:
        """Return the ids as psycopg writes an array."""
        return sorted(self.rhs)

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Write it as PostgreSQL itself reads `in`."""
        column, params = self.process_lhs(compiler, connection)
        return f"{column} = ANY(%s::bigint[])", (*params, self.rhs)


class Erasable(models.Model):
    """A person's record, of which an erasure on their request leaves what is counted, and nothing to change."""

    erased_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True


class OwnedQuerySet(models.QuerySet[Any]):
    """Rows that belong to somebody, and may be in the bin."""

    owner_field = "owner_id"

    def present(self) -> Self:
        """Rows that nobody has deleted."""
        return self.filter(deleted_at__isnull=True)

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Rows that `user` may read."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        return self.present().filter(self._reach(user, user.visible_owner_ids))

    def editable_by(self, user: User | AnonymousUser) -> Self:
        """Rows that `user` may change: never more than they see."""
        if not user.is_authenticated or not user.is_active or not user.may_write:
            return self.none()
        rows = self.visible_to(user)
        # What is shared is seen by more people than those who own or lead.
        is_seen_by_more = type(self).visible_to is not OwnedQuerySet.visible_to
        if is_seen_by_more or user.editable_owner_ids != user.visible_owner_ids:
            rows = rows.filter(self._reach(user, user.editable_owner_ids))
        return rows.filter(erased_at__isnull=True) if issubclass(self.model, Erasable) else rows

    def in_bin_of(self, user: User | AnonymousUser, now: dt.datetime) -> Self:
        """Deleted rows that `user` may still take back: those they could change were they not deleted."""
        if not user.is_authenticated or not user.is_active or not user.may_write:
            return self.none()
        rows = self.filter(deleted_at__gt=now - KEPT_IN_BIN).filter(self._reach(user, user.editable_owner_ids))
        return rows.filter(erased_at__isnull=True) if issubclass(self.model, Erasable) else rows

    def _reach(self, user: User, owner_ids: frozenset[int] | None) -> Q:  # noqa: ARG002 (leads look at the team)
        return within(self.owner_field, owner_ids)


class SearchedQuerySet(OwnedQuerySet):
    """Owned rows found by a text in their folded `search` column."""

    def matching(self, text: str) -> Self:
        """Rows whose search text holds every word of `text`, in any case, script and spelling; or the phone number."""
        return self.filter(holds_text(text, "search"))


class Recoverable(models.Model):
    """A row that a person deletes into a bin, from which it can be taken for 30 days."""

    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True
