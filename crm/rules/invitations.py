"""Invitations to meetings: sent, sent again when something changes, called off; and what people answer.

Each is a letter (crm/rules/emails.py) with a calendar part (RFC 5546), so that it is queued with what it tells of, and
leaves under the same promises: never twice, never to an address that wants no mail.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils import translation
from django.utils.html import escape
from django.utils.translation import gettext as _
from icalendar import Event, vCalAddress, vText

from crm.models import Activity, Attendee, Email, FollowUp, Invitation, OutboxRow, User
from crm.models.keys import folded_address
from crm.rules import mailing, outbox
from crm.rules.calendars import calendar_of, event_of, when_in_words
from crm.rules.emails import File, queue_letter

REQUEST, CANCEL = Invitation.Method.REQUEST, Invitation.Method.CANCEL
CALLED_OFF = "the meeting was called off"
SUPERSEDED = "not sent: a later invitation says more"


@dataclass(frozen=True)
class Guest:
    """Somebody to invite."""

    address: str
    name: str = ""


def details_of(follow_up: FollowUp) -> tuple[Any, ...]:
    """Return what guests are told of a meeting: when any of it changes they hear of it."""
    return (
        follow_up.due_at,
        follow_up.time_zone,
        follow_up.duration_minutes,
        follow_up.title,
        follow_up.location,
        follow_up.assignee_id,
    )


def follow(
    follow_up: FollowUp, *, now: dt.datetime, by: User | None = None, guests: Iterable[Guest] | None = None
) -> None:
    """Tell the guests of a saved follow-up what they must hear: come, come at another time, do not come.

    `guests` None leaves them as they are; without a meeting there are none.
    """
    is_meeting = follow_up.kind == FollowUp.Kind.MEETING
    if guests is None and not is_meeting and not follow_up.calendar_sequence:
        return
    if guests is not None or not is_meeting:
        _choose(follow_up, list(guests or ()) if is_meeting else [], now=now)
    comes = follow_up.deleted_at is None
    for attendee in follow_up.attendees.prefetch_related("invitations__email__row"):
        if comes and attendee.removed_at is None:
            _invite(attendee, follow_up, by=by, now=now)
        else:
            _call_off(attendee, follow_up, by=by, now=now)


def _choose(follow_up: FollowUp, guests: list[Guest], *, now: dt.datetime) -> None:
    wanted = {folded_address(guest.address): guest.name for guest in guests}
    follow_up.attendees.invited().exclude(address__in=wanted).update(removed_at=now)
    for address, name in wanted.items():
        fields = {"removed_at": None, **({"name": name[:200]} if name else {})}
        Attendee.objects.update_or_create(follow_up=follow_up, address=address, defaults=fields)


def _invite(attendee: Attendee, follow_up: FollowUp, *, by: User | None, now: dt.datetime) -> None:
    last = _last(attendee)
    is_off = last is not None and (last.method == CANCEL or _was_withdrawn(last))
    if last is not None and not is_off and last.sequence == follow_up.calendar_sequence:
        return
    if last is not None and is_off and last.sequence >= follow_up.calendar_sequence:
        _raise_sequence(follow_up, above=last.sequence)
    if follow_up.done_at is not None or follow_up.due_at <= now:
        return
    if attendee.answer != Attendee.Answer.NEEDS_ACTION:
        attendee.answer, attendee.answered_at = Attendee.Answer.NEEDS_ACTION, None
        attendee.comment, attendee.proposed_at = "", None
        attendee.save(update_fields=["answer", "answered_at", "comment", "proposed_at"])
    _send(attendee, follow_up, REQUEST, by=by, now=now)


def _call_off(attendee: Attendee, follow_up: FollowUp, *, by: User | None, now: dt.datetime) -> None:
    """Tell who was invited that they need not come; who was not written to yet hears nothing at all."""
    last = _last(attendee)
    if last is None or last.method == CANCEL:
        return
    rows = OutboxRow.objects.filter(email__in=[invitation.email for invitation in attendee.invitations.all()])
    outbox.cancel(rows, answer=CALLED_OFF)
    is_written_to = rows.exclude(state=OutboxRow.State.CANCELLED).exists()
    if is_written_to and follow_up.due_at > now:
        if last.sequence >= follow_up.calendar_sequence:
            _raise_sequence(follow_up, above=last.sequence)
        _send(attendee, follow_up, CANCEL, by=by, now=now)


def _was_withdrawn(invitation: Invitation) -> bool:
    """Whether the meeting was called off before the invitation to it had left."""
    row = invitation.email.row
    return row is not None and row.state == OutboxRow.State.CANCELLED and row.answer == CALLED_OFF


def _last(attendee: Attendee) -> Invitation | None:
    return max(attendee.invitations.all(), key=lambda invitation: invitation.pk, default=None)


def _raise_sequence(follow_up: FollowUp, *, above: int) -> None:
    follow_up.calendar_sequence = above + 1
    FollowUp.objects.filter(pk=follow_up.pk).update(calendar_sequence=follow_up.calendar_sequence)


# --- Letters --------------------------------------------------------------------------------------------------------


def _send(attendee: Attendee, follow_up: FollowUp, method: str, *, by: User | None, now: dt.datetime) -> None:
    organiser = follow_up.assignee
    with translation.override(organiser.language):
        heads: dict[str, str] = {REQUEST: _("Invitation: %(title)s"), CANCEL: _("Called off: %(title)s")}
        if method == REQUEST and follow_up.calendar_sequence and attendee.invitations.all():
            heads[REQUEST] = _("Changed: %(title)s")
        line = str(heads[method]) % {"title": follow_up.title}
        said = [line, when_in_words(follow_up), follow_up.location]
    words = [word for word in said if word]
    email = Email(
        direction=Activity.Direction.OUT,
        subject=follow_up.subject,
        author=organiser,
        to_address=attendee.address,
        to_name=attendee.name,
        subject_line=" ".join(line.split())[:500],
        text="\n".join(words),
        html="".join(f"<p>{escape(word)}</p>" for word in words),
        created_at=now,
    )
    file = File("invite.ics", f"text/calendar; method={method}", _ics(attendee, follow_up, method, now=now))
    queue_letter(email, files=[file], by=by, now=now)
    Invitation.objects.create(attendee=attendee, method=method, sequence=follow_up.calendar_sequence, email=email)


def _ics(attendee: Attendee, follow_up: FollowUp, method: str, *, now: dt.datetime) -> bytes:
    event: Event = event_of(_as_guests_see_it(follow_up))
    for name in ("dtstamp", "last-modified"):
        event.pop(name)
        event.add(name, now.astimezone(dt.UTC).replace(microsecond=0))
    event["STATUS"] = vText("CANCELLED" if method == CANCEL else "CONFIRMED")
    organiser = follow_up.assignee
    event.add("organizer", _address(organiser.email, organiser.name))
    person = _address(attendee.address, attendee.name)
    person.params["ROLE"] = vText("REQ-PARTICIPANT")
    person.params["PARTSTAT"] = vText("NEEDS-ACTION")
    person.params["RSVP"] = vText("TRUE" if method == REQUEST else "FALSE")
    event.add("attendee", person)
    return calendar_of([event], method=method).to_ical()


def _as_guests_see_it(follow_up: FollowUp) -> FollowUp:
    """A copy without the note: that is what we wrote for ourselves."""
    seen = FollowUp(**{
        name: getattr(follow_up, name)
        for name in ("uid", "kind", "title", "location", "due_at", "time_zone", "duration_minutes", "calendar_sequence")
    })  # fmt: skip
    seen.updated_at = follow_up.due_at
    return seen


def _address(address: str, name: str) -> vCalAddress:
    person = vCalAddress(f"mailto:{address}")
    if name:
        person.params["CN"] = vText(name.replace('"', "'"))
    return person


def superseded(email: Email) -> str:
    """Why an invitation need not leave any more: a later one tells its guest how things are now."""
    invitation = Invitation.objects.filter(email=email).first()
    if invitation is None:
        return ""
    later = Invitation.objects.filter(attendee=invitation.attendee_id, pk__gt=invitation.pk)
    return SUPERSEDED if later.exists() else ""


mailing.objections.append(superseded)
