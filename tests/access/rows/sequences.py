"""Sequences: here one that its owner keeps to themselves and their team."""

from __future__ import annotations

from typing import Any

from crm.models import Email, EmailLink
from crm.rules.tokens import digest_of
from tests.access.policies import (
    CLAIMERS,
    EVERYBODY,
    NOBODY_PUBLIC,
    OWNERS,
    PUBLIC,
    READERS,
    RESTORERS,
    WRITERS,
    Row,
    form,
    reads,
    writes,
)
from tests.access.rows.arguments import Args, of

SEQUENCE, ENROLMENT = of(pk="sequence"), of(pk="enrolment")
STEP = of(pk="sequence", step_pk="step")
ELSEWHERE = of(pk="sequence", step_pk="other_step")


def _link(_world: Any) -> dict[str, str]:
    """A link in a letter that has not left: reading it changes nothing."""
    email, _is_new = Email.objects.get_or_create(direction="out", subject_line="A letter with a link")
    EmailLink.objects.get_or_create(email=email, digest=digest_of("matrix"), url="https://example.test/")
    return {"secret": "matrix"}


def _with(args: Args, **more: str) -> Args:
    return lambda world: {**args(world), **more}


PERSON = _with(of(pk="lead"), subject_kind="lead")

ROWS: dict[str, Row] = {
    "tracked_link": Row(get=PUBLIC, post=NOBODY_PUBLIC, args=_link),
    "sequence_list": reads(EVERYBODY, names=READERS),
    "sequence_create": form(WRITERS),
    "sequence_detail": reads(READERS, SEQUENCE, names=READERS),
    "sequence_edit": form(OWNERS, SEQUENCE),
    "sequence_start": writes(OWNERS, SEQUENCE),
    "sequence_pause": writes(OWNERS, SEQUENCE),
    "sequence_delete": form(OWNERS, SEQUENCE),
    "sequence_restore": writes(RESTORERS, of(pk="deleted_sequence")),
    "sequence_people": reads(READERS, SEQUENCE, names=READERS),
    "sequence_enrol": form(CLAIMERS, SEQUENCE),
    "sequence_step_create": form(OWNERS, _with(SEQUENCE, kind="wait")),
    "sequence_step_edit": form(OWNERS, STEP),
    "sequence_step_move": form(OWNERS, _with(STEP, way="down")),
    "sequence_step_remove": form(OWNERS, STEP),
    "person_sequences": reads(READERS, PERSON, names=READERS),
    "person_enrol": form(OWNERS, PERSON),
    "enrolment_pause": writes(OWNERS, ENROLMENT),
    "enrolment_resume": writes(OWNERS, ENROLMENT),
    "enrolment_stop": writes(OWNERS, ENROLMENT),
}

MISMATCHED: dict[str, tuple[str, Args]] = {
    "sequence_step_create": ("get", _with(SEQUENCE, kind="nonsense")),
    "sequence_step_edit": ("get", ELSEWHERE),
    "sequence_step_move": ("post", _with(ELSEWHERE, way="up")),
    "sequence_step_remove": ("post", ELSEWHERE),
}
