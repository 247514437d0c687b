"""What came of a sequence, by step and by template: sent, delivered, answered, positive, unsubscribed, deals won."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q

from crm.models import Activity, EmailLink, Enrolment, Sequence, SequenceStep, StepRun, Suppression
from crm.rules.sequences.performing import A, B
from crm.rules.sequences.verdicts import Share, Verdict, compare


@dataclass(frozen=True)
class Figures:
    """Letters that left, and what came of them; an answer and a deal count for the last letter before."""

    sent: int = 0
    delivered: int = 0
    opened: int = 0
    answered: int = 0
    positive: int = 0
    unsubscribed: int = 0
    won: int = 0

    def __add__(self, other: Figures) -> Figures:
        """Both together."""
        return Figures(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(Figures)))

    @property
    def answer_rate(self) -> float | None:
        """Answered of delivered."""
        return Share(self.answered, self.delivered).rate


@dataclass(frozen=True)
class StepFigures:
    """One step's figures: of all its letters, of each template, and what can be said of the two."""

    both: Figures
    a: Figures
    b: Figures
    verdict: Verdict | None


def figures_of(sequence: Sequence) -> tuple[Figures, Mapping[int, StepFigures]]:
    """Return what came of all letters, and of each step's by its id; one query. Steps taken out count in the whole."""
    found: dict[tuple[int, str], Figures] = {}
    for row in _counted(StepRun.objects.filter(step__sequence=sequence)).values_list("step", "variant", *NAMES):
        found[row[0], row[1]] = Figures(*row[2:])
    steps = {step for step, _variant in found}
    by_step = {step: _of_step(*(found.get((step, variant), Figures()) for variant in ("", A, B))) for step in steps}
    return sum(found.values(), Figures()), by_step


def figures_by_sequence(sequences: Iterable[Sequence]) -> dict[int, Figures]:
    """Return what came of each sequence's letters; one query."""
    runs = StepRun.objects.filter(step__sequence__in=[sequence.pk for sequence in sequences])
    return {
        row[0]: Figures(*row[1:]) for row in _counted(runs, by="step__sequence").values_list("step__sequence", *NAMES)
    }


def people_by_state(sequences: Iterable[Sequence]) -> dict[int, dict[str, int]]:
    """Return how many people each sequence has in which state; one query."""
    rows = Enrolment.objects.filter(sequence__in=[sequence.pk for sequence in sequences])
    counted = rows.order_by().values_list("sequence", "state").annotate(count=Count("pk"))
    found: dict[int, dict[str, int]] = {}
    for sequence, state, count in counted:
        found.setdefault(sequence, {})[state] = count
    return found


def standing_before(sequence: Sequence) -> dict[int, int]:
    """Return how many people stand before each step, by its id."""
    alive = Enrolment.objects.alive().filter(sequence=sequence, step__isnull=False)
    return dict(alive.order_by().values_list("step").annotate(count=Count("pk")))


def had_already(step: SequenceStep) -> int:
    """Return how many people have had the step: whatever it becomes, they do not get it again."""
    return StepRun.objects.filter(step=step, withdrawn_at=None).count()


NAMES = tuple(one.name for one in fields(Figures))


def _counted(runs: Any, *, by: str = "step") -> Any:
    """Group runs by step and template (or by sequence), and count; a letter counts from the moment it left."""
    keys = (by, "variant") if by == "step" else (by,)
    left = Q(email__at__isnull=False)
    opened = Exists(EmailLink.objects.filter(email=OuterRef("email"), opened_at__isnull=False))
    gone = Suppression.objects.filter(email=OuterRef("email"), reason=Suppression.Reason.UNSUBSCRIBED)
    return (
        runs.filter(left)
        .order_by()
        .annotate(is_opened=opened, is_gone=Exists(gone))
        .values(*keys)
        .annotate(
            sent=Count("pk"),
            delivered=Count("pk", filter=Q(email__bounced_at=None)),
            opened=Count("pk", filter=Q(is_opened=True)),
            answered=Count("pk", filter=Q(answered_at__isnull=False)),
            positive=Count("pk", filter=Q(email__activity__response=Activity.Response.POSITIVE)),
            unsubscribed=Count("pk", filter=Q(is_gone=True)),
            won=Count("pk", filter=Q(won_at__isnull=False)),
        )
    )


def _of_step(whole: Figures, a: Figures, b: Figures) -> StepFigures:
    verdict = compare(Share(a.answered, a.delivered), Share(b.answered, b.delivered)) if a.sent and b.sent else None
    return StepFigures(whole + a + b, a, b, verdict)
