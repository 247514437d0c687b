"""Scoring by the rules an admin sets, until enough outcomes are known to learn from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from crm.models import ScoreRule
from crm.rules.scoring.additive import Value
from crm.rules.scoring.facts import Facts

START = 50
"""What a lead has of which no rule says anything."""


def rules_met(rules: Sequence[ScoreRule], facts: Facts, *, source_slug: str) -> list[ScoreRule]:
    """Return the rules that say something of a lead with these facts, the weightiest first."""
    known: dict[str, Value] = {**facts, "source_slug": source_slug}
    met = (rule for rule in rules if _CONDITIONS[rule.condition](known, rule.value.strip()))
    return sorted(met, key=lambda rule: -abs(rule.points))


def _number(value: Value) -> float:
    return value if isinstance(value, float) else 0.0


def _silent(facts: Facts) -> float:
    """For how many days nothing was heard: since they came in, where they never got in touch again."""
    return _number(facts["age_days"] if facts["quiet_days"] is None else facts["quiet_days"])


def _words(value: Value) -> Any:
    return value if isinstance(value, tuple) else ()


_Condition = ScoreRule.Condition
_CONDITIONS: dict[str, Callable[[Facts, str], bool]] = {
    _Condition.SOURCE: lambda facts, asked: facts["source_slug"] == asked.lower(),
    _Condition.HAS_COMPANY: lambda facts, _asked: facts["company"] == "yes",
    _Condition.HAS_PHONE: lambda facts, _asked: facts["phone"] == "yes",
    _Condition.FREE_MAIL: lambda facts, _asked: facts["mailbox"] == "free",
    _Condition.MESSAGE_LENGTH: lambda facts, asked: _number(facts["message_length"]) >= int(asked),
    _Condition.MESSAGE_HAS: lambda facts, asked: asked.lower().replace("ё", "е") in _words(facts["words"]),
    _Condition.INBOUND: lambda facts, asked: _number(facts["inbound"]) >= int(asked),
    _Condition.POSITIVE: lambda facts, _asked: _number(facts["positive"]) > 0,
    _Condition.NEGATIVE: lambda facts, _asked: _number(facts["negative"]) > 0,
    _Condition.QUIET_DAYS: lambda facts, asked: _silent(facts) >= int(asked),
}
assert set(_CONDITIONS) == set(_Condition)
