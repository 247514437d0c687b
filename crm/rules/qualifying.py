"""Answering the checklist of a lead, and whether what is known is enough to qualify it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from crm.models import Activity, Lead, QualifyingAnswer, QualifyingQuestion, User
from crm.rules.audit import acting
from crm.rules.errors import NotAllowed, RuleError
from crm.rules.forwarding import merged_ids

MOST_NOTED = 10_000


class NotAsked(RuleError):
    """The question does not belong to the lead's checklist: archived, or meant for other sources (422)."""

    code = "not_asked"


class QualifyingAnswersMissing(RuleError):
    """The lead lacks what an admin requires of a qualified one (422); `missing` names the questions."""

    code = "qualifying_answers_missing"

    def __init__(self, missing: list[QualifyingQuestion]) -> None:
        names = ", ".join(f"“{question}”" for question in missing)
        super().__init__(_("Not qualified yet: %(questions)s must be answered first.") % {"questions": names})
        self.missing = missing


@dataclass(frozen=True)
class Asker:
    """What asks questions of its own beside sources, such as pipelines; each says the ids of questions."""

    claimed: Callable[[], frozenset[int]]
    """What any of them asks."""
    asks_about: Callable[[Lead], frozenset[int]]
    """What the one that a lead is for asks."""


ASKERS: list[Asker] = []
"""Those in the apps above; registered when they are ready."""


@dataclass(frozen=True)
class ChecklistLine:
    """One question of a lead's checklist with what is known; `is_missing` while an admin requires more."""

    question: QualifyingQuestion
    answer: QualifyingAnswer | None

    @property
    def value(self) -> str:
        """The answer's value; "unknown" where nobody answered."""
        return self.answer.answer if self.answer else QualifyingAnswer.Answer.UNKNOWN

    @property
    def is_known(self) -> bool:
        """Whether the question was answered with yes or no."""
        return self.value != QualifyingAnswer.Answer.UNKNOWN

    @property
    def is_missing(self) -> bool:
        """Whether the lead cannot be qualified for want of this answer."""
        match self.question.minimum:
            case QualifyingQuestion.Minimum.YES:
                return self.value != QualifyingAnswer.Answer.YES
            case QualifyingQuestion.Minimum.ANSWER:
                return not self.is_known
        return False


def asked_about(lead: Lead, *, asked_by: frozenset[int] | None = None) -> list[QualifyingQuestion]:
    """Return what is asked about a lead, in an admin's order: what nobody claims for their own, and one checklist more.

    That is the one of the lead's source; where that has none, the one of what the lead is for, such as a pipeline, or
    where it goes elsewhere, what is `asked_by` that: ids of questions. An admin's questions are few: they are read as
    they are, for the conditions took several times as long to write as to answer.
    """
    questions = list(QualifyingQuestion.objects.live().order_by("position", "pk"))
    of_sources = list(QualifyingQuestion.sources.through.objects.values_list("leadsource", "qualifyingquestion"))
    claims = {asker.asks_about: asker.claimed() for asker in ASKERS}
    asked = {question.pk for question in questions}.difference((pk for _source, pk in of_sources), *claims.values())
    its_own = {pk for source, pk in of_sources if source == lead.source_id}
    if its_own.isdisjoint(question.pk for question in questions):
        asked.update(*(asks(lead) for asks, ids in claims.items() if ids) if asked_by is None else [asked_by])
    return [question for question in questions if question.pk in asked | its_own]


def checklist_of(lead: Lead, *, asked_by: frozenset[int] | None = None) -> list[ChecklistLine]:
    """Return the lead's checklist in an admin's order, with what is known; answers to questions since gone stay."""
    answers = _last_answers(lead)
    lines = [
        ChecklistLine(question, answers.pop(question.pk, None)) for question in asked_about(lead, asked_by=asked_by)
    ]
    return lines + [ChecklistLine(answer.question, answer) for answer in answers.values() if answer.answer != "unknown"]


def answer_question(
    lead: Lead,
    question: QualifyingQuestion,
    *,
    answer: str,
    note: str,
    by: User,
    now: dt.datetime,
    asked_by: frozenset[int] | None = None,
) -> QualifyingAnswer:
    """Write down what is known about one question; the last answer counts. Raises NotAllowed or NotAsked."""
    if not Lead.objects.editable_by(by).filter(pk=lead.pk).exists():
        raise NotAllowed(_("You may see this lead but not change it."))
    if question not in asked_about(lead, asked_by=asked_by):
        raise NotAsked(_("This is no longer asked about the lead. Reload the page."))
    with acting(by):
        fields = {"answer": answer, "note": note, "answered_by": by, "answered_at": now}
        written, _is_new = QualifyingAnswer.objects.update_or_create(lead=lead, question=question, defaults=fields)
    return written


def refuse_unqualified(lead: Lead, *, asked_by: frozenset[int] | None = None) -> None:
    """Raise QualifyingAnswersMissing while an admin's minimum is not met."""
    lines = checklist_of(lead, asked_by=asked_by)
    missing = [line.question for line in lines if line.is_missing and not line.question.is_archived]
    if missing:
        raise QualifyingAnswersMissing(missing)


def note_answers(lead: Lead, *, by: User, now: dt.datetime) -> Activity | None:
    """Write what was found out as a note on the lead's timeline, with which the deal's begins; None without answers."""
    said = [line for line in checklist_of(lead) if line.is_known or (line.answer and line.answer.note)]
    if not said:
        return None
    body = "\n".join(_written(line) for line in said)[:MOST_NOTED]
    with acting(by):
        return Activity.objects.create(
            kind=Activity.Kind.NOTE, subject=lead, author=by, at=now, title=_("Qualification"), body=body
        )


def _last_answers(lead: Lead) -> dict[int, QualifyingAnswer]:
    """By question; where a lead that was merged into this one had been asked the same, what was said last counts."""
    own_and_merged = [lead.pk, *merged_ids("lead", lead.pk)]
    answers = QualifyingAnswer.objects.filter(lead__in=own_and_merged).select_related("question")
    return {answer.question_id: answer for answer in answers.order_by("answered_at", "pk")}


def _written(line: ChecklistLine) -> str:
    value = QualifyingAnswer.Answer(line.value).label
    note = f" ({line.answer.note})" if line.answer and line.answer.note else ""
    return f"{line.question}: {value}{note}"
