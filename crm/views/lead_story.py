"""A lead's history as lines of its timeline: what was decided in one line each, everything else field by field."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from crm.models import AssignmentRule, AuditEntry, DisqualifyReason, Lead, User
from crm.rules.assigning import rule_noted
from crm.templatetags.formats import day
from crm.views.changes import Change, Names, changes_of, field_changes, line

FOLLOWS = frozenset(
    {
        "qualified_at",
        "converted_at",
        "disqualified_at",
        "disqualify_reason_id",
        "nurture_until",
        "company_id",
        "contact_id",
    }
)
"""Columns that follow from the status, and are said with it."""

ANSWER = frozenset({"first_response_at"})
"""The first answer is on the timeline itself: the touch that gave it."""

IN_HAND = frozenset({Lead.Status.NEW, Lead.Status.WORKING})
"""Between these a lead goes with its first answer: what was said, or taken back, is on the timeline itself."""


def story_of_lead(lead: Lead, reader: User) -> list[Change]:
    """Return the lead's changes, newest first."""
    return changes_of(lead, reader, describe=_describe)


def _describe(entry: AuditEntry, names: Names) -> list[Change]:
    changes = _said(entry, names)
    given_by = rule_noted(entry.note)
    return [replace(change, rest=_by_rule(*given_by)) for change in changes] if given_by else changes


def _by_rule(pk: int, method: str) -> str:
    """Say which assignment rule gave the lead away, and how it chose."""
    rule = AssignmentRule.objects.filter(pk=pk).first()
    how = str(dict(AssignmentRule.Method.choices).get(method, method))
    return (
        _("rule “%(rule)s”: %(how)s") % {"rule": rule, "how": how} if rule else _("by a rule: %(how)s") % {"how": how}
    )


def _said(entry: AuditEntry, names: Names) -> list[Change]:
    if entry.action == AuditEntry.Action.CREATED:
        return field_changes(entry, names)
    decided = _decision(entry, names)
    if decided is None:
        return field_changes(entry, names, besides=ANSWER)
    return [*decided, *field_changes(entry, names, besides=ANSWER | FOLLOWS | {"status"})]


def _decision(entry: AuditEntry, names: Names) -> list[Change] | None:
    """Say a change of status in its own words; None where the status stayed, and nothing follows from it."""
    became = entry.after.get("status")
    if became is None:
        return [_put_aside(entry, names)] if entry.after.get("nurture_until") else None
    if {entry.before.get("status"), became} == IN_HAND:
        return []
    say = _SAYINGS.get(became)
    return [say(entry, names)] if say else [line(entry, "arrow-back-up", _("Open again"))]


def _disqualified(entry: AuditEntry, names: Names) -> Change:
    reason = entry.after.get("disqualify_reason_id")
    return line(entry, "ban", _("Disqualified"), after=names.of(DisqualifyReason, reason) if reason else "")


def _put_aside(entry: AuditEntry, _names: Names) -> Change:
    until: Any = entry.after.get("nurture_until")
    return line(entry, "zzz", _("Put aside until"), after=day(parse_date(until)) if until else "")


def _qualified(entry: AuditEntry, _names: Names) -> Change:
    was_closed = entry.before["status"] in {Lead.Status.DISQUALIFIED, Lead.Status.NURTURING}
    if was_closed and "qualified_at" not in entry.after:
        return line(entry, "arrow-back-up", _("Open again"))
    return line(entry, "check", _("Qualified"))


def _converted(entry: AuditEntry, _names: Names) -> Change:
    return line(entry, "briefcase", _("Converted into a deal"))


_SAYINGS: dict[str, Callable[[AuditEntry, Names], Change]] = {
    Lead.Status.QUALIFIED: _qualified,
    Lead.Status.DISQUALIFIED: _disqualified,
    Lead.Status.NURTURING: _put_aside,
    Lead.Status.CONVERTED: _converted,
}
