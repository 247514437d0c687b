"""The first answer to a keyed write: a retry after an error gets it again instead of writing twice."""

from __future__ import annotations

from typing import Any

from crm.models import FirstAnswer, User


def first_answer(*, by: User, key: str, purpose: str) -> dict[str, Any] | None:
    """Return what the write with this key was answered before, or None if it is new, or was another write's key."""
    if not key:
        return None
    found = FirstAnswer.objects.filter(user=by, key=key, purpose=purpose).first()
    return found.answer if found else None


def keep_answer(*, by: User, key: str, purpose: str, answer: dict[str, Any]) -> None:
    """Keep the answer, in the transaction of the write itself; two writes with one key cannot both commit."""
    if key:
        FirstAnswer.objects.create(user=by, key=key, purpose=purpose, answer=answer)
