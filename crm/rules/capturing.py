"""What comes in through lead forms: taken as a lead, added to the one its visitor has, or kept out for a person to see.

A submission that comes in says nothing with somebody's authority: its text is stored, and leaves in no mail.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from crm.models import Activity, Campaign, ConsentText, Lead, LeadForm, Submission, User
from crm.models.keys import folded_address
from crm.models.phones import read_phone
from crm.rules.activities import follow_touches
from crm.rules.audit import acting, coming_through
from crm.rules.errors import NotAllowed, RuleError
from crm.rules.form_news import queue_news
from crm.rules.form_owners import owner_of_next
from crm.rules.form_replies import queue_reply
from crm.rules.leads import create_lead

SAME_AGAIN = dt.timedelta(minutes=10)
"""The same words within this time are the same submission: a second click, a reload, a line that broke."""
KEPT_FOR = dt.timedelta(days=90)
"""What was kept out and nobody let in is forgotten after this time."""
LONGEST_BODY = 10_000


class NotKeptOut(RuleError):
    """The submission is in, or thrown out, already (409)."""

    code = "not_kept_out"


@dataclass(frozen=True)
class Visit:
    """What a visitor said and how they came; `answers` are {key, label, value} in the form's order."""

    fields: Mapping[str, str]
    answers: Sequence[Mapping[str, str]] = ()
    consent: ConsentText | None = None
    language: str = ""
    utm: Mapping[str, str] = field(default_factory=dict)
    referrer: str = ""
    page: str = ""
    address_mark: str = ""

    @property
    def content_mark(self) -> str:
        """A hash of what was said, however it was spaced."""
        said = [[answer["key"], " ".join(answer["value"].split()).casefold()] for answer in self.answers]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def capture(form: LeadForm, *, visit: Visit, reason: str, now: dt.datetime) -> Submission:
    """Take one submission: a new lead, or another word of a lead that is alive; with a `reason` it is kept out.

    However many copies arrive at once, there is one lead: submissions of one form pass one after another.
    """
    with coming_through("form"), acting(None):
        locked = LeadForm.objects.select_for_update(no_key=True).get(pk=form.pk)
        again = _same_again(locked, visit, now)
        if reason:
            return again or _write(locked, visit, now, state=Submission.State.KEPT_OUT, reason=reason)
        if again is not None and again.lead is not None and again.lead.status in Lead.ALIVE:
            return _write(locked, visit, now, state=Submission.State.MERGED, lead=again.lead)
        lead = _lead_of_same_visitor(locked, visit)
        if lead is not None:
            return _add_to(lead, locked, visit, now)
        lead = _new_lead(locked, visit.fields, visit.utm, now)
        submission = _write(locked, visit, now, state=Submission.State.TAKEN, lead=lead)
        queue_reply(submission)
        queue_news(lead)
    return submission


def release_submission(submission: Submission, *, by: User, now: dt.datetime) -> Submission:
    """Let in what was kept out: as a new lead whose clock starts `now`, or added to its visitor's; else NotKeptOut."""
    with acting(by):
        fresh = _decidable(submission, by=by)
        lead = _lead_of(fresh.form, fresh.email_key, fresh.phone_key)
        fresh.state = Submission.State.MERGED if lead else Submission.State.TAKEN
        fresh.lead = lead or _new_lead(fresh.form, fresh.fields, fresh.utm, now)
        fresh.decided_by = by
        fresh.save()
        _note(fresh, at=fresh.at if lead else now)
        if lead is None:
            queue_news(fresh.lead)
    return fresh


def throw_out_submission(submission: Submission, *, by: User) -> Submission:
    """Put a submission that was kept out where nobody need look at it; `keep_submission` takes it back."""
    with acting(by):
        fresh = _decidable(submission, by=by)
        fresh.state, fresh.decided_by = Submission.State.THROWN_OUT, by
        fresh.save()
    return fresh


def keep_submission(submission: Submission, *, by: User) -> Submission:
    """Put a submission that was thrown out back among those that wait for a decision."""
    with acting(by):
        fresh = _decidable(submission, by=by, state=Submission.State.THROWN_OUT)
        fresh.state, fresh.decided_by = Submission.State.KEPT_OUT, None
        fresh.save()
    return fresh


def publish_consent(form: LeadForm, *, now: dt.datetime) -> ConsentText | None:
    """Return the consent text in force, a new version of it where the form's words are no longer those of the last."""
    last = form.consents.first()
    words = (form.consent, form.consent_ru)
    if not any(words):
        return None
    if last is not None and (last.text, last.text_ru) == words:
        return last
    number = last.number + 1 if last else 1
    return ConsentText.objects.create(form=form, number=number, text=words[0], text_ru=words[1], since=now)


def forget_kept_out(*, now: dt.datetime) -> int:
    """Delete what was kept out or thrown out long ago; return how many."""
    old = Submission.objects.filter(lead=None, at__lt=now - KEPT_FOR)
    deleted, _kinds = old.delete()
    return deleted


# --- Who it is --------------------------------------------------------------------------------------------------------


def phone_key(number: str) -> str:
    """Return the number as it is compared, however it was written: E.164 with its extension."""
    phone = read_phone(re.sub(r"^\s*00", "+", number))
    return f"{phone.e164}x{phone.extension}".removesuffix("x")[:40] if phone else ""


def _same_again(form: LeadForm, visit: Visit, now: dt.datetime) -> Submission | None:
    same = Submission.objects.filter(form=form, content_mark=visit.content_mark, at__gt=now - SAME_AGAIN)
    return same.exclude(state=Submission.State.THROWN_OUT).select_related("lead").first()


def _lead_of_same_visitor(form: LeadForm, visit: Visit) -> Lead | None:
    return _lead_of(form, folded_address(visit.fields.get("email", "")), phone_key(visit.fields.get("phone", "")))


def _lead_of(form: LeadForm, email: str, phone: str) -> Lead | None:
    """The living lead that this form's visitor has: of the same e-mail, or of the same phone and no other e-mail."""
    earlier = Submission.objects.filter(form=form, lead__status__in=Lead.ALIVE, lead__deleted_at=None)
    earlier = earlier.select_related("lead").order_by("-pk")
    found = earlier.filter(email_key=email).first() if email else None
    if found is None and phone:
        same_phone = earlier.filter(phone_key=phone)
        found = (same_phone.filter(email_key="") if email else same_phone).first()
    return found.lead if found else None


# --- What is written --------------------------------------------------------------------------------------------------


def _write(form: LeadForm, visit: Visit, now: dt.datetime, **became: Any) -> Submission:
    submission = Submission.objects.create(
        form=form,
        at=now,
        answers=[dict(answer) for answer in visit.answers],
        fields=dict(visit.fields),
        consent=visit.consent,
        language=visit.language,
        utm=dict(visit.utm),
        referrer=visit.referrer,
        page=visit.page,
        address_mark=visit.address_mark,
        email_key=folded_address(visit.fields.get("email", "")),
        phone_key=phone_key(visit.fields.get("phone", "")),
        content_mark=visit.content_mark,
        **became,
    )
    if submission.state == Submission.State.TAKEN:
        _note(submission, at=now)
    return submission


def _add_to(lead: Lead, form: LeadForm, visit: Visit, now: dt.datetime) -> Submission:
    submission = _write(form, visit, now, state=Submission.State.MERGED, lead=lead)
    _note(submission, at=now)
    return submission


def _new_lead(form: LeadForm, fields: Mapping[str, str], utm: Mapping[str, str], now: dt.datetime) -> Lead:
    campaign = form.campaign or _campaign_named(utm.get("campaign", ""), form)
    said = {name: fields[name] for name in ("company_name", "email", "phone", "message") if fields.get(name)}
    name = fields.get("name") or fields.get("company_name") or fields.get("email") or fields.get("phone")
    known = {
        "name": (name or _("Visitor of “%(form)s”") % {"form": form})[:200],
        "source": form.source or (campaign.source if campaign else None),
        "campaign": campaign,
        "owner": owner_of_next(form),
        "team": form.team,
    }
    by_rules = form.owner_rule == LeadForm.OwnerRule.RULES
    return create_lead(fields={**known, **said}, by=None, now=now, assigns=by_rules)


def _campaign_named(name: str, form: LeadForm) -> Campaign | None:
    """The campaign that an advertisement's address names; one of another source than the form's is none."""
    campaigns = Campaign.objects.filter(name__iexact=name).select_related("source") if name else Campaign.objects.none()
    return (campaigns.filter(source=form.source) if form.source else campaigns).first()


def _note(submission: Submission, *, at: dt.datetime) -> None:
    """Put what was said on the lead's timeline, as the visitor's own words."""
    lead = submission.lead
    assert lead is not None
    said = "\n".join(f"{answer['label']}: {answer['value']}" for answer in submission.answers if answer["value"])
    Activity.objects.create(
        subject=lead,
        kind=Activity.Kind.MESSAGE,
        direction=Activity.Direction.IN,
        at=at,
        title=submission.form.name,
        body=said[:LONGEST_BODY],
    )
    follow_touches(lead)


def _decidable(submission: Submission, *, by: User, state: str = Submission.State.KEPT_OUT) -> Submission:
    """The submission, its form locked as for capturing, if it waits for this decision."""
    if not by.may_write or not Submission.objects.visible_to(by).filter(pk=submission.pk).exists():
        raise NotAllowed(_("You may look at this, but not change it."))
    form = LeadForm.objects.select_for_update(no_key=True).get(pk=submission.form_id)
    fresh = Submission.objects.select_for_update(of=("self",)).get(pk=submission.pk)
    fresh.form = form
    if fresh.state != state or not Submission.objects.editable_by(by).filter(pk=submission.pk).exists():
        raise NotKeptOut(_("Somebody has decided about this submission already."))
    return fresh
