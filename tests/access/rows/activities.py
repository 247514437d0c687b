"""Activities and follow-ups."""

from __future__ import annotations

from tests.access.policies import OWNERS, READERS, RESTORERS, WRITERS, Row, form, reads, writes
from tests.access.rows.arguments import ACTIVITY, FIND, FOLLOW_UP, about, of

ROWS: dict[str, Row] = {
    # --- Activities
    "activity_create": form(OWNERS, about("deal")),
    "activity_edit": form(OWNERS, ACTIVITY),
    "activity_delete": writes(OWNERS, ACTIVITY),
    "activity_restore": writes(RESTORERS, of(pk="deleted_activity")),
    # --- Follow-ups
    "follow_up_new": form(WRITERS, names=OWNERS),
    "follow_up_subjects": reads(WRITERS, query=FIND, names=OWNERS),
    "follow_up_add": form(OWNERS, about("deal")),
    "next_step": reads(READERS, about("deal")),
    "follow_up_done": writes(OWNERS, FOLLOW_UP),
    "follow_up_next": form(OWNERS, FOLLOW_UP),
    "follow_up_reopen": writes(OWNERS, FOLLOW_UP),
    "follow_up_snooze": writes(OWNERS, FOLLOW_UP),
    "follow_up_reschedule": form(OWNERS, FOLLOW_UP),
    "follow_up_edit": form(OWNERS, FOLLOW_UP),
    "follow_up_delete": writes(OWNERS, FOLLOW_UP),
}
