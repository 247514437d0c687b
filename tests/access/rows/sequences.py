"""Sequences: here one that its owner keeps to themselves and their team."""

from __future__ import annotations

from typing import Any

from crm.models import Email, EmailLink
from crm.rules.tokens import digest_of
from tests.access.policies import NOBODY_PUBLIC, PUBLIC, Row


def _link(_world: Any) -> dict[str, str]:
    """A link in a letter that has not left: reading it changes nothing."""
    email, _is_new = Email.objects.get_or_create(direction="out", subject_line="A letter with a link")
    EmailLink.objects.get_or_create(email=email, digest=digest_of("matrix"), url="https://example.test/")
    return {"secret": "matrix"}


ROWS: dict[str, Row] = {
    "tracked_link": Row(get=PUBLIC, post=NOBODY_PUBLIC, args=_link),
}
