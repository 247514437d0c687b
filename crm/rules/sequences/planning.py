"""Who gets what when: the way of somebody who neither answers nor opens a link."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from crm.models import Contact, EmailTemplate, Lead, Sequence, SequenceStep, User
from crm.rules.sequences import moments
from crm.rules.sequences.performing import after, target_of

SILENT = frozenset({SequenceStep.Condition.NO_ANSWER, SequenceStep.Condition.ALWAYS})
"""What holds for who says nothing."""


@dataclass(frozen=True)
class Planned:
    """One step that would be done at `at`; of a letter, the templates of which one is sent."""

    step: SequenceStep
    at: dt.datetime

    @property
    def templates(self) -> list[EmailTemplate]:
        """One, or two between which the lot decides."""
        return [template for template in (self.step.template, self.step.template_b) if template is not None]


def plan_for(sequence: Sequence, *, person: Lead | Contact, sender: User, now: dt.datetime) -> list[Planned]:
    """Return the letters and follow-ups that `person` gets if they stay silent, with their times."""
    steps = list(sequence.steps.present().select_related("template", "template_b", "goes_to"))
    hours = moments.hours_of_sender(sender)
    planned: list[Planned] = []
    at, step = now, steps[0] if steps else None
    while step is not None:
        following = after(step, steps)
        if step.kind == SequenceStep.Kind.WAIT:
            at = moments.days_later(hours, at, step.days)
        elif step.kind == SequenceStep.Kind.EMAIL:
            at = moments.letter_moment(sequence, person, hours, at)
            planned.append(Planned(step, at))
        elif step.kind == SequenceStep.Kind.FOLLOW_UP:
            planned.append(Planned(step, moments.follow_up_due(hours, at, step.days, sender.time_zone).utc))
        elif step.condition in SILENT:
            following = target_of(step, steps)
        step = following
    return planned
