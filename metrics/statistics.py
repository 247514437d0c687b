"""How sure a figure is."""

from __future__ import annotations

import math

Z_95 = 1.959963984540054
"""The 97.5 % quantile of the normal distribution: a two-sided interval of 95 %."""

FEW = 5
"""Below this many, a mean or a median is shown greyed with its n."""


def wilson(successes: int, trials: int) -> tuple[float, float] | None:
    """Return the 95 % Wilson interval of a proportion as fractions of 1, or None without trials.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
    """
    if trials <= 0:
        return None
    share, z2 = successes / trials, Z_95 * Z_95
    middle = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = Z_95 / (1 + z2 / trials) * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials * trials))
    return max(0.0, middle - half), min(1.0, middle + half)


def differ(first: tuple[int, int], second: tuple[int, int]) -> bool:
    """Whether two proportions (successes, trials) differ by more than chance at 95 %; Newcombe's hybrid interval.

    R. G. Newcombe, "Interval estimation for the difference between independent proportions", 1998, method 10.
    """
    a, b = wilson(*first), wilson(*second)
    if a is None or b is None:
        return False
    p1, p2 = first[0] / first[1], second[0] / second[1]
    low = p1 - p2 - math.hypot(p1 - a[0], b[1] - p2)
    high = p1 - p2 + math.hypot(a[1] - p1, p2 - b[0])
    return low > 0 or high < 0
