"""What is refused about conditions, and why."""

from __future__ import annotations

from collections.abc import Mapping

from crm.rules.errors import RuleError


class WrongValue(ValueError):
    """A value no condition can compare with; it says what would be right."""


class ConditionsRefused(RuleError):
    """Conditions that cannot be asked (422); `by_path` says what is wrong with each condition or group."""

    code = "conditions_refused"

    def __init__(self, by_path: Mapping[str, str]) -> None:
        super().__init__(next(iter(by_path.values())))
        self.by_path = by_path
