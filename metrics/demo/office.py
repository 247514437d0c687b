"""What the invented company's people keep at hand: who gets leads, segments, templates, a sequence, a public form."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from crm.models import (
    AssignmentRule,
    EmailTemplate,
    Lead,
    LeadForm,
    LeadFormField,
    SequenceStep,
    Submission,
    Team,
    User,
)
from crm.rules.capturing import publish_consent
from crm.rules.segments import create_segment
from crm.rules.sequences.keeping import create_sequence, start_sequence
from crm.rules.sequences.steps import add_step
from metrics.demo import furnishings as words
from metrics.demo.people import Cast

LEAD_FIELDS = ("name", "email", "phone", "company_name", "message")


def furnish(cast: Cast, *, now: dt.datetime) -> None:
    """Set up what an admin, a manager and a rep would have set up by now."""
    manager, rep = User.objects.get(email="manager@demo.test"), cast.reps[0].user
    segments = {
        name: create_segment(about=about, fields={"name": name, "shared_with": shared, "conditions": tree}, by=owner)
        for owner, name, about, shared, tree in (
            (manager, *words.UNANSWERED),
            (manager, *words.KEEN),
            (manager, *words.RUSSIAN_MAIL),
            (rep, *words.MY_HOT),
            (rep, *words.QUIET_CONTACTS),
        )
    }
    _assign(cast, russian_mail=segments[words.RUSSIAN_MAIL[0]])
    first, last = (_write_template(manager, texts, now=now) for texts in (words.FIRST_ANSWER, words.LAST_WORD))
    _write_template(manager, words.AFTER_A_MEETING, now=now)
    _write_template(rep, words.REMINDER, is_shared=False, now=now)
    _start_sequence(manager, first=first, last=last, now=now)
    _open_form(cast, now=now)


def _write_template(owner: User, texts: tuple[str, ...], *, now: dt.datetime, is_shared: bool = True) -> EmailTemplate:
    name, subject, subject_ru, body, body_ru = texts
    return EmailTemplate.objects.create(
        owner=owner, is_shared=is_shared, name=name, subject=subject, subject_ru=subject_ru, body=body,
        body_ru=body_ru, created_at=now,
    )  # fmt: skip


def _start_sequence(owner: User, *, first: EmailTemplate, last: EmailTemplate, now: dt.datetime) -> None:
    """A sequence that takes people on; nobody is in it, or the demo would begin by writing to strangers."""
    sequence = create_sequence(fields={"name": words.SEQUENCE, "is_shared": True}, by=owner)
    kinds = SequenceStep.Kind
    steps: tuple[tuple[str, dict[str, Any]], ...] = (
        (kinds.EMAIL, {"template": first}),
        (kinds.WAIT, {"days": 2}),
        (kinds.FOLLOW_UP, {"follow_up_kind": "call", "title": words.CALL_AGAIN}),
        (kinds.WAIT, {"days": 5}),
        (kinds.EMAIL, {"template": last}),
    )
    for kind, fields in steps:
        sequence.refresh_from_db()
        add_step(sequence, kind=kind, fields=fields, seen_version=sequence.version, by=owner)
    sequence.refresh_from_db()
    start_sequence(sequence, seen_version=sequence.version, by=owner, now=now)


def _assign(cast: Cast, *, russian_mail: Any) -> None:
    """Russian mail goes to the Russian team, referrals to who has the least to do, the rest to the others in turn."""
    north, south, east = (Team.objects.get(name=name) for name in ("North", "South", "Восток"))
    referral = next(source for source in cast.sources if source.slug == "referral")
    AssignmentRule.objects.create(
        name="Пишет по-русски → Восток", position=1, segment=russian_mail, team=east, at_work=AssignmentRule.AtWork.NEXT
    )
    by_load = AssignmentRule.objects.create(
        name="Referrals: who has the fewest", position=2, method=AssignmentRule.Method.LOAD, team=south
    )
    by_load.sources.add(referral)
    AssignmentRule.objects.create(
        name="Everybody else: in turn", position=3, team=north, at_work=AssignmentRule.AtWork.NOW
    )


def _open_form(cast: Cast, *, now: dt.datetime) -> None:
    """A form on the company's site, what came in through it lately, and what it kept out."""
    website = next(source for source in cast.sources if source.slug == "website")
    form = LeadForm.objects.create(slug="quote", source=website, sites=["https://www.example.com"], **words.FORM)
    for position, said in enumerate(words.FIELDS):
        LeadFormField.objects.create(form=form, position=position, **said)
    consent = publish_consent(form, now=now - dt.timedelta(days=200))
    taken = Lead.objects.filter(source=website).order_by("-created_at", "-pk")[:12]
    visits = [
        _visit(lead, said={name: getattr(lead, name) for name in LEAD_FIELDS}, at=lead.created_at) for lead in taken
    ]
    visits += [
        _visit(None, said=said, at=now - dt.timedelta(hours=3 * number)) for number, said in enumerate(words.JUNK)
    ]
    for number, submission in enumerate(visits):
        submission.form, submission.consent = form, consent
        submission.content_mark = f"demo-{number}"
        if submission.lead is None:
            submission.state, submission.reason = Submission.State.KEPT_OUT, words.REASONS[number % len(words.REASONS)]
        elif number % 3 == 0:
            submission.utm = {"source": "search", "medium": "cpc", "campaign": "dryers"}
    Submission.objects.bulk_create(visits)


def _visit(lead: Lead | None, *, said: Mapping[str, str], at: dt.datetime) -> Submission:
    """What a visitor said through the form, and the lead it became, if it was let in."""
    return Submission(
        lead=lead,
        at=at,
        state=Submission.State.TAKEN,
        fields={name: value for name, value in said.items() if value},
        answers=[
            {"key": field["key"], "label": field["label"], "value": said[field["maps_to"]]}
            for field in words.FIELDS
            if said.get(field["maps_to"])
        ],
        language="en",
        page="https://www.example.com/contact",
        email_key=said["email"].lower(),
    )
