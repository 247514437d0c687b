"""Enrolling a whole segment: who would be, and the enrolment itself, a stretch at a time by rows of the outbox."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy

from crm.models import MassEnrolment, OutboxRow, Segment, Sequence, User
from crm.rules import outbox
from crm.rules.audit import acting
from crm.rules.outbox import NotNeeded, Outcome, Sender, Sent
from crm.rules.segments import Asking, ConditionsRefused, narrowed, people_in, rows_seen
from crm.rules.sending import Postbox
from crm.rules.sequences.enrolling import Candidate, Terms, require_use, sift, write

SEQUENCE_INTAKE = "sequence_intake"
STRETCH = 500
MOST_LOOKED_AT = 10_000
"""A preview looks at no more; the enrolment itself takes all there are."""
LATEST = 3
"""Enrolments of segments that the page of a sequence names."""
SHOWN = 50
"""People a preview names, of each sort."""


@dataclass
class Preview:
    """Who of a segment would be enrolled: how many, the first of them, and who is left out for which reason."""

    total: int = 0
    count: int = 0
    first: list[Candidate] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[Candidate]] = field(default_factory=dict)
    is_whole: bool = True
    senders: Counter[User] = field(default_factory=Counter)

    @property
    def days_of_letters(self) -> int:
        """On how many days the first letters leave, by the daily allowance of the busiest sender."""
        busiest = max(self.senders.values(), default=0)
        return -(-busiest // settings.MAIL_PER_SENDER_A_DAY)


def preview_segment(sequence: Sequence, *, segment: Segment, terms: Terms, now: dt.datetime) -> Preview:
    """Look at everybody in the segment, as `terms.by` sees it, up to MOST_LOOKED_AT."""
    assert terms.by is not None
    people = people_in(segment, seen_by=terms.by, now=now)
    preview = Preview()
    for stretch in _stretches(people):
        if preview.total >= MOST_LOOKED_AT:
            preview.is_whole = False
            break
        for candidate in _sifted(sequence, stretch, terms, preview):
            _note(preview, candidate)
    return preview


def enrol_segment(sequence: Sequence, *, segment: Segment, terms: Terms, now: dt.datetime) -> MassEnrolment:
    """Begin to enrol everybody in the segment, as it is asked now; raises NotAllowed or NotRunning."""
    assert terms.by is not None
    require_use(sequence, terms.by)
    with acting(terms.by):
        intake = MassEnrolment.objects.create(
            sequence=sequence,
            name=segment.name,
            about=segment.about,
            conditions=segment.conditions,
            by=terms.by,
            is_from_owner=terms.sender is None,
            language=terms.language,
            total=people_in(segment, seen_by=terms.by, now=now).count(),
            created_at=now,
        )
        _queue(intake)
    return intake


def intakes_of(sequence: Sequence, *, seen_by: User) -> list[tuple[MassEnrolment, str]]:
    """Return the latest enrolments of segments, each with the segment's name where `seen_by` may know it, else "".

    A segment keeps its name from whom it is not shared with, also when people in it were enrolled.
    """
    intakes = list(sequence.mass_enrolments.select_related("by")[:LATEST])
    names = {intake.name for intake in intakes}
    known = set(Segment.objects.visible_to(seen_by).filter(name__in=names).values_list("about", "name"))
    return [
        (intake, intake.name if intake.by_id == seen_by.pk or (intake.about, intake.name) in known else "")
        for intake in intakes
    ]


def send_intake(row: OutboxRow, _postbox: Postbox) -> Outcome:
    """Enrol the next stretch."""
    return take_in(row.payload["intake"], reached=row.payload["reached"], now=timezone.now())


def take_in(pk: int, *, reached: int, now: dt.datetime) -> Outcome:
    """Enrol the stretch behind `reached`, if nobody has, and queue the next; all of it or, after an error, nothing."""
    with acting(None, note="enrolling a segment"):
        rows = MassEnrolment.objects.select_for_update(of=("self",)).select_related("sequence", "by")
        intake = rows.filter(pk=pk, reached=reached, finished_at=None).first()
        if intake is None:
            return NotNeeded("done already")
        if not intake.sequence.is_running or not intake.by.is_active:
            return _finish(intake, now)
        terms = Terms(intake.by, None if intake.is_from_owner else intake.by, intake.language)
        stretch = list(_people(intake, now).filter(pk__gt=reached)[:STRETCH])
        candidates = sift(intake.sequence, stretch, terms)
        written = write(intake.sequence, candidates, terms, now=now)
        _count(intake, candidates, len(written))
        if len(stretch) < STRETCH:
            return _finish(intake, now)
        intake.reached = stretch[-1].pk
        intake.save()
        _queue(intake)
    return Sent(f"{len(written)} of {len(stretch)} enrolled")


def _count(intake: MassEnrolment, candidates: list[Candidate], written: int) -> None:
    why = Counter(candidate.why_not for candidate in candidates if candidate.why_not)
    missed = len(candidates) - why.total() - written
    why["enrolled"] += missed
    intake.left_out = {key: count for key, count in (Counter(intake.left_out) + why).items() if count}
    intake.enrolled += written


def _finish(intake: MassEnrolment, now: dt.datetime) -> Outcome:
    intake.finished_at = now
    intake.save()
    return Sent(f"{intake.enrolled} of {intake.total} enrolled")


def _queue(intake: MassEnrolment) -> None:
    key = f"{SEQUENCE_INTAKE}:{intake.pk}:{intake.reached}"
    payload = {"intake": intake.pk, "reached": intake.reached}
    outbox.queue([outbox.Intent(SEQUENCE_INTAKE, key, recipient_id=None, payload=payload)])


def _people(intake: MassEnrolment, now: dt.datetime) -> Any:
    rows = rows_seen(intake.about, intake.by)
    try:
        found = narrowed(rows, intake.conditions, about=intake.about, asking=Asking(now, intake.by))
    except ConditionsRefused:
        return rows.none()
    return _with_company(found).order_by("pk")


def _stretches(people: Any) -> Iterator[list[Any]]:
    rows = _with_company(people).order_by("pk")
    reached = 0
    while stretch := list(rows.filter(pk__gt=reached)[:STRETCH]):
        yield stretch
        reached = stretch[-1].pk


def _with_company(rows: Any) -> Any:
    """What merge fields and the language of a letter look at comes along."""
    return rows.select_related("owner__team", "company")


def _sifted(sequence: Sequence, stretch: list[Any], terms: Terms, preview: Preview) -> list[Candidate]:
    preview.total += len(stretch)
    return sift(sequence, stretch, terms)


def _note(preview: Preview, candidate: Candidate) -> None:
    if candidate.why_not:
        preview.left_out[candidate.why_not] += 1
        examples = preview.examples.setdefault(candidate.why_not, [])
        if len(examples) < SHOWN:
            examples.append(candidate)
        return
    preview.count += 1
    if candidate.sender is not None:
        preview.senders[candidate.sender] += 1
    if len(preview.first) < SHOWN:
        preview.first.append(candidate)


outbox.register(Sender(SEQUENCE_INTAKE, send_intake, label=gettext_lazy("Enrolling segments in sequences")))
