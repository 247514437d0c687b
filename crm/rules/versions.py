"""Who was first: what somebody saw against what is there now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from django.db.models import F, Model

from crm.models import FollowUp, Subject, User
from crm.rules.errors import NotAllowed, RecordConflict, RuleError

Claimed = TypeVar("Claimed", bound=Model)


def claim(
    record: Claimed,
    *,
    seen_version: int,
    by: User,
    refusal: str,
    conflict: Callable[[Any], RuleError] = RecordConflict,
    related: tuple[str, ...] = ("owner",),
) -> Claimed:
    """Raise the version of the record if it is the one seen, and return it locked, with `related`; else `conflict`.

    NotAllowed, in the words of `refusal`, for who may not change it. Part of a transaction.
    """
    rows: Any = type(record)._default_manager
    if not rows.editable_by(by).filter(pk=record.pk).exists():
        raise NotAllowed(refusal)
    is_first = rows.present().filter(pk=record.pk, version=seen_version).update(version=F("version") + 1)
    fresh: Claimed = rows.select_for_update(of=("self",), no_key=True).select_related(*related).get(pk=record.pk)
    if not is_first:
        raise conflict(fresh)
    return fresh


def hold_follow_up(follow_up: FollowUp, *, seen_version: int) -> None:
    """Raise RecordConflict unless the follow-up is as it was seen, and keep it so until this transaction ends.

    It locks what the rules of follow-ups lock, the subject, so that the two never wait for each other crosswise.
    """
    subject = cast("Subject", follow_up.subject)
    rows = type(subject)._default_manager.filter(pk=subject.pk)
    rows.select_for_update(of=("self",), no_key=True).values_list("pk").first()
    fresh = FollowUp.objects.select_related("assignee").get(pk=follow_up.pk)
    if fresh.version != seen_version:
        raise RecordConflict(fresh)
