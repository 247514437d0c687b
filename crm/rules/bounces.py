"""What comes back of our mail: bounces and complaints, from a provider's reports or from messages in a mailbox."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from crm.models import Email, SoftBounce, Suppression
from crm.models.keys import folded_address
from crm.rules.audit import acting
from crm.rules.mail_troubles import BOUNCED, COMPLAINED, UNSUBSCRIBED, tell_of
from crm.rules.sequences.stopping import reconsider_address
from crm.rules.suppression import suppress

MOST_SOFT_BOUNCES = 5
"""After so many in a row, with nothing delivered between, an address counts as gone."""


@dataclass(frozen=True)
class Report:
    """What somebody says of one address: `key` names the report (one told twice counts once), `email` what it is about.

    `detail` is what they said, in their words.
    """

    address: str
    key: str
    email: Email | None = None
    detail: str = ""


def note_bounce(report: Report, *, is_hard: bool, now: dt.datetime, is_told: bool = True) -> None:
    """Mark the letter, and tell its author; a hard bounce, or the fifth soft one in a row, ends mail to the address."""
    with acting(None, note="a bounce"):
        if not is_hard and not _counted(report, now):
            return
        if is_hard or _in_a_row(report.address) >= MOST_SOFT_BOUNCES:
            _suppress(report, Suppression.Reason.BOUNCED, now)
        if report.email is None:
            return
        marked = Email.objects.filter(pk=report.email.pk, bounced_at=None)
        if marked.update(bounced_at=now, bounce_detail=report.detail[:500]) and is_told:
            tell_of(report.email, BOUNCED)
        reconsider_address(report.address, now=now)


def note_complaint(report: Report, *, now: dt.datetime) -> None:
    """Send nothing more to who marked our mail as spam, and tell its author."""
    with acting(None, note="a complaint"):
        _suppress(report, Suppression.Reason.COMPLAINED, now)
        if report.email is not None:
            tell_of(report.email, COMPLAINED)


def note_unsubscribed(report: Report, *, now: dt.datetime) -> None:
    """Send nothing more to who said so to the provider, and tell the author of the letter."""
    with acting(None, note="unsubscribed"):
        _suppress(report, Suppression.Reason.UNSUBSCRIBED, now)
        if report.email is not None:
            tell_of(report.email, UNSUBSCRIBED)


def note_reached(address: str) -> None:
    """Forget soft bounces of an address that got mail, or wrote to us."""
    SoftBounce.objects.filter(address=folded_address(address)).delete()


def _counted(report: Report, now: dt.datetime) -> bool:
    """Count a soft bounce; False where this report was counted before."""
    values = {"email": report.email, "detail": report.detail[:500], "at": now}
    kept = {"address": folded_address(report.address), **values}
    _bounce, is_new = SoftBounce.objects.get_or_create(key=report.key[:300], defaults=kept)
    return is_new


def _in_a_row(address: str) -> int:
    return SoftBounce.objects.filter(address=folded_address(address)).count()


def _suppress(report: Report, reason: str, now: dt.datetime) -> None:
    suppress(report.address, reason=reason, by=None, now=now, detail=report.detail, email=report.email)
