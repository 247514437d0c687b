"""What guests answer to invitations: read back from the calendar part of a message (RFC 5546, REPLY and COUNTER)."""

from __future__ import annotations

import datetime as dt
import email as mime
import email.policy
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import EmailMessage, Message
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from icalendar import Calendar

from crm.models import Attendee, Email, EmailAttachment, FollowUp, Notification, OutboxRow
from crm.models.keys import folded_address
from crm.rules import outbox
from crm.rules.calendars import when_in_words
from crm.rules.notice_kinds import NoticeKind, register
from crm.rules.outbox import Intent, NotNeeded, Outcome, Sender
from crm.rules.receiving.arriving import arrived
from crm.rules.sending import Postbox
from crm.rules.telling import News, tell
from crm.rules.wall_clock import WallTime

RSVP = "rsvp"
KIND = register(NoticeKind(RSVP, gettext_lazy("Answers to invitations"), icon="calendar-event"))
ANSWERS = {choice.value.upper(): choice.value for choice in Attendee.Answer}
REPLY, COUNTER = "REPLY", "COUNTER"
LARGEST = 256 * 1024
"""No answer is larger; what is, is not read."""
YEARS = range(1990, 2200)
"""In others nobody meets: whatever stands in a mail, the first and last years are no instants everywhere."""
MOST_CHANGES = 1_000_000
"""No meeting was planned anew more often."""
BLANK = b"\xef\xbb\xbf \t\r\n"
"""What may stand before a calendar's first line: a byte order mark, an empty line."""
_NOT_A_NAME = re.compile(r"[\r\n\x00]")


@dataclass(frozen=True)
class Rsvp:
    """One guest's answer to one invitation; `at` is when they gave it, `sequence` which one they had seen.

    `proposed` is when they could come instead, where they say so: without a zone it is on the meeting's clock.
    """

    uid: uuid.UUID
    address: str
    answer: str
    comment: str
    sequence: int
    at: dt.datetime | None
    proposed: dt.datetime | None = None


def read_rsvp(source: bytes | Message | EmailMessage, *, of: str = "") -> Rsvp | None:
    """Return the answer in a message, or in the bytes of a message or its calendar part; None where there is none.

    With the address `of` a guest theirs alone: a proposal may name everybody who is invited. It never raises.
    """
    for part in _calendars(source):
        try:
            if found := _answer(Calendar.from_ical(part), folded_address(of)):
                return found
        except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError):
            continue
    return None


def note_rsvp(rsvp: Rsvp, *, now: dt.datetime) -> Attendee | None:
    """Write down what a guest answered; None where nobody of that address was invited, or they have answered since.

    An answer to an older invitation counts for nothing: it was about another time. The organiser is told once.
    """
    rows = Attendee.objects.invited().filter(follow_up__uid=rsvp.uid, address=rsvp.address)
    attendee: Attendee | None = rows.select_for_update(of=("self",)).select_related("follow_up").first()
    if attendee is None or rsvp.sequence < attendee.follow_up.calendar_sequence:
        return None
    at = min(rsvp.at or now, now)
    if attendee.answered_at is not None and at < attendee.answered_at:
        return None
    proposed_at = _on_clock_of(attendee.follow_up, rsvp.proposed)
    is_news = (attendee.answer, attendee.proposed_at) != (rsvp.answer, proposed_at)
    attendee.answer, attendee.answered_at, attendee.comment = rsvp.answer, at, rsvp.comment[:500]
    attendee.proposed_at = proposed_at
    attendee.save(update_fields=["answer", "answered_at", "comment", "proposed_at"])
    if is_news:
        key = f"{RSVP}:{attendee.pk}:{rsvp.sequence}:{rsvp.answer}:{at:%Y%m%d%H%M%S}"
        intent = Intent(RSVP, key, attendee.follow_up.assignee_id, payload={"attendee": attendee.pk})
        outbox.queue([intent])
    return attendee


def hear(email: Email) -> None:
    """Note the answers in the calendar parts of a message that has come in; the reader of mailboxes calls it."""
    if email.direction != "in":
        return
    calendars = EmailAttachment.objects.filter(email=email, content_type__startswith="text/calendar")
    for file in calendars:
        # An answer counts for the address it came from: nobody answers for somebody else.
        if rsvp := read_rsvp(bytes(file.content), of=email.from_address):
            note_rsvp(rsvp, now=email.at or email.created_at)


def meeting_answered(calendars: Iterable[bytes], *, by: str) -> FollowUp | None:
    """Return the meeting to which a message with these calendar parts is a guest's answer; None where it is to none."""
    for calendar in calendars:
        if rsvp := read_rsvp(calendar, of=by):
            invited = Attendee.objects.invited().filter(follow_up__uid=rsvp.uid, address=rsvp.address)
            if attendee := invited.select_related("follow_up").first():
                follow_up: FollowUp = attendee.follow_up
                return follow_up
    return None


# --- Reading --------------------------------------------------------------------------------------------------------


def _calendars(source: bytes | Message | EmailMessage) -> list[bytes]:
    if isinstance(source, bytes):
        if source.lstrip(BLANK)[:15].upper() == b"BEGIN:VCALENDAR":
            return [source.lstrip(BLANK)[:LARGEST]]
        source = mime.message_from_bytes(source, policy=email.policy.compat32)
    parts = [part for part in source.walk() if part.get_content_type() in {"text/calendar", "application/ics"}]
    found = (part.get_payload(decode=True) for part in parts)
    return [content for content in found if isinstance(content, bytes) and len(content) <= LARGEST]


def _answer(calendar: Any, of: str) -> Rsvp | None:
    method = str(calendar.get("METHOD", "")).upper()
    if method not in {REPLY, COUNTER}:
        return None
    for event in calendar.walk("VEVENT"):
        guests = event.get("ATTENDEE", [])
        for guest in guests if isinstance(guests, list) else [guests]:
            address = folded_address(re.sub(r"(?i)^mailto:", "", str(guest)))
            answer = _said(guest, method)
            if answer is None or of not in {"", address}:
                continue
            return Rsvp(
                uid=uuid.UUID(str(event["UID"]).partition("@")[0]),
                address=address,
                answer=answer,
                comment=_NOT_A_NAME.sub(" ", str(event.get("COMMENT", ""))).strip(),
                sequence=min(int(event.get("SEQUENCE", 0)), MOST_CHANGES),
                at=_instant(event),
                proposed=_proposed(event) if method == COUNTER else None,
            )
    return None


def _said(guest: Any, method: str) -> str | None:
    """What the guest answered; who proposes another time and says no more comes perhaps."""
    answer = ANSWERS.get(str(guest.params.get("PARTSTAT", "")).upper())
    if method == COUNTER and answer in {None, Attendee.Answer.NEEDS_ACTION.value}:
        return str(Attendee.Answer.TENTATIVE.value)
    return answer


def _instant(event: Any) -> dt.datetime | None:
    stamp = event.decoded("DTSTAMP") if "DTSTAMP" in event else None
    return stamp if isinstance(stamp, dt.datetime) and stamp.tzinfo and stamp.year in YEARS else None


def _proposed(event: Any) -> dt.datetime | None:
    starts = event.decoded("DTSTART") if "DTSTART" in event else None
    return starts if isinstance(starts, dt.datetime) and starts.year in YEARS else None


def _on_clock_of(follow_up: FollowUp, proposed: dt.datetime | None) -> dt.datetime | None:
    """Return the proposed time as an instant; None where there is none, or it is the meeting's own."""
    if proposed is None:
        return None
    at = proposed if proposed.tzinfo else WallTime(proposed, follow_up.time_zone).utc
    return None if at == follow_up.due_at else at.astimezone(dt.UTC)


# --- Telling --------------------------------------------------------------------------------------------------------


def send_rsvp(row: OutboxRow, postbox: Postbox) -> Outcome:
    """Tell the organiser what a guest answered."""
    attendee = Attendee.objects.select_related("follow_up").filter(pk=row.payload["attendee"]).first()
    person = row.recipient
    if attendee is None or person is None:
        return NotNeeded("the meeting is gone")
    follow_up = attendee.follow_up
    with translation.override(person.language):
        said = {"guest": attendee, "answer": attendee.get_answer_display(), "title": follow_up.title}
        text = _("%(guest)s %(answer)s: %(title)s") % said
        if attendee.proposed_at:
            said["at"] = when_in_words(follow_up, at=attendee.proposed_at)
            text = _("%(guest)s proposes another time for “%(title)s”: %(at)s") % said
    notice = Notification.of_step(follow_up, user=person, kind=KIND.key, dedupe_key=row.dedupe_key, text=text)
    return tell(row, News(person, [notice], RSVP, {"text": text, "attendee": attendee}), postbox)


outbox.register(Sender(RSVP, send_rsvp, digest=outbox.LATE_NEWS, label=KIND.label))
arrived.append(hear)
