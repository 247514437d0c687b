"""Ending what somebody who left still holds open."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session

from crm.models import User


def end_sessions(person: User, *, now: dt.datetime) -> int:
    """End every session of `person`, on whatever device; return how many. Let back in, they log in anew."""
    live = Session.objects.filter(expire_date__gt=now)
    theirs = [session.pk for session in live.iterator() if session.get_decoded().get(SESSION_KEY) == str(person.pk)]
    Session.objects.filter(pk__in=theirs).delete()
    return len(theirs)
