"""Scores."""

from __future__ import annotations

from tests.access.policies import _STRANGERS, IDENTITIES, Policy, Row, reads

LEADERS: Policy = {
    **dict.fromkeys(IDENTITIES, "ok"), **_STRANGERS, "own": "403", "teammate": "403", "outsider": "403",
}  # fmt: skip
"""Those who answer for others' work, and viewers."""

ROWS: dict[str, Row] = {
    # --- Scores
    "score_quality": reads(LEADERS),
}
