"""Telling the author of a letter that it did not arrive: not sent, perhaps sent, bounced, complained about."""

from __future__ import annotations

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from crm.models import Email, Notification, OutboxRow, subjects_seen_by
from crm.rules import outbox
from crm.rules.notice_kinds import NoticeKind, register
from crm.rules.outbox import Intent, NotNeeded, Outcome, Sender
from crm.rules.sending import Postbox
from crm.rules.telling import News, tell

TROUBLE = "email_trouble"
# Also after the record was handed over: what is told is what became of the author's own words.
KIND = register(NoticeKind(TROUBLE, gettext_lazy("E-mails that did not arrive"), icon="mail", is_own=True))

DEAD, UNCLEAR = OutboxRow.State.DEAD.value, OutboxRow.State.UNCLEAR.value
BOUNCED, COMPLAINED, UNSUBSCRIBED, NOT_THEIRS = "bounced", "complained", "unsubscribed", "not_theirs"
WORDS: dict[str, str | Promise] = {
    DEAD: gettext_lazy("Not sent: “%(line)s” to %(name)s"),
    NOT_THEIRS: gettext_lazy("Not sent: “%(line)s” to %(name)s"),
    UNCLEAR: gettext_lazy("Perhaps not sent: “%(line)s” to %(name)s"),
    BOUNCED: gettext_lazy("Came back: “%(line)s” to %(name)s"),
    COMPLAINED: gettext_lazy("Marked as spam: “%(line)s” by %(name)s"),
    UNSUBSCRIBED: gettext_lazy("%(name)s wants no more mail, after “%(line)s”"),
}


def tell_of(email: Email, trouble: str) -> None:
    """Queue a notice to the author of `email`; one of each kind of trouble, however often it is reported."""
    key = f"{TROUBLE}:{email.pk}:{trouble}"
    outbox.queue([Intent(TROUBLE, key, email.author_id, payload={"email": email.pk, "trouble": trouble})])


def tell_of_unsent(row: OutboxRow) -> None:
    """Queue a notice to the author of a letter that did not leave, or may have left."""
    if email := Email.objects.filter(row=row).first():
        tell_of(email, row.state)


def send_trouble(row: OutboxRow, postbox: Postbox) -> Outcome:
    """Tell the author what became of the letter."""
    email = Email.objects.select_related("author", "row").filter(pk=row.payload["email"]).first()
    if email is None or email.author is None or email.subject is None:
        return NotNeeded("the letter is gone")
    trouble = row.payload["trouble"]
    with translation.override(email.author.language):
        text = str(WORDS[trouble]) % {"line": email.subject_line, "name": email.to_name or email.to_address}
    notice = Notification(
        user=email.author, kind=KIND.key, dedupe_key=row.dedupe_key, subject=email.subject, text=text[:300]
    )
    record = subjects_seen_by(email.author, [notice]).get((notice.subject_type_id, notice.subject_id))
    context = {
        "email": email,
        "record": record,
        "trouble": trouble,
        "headline": text,
        "reason": _reason(email, trouble),
    }
    return tell(row, News(email.author, [notice], TROUBLE, context), postbox)


def _reason(email: Email, trouble: str) -> str:
    if trouble == UNCLEAR:
        return ""
    if trouble == DEAD:
        return email.row.answer if email.row else ""
    return email.bounce_detail


outbox.register(Sender(TROUBLE, send_trouble, digest=outbox.LATE_NEWS, label=KIND.label))
