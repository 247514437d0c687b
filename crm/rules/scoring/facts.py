"""What is known of a lead at a moment: what it came in with, and the touches up to then.

Nothing of what follows from the outcome is here: no status, no owner, no deal, no qualification, and of every column
the value it had at that moment (the audit log knows), not the one that somebody wrote at the conversion.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.contenttypes.models import ContentType

from crm.models import Activity, AuditEntry, Lead
from crm.models.keys import FREE_MAIL
from crm.rules.scoring.additive import Kind, Value
from crm.rules.scoring.words import words_of

KINDS: dict[str, Kind] = {
    "source": "category",
    "campaign": "category",
    "mailbox": "category",
    "company": "category",
    "phone": "category",
    "came": "category",
    "message_length": "number",
    "words": "words",
    "answered": "category",
    "age_days": "number",
    "inbound": "number",
    "outbound": "number",
    "positive": "number",
    "negative": "number",
    "quiet_days": "number",
}
"""Every fact by its name, and how it is learned from."""

INTAKE = ("source_id", "campaign_id", "email", "phone", "company_name", "message")
DAY_BEGINS, DAY_ENDS, FIRST_DAY_OFF = 8, 19, 5
SOON, WITHIN_A_DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
MOST_TOUCHES = 10
"""More of them say no more, and one talkative lead is not to stretch the scale."""

Facts = dict[str, Value]


@dataclass(frozen=True)
class Touch:
    """One touch: when, theirs or ours, how it was taken."""

    at: dt.datetime
    is_theirs: bool
    response: str


@dataclass
class History:
    """A lead's life as far as a score may look at it."""

    pk: int
    created_at: dt.datetime
    intake: dict[str, Any]
    touches: list[Touch] = field(default_factory=list)
    changes: list[tuple[dt.datetime, dict[str, Any]]] = field(default_factory=list)
    """Later corrections, latest first: when, and what stood there before."""

    def facts_at(self, moment: dt.datetime) -> Facts:
        """Return the facts as they stood at `moment`."""
        intake = dict(self.intake)
        for changed_at, before in self.changes:
            if changed_at > moment:
                intake |= before
        touches = self.touches[: bisect_right(self.touches, moment, key=lambda touch: touch.at)]
        return {**_intake_facts(intake, self.created_at), **_touch_facts(touches, self.created_at, moment)}


def read_histories(pks: Iterable[int], *, with_changes: bool) -> dict[int, History]:
    """Read the lives of leads, touches in order; `with_changes` where moments of the past will be asked for."""
    rows = Lead.objects.filter(pk__in=list(pks)).values("pk", "created_at", *INTAKE)
    found = {row["pk"]: History(row["pk"], row["created_at"], {name: row[name] for name in INTAKE}) for row in rows}
    for pk, touches in _touches_of(found).items():
        found[pk].touches = touches
    if with_changes:
        for pk, changes in _changes_of(found).items():
            found[pk].changes = changes
    return found


def _touches_of(leads: Mapping[int, History]) -> dict[int, list[Touch]]:
    lead_type = ContentType.objects.get_for_model(Lead)
    touches = (
        Activity.objects.present()
        .touches()
        .filter(subject_type=lead_type, subject_id__in=list(leads), is_automatic=False)
    )
    by_lead: dict[int, list[Touch]] = defaultdict(list)
    for pk, at, direction, response in touches.order_by("at").values_list("subject_id", "at", "direction", "response"):
        by_lead[pk].append(Touch(at, direction == Activity.Direction.IN, response))
    return by_lead


def _changes_of(leads: Mapping[int, History]) -> dict[int, list[tuple[dt.datetime, dict[str, Any]]]]:
    """Corrections of what leads came in with, latest first: going through them leads back in time."""
    entries = AuditEntry.objects.filter(
        kind="lead", record_id__in=list(leads), action=AuditEntry.Action.CHANGED, before__has_any_keys=list(INTAKE)
    )
    by_lead: dict[int, list[tuple[dt.datetime, dict[str, Any]]]] = defaultdict(list)
    for pk, at, before in entries.order_by("-pk").values_list("record_id", "at", "before"):
        by_lead[pk].append((at, {name: before[name] for name in INTAKE if name in before}))
    return by_lead


# --- From columns to facts ------------------------------------------------------------------------------------------


def _intake_facts(intake: Mapping[str, Any], created_at: dt.datetime) -> Facts:
    message = intake["message"] or ""
    return {
        "source": str(intake["source_id"]) if intake["source_id"] else None,
        "campaign": str(intake["campaign_id"]) if intake["campaign_id"] else None,
        "mailbox": _mailbox(intake["email"] or ""),
        "company": "yes" if intake["company_name"] else "no",
        "phone": "yes" if intake["phone"] else "no",
        "came": _part_of_week(created_at),
        "message_length": float(len(message)),
        "words": words_of(message),
    }


def _mailbox(email: str) -> str | None:
    domain = email.rpartition("@")[2].lower()
    if not domain:
        return None
    return "free" if domain in FREE_MAIL else "own"


def _part_of_week(moment: dt.datetime) -> str:
    local = moment.astimezone(ZoneInfo(settings.TIME_ZONE))
    if local.weekday() >= FIRST_DAY_OFF:
        return "weekend"
    return "day" if DAY_BEGINS <= local.hour < DAY_ENDS else "evening"


def _touch_facts(touches: list[Touch], created_at: dt.datetime, moment: dt.datetime) -> Facts:
    theirs = [touch for touch in touches if touch.is_theirs]
    ours = [touch for touch in touches if not touch.is_theirs]
    responses = [touch.response for touch in touches]
    return {
        "answered": _answered(ours, created_at),
        "age_days": float(max((moment - created_at).days, 0)),
        "inbound": float(min(len(theirs), MOST_TOUCHES)),
        "outbound": float(min(len(ours), MOST_TOUCHES)),
        "positive": float(min(responses.count(Activity.Response.POSITIVE), MOST_TOUCHES)),
        "negative": float(min(responses.count(Activity.Response.NEGATIVE), MOST_TOUCHES)),
        "quiet_days": float(max((moment - theirs[-1].at).days, 0)) if theirs else None,
    }


def _answered(ours: list[Touch], created_at: dt.datetime) -> str:
    if not ours:
        return "not"
    waited = ours[0].at - created_at
    return "soon" if waited <= SOON else "day" if waited <= WITHIN_A_DAY else "late"
