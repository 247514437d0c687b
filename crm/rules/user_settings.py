"""What people set for themselves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from crm.models import NotificationChoice, User
from crm.rules.audit import acting
from crm.rules.daily_digests import move_digest
from crm.rules.follow_ups import follow_zone
from crm.rules.mail_html import clean
from crm.rules.notice_kinds import Channels

OWN = (
    "name", "language", "time_zone", "theme", "digest_at", "quiet_from", "quiet_until", "signature",
)  # fmt: skip
"""What a person changes in their own account; role, team and e-mail belong to an admin."""


def change_settings(
    user: User, *, fields: Mapping[str, Any], by: User, now: dt.datetime, channels: Mapping[str, Channels] | None = None
) -> User:
    """Write the given fields of `OWN` and the channels by kind of notice.

    In another time zone what is planned keeps its figures on the clock; today's digest moves with its hour.
    """
    with acting(by):
        fresh = User.objects.select_for_update().get(pk=user.pk)
        zone_before = fresh.time_zone
        for name in OWN:
            if name in fields:
                setattr(fresh, name, clean(fields[name]) if name == "signature" else fields[name])
        fresh.save(update_fields=OWN)
        if fresh.time_zone != zone_before:
            follow_zone(fresh, zone=fresh.time_zone)
        move_digest(fresh, now=now)
        for kind, chosen in (channels or {}).items():
            values = {"in_page": chosen.in_page, "by_mail": chosen.by_mail}
            NotificationChoice.objects.update_or_create(user=fresh, kind=kind, defaults=values)
    return fresh
