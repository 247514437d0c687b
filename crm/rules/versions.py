"""Who was first, for rows whose rules do not ask for a version themselves."""

from __future__ import annotations

from typing import cast

from crm.models import FollowUp, Subject
from crm.rules.errors import RecordConflict


def hold_follow_up(follow_up: FollowUp, *, seen_version: int) -> None:
    """Raise RecordConflict unless the follow-up is as it was seen, and keep it so until this transaction ends.

    It locks what the rules of follow-ups lock, the subject, so that the two never wait for each other crosswise.
    """
    subject = cast("Subject", follow_up.subject)
    type(subject)._default_manager.select_for_update(of=("self",)).filter(pk=subject.pk).values_list("pk").first()
    fresh = FollowUp.objects.select_related("assignee").get(pk=follow_up.pk)
    if fresh.version != seen_version:
        raise RecordConflict(fresh)
