"""A score as a sum: each fact of a lead adds to it or takes from it, so that its reasons are what it is made of.

The weights are log-odds and stand in JSON: plain numbers, applied by the few lines below. What a reason is worth in
points: the whole way from the average lead's probability to this one's is split among the facts in proportion to their
weights (the Aumann-Shapley values of a sum behind a logistic curve). So start plus points is the score, always.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

VERSION = 1
"""How the weights are written; weights of another version are not used."""

Kind = Literal["number", "category", "words"]
Value = float | str | tuple[str, ...] | None
"""What a feature holds: a number, one of several words, a text's words, or nothing known."""

SAME = 1e-9
"""Log-odds nearer to the average than this are the average."""


@dataclass(frozen=True)
class Reason:
    """A fact of a lead and what it adds; `value` is the level, bin or word that the weight belongs to."""

    feature: str
    value: str
    weight: float


@dataclass(frozen=True)
class Judgement:
    """What the weights say of one lead: a probability, that of the average lead, and what lies between."""

    probability: float
    start: float
    reasons: tuple[Reason, ...]

    def points(self, reason: Reason) -> float:
        """Return what a reason adds to the score of 0 to 100."""
        return 100 * reason.weight * self._slope

    @property
    def _slope(self) -> float:
        way = log_odds(self.probability) - log_odds(self.start)
        if abs(way) < SAME:
            return self.start * (1 - self.start)
        return (self.probability - self.start) / way


class AdditiveModel:
    """Weights as `crm.rules.scoring.learning` wrote them, ready to judge."""

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        if parameters.get("version") != VERSION:
            raise ValueError(f"These weights are of version {parameters.get('version')}, not {VERSION}.")
        self._base = float(parameters["base"])
        self._features: list[dict[str, Any]] = list(parameters["features"])

    def judge(self, facts: Mapping[str, Value]) -> Judgement:
        """Return the probability for a lead with these facts, and every reason for it, the weightiest first."""
        reasons: list[Reason] = []
        for feature in self._features:
            reasons += _reasons(feature, facts.get(feature["key"]))
        total = self._base + sum(reason.weight for reason in reasons)
        # A word that is absent speaks too, but no reader wants to hear that a lead did not write "invoice".
        told = sorted((reason for reason in reasons if reason.value), key=lambda reason: -abs(reason.weight))
        return Judgement(logistic(total), logistic(self._base), tuple(told))


def _reasons(feature: Mapping[str, Any], value: Value) -> Iterable[Reason]:
    key, kind = feature["key"], feature["kind"]
    if kind == "words":
        yield Reason(key, "", -feature["mean"])
        for word in dict.fromkeys(value if isinstance(value, tuple) else ()):
            if word in feature["weights"]:
                yield Reason(key, word, feature["weights"][word])
    elif value is None:
        yield Reason(key, "unknown", feature["unknown"])
    elif kind == "number":
        number = float(value)  # type: ignore[arg-type]  # a number's value is one
        yield Reason(key, f"{number:g}", feature["weights"][bisect_right(feature["cuts"], number)])
    else:
        yield Reason(key, str(value), feature["weights"].get(str(value), feature["other"]))


def logistic(log_odds_: float) -> float:
    """Return the probability for log-odds, without overflow."""
    if log_odds_ < -500:
        return 0.0
    return 1 / (1 + math.exp(-log_odds_))


def log_odds(probability: float) -> float:
    """Return the log-odds of a probability; certainty is as good as certainty."""
    bounded = min(max(probability, 1e-12), 1 - 1e-12)
    return math.log(bounded / (1 - bounded))
