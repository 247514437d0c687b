"""Notices in the page: read, and read all."""

from __future__ import annotations

import datetime as dt

from crm.models import Notification, User


def mark_read(user: User, *, now: dt.datetime, pk: int | None = None) -> int:
    """Mark one of the person's notices as read, or all of them; return how many were unread."""
    unread = Notification.objects.filter(user=user).unread()
    return (unread if pk is None else unread.filter(pk=pk)).update(read_at=now)
