"""Enrolling: one person by hand or by an automation, or many at once; who is left out, and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.models import Contact, Enrolment, Lead, SequenceStep, Suppression, User
from crm.models import Sequence as SequenceModel
from crm.models.keys import folded_address
from crm.rules.audit import acting
from crm.rules.errors import NotAllowed, RuleError
from crm.rules.merge_fields import PLACE, Merge, all_fields
from crm.rules.recipients import language_of
from crm.rules.sequences.queueing import queue_next

NO_ADDRESS, SUPPRESSED, ENROLLED, TWICE = "no_address", "suppressed", "enrolled", "twice"
NOT_YOURS, CLOSED, MISSING, NO_SENDER = "not_yours", "closed", "missing_value", "no_sender"

WHY_LEFT_OUT: dict[str, str | Promise] = {
    NOT_YOURS: gettext_lazy("you may see them, but not change them"),
    CLOSED: gettext_lazy("disqualified, or a deal already"),
    NO_ADDRESS: gettext_lazy("no e-mail address"),
    SUPPRESSED: gettext_lazy("gets no more mail"),
    ENROLLED: gettext_lazy("in a sequence already"),
    TWICE: gettext_lazy("the same address stands here twice"),
    MISSING: gettext_lazy("a value is missing"),
    NO_SENDER: gettext_lazy("their owner cannot write to them"),
}


class NotRunning(RuleError):
    """The sequence is a draft or paused: nobody can be enrolled (422)."""

    code = "not_running"


class LeftOut(RuleError):
    """The person cannot be enrolled (422); `reason` is a key of WHY_LEFT_OUT."""

    code = "left_out"

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Terms:
    """How people are enrolled: by whom, written to by whom (None: each by their owner), in which language ("": own)."""

    by: User | None
    sender: User | None
    language: str = ""

    def language_for(self, person: Lead | Contact) -> str:
        """The language a person is written to in: the one said, else what is known of theirs."""
        return self.language or language_of(person)


@dataclass(frozen=True)
class Candidate:
    """Somebody who may be enrolled: who would write to them, or why they are left out (`detail` names what is)."""

    person: Lead | Contact
    sender: User | None = None
    why_not: str = ""
    detail: str = ""

    @property
    def words(self) -> str:
        """Why they are left out, for people to read."""
        label = str(WHY_LEFT_OUT[self.why_not])
        return f"{label}: {self.detail}" if self.detail else label


def enrol_person(sequence: SequenceModel, *, person: Lead | Contact, terms: Terms, now: dt.datetime) -> Enrolment:
    """Take a person into a running sequence; raises NotAllowed, NotRunning or LeftOut, and then nothing has changed.

    `terms.by` is None for the system (an automation), which may use every sequence.
    """
    require_use(sequence, terms.by)
    with acting(terms.by):
        (candidate,) = sift(sequence, [person], terms)
        if candidate.why_not:
            words = {"person": person, "why": candidate.words}
            raise LeftOut(_("“%(person)s” cannot be enrolled: %(why)s.") % words, candidate.why_not)
        enrolments = write(sequence, [candidate], terms, now=now)
        if not enrolments:
            raise LeftOut(_("“%(person)s” has just been enrolled elsewhere.") % {"person": person}, ENROLLED)
    return enrolments[0]


def require_use(sequence: SequenceModel, by: User | None) -> None:
    """Raise NotAllowed or NotRunning where `by` may not enrol anybody in the sequence now."""
    if by is not None and not (by.may_write and SequenceModel.objects.visible_to(by).filter(pk=sequence.pk).exists()):
        raise NotAllowed(_("You may look, but not enrol anybody."))
    if not SequenceModel.objects.running().filter(pk=sequence.pk).exists():
        raise NotRunning(_("“%(sequence)s” is not running; start it first.") % {"sequence": sequence})


def sift(sequence: SequenceModel, people: Sequence[Lead | Contact], terms: Terms) -> list[Candidate]:
    """Say of each of `people` (all leads, or all contacts) whether they can be enrolled; a few queries however many."""
    if not people:
        return []
    look = _Look(sequence, people, terms)
    return [look.candidate(person) for person in people]


def write(
    sequence: SequenceModel, candidates: Iterable[Candidate], terms: Terms, *, now: dt.datetime
) -> list[Enrolment]:
    """Enrol those who can be and queue their first step; who was enrolled elsewhere in this very moment is left out."""
    first = sequence.steps.present().order_by("position", "pk").first()
    rows = [
        Enrolment(
            sequence=sequence,
            subject=candidate.person,
            address=folded_address(candidate.person.email),
            sender=candidate.sender,
            enrolled_by=terms.by,
            language=terms.language_for(candidate.person),
            step=first,
            due_at=now,
            started_at=now,
            is_exclusive=not sequence.allows_others,
        )
        for candidate in candidates
        if not candidate.why_not
    ]
    written = _insert(rows)
    queue_next(written)
    return written


def _insert(rows: list[Enrolment]) -> list[Enrolment]:
    try:
        with transaction.atomic():
            return Enrolment.objects.bulk_create(rows)
    except IntegrityError:
        return [row for half in _halves(rows) for row in _insert(half)]


def _halves(rows: list[Enrolment]) -> list[list[Enrolment]]:
    """What a whole list was refused for, one of its halves was; a single one is left out."""
    middle = len(rows) // 2
    return [rows[:middle], rows[middle:]] if middle else []


class _Look:
    """What is known of a batch of people, read once."""

    def __init__(self, sequence: SequenceModel, people: Sequence[Lead | Contact], terms: Terms) -> None:
        self.terms = terms
        self.fields = fields_needed(sequence)
        model: Any = type(people[0])
        pks = [person.pk for person in people]
        by = terms.by
        self.editable = set(pks) if by is None else _editable(model, by, pks)
        addresses = {folded_address(person.email) for person in people if person.email}
        self.suppressed = {
            row.address: row.get_reason_display() for row in Suppression.objects.filter(address__in=addresses)
        }
        self.enrolled = _in_a_sequence(sequence, addresses, by)
        self.seen: set[str] = set()
        self.reach: dict[int, set[int]] = {}
        for sender in {person.owner for person in people if person.owner} if terms.sender is None else ():
            self.reach[sender.pk] = _editable(model, sender, pks) if sender.is_active else set()

    def candidate(self, person: Lead | Contact) -> Candidate:
        """Say whether one of them can be enrolled."""
        sender = self.terms.sender or person.owner
        for why, detail in self._objections(person, sender):
            return Candidate(person, sender, why, detail)
        self.seen.add(folded_address(person.email))
        return Candidate(person, sender)

    def _objections(self, person: Lead | Contact, sender: User | None) -> Iterable[tuple[str, str]]:
        address = folded_address(person.email)
        if person.pk not in self.editable:
            yield NOT_YOURS, ""
        if isinstance(person, Lead) and person.status not in Lead.ALIVE:
            yield CLOSED, person.get_status_display()
        if not is_address(person.email):
            yield NO_ADDRESS, ""
        if address in self.suppressed:
            yield SUPPRESSED, self.suppressed[address]
        if address in self.enrolled:
            yield ENROLLED, self.enrolled[address]
        if address in self.seen:
            yield TWICE, ""
        if sender is None or (self.terms.sender is None and person.pk not in self.reach.get(sender.pk, ())):
            yield NO_SENDER, ""
        elif missing := self._missing(person, sender):
            yield MISSING, missing

    def _missing(self, person: Lead | Contact, sender: User) -> str:
        merge = Merge(subject=person, person=person, sender=sender, language=self.terms.language_for(person))
        known = all_fields()
        return ", ".join(str(known[key].label) for key in self.fields if not known[key].read(merge).strip())


def fields_needed(sequence: SequenceModel) -> list[str]:
    """Return the merge fields without which some letter of the sequence cannot be written."""
    templates = [
        template
        for step in sequence.steps.present()
        .filter(kind=SequenceStep.Kind.EMAIL)
        .select_related("template", "template_b")
        for template in (step.template, step.template_b)
        if template is not None
    ]
    texts = [text for template in templates for language in ("en", "ru") for text in template.texts(language)]
    known = all_fields()
    places = [place for text in texts for place in PLACE.finditer(text)]
    needed = [place["key"] for place in places if place["key"] in known and not (place["otherwise"] or "").strip()]
    return list(dict.fromkeys(needed))


def is_address(text: str) -> bool:
    """Whether mail can go to an address, by its looks."""
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def _editable(model: Any, by: User, pks: list[int]) -> set[int]:
    return set(model.objects.editable_by(by).filter(pk__in=pks).values_list("pk", flat=True))


def _in_a_sequence(sequence: SequenceModel, addresses: set[str], by: User | None) -> dict[str, str]:
    """Addresses that this sequence cannot take, with the name of the one that they are in where `by` may know it."""
    alive = Enrolment.objects.alive().filter(address__in=addresses)
    rows = alive.values_list("address", "sequence_id", "sequence__name", "is_exclusive")
    known = SequenceModel.objects.all() if by is None else SequenceModel.objects.visible_to(by)
    named = set(known.filter(pk__in=alive.values("sequence")).values_list("pk", flat=True)) if addresses else set()
    return {
        str(address): name if pk in named else ""
        for address, pk, name, is_exclusive in rows
        if pk == sequence.pk or is_exclusive or not sequence.allows_others
    }
