"""The automatic answer to who sent a form: the admin's words alone, once, through the outbox.

It is no touch: it stops no response clock. And it holds nothing a visitor wrote, so that nobody can use it to send
words of theirs to an address of somebody else.
"""

from __future__ import annotations

from django.core.mail import EmailMultiAlternatives
from django.utils import translation
from django.utils.translation import gettext_lazy

from crm.models import OutboxRow, Submission, Suppression
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
    form = submission.form
    with translation.override(submission.language or form.spoken[0]):
        subject, body = form.text("reply_subject"), form.text("reply")
    if not subject or not body:
        return NotNeeded("the form answers no more")
    if Suppression.objects.filter(address=submission.email_key).exists():
        return NotNeeded("the address gets no mail")
    message = EmailMultiAlternatives(
        subject=" ".join(subject.split()),
        body=body,
        to=[submission.fields["email"]],
        headers={"Message-ID": row.message_id, "Auto-Submitted": "auto-replied", "X-Auto-Response-Suppress": "All"},
    )
    return Sent(postbox.send(message))


FORM_REPLY = register(Sender(kind=KIND, send=_send, may_repeat=False, label=gettext_lazy("Replies of lead forms")))
