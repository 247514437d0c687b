"""What follows when a message has come in and has its place: who hears of it.

`arrived` is called in the transaction that gives the message its place: `arrived.append(stop_sequences)`.
Who is called must be quick and must not raise; it looks at `email.nature` and `email.direction` itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.models import Activity, Email, Notification, OutboxRow, User
from crm.rules.notice_kinds import Mail, NoticeKind
from crm.rules.notice_kinds import register as register_kind
from crm.rules.outbox import LATE_NEWS, Intent, NotNeeded, Outcome, Sender, queue, register
from crm.rules.sending import Postbox
from crm.rules.telling import News, tell

Arrived = Callable[[Email], object]
arrived: list[Arrived] = []

ANSWER = "email_arrived"
# By mail never at first: the message itself has come by mail.
KIND = register_kind(NoticeKind(ANSWER, gettext_lazy("Answers of customers"), icon="mail", by_mail=Mail.NEVER))


def announce(email: Email, *, now: dt.datetime) -> None:
    """Let everybody who asked for it hear of a message that has its place; a person's answer is told to its owner."""
    for hear in arrived:
        hear(email)
    if email.direction != Activity.Direction.IN or email.nature != Email.Nature.PERSON:
        return
    reader_id = getattr(email.subject, "owner_id", None) or email.author_id
    if reader_id is not None:
        queue([Intent(ANSWER, f"{ANSWER}:{email.pk}:{reader_id}", reader_id, now, {"email": email.pk})])


def _send(row: OutboxRow, postbox: Postbox) -> Outcome:
    email = Email.objects.filter(pk=row.payload["email"]).first()
    reader = row.recipient
    if reader is None or email is None or email.subject is None:
        return NotNeeded("it has no place any more")
    if not _sees(reader, email.subject):
        return NotNeeded("the record is somebody else's by now")
    with translation.override(reader.language):
        text = _("%(name)s wrote: %(line)s") % {"name": _writer(email), "line": email.subject_line or email.new_text}
    notice = Notification(user=reader, kind=KIND.key, dedupe_key=row.dedupe_key, subject=email.subject, text=text[:300])
    return tell(row, News(reader, [notice], ANSWER, {"email": email, "headline": text}), postbox)


def _writer(email: Email) -> str:
    return email.from_name or email.from_address


def _sees(person: User, subject: Any) -> bool:
    return bool(type(subject).objects.visible_to(person).filter(pk=subject.pk).exists())


register(Sender(ANSWER, _send, digest=LATE_NEWS, label=KIND.label))
