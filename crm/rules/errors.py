"""What a rule says when it refuses."""

from __future__ import annotations

from typing import ClassVar

from django.core.exceptions import PermissionDenied


class RuleError(Exception):
    """A refusal with a stable `code` for programs and a translated `message` a person can act on."""

    code: ClassVar[str] = "refused"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotAllowed(RuleError, PermissionDenied):
    """The person sees the record but may not change it; Django answers 403 where no view does."""

    code = "not_allowed"
