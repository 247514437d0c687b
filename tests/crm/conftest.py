"""Records that several subjects of crm ask for."""

from __future__ import annotations

import pytest

from crm.models import Sequence, User
from tests.factories.sequences import SequenceFactory, call, letter, wait


@pytest.fixture
def sequence(rep: User) -> Sequence:
    """A letter, two days, a letter, two days, a call."""
    sequence = SequenceFactory(owner=rep)
    letter(sequence)
    wait(sequence, 2)
    letter(sequence)
    wait(sequence, 2)
    call(sequence)
    return sequence
