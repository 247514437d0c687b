"""Telling people of next steps that somebody else gave them: once of all that were given at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm.models import FollowUp, Notification, OutboxRow, User
from crm.rules import outbox
from crm.rules.notice_kinds import NoticeKind, register
from crm.rules.outbox import Intent, NotNeeded, Outcome, Sender
from crm.rules.sending import Postbox
from crm.rules.telling import News, tell

GIVEN = "follow_up_given"
KIND = register(NoticeKind(GIVEN, gettext_lazy("Next steps that somebody gave you"), icon="users"))


def tell_of_given(follow_ups: Collection[FollowUp], *, to: User, by: User | None, now: dt.datetime) -> None:
    """Queue one notice to `to` of all that `by` gave them; none of what they took themselves, or the system planned."""
    if by is None or by.pk == to.pk or not follow_ups:
        return
    ids = [row.pk for row in follow_ups]
    key = f"{GIVEN}:{ids[0]}:{to.pk}:{now.astimezone(dt.UTC):%Y%m%d%H%M%S%f}"
    outbox.queue([Intent(GIVEN, key, to.pk, due_at=now, payload={"follow_ups": ids, "by": by.pk})])


def send_given(row: OutboxRow, postbox: Postbox) -> Outcome:
    """Tell of those that are still open and still theirs."""
    person = row.recipient
    rows = FollowUp.objects.open().filter(pk__in=row.payload["follow_ups"], assignee=person)
    given = list(rows.order_by("due_at", "pk"))
    giver = User.objects.filter(pk=row.payload["by"]).first()
    if person is None or giver is None or not given:
        return NotNeeded("done, deleted or given to somebody else")
    with translation.override(person.language):
        text = _("%(person)s gave you: %(title)s") % {"person": giver, "title": given[0].title}
        if len(given) > 1:
            words = ngettext(
                "%(person)s gave you %(count)d next step", "%(person)s gave you %(count)d next steps", len(given)
            )
            text = words % {"person": giver, "count": len(given)}
    first = given[0]
    notice = Notification.of_step(first, user=person, kind=KIND.key, dedupe_key=row.dedupe_key, text=text)
    return tell(row, News(person, [notice], GIVEN, {"text": text, "given": given}), postbox)


outbox.register(Sender(GIVEN, send_given, digest=outbox.LATE_NEWS, label=KIND.label))
