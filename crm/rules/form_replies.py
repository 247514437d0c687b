"""The automatic answer to who sent a form: the admin's words alone, once, through the outbox.

On the timeline it is no touch, and it stops no response clock. It holds nothing a visitor wrote, so that nobody can use
it to send words of theirs to an address of somebody else.
"""

from __future__ import annotations

import datetime as dt

from django.core.mail import EmailMultiAlternatives
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy

from crm.models import Activity, Lead, OutboxRow, Submission, Suppression
from crm.rules.outbox import Intent, NotNeeded, Outcome, Sender, Sent, queue, register
from crm.rules.sending import Postbox

KIND = "form_reply"


def queue_reply(submission: Submission) -> None:
    """Let the form's automatic answer be sent, if it has one and the visitor left an address; once for a lead."""
    if submission.email_key and submission.form.reply and submission.form.reply_subject:
        key = f"{KIND}:{submission.form_id}:{submission.lead_id}"
        queue([Intent(KIND, key, None, due_at=submission.at, payload={"submission": submission.pk})])


def _send(row: OutboxRow, postbox: Postbox) -> Outcome:
    rows = Submission.objects.select_related("form", "lead")
    submission = rows.filter(pk=row.payload["submission"]).first()
    if submission is None or submission.lead is None or submission.lead.deleted_at is not None:
        return NotNeeded("the lead is gone")
    subject, body = _words(submission)
    if not subject or not body:
        return NotNeeded("the form answers no more")
    if Suppression.objects.filter(address=submission.email_key).exists():
        return NotNeeded("the address gets no mail")
    message = EmailMultiAlternatives(
        subject=subject,
        body=body,
        to=[submission.fields["email"]],
        headers={"Message-ID": row.message_id, "Auto-Submitted": "auto-replied", "X-Auto-Response-Suppress": "All"},
    )
    lead = submission.lead
    return Sent(postbox.send(message), then=lambda: _note_sent(lead, subject, body, now=timezone.now()))


def _note_left(row: OutboxRow) -> None:
    """Put an answer that had left after all on the timeline, in the words of the form as they are now."""
    submission = Submission.objects.select_related("form", "lead").filter(pk=row.payload["submission"]).first()
    if submission is not None and submission.lead is not None:
        subject, body = _words(submission)
        _note_sent(submission.lead, subject, body, now=row.claimed_at or timezone.now())


def _words(submission: Submission) -> tuple[str, str]:
    form = submission.form
    with translation.override(submission.language or form.spoken[0]):
        return " ".join(form.text("reply_subject").split()), form.text("reply")


def _note_sent(lead: Lead, subject: str, body: str, *, now: dt.datetime) -> None:
    Activity.objects.create(
        subject=lead,
        kind=Activity.Kind.EMAIL,
        direction=Activity.Direction.OUT,
        is_automatic=True,
        at=now,
        title=subject[:200],
        body=body[:10_000],
    )


FORM_REPLY = register(
    Sender(kind=KIND, send=_send, may_repeat=False, label=gettext_lazy("Replies of lead forms"), left=_note_left)
)
