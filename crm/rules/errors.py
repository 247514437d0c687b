"""What a rule says when it refuses."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _


class RuleError(Exception):
    """A refusal with a stable `code` for programs and a translated `message` a person can act on."""

    code: ClassVar[str] = "refused"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class RecordConflict(RuleError):
    """Somebody changed the record first (409); `record` is what it is now."""

    code = "conflict"

    def __init__(self, record: Any) -> None:
        super().__init__(
            _("“%(record)s” was changed in the meantime; your change was not applied.") % {"record": record}
        )
        self.record = record


class NotAllowed(RuleError, PermissionDenied):
    """The person sees the record but may not change it; Django answers 403 where no view does."""

    code = "not_allowed"
