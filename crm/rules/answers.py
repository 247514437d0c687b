"""The first answer to a keyed write: a retry after an error gets it again instead of writing twice."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from crm.models import FirstAnswer, User
from crm.rules.errors import RuleError


class KeyTaken(RuleError):
    """The key belongs to another write of the same person (422)."""

    code = "key_taken"


def first_answer(*, by: User, key: str, purpose: str) -> dict[str, Any] | None:
    """Return what the write with this key was answered before, or None if it is new; raises KeyTaken."""
    found = FirstAnswer.objects.filter(user=by, key=key).first() if key else None
    if found is not None and found.purpose != purpose:
        raise KeyTaken(_("This change was sent under the key of another one. Reload the page and try again."))
    return found.answer if found else None


def keep_answer(*, by: User, key: str, purpose: str, answer: dict[str, Any]) -> None:
    """Keep the answer, in the transaction of the write itself; two writes with one key cannot both commit."""
    if key:
        FirstAnswer.objects.create(user=by, key=key, purpose=purpose, answer=answer)
