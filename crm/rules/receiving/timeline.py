"""A message on the timeline of its record: put there, moved to another, taken off; and what follows from each."""

from __future__ import annotations

import datetime as dt
from typing import Any

from crm.models import Activity, Email
from crm.rules.activities import answer_lead, follow_touches
from crm.rules.receiving.arriving import announce
from crm.rules.receiving.leanings import leaning_of

ANSWERS_WITHIN = dt.timedelta(days=90)
"""What comes later without a thread is no answer to what was said so long ago."""
Response = Activity.Response


def put_on_timeline(email: Email, subject: Any, *, answered: Activity | None = None, now: dt.datetime) -> None:
    """Give a message its place; part of the caller's transaction. A person's answers what was last said to them."""
    email.subject = subject
    email.is_set_aside = False
    if email.nature in {Email.Nature.PERSON, Email.Nature.AUTO_REPLY}:
        email.activity = _activity(email)
    if _is_answer(email):
        email.answers = answered or _last_said(subject, email)
        leaning = leaning_of(email.new_text)
        email.suggested, email.suggested_for = leaning.response, leaning.because
    email.save()
    follow_touches(subject)
    answer_lead(subject)
    announce(email, now=now)


def take_off_timeline(email: Email) -> None:
    """Take a message off the record it was put on; what was concluded from it there is concluded no longer."""
    subject, activity, answered = email.subject, email.activity, email.answers
    email.subject = email.activity = email.answers = None
    email.save()
    if activity is not None:
        activity.delete()
    if answered is not None:
        follow_mark(answered)
    if subject is not None:
        follow_touches(subject)
        answer_lead(subject)


def mark(email: Email, response: str) -> None:
    """Write how an answer took it: on the answer, and on the touch it answers, which is what figures count."""
    if email.activity is None:
        return
    Activity.objects.filter(pk=email.activity.pk).update(response=response)
    email.activity.response = response
    if email.answers is not None:
        follow_mark(email.answers)


def follow_mark(answered: Activity) -> None:
    """Make the response of an outbound touch that of the latest answer to it that somebody marked."""
    marked = Email.objects.filter(answers=answered, activity__deleted_at=None).exclude(activity__response=Response.NONE)
    latest = marked.order_by("-at", "-pk").values_list("activity__response", flat=True).first()
    Activity.objects.filter(pk=answered.pk).update(response=latest or Response.NONE)


def _is_answer(email: Email) -> bool:
    return email.direction == Activity.Direction.IN and email.nature == Email.Nature.PERSON


def _last_said(subject: Any, email: Email) -> Activity | None:
    at = email.at or email.created_at
    said = subject.activities.present().outbound().filter(at__lte=at, at__gt=at - ANSWERS_WITHIN)
    last: Activity | None = said.order_by("-at", "-pk").first()
    return last


def _activity(email: Email) -> Activity:
    is_automatic = email.nature == Email.Nature.AUTO_REPLY
    return Activity.objects.create(
        subject=email.subject,
        kind=Activity.Kind.EMAIL,
        direction=email.direction,
        author=email.author,
        at=email.at or email.created_at,
        title=email.subject_line[:200],
        body=(email.new_text or email.text)[:10_000],
        is_automatic=is_automatic,
    )
