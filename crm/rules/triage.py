"""What nobody but a person can say of a message: where it belongs, whether it matters, and how it took what we said."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.utils.translation import gettext as _

from crm.models import Activity, Email, Lead, User
from crm.rules.audit import acting
from crm.rules.errors import NotAllowed, RuleError
from crm.rules.leads import create_lead
from crm.rules.receiving.suggesting import Correspondent, suggestions
from crm.rules.receiving.timeline import mark, put_on_timeline, take_off_timeline

MESSAGE_LENGTH = 5_000


class PlacedAlready(RuleError):
    """Somebody else said where it belongs in the meantime (409)."""

    code = "placed_already"


class NoAnswer(RuleError):
    """Only what a person answered can be taken well or badly (422)."""

    code = "no_answer"


def suggested_places(emails: Collection[Email], *, by: User) -> dict[Email, list[Any]]:
    """Return, for each message, the records it may belong to, of those `by` may change, the likeliest first."""
    asked = {email: _correspondent(email) for email in emails}
    found = suggestions(set(asked.values()), by=by)
    return {email: found[correspondent] for email, correspondent in asked.items()}


def place_email(email: Email, *, subject: Any, by: User, now: dt.datetime) -> Email:
    """Put a message on a record's timeline, from the triage list or from another record; or NotAllowed.

    What followed from its former place (last touch, answered touch, response clock) follows from the new one.
    """
    if not _may_change(subject, by):
        raise NotAllowed(_("You may look at this, but not add to it."))
    with acting(by):
        fresh = _claimed(email, by)
        if fresh.subject == subject:
            return fresh
        response = fresh.activity.response if fresh.activity else ""
        if fresh.subject is not None:
            take_off_timeline(fresh)
        put_on_timeline(fresh, subject, now=now)
        if response:
            mark(fresh, response)
    return fresh


def lead_from_email(email: Email, *, by: User, now: dt.datetime) -> Lead:
    """Make a lead of who wrote a message nobody knew the place of, and put the message on it; or PlacedAlready."""
    with acting(by):
        fresh = _claimed(email, by)
        if fresh.subject is not None:
            raise PlacedAlready(_("Somebody has placed this e-mail in the meantime."))
        is_incoming = fresh.direction == Activity.Direction.IN
        address, name = _correspondent(fresh)
        fields = {
            "name": (name or address.partition("@")[0])[:200],
            "email": address[:254],
            "message": fresh.new_text[:MESSAGE_LENGTH] if is_incoming else "",
            "owner": by,
            "created_at": fresh.at or now,
        }
        lead = create_lead(fields=fields, by=by, now=now)
        put_on_timeline(fresh, lead, now=now)
    return lead


def set_aside(email: Email, *, by: User) -> None:
    """Take a message off the triage list; it stays where it can be found by who looks for what was set aside."""
    _set(email, by=by, is_set_aside=True)


def take_up(email: Email, *, by: User) -> None:
    """Put a message that was set aside back on the triage list."""
    _set(email, by=by, is_set_aside=False)


def mark_response(email: Email, *, response: str, by: User) -> None:
    """Say how a person's answer took what we said; it counts for the touch it answers. NoAnswer or NotAllowed."""
    with acting(by):
        fresh = _claimed(email, by)
        if fresh.nature != Email.Nature.PERSON or fresh.direction != Activity.Direction.IN:
            raise NoAnswer(_("Only what a person answered can be marked."))
        if fresh.activity is None:
            Email.objects.filter(pk=fresh.pk).update(suggested=response, suggested_for="")
        mark(fresh, response)


def _correspondent(email: Email) -> Correspondent:
    if email.direction == Activity.Direction.IN:
        return Correspondent(email.from_address, email.from_name)
    return Correspondent(email.to_address, email.to_name)


def _set(email: Email, *, by: User, is_set_aside: bool) -> None:
    with acting(by):
        fresh = _claimed(email, by)
        if fresh.subject is not None:
            raise PlacedAlready(_("Somebody has placed this e-mail in the meantime."))
        fresh.is_set_aside = is_set_aside
        fresh.save(update_fields=["is_set_aside"])


def _claimed(email: Email, by: User) -> Email:
    """Lock the message for who may change its record, or may place it; else NotAllowed."""
    fresh = Email.objects.visible_to(by).filter(pk=email.pk).first()
    if fresh is None or not by.may_write:
        raise NotAllowed(_("You may look at this, but not change it."))
    fresh = Email.objects.select_for_update(of=("self",)).get(pk=email.pk)
    if fresh.subject is not None and not _may_change(fresh.subject, by):
        raise NotAllowed(_("You may look at this, but not change it."))
    return fresh


def _may_change(record: Any, by: User) -> bool:
    return bool(type(record).objects.editable_by(by).filter(pk=record.pk).exists())
