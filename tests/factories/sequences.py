"""Templates and sequences."""

from __future__ import annotations

from typing import Any

import factory

from crm.models import EmailTemplate, Sequence, SequenceStep
from tests.factories.crm import UserFactory


class EmailTemplateFactory(factory.django.DjangoModelFactory[EmailTemplate]):
    """A greeting by first name."""

    class Meta:
        model = EmailTemplate

    name = factory.Sequence(lambda n: f"Template {n}")
    owner = factory.SubFactory(UserFactory)
    subject = factory.Sequence(lambda n: f"Letter {n}")
    body = "<p>Dear {{ person.first_name }}, <a href='https://example.test/price?a=1&amp;b=2'>prices</a></p>"


class SequenceFactory(factory.django.DjangoModelFactory[Sequence]):
    """A running sequence of somebody's, without steps."""

    class Meta:
        model = Sequence

    name = factory.Sequence(lambda n: f"Sequence {n}")
    owner = factory.SubFactory(UserFactory)
    state = Sequence.State.ACTIVE


def letter(sequence: Sequence, **fields: Any) -> SequenceStep:
    """A letter at the end of the sequence, of a template of its owner's."""
    fields.setdefault("template", EmailTemplateFactory(owner=sequence.owner))
    return _step(sequence, SequenceStep.Kind.EMAIL, **fields)


def wait(sequence: Sequence, days: int = 1) -> SequenceStep:
    """A wait at the end of the sequence."""
    return _step(sequence, SequenceStep.Kind.WAIT, days=days)


def call(sequence: Sequence, **fields: Any) -> SequenceStep:
    """A follow-up at the end of the sequence."""
    return _step(sequence, SequenceStep.Kind.FOLLOW_UP, **{"title": "Call them", **fields})


def branch(sequence: Sequence, condition: str, goes_to: SequenceStep | None = None) -> SequenceStep:
    """A branch at the end of the sequence."""
    return _step(sequence, SequenceStep.Kind.BRANCH, condition=condition, goes_to=goes_to)


def _step(sequence: Sequence, kind: str, **fields: Any) -> SequenceStep:
    position = sequence.steps.count() + 1
    step: SequenceStep = SequenceStep.objects.create(sequence=sequence, kind=kind, position=position, **fields)
    return step
