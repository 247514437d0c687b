"""What people set for themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm.models import User
from crm.rules.audit import acting
from crm.rules.follow_ups import follow_zone

OWN = (
    "name", "language", "time_zone", "theme", "reminds_by_email", "reminds_in_page", "quiet_from", "quiet_until",
)  # fmt: skip
"""What a person changes in their own account; role, team and e-mail belong to an admin."""


def change_settings(user: User, *, fields: Mapping[str, Any], by: User) -> User:
    """Write the given fields of `OWN`; in another time zone what is planned keeps its figures on the clock."""
    with acting(by):
        fresh = User.objects.select_for_update().get(pk=user.pk)
        zone_before = fresh.time_zone
        for name in OWN:
            if name in fields:
                setattr(fresh, name, fields[name])
        fresh.save(update_fields=OWN)
        if fresh.time_zone != zone_before:
            follow_zone(fresh, zone=fresh.time_zone)
    return fresh
