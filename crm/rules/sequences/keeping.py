"""Keeping sequences: written, started, paused, deleted and taken back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db.models import F
from django.utils.translation import gettext as _

from crm.models import Enrolment, Sequence, User
from crm.rules import versions
from crm.rules.audit import acting
from crm.rules.errors import NotAllowed, RuleError
from crm.rules.sequences.stopping import resume_all, stop_all, withdraw_waiting

EDITABLE = ("name", "is_shared", "sends_at", "allows_others", "tracks_links")


class NothingToDo(RuleError):
    """A sequence without steps cannot be started (422)."""

    code = "no_steps"


def create_sequence(*, fields: Mapping[str, Any], by: User) -> Sequence:
    """Write a new sequence, a draft of `by`'s own; raises NotAllowed."""
    if not by.may_write:
        raise NotAllowed(_("You may look, but not add sequences."))
    with acting(by):
        return Sequence.objects.create(owner=by, **{name: fields[name] for name in EDITABLE if name in fields})


def edit_sequence(sequence: Sequence, *, fields: Mapping[str, Any], seen_version: int, by: User) -> Sequence:
    """Write the given fields of `EDITABLE` if nobody changed the sequence since; RecordConflict or NotAllowed."""
    with acting(by):
        fresh = claim(sequence, seen_version=seen_version, by=by)
        for name in EDITABLE:
            if name in fields:
                setattr(fresh, name, fields[name])
        fresh.save()
    return fresh


def start_sequence(sequence: Sequence, *, seen_version: int, by: User, now: dt.datetime) -> Sequence:
    """Let a sequence take people on and go on with those it has, each at their time; raises NothingToDo too."""
    with acting(by):
        fresh = claim(sequence, seen_version=seen_version, by=by)
        if not fresh.steps.present().exists():
            raise NothingToDo(_("Add a step first: there is nothing to do yet."))
        was, fresh.state = fresh.state, Sequence.State.ACTIVE
        fresh.save()
        if was == Sequence.State.PAUSED:
            resume_all(Enrolment.objects.filter(sequence=fresh), now=now)
    return fresh


def pause_sequence(sequence: Sequence, *, seen_version: int, by: User, now: dt.datetime) -> Sequence:
    """Let everybody in the sequence wait where they stand; letters that have not left are written again later."""
    with acting(by):
        fresh = claim(sequence, seen_version=seen_version, by=by)
        if fresh.state == Sequence.State.ACTIVE:
            fresh.state = Sequence.State.PAUSED
            fresh.save()
            withdraw_waiting(Enrolment.objects.filter(sequence=fresh).alive().values("pk"), now=now)
    return fresh


def delete_sequence(sequence: Sequence, *, seen_version: int, by: User, now: dt.datetime) -> int:
    """Put the sequence into the bin for 30 days and end it for everybody in it; return how many they were."""
    with acting(by):
        fresh = claim(sequence, seen_version=seen_version, by=by)
        fresh.deleted_at = now
        if fresh.state == Sequence.State.ACTIVE:
            fresh.state = Sequence.State.PAUSED
        fresh.save()
        return stop_all(Enrolment.objects.filter(sequence=fresh), reason="sequence_deleted", now=now)


def restore_sequence(sequence: Sequence, *, by: User, now: dt.datetime) -> Sequence:
    """Take the sequence out of the bin; who was in it has been taken out for good."""
    with acting(by):
        if not Sequence.objects.in_bin_of(by, now).filter(pk=sequence.pk).exists():
            raise NotAllowed(_("This can no longer be taken out of the bin."))
        Sequence.objects.filter(pk=sequence.pk).update(deleted_at=None, version=F("version") + 1)
    sequence.refresh_from_db()
    return sequence


def claim(sequence: Sequence, *, seen_version: int, by: User) -> Sequence:
    """Raise the version of the sequence if it is the one seen, and return it locked; part of a transaction."""
    refusal = _("You may use this sequence, but not change it.")
    return versions.claim(sequence, seen_version=seen_version, by=by, refusal=refusal)
