"""What happens to a lead: it comes in, is taken, answered, qualified, disqualified, nurtured, deleted.

Converting one into a deal spans two apps and is `pipeline.rules.converting`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.models import AuditEntry, DisqualifyReason, Lead, User
from crm.rules.assigning import assign_new_lead
from crm.rules.audit import acting
from crm.rules.errors import NotAllowed, RuleError
from crm.rules.follow_ups import bin_follow_ups, unbin_follow_ups
from crm.rules.qualifying import refuse_unqualified
from crm.rules.response_clock import Clocks, spare_managers, start_clock
from crm.rules.scoring.applying import score_lead
from crm.rules.versions import claim

_WHOLE = ("owner", "source", "disqualify_reason")
EDITABLE = ("name", "company_name", "email", "phone", "message", "source", "campaign", "team")
"""What a person edits in a lead; its owner is assigned, its status and times follow from what is done."""


class LeadConflict(RuleError):
    """Somebody changed the lead first (409); `lead` is what it is now."""

    code = "conflict"

    def __init__(self, lead: Lead, message: str = "") -> None:
        super().__init__(message or _changed_by_somebody(lead))
        self.lead = lead


class LeadTaken(LeadConflict):
    """Somebody else took the lead first (409)."""

    code = "taken"

    def __init__(self, lead: Lead) -> None:
        super().__init__(lead, _("%(owner)s took this lead first.") % {"owner": lead.owner})


class WrongStatus(RuleError):
    """The lead's status does not allow this: it is converted or disqualified already, or not yet (422)."""

    code = "wrong_status"


class DisqualifyReasonNeeded(RuleError):
    """A lead is disqualified for a reason (422)."""

    code = "disqualify_reason_needed"


class NurtureDateNotAhead(RuleError):
    """A nurtured lead comes back on a later day (422)."""

    code = "nurture_date_not_ahead"


def create_lead(*, fields: Mapping[str, Any], by: User | None, now: dt.datetime, assigns: bool = True) -> Lead:
    """Create a new lead, its response clock running from `now`.

    One without an owner in `fields` goes to whom the assignment rules say, unless not `assigns`; else it is unassigned.
    """
    if by is not None and not by.may_write:
        raise NotAllowed(_("You may look, but not add leads."))
    with acting(by):
        lead = Lead(**{"created_at": now, **fields})
        start_clock(lead, clocks=Clocks(now))
        lead.save()
        score_lead(lead, now=now)  # before assigning: its rules may ask for the score
        if assigns:
            assign_new_lead(lead, now=now)
    return lead


def edit_lead(lead: Lead, *, fields: Mapping[str, Any], seen_version: int, by: User) -> Lead:
    """Write the given fields of `EDITABLE` if nobody changed the lead since `seen_version`; else LeadConflict."""
    with acting(by):
        fresh = claim_version(lead, seen_version=seen_version, by=by)
        for name in EDITABLE:
            if name in fields:
                setattr(fresh, name, fields[name])
        if {"source", "team"} & fields.keys():
            fresh.answer_by = Clocks(fresh.created_at).answer_by(fresh)
        fresh.save()
    return fresh


def claim_lead(lead: Lead, *, by: User) -> Lead:
    """Make an unassigned lead the person's own; of several who try one succeeds, the others get LeadTaken."""
    with acting(by):
        is_mine = Lead.objects.editable_by(by).filter(pk=lead.pk, owner=None).update(owner=by, version=F("version") + 1)
        fresh = _locked(lead)
        if is_mine or fresh.owner_id == by.pk:
            return fresh
        if fresh.owner_id is None:
            raise NotAllowed(_("You may see this lead but not take it."))
        raise LeadTaken(fresh)


def assign_lead(lead: Lead, *, to: User | None, seen_version: int, by: User) -> Lead:
    """Give the lead to somebody `by` may give work to, or (None) to nobody; raises LeadConflict or NotAllowed."""
    if to is not None and not User.objects.assignable_by(by).filter(pk=to.pk).exists():
        raise NotAllowed(_("You cannot give leads to %(name)s.") % {"name": to})
    with acting(by):
        fresh = claim_version(lead, seen_version=seen_version, by=by)
        fresh.owner = to
        fresh.save(update_fields=["owner"])
    return fresh


def qualify_lead(lead: Lead, *, seen_version: int, by: User, now: dt.datetime) -> Lead:
    """Mark the lead as worth a deal; raises QualifyingAnswersMissing, WrongStatus for a closed one, or LeadConflict."""
    with acting(by):
        fresh = claim_alive(lead, seen_version=seen_version, by=by)
        refuse_unqualified(fresh)
        fresh.status, fresh.nurture_until = Lead.Status.QUALIFIED, None
        fresh.qualified_at = fresh.qualified_at or now
        fresh.save()
    return fresh


def disqualify_lead(
    lead: Lead, *, reason: DisqualifyReason | None, seen_version: int, by: User, now: dt.datetime
) -> Lead:
    """Close the lead as no customer, for a reason; what was planned for it goes with it and comes back if it does.

    Raises DisqualifyReasonNeeded, WrongStatus, LeadConflict or NotAllowed; then nothing has changed.
    """
    with acting(by):
        fresh = claim_alive(lead, seen_version=seen_version, by=by)
        if reason is None:
            raise DisqualifyReasonNeeded(_("Say why the lead is no customer."))
        fresh.status, fresh.nurture_until = Lead.Status.DISQUALIFIED, None
        fresh.disqualified_at, fresh.disqualify_reason = now, reason
        bin_follow_ups(fresh, now=now)
        fresh.save()
    return fresh


def nurture_lead(lead: Lead, *, until: dt.date, seen_version: int, by: User, now: dt.datetime) -> Lead:
    """Put the lead aside until the day `until`, on which it returns to the inbox; raises NurtureDateNotAhead."""
    with acting(by):
        fresh = claim_alive(lead, seen_version=seen_version, by=by)
        if until <= timezone.localdate(now):
            raise NurtureDateNotAhead(_("Choose a day after today."))
        fresh.status, fresh.nurture_until = Lead.Status.NURTURING, until
        fresh.save()
    return fresh


def reopen_lead(lead: Lead, *, seen_version: int, by: User, now: dt.datetime) -> Lead:
    """Take a disqualified or nurtured lead into work again, with what was planned for it; else WrongStatus."""
    with acting(by):
        fresh = claim_version(lead, seen_version=seen_version, by=by)
        if fresh.status not in {Lead.Status.DISQUALIFIED, Lead.Status.NURTURING}:
            raise WrongStatus(_("“%(lead)s” is open already.") % {"lead": fresh})
        if fresh.disqualified_at is not None:
            unbin_follow_ups(fresh, binned_at=fresh.disqualified_at, now=now)
        fresh.status = status_in_hand(fresh)
        fresh.disqualified_at = fresh.disqualify_reason = fresh.nurture_until = None
        spare_managers(fresh, now=now)
        fresh.save()
    return fresh


def delete_lead(lead: Lead, *, seen_version: int, by: User, now: dt.datetime) -> None:
    """Put the lead and what was planned for it into the bin, from which `restore_lead` takes them for 30 days."""
    with acting(by):
        fresh = claim_version(lead, seen_version=seen_version, by=by)
        if fresh.status == Lead.Status.CONVERTED:
            raise WrongStatus(_("A converted lead stays: its deal came from it. Delete the deal instead."))
        fresh.deleted_at = now
        bin_follow_ups(fresh, now=now)
        fresh.save()


def restore_lead(lead: Lead, *, by: User, now: dt.datetime) -> Lead:
    """Take the lead out of the bin, as it was; NotAllowed after 30 days or for who could not have deleted it."""
    if not Lead.objects.in_bin_of(by, now).filter(pk=lead.pk).exists():
        raise NotAllowed(_("This can no longer be taken out of the bin."))
    with acting(by):
        fresh = _locked(lead)
        if fresh.deleted_at is not None:  # else somebody was quicker
            unbin_follow_ups(fresh, binned_at=fresh.deleted_at, now=now)
            fresh.deleted_at = None
            fresh.version += 1
            fresh.save()
    return fresh


def status_in_hand(lead: Lead) -> str:
    """Return the status to which a lead comes back from nurturing or disqualification: as far as it had come."""
    if lead.qualified_at is not None:
        return Lead.Status.QUALIFIED
    return Lead.Status.WORKING if lead.first_response_at is not None else Lead.Status.NEW


# --- Who was first --------------------------------------------------------------------------------------------------


def claim_version(lead: Lead, *, seen_version: int, by: User) -> Lead:
    """Raise the version of the lead if it is the one seen, and return it locked; else LeadConflict or NotAllowed."""
    refusal = _("You may see this lead but not change it.")
    return claim(lead, seen_version=seen_version, by=by, refusal=refusal, conflict=LeadConflict, related=_WHOLE)


def claim_alive(lead: Lead, *, seen_version: int, by: User) -> Lead:
    """As `claim_version`, for a lead that is neither converted nor disqualified; else WrongStatus."""
    fresh = claim_version(lead, seen_version=seen_version, by=by)
    if fresh.status in {Lead.Status.CONVERTED, Lead.Status.DISQUALIFIED}:
        raise WrongStatus(
            _("“%(lead)s” is closed already: %(status)s.") % {"lead": fresh, "status": fresh.get_status_display()}
        )
    return fresh


def _locked(lead: Lead) -> Lead:
    rows = Lead.objects.select_for_update(of=("self",), no_key=True).select_related(*_WHOLE)
    fresh: Lead = rows.get(pk=lead.pk)
    return fresh


def _changed_by_somebody(lead: Lead) -> str:
    last = AuditEntry.objects.about("lead", lead.pk).select_related("actor").first()
    if last is None or last.actor is None:
        return _("“%(lead)s” was changed in the meantime; your change was not applied.") % {"lead": lead}
    return _("%(name)s changed “%(lead)s” in the meantime; your change was not applied.") % {
        "name": last.actor,
        "lead": lead,
    }
