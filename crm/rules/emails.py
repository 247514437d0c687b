"""Writing to customers: a letter is merged, checked and frozen when queued; crm/rules/mailing.py sends it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from crm.models import Activity, Contact, Email, EmailAttachment, EmailTemplate, Lead, OutboxRow, User
from crm.rules import mail_html, outbox
from crm.rules.audit import acting
from crm.rules.errors import NotAllowed, RuleError
from crm.rules.merge_fields import Merge, merged
from crm.rules.suppression import suppressed

EMAIL = "email"
"""The kind of outbox row that sends a letter."""
MOST_BYTES = 10 * 1024 * 1024
"""Of all files of one letter: what mail servers commonly take."""


class NoAddress(RuleError):
    """The person has no e-mail address, or none that mail can go to."""

    code = "no_address"


class Suppressed(RuleError):
    """The address gets no more mail from us."""

    code = "suppressed"


class TooLarge(RuleError):
    """The files together are larger than mail servers take."""

    code = "too_large"


class TooLate(RuleError):
    """The letter has left, or is leaving."""

    code = "too_late"


@dataclass(frozen=True)
class File:
    """Something to attach: contents with a name and a type found by looking at them."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class Letter:
    """What is to be written: texts with merge fields, as an author or a template gives them."""

    subject_line: str
    body: str
    template: EmailTemplate | None = None
    files: Sequence[File] = ()
    answers: Email | None = None
    can_unsubscribe: bool = False
    send_at: dt.datetime | None = None


@dataclass(frozen=True)
class Preview:
    """A letter as the person would get it."""

    subject_line: str
    html: str
    text: str = field(default="")


def preview_email(letter: Letter, *, about: Any, to: Lead | Contact, by: User) -> Preview:
    """Return the letter with its fields replaced for `to`; UnknownField or MissingValue where that cannot be."""
    merge = Merge(subject=about, person=to, sender=by)
    line = " ".join(merged(letter.subject_line, merge, is_html=False).split())
    html = mail_html.clean(merged(mail_html.clean(letter.body), merge, is_html=True))
    return Preview(line, html, mail_html.plain(html))


def write_email(letter: Letter, *, about: Any, to: Lead | Contact, by: User, now: dt.datetime) -> Email:
    """Queue one letter to one person, about a record `by` may change; it leaves at `send_at`, by default now.

    Raises NotAllowed, NoAddress, Suppressed, TooLarge, UnknownField or MissingValue, and then nothing is queued.
    """
    _refuse_unless_editable(about, by)
    refuse_unreachable(to)
    preview = preview_email(letter, about=about, to=to, by=by)
    files = [*letter.files, *_files_of(letter.template)]
    if sum(len(file.content) for file in files) > MOST_BYTES:
        raise TooLarge(_("The files are larger than 10 MB together. Leave one out, or send a link."))
    with acting(by):
        email = Email.objects.create(
            direction=Activity.Direction.OUT,
            subject=about,
            author=by,
            template=letter.template,
            to_address=to.email,
            to_name=to.name,
            subject_line=preview.subject_line,
            html=preview.html,
            text=preview.text,
            can_unsubscribe=letter.can_unsubscribe,
            created_at=now,
            **_thread(letter.answers),
        )
        EmailAttachment.objects.bulk_create(_attachment(email, file) for file in files)
        _queue(email, letter.send_at or now)
    return email


def queue_letter(email: Email, *, files: Sequence[File] = (), by: User | None, now: dt.datetime) -> None:
    """Queue a letter that another subject has written (an invitation, say): its words are final, its record known."""
    with acting(by):
        email.save()
        EmailAttachment.objects.bulk_create(_attachment(email, file) for file in files)
        _queue(email, now)


def cancel_email(email: Email, *, by: User) -> None:
    """Withdraw a letter that has not begun to leave; TooLate when it has."""
    _refuse_unless_editable(email.subject, by)
    with acting(by):
        if not outbox.cancel(OutboxRow.objects.filter(email=email), answer=f"cancelled by {by}"):
            raise TooLate(_("The e-mail has been sent already, or is being sent."))


def refuse_unreachable(to: Lead | Contact) -> None:
    """Raise NoAddress or Suppressed where mail cannot go to the person."""
    try:
        validate_email(to.email)
    except ValidationError as error:
        raise NoAddress(_("%(name)s has no e-mail address. Enter one first.") % {"name": to.name}) from error
    if found := suppressed(to.email):
        words = _("Nothing is sent to %(address)s any more: %(reason)s.")
        raise Suppressed(words % {"address": to.email, "reason": found.get_reason_display()})


def _queue(email: Email, due_at: dt.datetime) -> None:
    key = f"{EMAIL}:{email.pk}"
    outbox.queue([outbox.Intent(EMAIL, key, recipient_id=None, due_at=due_at, payload={"email": email.pk})])
    email.row = OutboxRow.objects.get(dedupe_key=key)
    email.message_id = email.row.message_id
    email.save(update_fields=["row", "message_id"])


def _thread(answered: Email | None) -> dict[str, str]:
    """The headers that put a letter into the thread of the one it answers."""
    if answered is None or not answered.message_id:
        return {}
    return {"in_reply_to": answered.message_id, "references": f"{answered.references} {answered.message_id}".strip()}


def _files_of(template: EmailTemplate | None) -> Iterable[File]:
    if template is None:
        return ()
    return [File(file.name, file.content_type, bytes(file.content)) for file in template.attachments.all()]


def _attachment(email: Email, file: File) -> EmailAttachment:
    return EmailAttachment(
        email=email, name=file.name, content_type=file.content_type, content=file.content, size=len(file.content)
    )


def _refuse_unless_editable(about: Any, by: User) -> None:
    if not type(about).objects.editable_by(by).filter(pk=about.pk).exists():
        raise NotAllowed(_("You may look at this, but not write from it."))
