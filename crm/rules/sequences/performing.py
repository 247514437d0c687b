"""What each kind of step does with a person: one function a kind, in a registry."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.utils import translation

from crm.models import Contact, Email, EmailTemplate, Enrolment, Lead, SequenceStep, StepRun, User
from crm.rules.emails import Letter, NoAddress, Suppressed, write_email
from crm.rules.errors import NotAllowed, RuleError
from crm.rules.follow_ups import Plan, plan_follow_up
from crm.rules.merge_fields import MissingValue
from crm.rules.sequences import moments
from crm.rules.sequences.links import has_opened, track_links
from crm.rules.working_time import WorkingHours

A, B = "A", "B"


class Held(Exception):
    """The step cannot be done until a person mends something; the enrolment waits before it."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


class Stopped(Exception):
    """The step shows that there is no going on."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


class NotYet(Exception):
    """The step is to be done at `until`, not now."""

    def __init__(self, until: dt.datetime) -> None:
        super().__init__(str(until))
        self.until = until


@dataclass
class Doing:
    """A person before a step, now; `steps` are all of the sequence's that are left in it, in their order."""

    enrolment: Enrolment
    person: Lead | Contact
    step: SequenceStep
    steps: Sequence[SequenceStep]
    now: dt.datetime

    @cached_property
    def hours(self) -> WorkingHours:
        """When the sender works."""
        return moments.hours_of_sender(self.enrolment.sender)


@dataclass(frozen=True)
class Done:
    """What was done, and what comes next, when: None is the end."""

    next: SequenceStep | None
    due_at: dt.datetime
    run: StepRun | None = None


Perform = Callable[[Doing], Done]


def perform(doing: Doing) -> Done:
    """Do the step with the person; raises Held, Stopped or NotYet, and then nothing was done."""
    return _KINDS[doing.step.kind](doing)


def after(step: SequenceStep, steps: Sequence[SequenceStep]) -> SequenceStep | None:
    """Return the step that follows, wherever its forerunner stands by now."""
    return next((other for other in steps if (other.position, other.pk) > (step.position, step.pk)), None)


def variant_of(step: SequenceStep, enrolment: Enrolment) -> str:
    """Return which of a step's two templates a person gets: by lot, but always the same lot."""
    if step.template_b_id is None:
        return ""
    lot = int.from_bytes(hashlib.sha256(f"{step.pk}:{enrolment.pk}".encode()).digest()[:4]) % 100
    return B if lot < step.share_b else A


def last_letter(enrolment: Enrolment) -> Email | None:
    """Return the last letter written to the person in this sequence and not withdrawn."""
    runs = enrolment.runs.filter(email__isnull=False, withdrawn_at=None)
    run = runs.select_related("email__row").order_by("-serial").first()
    return run.email if run else None


# --- Kinds ------------------------------------------------------------------------------------------------------------


def _write(doing: Doing) -> Done:
    enrolment, step = doing.enrolment, doing.step
    following = after(step, doing.steps)
    if enrolment.answered_at is not None or _was_done(doing):
        return Done(following, doing.now)
    moment = moments.letter_moment(enrolment.sequence, doing.person, doing.hours, doing.now)
    if moment > doing.now:
        raise NotYet(moment)
    variant = variant_of(step, enrolment)
    email = _letter(doing, step.template_b if variant == B else step.template)
    return Done(following, doing.now, _run(doing, email=email, variant=variant))


def _letter(doing: Doing, template: EmailTemplate | None) -> Email:
    enrolment = doing.enrolment
    if template is None or template.deleted_at is not None:
        raise Held("template_gone", str(template or ""))
    line, body = template.texts(enrolment.language)
    answers = last_letter(enrolment) if line.lower().startswith("re:") else None
    letter = Letter(
        line,
        _signed(body, enrolment.sender),
        template=template,
        can_unsubscribe=True,
        answers=answers,
        language=enrolment.language,
    )
    try:
        with translation.override(enrolment.sender.language):
            email = write_email(letter, about=doing.person, to=doing.person, by=enrolment.sender, now=doing.now)
    except RuleError as refusal:
        raise _in_words(refusal) from refusal
    if enrolment.sequence.tracks_links:
        track_links(email)
    return email


def _signed(body: str, sender: User) -> str:
    return f"{body}<p><br></p>{sender.signature}" if sender.signature else body


def _in_words(refusal: RuleError) -> Held | Stopped:
    match refusal:
        case NotAllowed():
            return Stopped("sender_gone", refusal.message)
        case NoAddress():
            return Stopped("no_address", refusal.message)
        case Suppressed():
            return Stopped("suppressed", refusal.message)
        case MissingValue():
            return Held("missing_value", refusal.message)
        case _:
            return Held("cannot_write", refusal.message)


def _wait(doing: Doing) -> Done:
    """The days are counted from when the letter before left, which may be later than when it was written."""
    letter = last_letter(doing.enrolment)
    since = letter.at if letter is not None and letter.at is not None and _came_last(doing, letter) else doing.now
    due_at = moments.days_later(doing.hours, since, doing.step.days)
    return Done(after(doing.step, doing.steps), due_at, None if _was_done(doing) else _run(doing))


def _came_last(doing: Doing, letter: Email) -> bool:
    last = doing.enrolment.runs.filter(withdrawn_at=None).order_by("-serial").values_list("email_id", flat=True).first()
    return last == letter.pk


def _plan(doing: Doing) -> Done:
    enrolment, step = doing.enrolment, doing.step
    following = after(step, doing.steps)
    if _was_done(doing):
        return Done(following, doing.now)
    sender = enrolment.sender
    plan = Plan(
        title=step.title,
        due=moments.follow_up_due(doing.hours, doing.now, step.days, sender.time_zone),
        assignee=sender,
        kind=step.follow_up_kind,
        note=step.note,
    )
    try:
        key = f"sequence:{enrolment.pk}:{step.pk}"
        follow_up = plan_follow_up(doing.person, plan=plan, by=None, now=doing.now, source_key=key)
    except RuleError as refusal:
        raise Held("cannot_write", refusal.message) from refusal
    return Done(following, doing.now, _run(doing, follow_up=follow_up))


def _branch(doing: Doing) -> Done:
    step = doing.step
    run = None if _was_done(doing) else _run(doing)
    if not _CONDITIONS[step.condition](doing):
        return Done(after(step, doing.steps), doing.now, run)
    return Done(target_of(step, doing.steps), doing.now, run)


def target_of(step: SequenceStep, steps: Sequence[SequenceStep]) -> SequenceStep | None:
    """Return where a branch leads: None is the end. Never back, whatever was moved since."""
    target = step.goes_to
    if target is None or (target.position, target.pk) <= (step.position, step.pk):
        return after(step, steps) if target is not None else None
    return target if target.removed_at is None else after(target, steps)


def _opened(doing: Doing) -> bool:
    email = last_letter(doing.enrolment)
    return email is not None and has_opened(email)


_CONDITIONS: dict[str, Callable[[Doing], bool]] = {
    SequenceStep.Condition.OPENED: _opened,
    SequenceStep.Condition.NO_ANSWER: lambda doing: doing.enrolment.answered_at is None,
    SequenceStep.Condition.ANSWERED: lambda doing: doing.enrolment.answered_at is not None,
    SequenceStep.Condition.ALWAYS: lambda _doing: True,
}

_KINDS: dict[str, Perform] = {
    SequenceStep.Kind.EMAIL: _write,
    SequenceStep.Kind.WAIT: _wait,
    SequenceStep.Kind.FOLLOW_UP: _plan,
    SequenceStep.Kind.BRANCH: _branch,
}


def _was_done(doing: Doing) -> bool:
    return StepRun.objects.filter(enrolment=doing.enrolment, step=doing.step, withdrawn_at=None).exists()


def _run(doing: Doing, **fields: object) -> StepRun:
    return StepRun(enrolment=doing.enrolment, step=doing.step, serial=doing.enrolment.serial, at=doing.now, **fields)
