"""Lead → company, contact and deal: one transaction, once.

What was said stays on the lead, and the deal's timeline begins with it; what is still planned moves to the deal.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F
from django.utils.translation import gettext as _

from crm.models import Company, Contact, FollowUp, Lead, QualifyingQuestion, User
from crm.rules.audit import acting
from crm.rules.companies import add_company, add_contact
from crm.rules.errors import NotAllowed
from crm.rules.leads import LeadConflict, WrongStatus, claim_alive, claim_version, status_in_hand
from crm.rules.qualifying import answer_question, checklist_of, note_answers, refuse_unqualified
from crm.rules.response_clock import spare_managers
from pipeline.models import Deal, Stage
from pipeline.rules.deals import open_deal
from pipeline.rules.lead_checklists import asked_by
from pipeline.rules.locking import share_pipeline


@dataclass(frozen=True)
class Conversion:
    """What is to become of a lead: a deal in `stage`, for an existing company and contact or for new ones by name.

    Without either a company (or contact) or its name the deal has none. `deal` holds fields of the deal itself,
    `answers` what is known only now about questions of the stage's pipeline: question → answer.
    """

    stage: Stage
    deal: Mapping[str, Any] = field(default_factory=dict)
    company: Company | None = None
    company_name: str = ""
    contact: Contact | None = None
    contact_name: str = ""
    answers: Mapping[QualifyingQuestion, str] = field(default_factory=dict)


def convert_lead(lead: Lead, *, into: Conversion, seen_version: int, by: User, now: dt.datetime) -> Deal:
    """Make the lead a deal with company and contact, all or nothing; whoever comes second gets the first one's deal.

    Raises LeadConflict, WrongStatus, NotAllowed or QualifyingAnswersMissing (by what the deal's pipeline asks) for the
    lead, StageRequires or WrongStage for the deal.
    """
    try:
        return _convert(lead, into=into, seen_version=seen_version, by=by, now=now)
    except (LeadConflict, WrongStatus):
        first = Deal.objects.visible_to(by).filter(lead=lead).first()
        if first is None:
            raise
        return first


def reopen_converted_lead(lead: Lead, *, seen_version: int, by: User, now: dt.datetime) -> Lead:
    """Take a lead into work again whose deal was deleted; the deal, were it restored, would stand without it.

    Company and contact that came of it stay, and are offered when it is converted anew. Raises WrongStatus while the
    deal stands, LeadConflict or NotAllowed.
    """
    with acting(by):
        fresh = claim_version(lead, seen_version=seen_version, by=by)
        if fresh.status != Lead.Status.CONVERTED or Deal.objects.present().filter(lead=fresh).exists():
            raise WrongStatus(_("“%(lead)s” is a deal. Delete the deal first.") % {"lead": fresh})
        Deal.objects.filter(lead=fresh).update(lead=None, version=F("version") + 1)
        fresh.converted_at = None
        fresh.status = status_in_hand(fresh)
        spare_managers(fresh, now=now)
        fresh.save()
    return fresh


def _convert(lead: Lead, *, into: Conversion, seen_version: int, by: User, now: dt.datetime) -> Deal:
    _refuse_foreign(into, by)
    with acting(by):
        share_pipeline(into.stage.pipeline_id)
        fresh = claim_alive(lead, seen_version=seen_version, by=by)
        _qualify(fresh, into, by, now)
        note_answers(fresh, by=by, now=now)
        fresh.owner = fresh.owner or by
        company = into.company or _new_company(fresh, into, by)
        contact = into.contact or _new_contact(fresh, into, company, by)
        deal = open_deal(stage=into.stage, fields=_deal_fields(fresh, into, company, contact), by=by, now=now)
        _close_as_converted(fresh, company, contact, now)
        _move_next_steps(fresh, deal)
    return deal


def _qualify(lead: Lead, into: Conversion, by: User, now: dt.datetime) -> None:
    """Write down what was answered with the conversion; raise QualifyingAnswersMissing where that is not enough."""
    asks = asked_by(into.stage.pipeline)
    notes = {line.question: line.answer.note for line in checklist_of(lead, asked_by=asks) if line.answer}
    for question, answer in into.answers.items():
        note = notes.get(question, "")
        answer_question(lead, question, answer=answer, note=note, by=by, now=now, asked_by=asks)
    refuse_unqualified(lead, asked_by=asks)


def _refuse_foreign(into: Conversion, by: User) -> None:
    for record in (into.company, into.contact):
        if record is not None and not type(record).objects.visible_to(by).filter(pk=record.pk).exists():
            raise NotAllowed(_("This company or contact is not for you to see."))


def _new_company(lead: Lead, into: Conversion, by: User) -> Company | None:
    if not into.company_name:
        return None
    return add_company(fields={"name": into.company_name, "owner": lead.owner}, by=by)


def _new_contact(lead: Lead, into: Conversion, company: Company | None, by: User) -> Contact | None:
    if not into.contact_name:
        return None
    fields = {"email": lead.email, "phone": lead.phone, "company": company, "owner": lead.owner}
    return add_contact(fields={"name": into.contact_name, **fields}, by=by)


def _deal_fields(lead: Lead, into: Conversion, company: Company | None, contact: Contact | None) -> dict[str, Any]:
    return {
        "name": lead.company_name or lead.name,
        **into.deal,
        "lead": lead,
        "owner": lead.owner,
        "company": company,
        "contact": contact,
        "source": lead.source,
        "campaign": lead.campaign,
        "last_touch_at": lead.last_touch_at,
    }


def _close_as_converted(lead: Lead, company: Company | None, contact: Contact | None, now: dt.datetime) -> None:
    lead.status, lead.converted_at, lead.nurture_until = Lead.Status.CONVERTED, now, None
    lead.qualified_at = lead.qualified_at or now
    lead.company, lead.contact, lead.next_step_at = company, contact, None
    lead.save()


def _move_next_steps(lead: Lead, deal: Deal) -> None:
    """Hang the lead's open follow-ups on the deal, beside those its stage has just given it."""
    for follow_up in FollowUp.objects.open().about(lead):
        follow_up.subject = deal
        follow_up.save(update_fields=["subject_type", "subject_id"])
    first = deal.follow_ups.open().order_by("due_at").first()
    deal.next_step_at = first.due_at if first else None
    deal.save(update_fields=["next_step_at"])
