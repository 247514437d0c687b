"""Keeping rules: since when one is in force, and that one that has fired stays."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _

from crm.models import User
from crm.rules.audit import acting
from crm.rules.errors import NotAllowed
from pipeline.models import StageRule


def note_in_force(rule: StageRule, *, now: dt.datetime) -> None:
    """Note, before `rule` is saved, since when it is in force: what had happened before then fires nothing."""
    before = StageRule.objects.filter(pk=rule.pk).values_list("is_active", "trigger", "days").first()
    if not rule.is_active:
        rule.active_since = None
    elif before != (True, rule.trigger, rule.days) or rule.active_since is None:
        rule.active_since = now


def switch_rule(rule: StageRule, *, is_on: bool, by: User, now: dt.datetime) -> bool:
    """Put a rule in force or out of it; false when it was so already. Raises NotAllowed."""
    if not by.is_admin:
        raise NotAllowed(_("Only an admin changes stages."))
    with acting(by):
        rows = StageRule.objects.filter(pk=rule.pk, is_active=not is_on)
        return bool(rows.update(is_active=is_on, active_since=now if is_on else None))
