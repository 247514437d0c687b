"""Is one template better than the other? Said only where the numbers say so, with the interval they leave."""

from __future__ import annotations

import math
from dataclasses import dataclass

Z95 = 1.959963984540054
FEWEST_EACH = 50
"""Fewer letters of each delivered say nothing that a few answers would not turn round."""


@dataclass(frozen=True)
class Share:
    """So many of so many."""

    count: int
    of: int

    @property
    def rate(self) -> float | None:
        """The share, None of none."""
        return self.count / self.of if self.of else None

    def interval(self) -> tuple[float, float]:
        """Return Wilson's 95% interval; from 0 to 1 where nothing is known."""
        if not self.of:
            return 0.0, 1.0
        rate, n = self.count / self.of, self.of
        middle = (rate + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
        reach = Z95 / (1 + Z95**2 / n) * math.sqrt(rate * (1 - rate) / n + Z95**2 / (4 * n * n))
        # In the corners the two terms are equal but for rounding.
        low = 0.0 if self.count == 0 else max(middle - reach, 0.0)
        high = 1.0 if self.count == n else min(middle + reach, 1.0)
        return low, high


@dataclass(frozen=True)
class Verdict:
    """How much more often B is answered than A: `low` to `high` in 95 of 100 such trials; `better` is "" if unknown."""

    difference: float
    low: float
    high: float
    better: str
    is_too_few: bool
    fewest: int = FEWEST_EACH


def compare(a: Share, b: Share) -> Verdict | None:
    """Return the verdict on two shares (Newcombe's interval of a difference); None where one has no letters at all."""
    if a.rate is None or b.rate is None:
        return None
    difference = b.rate - a.rate
    (low_a, high_a), (low_b, high_b) = a.interval(), b.interval()
    low = difference - math.hypot(b.rate - low_b, high_a - a.rate)
    high = difference + math.hypot(high_b - b.rate, a.rate - low_a)
    is_too_few = min(a.of, b.of) < FEWEST_EACH
    better = "" if is_too_few or low <= 0 <= high else ("B" if low > 0 else "A")
    return Verdict(difference, low, high, better, is_too_few)
