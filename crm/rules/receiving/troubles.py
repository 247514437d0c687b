"""A mailbox that cannot be read: shown on its page, and told to its owner once, however long it lasts."""

from __future__ import annotations

import datetime as dt

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.models import Mailbox, Notification, OutboxRow
from crm.rules.errors import RuleError
from crm.rules.notice_kinds import NoticeKind
from crm.rules.notice_kinds import register as register_kind
from crm.rules.outbox import LATE_NEWS, Intent, NotNeeded, Outcome, Sender, queue, register
from crm.rules.receiving.connecting import LoginRefused
from crm.rules.sealing import SealBroken
from crm.rules.sending import Postbox
from crm.rules.telling import News, tell

TROUBLE = "mailbox_trouble"
KIND = register_kind(NoticeKind(TROUBLE, gettext_lazy("Mailboxes that cannot be read"), icon="mail", is_own=True))
PASSES = dt.timedelta(minutes=10)
"""A server that is away for a moment concerns nobody."""


def note_trouble(mailbox: Mailbox, trouble: RuleError, *, now: dt.datetime) -> None:
    """Write down why a mailbox cannot be read; its owner is told once of each trouble that lasts."""
    since = mailbox.trouble_since or now
    Mailbox.objects.filter(pk=mailbox.pk).update(trouble=trouble.message[:500], trouble_since=since)
    wants_a_person = isinstance(trouble, LoginRefused | SealBroken)
    if wants_a_person or now - since >= PASSES:
        key = f"{TROUBLE}:{mailbox.pk}:{since.isoformat()}"
        queue([Intent(TROUBLE, key, mailbox.owner_id, now, {"mailbox": mailbox.pk})])


def _send(row: OutboxRow, postbox: Postbox) -> Outcome:
    mailbox = Mailbox.objects.present().filter(pk=row.payload["mailbox"]).exclude(trouble="").first()
    person = row.recipient
    if mailbox is None or person is None:
        return NotNeeded("it is read again")
    with translation.override(person.language):
        text = _("The mailbox “%(name)s” cannot be read: %(why)s") % {"name": mailbox, "why": mailbox.trouble}
    notice = Notification(user=person, kind=KIND.key, dedupe_key=row.dedupe_key, subject=mailbox, text=text[:300])
    return tell(row, News(person, [notice], TROUBLE, {"mailbox": mailbox, "headline": text}), postbox)


register(Sender(TROUBLE, _send, digest=LATE_NEWS, label=KIND.label))
