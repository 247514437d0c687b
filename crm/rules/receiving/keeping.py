"""Keeps a message that was read: whose it is, which way it went, where it belongs. Part of the reader's transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from crm.models import Activity, Email, EmailAttachment, Mailbox, Receipt, User
from crm.rules.bounces import Report, note_bounce, note_complaint, note_reached
from crm.rules.receiving.copies import same_as
from crm.rules.receiving.file_types import type_of
from crm.rules.receiving.forwarded import Inner, inner_message
from crm.rules.receiving.natures import Nature, is_to_many, nature_of
from crm.rules.receiving.parsing import Mail
from crm.rules.receiving.placing import Reach, is_known, place_by_address, place_by_thread, present
from crm.rules.receiving.reports import told_by
from crm.rules.receiving.timeline import put_on_timeline
from crm.rules.receiving.whose import Ours, addressee
from crm.rules.rsvp import meeting_answered

Outcome = Receipt.Outcome
IN, OUT = Activity.Direction.IN, Activity.Direction.OUT


@dataclass(frozen=True)
class Arrival:
    """A message out of a mailbox: `now` is when it was read, `person` whose affair it is (None: the team's)."""

    mail: Mail
    mailbox: Mailbox
    ours: Ours
    now: dt.datetime
    person: User | None
    is_dropped: bool = False
    """Whether a person sent it to their address for copies and forwarded mail."""
    is_sent: bool = False
    """Whether it lies among what was sent from the mailbox."""

    @property
    def at(self) -> dt.datetime:
        """When it was written, as far as that can be believed."""
        return min(self.mail.at or self.now, self.now)

    @property
    def reach(self) -> Reach:
        """Whose records it may be put on."""
        return Reach(self.person)

    @property
    def is_proven_ours(self) -> bool:
        """Whether one of us wrote it for certain. Anybody can write our address into From, and so stop our clocks."""
        return self.is_sent or (self.is_dropped and self.ours.wrote(self.mail))


def arrival_of(mail: Mail, mailbox: Mailbox, *, is_sent: bool = False, now: dt.datetime) -> Arrival:
    """Find out whom a message concerns."""
    ours = Ours.known()
    person, is_dropped = addressee(mail, mailbox)
    return Arrival(mail, mailbox, ours, now, person, is_dropped, is_sent)


def keep(arrival: Arrival) -> tuple[str, Email | None]:
    """Keep what is worth keeping; return what became of it, and the e-mail it became."""
    mail = arrival.mail
    if _was_written_here(mail):
        return Outcome.OURS, None
    nature = nature_of(mail)
    if nature in {Nature.BOUNCE, Nature.COMPLAINT}:
        return _keep_report(arrival, nature)
    if arrival.is_dropped and (inner := _passed_on(arrival)):
        return _keep_incoming(arrival, Nature.PERSON, inner)
    if arrival.is_proven_ours:
        return _keep_outgoing(arrival, nature)
    if arrival.ours.wrote(mail):
        return Outcome.INTERNAL, None
    return _keep_incoming(arrival, nature, None)


def _was_written_here(mail: Mail) -> bool:
    ours = Email.objects.outbound().filter(message_id=mail.message_id, row__isnull=False)
    return bool(mail.message_id) and ours.exists()


# --- What people outside wrote ----------------------------------------------------------------------------------------


def _keep_incoming(arrival: Arrival, nature: str, inner: Inner | None) -> tuple[str, Email | None]:
    mail = arrival.mail
    sender = inner.sender if inner else mail.sender
    if inner is None and (known := same_as(mail, Email.objects.inbound())):
        return Outcome.KNOWN, known
    answered = None
    subject, letter = (None, None) if inner else place_by_thread([*mail.in_reply_to, *reversed(mail.references)])
    if letter is not None and letter.direction == OUT:
        answered = letter.activity
    if letter is None and is_to_many(mail):
        nature = Nature.AUTO_REPLY  # it answers nobody
    if subject is None and (meeting := meeting_answered(mail.contents.calendars, by=sender[1])):
        subject = present(meeting.subject)
    if subject is None:
        subject = place_by_address([sender[1]], arrival.reach)
    if subject is None and not _is_asked_about(arrival, nature, sender[1]):
        return Outcome.UNKNOWN, None
    email = _email(arrival, IN, nature, sender=sender, inner=inner)
    email.is_set_aside = subject is None and nature != Nature.PERSON
    store(email, mail)
    note_reached(sender[1])
    if subject is not None:
        put_on_timeline(email, subject, answered=answered, now=arrival.now)
    return Outcome.KEPT, email


def _is_asked_about(arrival: Arrival, nature: str, address: str) -> bool:
    """Whether a person is asked where it belongs: not about machines and lists, nor where strangers are not kept."""
    if arrival.is_dropped:
        return True
    return (nature == Nature.PERSON and arrival.mailbox.keeps_unknown) or is_known(address)


# --- What we wrote elsewhere ------------------------------------------------------------------------------------------


def _keep_outgoing(arrival: Arrival, nature: str) -> tuple[str, Email | None]:
    """Put a copy of what one of us wrote in another program on the records of those it went to."""
    mail = arrival.mail
    outside = arrival.ours.outside([*mail.to, *mail.cc])
    if not outside:
        return Outcome.INTERNAL, None
    if copy := same_as(mail, Email.objects.outbound()):
        return Outcome.KNOWN, copy
    kept: Email | None = None
    seen: set[Any] = set()
    for recipient in outside:
        subject = place_by_address([recipient[1]], arrival.reach)
        if subject is None or subject in seen:
            continue
        seen.add(subject)
        kept = store(_email(arrival, OUT, nature, sender=mail.sender, to=recipient), mail)
        put_on_timeline(kept, subject, now=arrival.now)
    if kept is None and arrival.is_dropped:  # a copy was sent on purpose: its sender says where it belongs
        kept = store(_email(arrival, OUT, nature, sender=mail.sender, to=outside[0]), mail)
    return (Outcome.KEPT, kept) if kept else (Outcome.UNKNOWN, None)


def _passed_on(arrival: Arrival) -> Inner | None:
    """What the person passed on to their address; not where others got it too, then it is a copy of a letter."""
    mail = arrival.mail
    if arrival.ours.outside([*mail.to, *mail.cc]):
        return None
    inner = inner_message(mail)
    return None if inner is None or arrival.ours.has(inner.sender[1]) else inner


# --- What mail servers report -----------------------------------------------------------------------------------------


def _keep_report(arrival: Arrival, nature: str) -> tuple[str, Email | None]:
    """Write what became of a letter of ours; a report about anybody else's is none of our business."""
    told = told_by(arrival.mail)
    letter = Email.objects.outbound().filter(message_id__in=told.message_ids).order_by("-pk").first()
    if letter is None:
        return Outcome.UNKNOWN, None
    key = arrival.mail.key
    for failure in told.failures if nature == Nature.BOUNCE else ():
        address = failure.address if _is_of(letter, failure.address) else letter.to_address
        note_bounce(
            Report(address, f"{key}:{address}", letter, failure.detail), is_hard=failure.is_hard, now=arrival.now
        )
    if nature == Nature.COMPLAINT:
        note_complaint(Report(letter.to_address, key, letter, arrival.mail.subject_line), now=arrival.now)
    email = _email(arrival, IN, nature, sender=arrival.mail.sender)
    email.subject, email.is_set_aside, email.answers = letter.subject, True, letter.activity
    return Outcome.KEPT, store(email, arrival.mail)


def _is_of(letter: Email, address: str) -> bool:
    """Whether a report is about the one to whom the letter went: nobody can end mail to others by a report."""
    return letter.to_address.lower() == address


# --- Rows -------------------------------------------------------------------------------------------------------------


def _email(
    arrival: Arrival,
    direction: str,
    nature: str,
    *,
    sender: tuple[str, str],
    to: tuple[str, str] | None = None,
    inner: Inner | None = None,
) -> Email:
    mail = arrival.mail
    to = to or next(iter(mail.to), ("", arrival.mailbox.address))
    others = [pair for pair in (*mail.to, *mail.cc) if pair[1] != to[1]]
    by_address = arrival.ours.author(sender[1]) if direction == OUT else None
    return Email(
        direction=direction,
        nature=nature,
        author=arrival.person or by_address,
        from_address=sender[1],
        from_name=sender[0],
        to_address=to[1],
        to_name=to[0],
        copied_to=", ".join(_written(others))[:5_000],
        subject_line=inner.subject_line if inner else mail.subject_line,
        html=mail.html,
        text=mail.text,
        new_text=(inner.text if inner else mail.new_text)[:20_000],
        message_id="" if inner else mail.message_id,
        in_reply_to=next(iter(mail.in_reply_to), ""),
        references=" ".join(mail.references),
        is_cut=mail.is_cut,
        created_at=arrival.now,
        at=arrival.at,
    )


def _written(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{name} <{address}>" if name else address for name, address in pairs]


def store(email: Email, mail: Mail) -> Email:
    """Write an e-mail with the files of its message."""
    email.save()
    EmailAttachment.objects.bulk_create(
        EmailAttachment(
            email=email,
            name=file.name,
            content_type=type_of(file.content, name=file.name, declared=file.declared_type),
            content=file.content,
            size=len(file.content),
            content_id=file.content_id,
        )
        for file in mail.contents.files
    )
    return email
