"""Writing to customers: a letter is merged, checked and frozen when queued; crm/rules/mailing.py sends it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError
from django.utils.translation import gettext as _

from crm.models import Activity, Contact, Email, EmailAttachment, EmailTemplate, Lead, OutboxRow, User
from crm.rules import mail_html, outbox
from crm.rules.answers import first_answer, keep_answer
from crm.rules.attached_files import File, TooLarge, refuse_too_much
from crm.rules.audit import acting
from crm.rules.errors import NotAllowed, RuleError
from crm.rules.merge_fields import Merge, merged
from crm.rules.recipients import morning_of
from crm.rules.suppression import suppressed

__all__ = [
    "EMAIL", "File", "Letter", "NoAddress", "NotToThem", "Preview", "Suppressed", "TooLarge", "TooLate",
    "answering_line", "cancel_email", "preview_email", "refuse_unreachable", "write_email", "write_emails",
]  # fmt: skip

EMAIL = "email"
"""The kind of outbox row that sends a letter."""
LONGEST_TYPED = 200
"""So long is a subject as a person writes it."""
LONGEST_SUBJECT = 500
"""More no mail program shows; a merged value may be longer than its author thought."""


class NoAddress(RuleError):
    """The person has no e-mail address, or none that mail can go to."""

    code = "no_address"


class Suppressed(RuleError):
    """The address gets no more mail from us."""

    code = "suppressed"


class NotToThem(RuleError):
    """One of several letters cannot be written, so none is; `person` is whom it was for, `refusal` says why."""

    code = "not_to_them"

    def __init__(self, person: Lead | Contact, refusal: RuleError) -> None:
        super().__init__(_("To %(name)s: %(why)s") % {"name": person.name, "why": refusal.message})
        self.person, self.refusal = person, refusal


class TooLate(RuleError):
    """The letter has left, or is leaving."""

    code = "too_late"


@dataclass(frozen=True)
class Letter:
    """What is to be written: texts with merge fields, as an author or a template gives them.

    `files` go along, and those of the template unless `files_are_all`. It leaves at `send_at`, or `in_morning` of each
    recipient, or now. Sums and days stand as in `language`.
    """

    subject_line: str
    body: str
    template: EmailTemplate | None = None
    files: Sequence[File] = ()
    files_are_all: bool = False
    answers: Email | None = None
    can_unsubscribe: bool = False
    send_at: dt.datetime | None = None
    in_morning: bool = False
    language: str = "en"


@dataclass(frozen=True)
class Preview:
    """A letter as the person would get it."""

    subject_line: str
    html: str
    text: str = field(default="")


def answering_line(answered: Email) -> str:
    """Return the subject of an answer to a letter."""
    line = answered.subject_line
    return (line if line.lower().startswith(("re:", "aw:", "отв:")) else f"Re: {line}")[:LONGEST_TYPED]


def preview_email(letter: Letter, *, about: Any, to: Lead | Contact, by: User) -> Preview:
    """Return the letter with its fields replaced for `to`; UnknownField or MissingValue where that cannot be."""
    merge = Merge(subject=about, person=to, sender=by, language=letter.language)
    line = " ".join(_line(letter, merge).split())[:LONGEST_SUBJECT]
    html = mail_html.clean(merged(mail_html.clean(letter.body), merge, is_html=True))
    return Preview(line, html, mail_html.plain(html))


def _line(letter: Letter, merge: Merge) -> str:
    """The subject that an answer takes over is another's words, and no text with fields of ours."""
    answered = letter.answers
    if answered is not None and letter.subject_line.split() == answering_line(answered).split():
        return letter.subject_line
    return merged(letter.subject_line, merge, is_html=False)


def write_email(letter: Letter, *, about: Any, to: Lead | Contact, by: User, now: dt.datetime) -> Email:
    """Queue one letter to one person, about a record `by` may change; it leaves at `send_at`, by default now.

    Raises NotAllowed, NoAddress, Suppressed, TooLarge, UnknownField or MissingValue, and then nothing is queued.
    """
    _refuse_unless_editable(about, by)
    refuse_unreachable(to)
    preview = preview_email(letter, about=about, to=to, by=by)
    files = [*letter.files, *_files_of(None if letter.files_are_all else letter.template)]
    refuse_too_much(files)
    leaves_at = morning_of(to, now=now) if letter.in_morning else letter.send_at or now
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
        _queue(email, leaves_at)
    return email


def write_emails(
    letter: Letter, *, about: Any, to: Sequence[Lead | Contact], by: User, now: dt.datetime, key: str = ""
) -> list[Email]:
    """Queue the letter to each of several people, a message for each: to all of them or, by NotToThem, to none.

    A second call with the same `key` (a double click, a retry) writes nothing and returns what the first one wrote.
    """
    purpose = f"emails:{about._meta.label_lower}:{about.pk}"
    try:
        with acting(by):
            if (before := first_answer(by=by, key=key, purpose=purpose)) is not None:
                return list(Email.objects.filter(pk__in=before["emails"]))
            emails = [_write_one(letter, about=about, to=person, by=by, now=now) for person in to]
            keep_answer(by=by, key=key, purpose=purpose, answer={"emails": [email.pk for email in emails]})
    except IntegrityError:
        # Two at once: the other has committed by now, and its answer is there.
        before = first_answer(by=by, key=key, purpose=purpose)
        if before is None:
            raise
        return list(Email.objects.filter(pk__in=before["emails"]))
    return emails


def _write_one(letter: Letter, *, about: Any, to: Lead | Contact, by: User, now: dt.datetime) -> Email:
    try:
        return write_email(letter, about=about, to=to, by=by, now=now)
    except RuleError as refusal:
        raise NotToThem(to, refusal) from refusal


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


def may_write_about(about: Any, by: User) -> bool:
    """Whether `by` may write letters about a record as things are now: about nothing, or what is in the bin, nobody."""
    return about is not None and type(about).objects.editable_by(by).filter(pk=about.pk).exists()


def _refuse_unless_editable(about: Any, by: User) -> None:
    if not may_write_about(about, by):
        raise NotAllowed(_("You may look at this, but not write from it."))
