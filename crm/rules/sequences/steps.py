"""The steps of a sequence: added, changed, moved and taken out while people are under way.

Where somebody stands is a step, not a number: it moves with the step. Nobody gets a step twice, wherever it is put.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from crm.models import Enrolment, Sequence, SequenceStep, User
from crm.rules.audit import acting
from crm.rules.errors import RuleError
from crm.rules.sequences.keeping import claim
from crm.rules.sequences.performing import after

BY_KIND: Mapping[str, tuple[str, ...]] = {
    SequenceStep.Kind.EMAIL: ("template", "template_b", "share_b"),
    SequenceStep.Kind.WAIT: ("days",),
    SequenceStep.Kind.FOLLOW_UP: ("follow_up_kind", "title", "days", "note"),
    SequenceStep.Kind.BRANCH: ("condition", "goes_to"),
}
"""What is said of a step of each kind."""
MOST_STEPS = 50


class WrongWay(RuleError):
    """A branch would lead back, or to itself; or a step cannot go where it was sent (422)."""

    code = "wrong_way"


class TooManySteps(RuleError):
    """A sequence has at most MOST_STEPS steps (422)."""

    code = "too_many"


def add_step(
    sequence: Sequence, *, kind: str, fields: Mapping[str, Any], seen_version: int, by: User, behind: int | None = None
) -> SequenceStep:
    """Add a step at the end, or behind the step with the id `behind`; raises as `edit_step`, or TooManySteps."""
    with acting(by):
        fresh = claim(sequence, seen_version=seen_version, by=by)
        steps = list(fresh.steps.present())
        if len(steps) >= MOST_STEPS:
            raise TooManySteps(_("A sequence has at most %(most)s steps.") % {"most": MOST_STEPS})
        place = next((index + 1 for index, step in enumerate(steps) if step.pk == behind), len(steps))
        step = SequenceStep(sequence=fresh, kind=kind)
        steps.insert(place, step)
        _say(step, fields)
        step.position = place + 1
        step.save()
        _number(steps)
        _refuse_backward(steps)
    return step


def edit_step(step: SequenceStep, *, fields: Mapping[str, Any], seen_version: int, by: User) -> SequenceStep:
    """Change a step for those who have not had it yet; raises RecordConflict, NotAllowed or WrongWay."""
    with acting(by):
        fresh = claim(step.sequence, seen_version=seen_version, by=by)
        changed = fresh.steps.present().get(pk=step.pk)
        _say(changed, fields)
        changed.save()
        _refuse_backward(list(fresh.steps.present()))
    return changed


def move_step(step: SequenceStep, *, by_places: int, seen_version: int, by: User) -> None:
    """Move a step up (negative) or down; who stands before it stands before it there, too. Raises as `edit_step`."""
    with acting(by):
        fresh = claim(step.sequence, seen_version=seen_version, by=by)
        steps = list(fresh.steps.present())
        place = next(index for index, other in enumerate(steps) if other.pk == step.pk)
        moved = steps.pop(place)
        steps.insert(max(place + by_places, 0), moved)
        _number(steps)
        _refuse_backward(steps)


def remove_step(step: SequenceStep, *, seen_version: int, by: User, now: dt.datetime) -> int:
    """Take a step out; who stands before it stands before the next, who has had it has had it. Return how many moved.

    A branch that led to it leads to the next as well.
    """
    with acting(by):
        fresh = claim(step.sequence, seen_version=seen_version, by=by)
        steps = list(fresh.steps.present())
        removed = next(other for other in steps if other.pk == step.pk)
        following = after(removed, steps)
        removed.removed_at = now
        removed.save()
        fresh.steps.present().filter(goes_to=removed).update(goes_to=following)
        return Enrolment.objects.alive().filter(step=removed).update(step=following)


def _say(step: SequenceStep, fields: Mapping[str, Any]) -> None:
    for name in BY_KIND[step.kind]:
        if name in fields:
            setattr(step, name, fields[name])


def _number(steps: list[SequenceStep]) -> None:
    for position, step in enumerate(steps, start=1):
        if step.position != position or step.pk is None:
            step.position = position
            step.save(update_fields=["position"])


def _refuse_backward(steps: list[SequenceStep]) -> None:
    places = {step.pk: place for place, step in enumerate(steps)}
    for step in steps:
        if step.goes_to_id is not None and places.get(step.goes_to_id, -1) <= places[step.pk]:
            words = {"branch": places[step.pk] + 1, "step": places.get(step.goes_to_id, -1) + 1}
            raise WrongWay(_("The branch at %(branch)s would lead back to step %(step)s; it can only lead on.") % words)
