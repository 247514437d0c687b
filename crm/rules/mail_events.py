"""What a mail provider reports of our mail: delivered, bounced, complained about, unsubscribed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from anymail.signals import AnymailTrackingEvent, EventType, RejectReason

from crm.models import Email
from crm.rules.bounces import Report, note_bounce, note_complaint, note_reached, note_unsubscribed

PASSING = re.compile(r"\b4\d\d\b[ -]|\b4\.\d+\.\d+\b|\b5\.2\.[12]\b|mailbox (is )?full|over ?quota", re.IGNORECASE)
"""What servers say of an address that is there, but takes nothing now (RFC 3463)."""


def note_event(event: AnymailTrackingEvent, *, provider: str, now: dt.datetime) -> None:
    """Write what one event says of an address; one told twice is written once, one about nobody is nothing."""
    if event.recipient and (note := _NOTES.get(event.event_type)):
        note(event, _report(event, provider), now)


def _note_bounced(event: AnymailTrackingEvent, report: Report, now: dt.datetime) -> None:
    if event.reject_reason == RejectReason.UNSUBSCRIBED:
        note_unsubscribed(report, now=now)
    elif event.reject_reason == RejectReason.SPAM and event.event_type == EventType.REJECTED:
        note_complaint(report, now=now)
    else:
        note_bounce(report, is_hard=_is_hard(event, report.detail), now=now)


def _is_hard(event: AnymailTrackingEvent, detail: str) -> bool:
    if event.reject_reason == RejectReason.INVALID:
        return True
    is_soft = "soft" in str(event.esp_event).lower() or PASSING.search(detail)
    return event.reject_reason == RejectReason.BOUNCED and not is_soft


def _note_delivered(event: AnymailTrackingEvent, _report: Report, _now: dt.datetime) -> None:
    note_reached(event.recipient)


_NOTES: dict[str, Callable[[AnymailTrackingEvent, Report, dt.datetime], None]] = {
    EventType.BOUNCED: _note_bounced,
    EventType.REJECTED: _note_bounced,
    EventType.FAILED: _note_bounced,
    EventType.COMPLAINED: lambda _event, report, now: note_complaint(report, now=now),
    EventType.UNSUBSCRIBED: lambda _event, report, now: note_unsubscribed(report, now=now),
    EventType.DELIVERED: _note_delivered,
}


def _report(event: AnymailTrackingEvent, provider: str) -> Report:
    detail = " ".join(filter(None, (event.mta_response, event.description)))
    told = event.event_id or f"{event.message_id}:{event.event_type}:{event.timestamp}:{event.recipient}"
    key = f"{provider}:{sha256(str(told).encode()).hexdigest()}"
    return Report(event.recipient, key=key, email=_letter(event), detail=detail)


def _letter(event: AnymailTrackingEvent) -> Email | None:
    """The letter that the event names by what we sent along, or by the provider's own id; to that very address."""
    ours: Any = Email.objects.outbound().filter(to_address__iexact=event.recipient)
    named = str((event.metadata or {}).get("email", ""))
    if named.isdecimal() and len(named) <= 18 and (found := ours.filter(pk=int(named)).first()):
        return found
    return ours.filter(provider_id=event.message_id).first() if event.message_id else None
