"""Records of which two may turn out to be one."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Self

import pgtrigger
from django.db import models
from django.db.models import Q

from crm.models.access import Recoverable, SearchedQuerySet

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from crm.models.accounts import User


class MergeableQuerySet(SearchedQuerySet):
    """Owned rows that may have been merged into another: those count as deleted, but no bin shows them."""

    def in_bin_of(self, user: User | AnonymousUser, now: dt.datetime) -> Self:
        """Deleted rows that `user` may still take back; a merged one comes back by undoing its merge."""
        return super().in_bin_of(user, now).filter(merged_into__isnull=True)

    def merged_away_from(self, user: User | AnonymousUser, now: dt.datetime) -> Self:
        """Merged rows that `user` may still take back: as those in the bin."""
        return super().in_bin_of(user, now).filter(merged_into__isnull=False)


class Mergeable(Recoverable):
    """A record that may be merged into another of its kind; it stays, out of sight, so that this can be undone."""

    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, editable=False, related_name="+", db_index=False
    )

    class Meta:
        abstract = True


def merged_is_gone(kind: str) -> models.CheckConstraint:
    """The truth that a merged record is out of sight."""
    return models.CheckConstraint(
        name=f"crm_{kind}_merged_is_gone", condition=Q(merged_into__isnull=True) | Q(deleted_at__isnull=False)
    )


def merged_index(kind: str) -> models.Index:
    """The index that finds what was merged into a record: by its page, and when the bin is emptied."""
    is_merged = Q(merged_into__isnull=False)
    return models.Index(fields=("merged_into",), name=f"crm_{kind}_merged_into", condition=is_merged)


def checked_for_duplicates(kind: str, *columns: str) -> pgtrigger.Trigger:
    """The trigger that has a new or changed record compared with the others, whatever wrote it.

    It only adds a row to a queue, so that a bulk import pays little; `crm.rules.suspecting` works the queue off.
    """
    return pgtrigger.Trigger(
        name=f"check_{kind}",
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.UpdateOf(*columns, "deleted_at"),
        condition=pgtrigger.Condition("NEW.deleted_at IS NULL"),
        func=f"INSERT INTO crm_duplicatecheck (kind, record_id) VALUES ('{kind}', NEW.id); RETURN NULL;",  # noqa: S608 (our own words)
    )
