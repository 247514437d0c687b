"""Telling the managers of a team when a lead was not answered in time: once a lead, whatever dies or runs twice.

The sweep looks for clocks that have run out. Marking the lead and queueing what is to be sent is one transaction; two
sweeps at once skip each other's leads, and the keys of the rows would refuse a second anyway.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.models import Lead, Notification, OutboxRow, Team, User
from crm.rules import outbox
from crm.rules.audit import acting
from crm.rules.notice_kinds import NoticeKind, register
from crm.rules.outbox import Intent, NotNeeded, Outcome, Sender
from crm.rules.sending import Postbox
from crm.rules.telling import News, tell

LATE_LEAD, DIGEST = "late_lead", "late_lead_digest"
KIND = register(NoticeKind(LATE_LEAD, gettext_lazy("Leads not answered in time"), icon="alert-circle-filled"))
AT_ONCE = 500
"""So many leads a sweep, the longest waiting first; the next sweep takes the rest."""


def escalate_late_leads(*, now: dt.datetime) -> int:
    """Queue a word to the managers of each lead whose clock has run out, once; return how many leads there were."""
    with acting(None, note="not answered in time"):
        late = Lead.objects.present().late(now).filter(escalated_at=None).select_related("owner")
        leads = list(late.select_for_update(of=("self",), skip_locked=True).order_by("answer_by")[:AT_ONCE])
        managers = _managers(leads)
        outbox.queue(
            _intent(lead, person_id) for lead in leads for person_id in managers.get(_team_of(lead), managers[None])
        )
        Lead.objects.filter(pk__in=[lead.pk for lead in leads]).update(escalated_at=now)
    return len(leads)


def _managers(leads: Iterable[Lead]) -> dict[int | None, set[int]]:
    """Ids of those who lead each team; under None admins, for leads of teams that nobody leads."""
    teams = {_team_of(lead) for lead in leads} - {None}
    led = Team.leaders.through.objects.filter(team__in=teams, user__is_active=True)
    managers: dict[int | None, set[int]] = {}
    for team_id, user_id in led.values_list("team_id", "user_id"):
        managers.setdefault(team_id, set()).add(user_id)
    admins = User.objects.active().filter(role=User.Role.ADMIN)
    managers[None] = set(admins.values_list("pk", flat=True))
    return managers


def _team_of(lead: Lead) -> int | None:
    """Whose managers are to know: those of the owner's team, or of the team it came in for."""
    return (lead.owner.team_id if lead.owner else None) or lead.team_id


def _intent(lead: Lead, person_id: int) -> Intent:
    return Intent(
        kind=LATE_LEAD,
        key=f"{LATE_LEAD}:{lead.pk}:{person_id}",
        recipient_id=person_id,
        due_at=lead.answer_by,
        payload={"lead": lead.pk},
    )


# --- Sending --------------------------------------------------------------------------------------------------------


def send_late_lead(row: OutboxRow, postbox: Postbox) -> Outcome:
    """Tell a manager of one lead; nothing once it was answered, or where they may no longer see it."""
    return _tell(row, [row], postbox, template=LATE_LEAD)


def send_digest(row: OutboxRow, postbox: Postbox) -> Outcome:
    """Tell a manager of all the leads that were merged into the row."""
    return _tell(row, row.merged.all(), postbox, template=DIGEST)


def _tell(row: OutboxRow, parts: Iterable[OutboxRow], postbox: Postbox, *, template: str) -> Outcome:
    keys = {part.payload["lead"]: part.dedupe_key for part in parts}
    person = row.recipient
    if person is None:
        return NotNeeded("nobody to tell")
    seen = Lead.objects.visible_to(person).waiting().filter(pk__in=keys)
    leads = list(seen.select_related("owner", "source").order_by("answer_by", "pk"))
    if not leads:
        return NotNeeded("answered, closed or handed over")
    notices = [_notice(person, lead, keys[lead.pk]) for lead in leads]
    return tell(row, News(person, notices, template, {"leads": leads, "lead": leads[0]}), postbox)


def _notice(person: User, lead: Lead, key: str) -> Notification:
    with translation.override(person.language):
        said = (
            _("“%(lead)s” was not answered in time") if lead.owner else _("“%(lead)s” was not answered; nobody has it")
        )
        text = said % {"lead": lead}
    return Notification(user=person, kind=KIND.key, dedupe_key=key, subject=lead, text=text[:300])


outbox.register(Sender(LATE_LEAD, send_late_lead, digest=DIGEST, label=gettext_lazy("Leads not answered in time")))
outbox.register(Sender(DIGEST, send_digest, label=gettext_lazy("Leads not answered in time, merged")))
