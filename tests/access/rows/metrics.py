"""Figures."""

from __future__ import annotations

from typing import Any

from tests.access.policies import EVERYBODY, READERS, Policy, Row, form, reads
from tests.access.rows.arguments import of
from tests.access.world import World


def _new_leads(_world: World) -> dict[str, Any]:
    return {"key": "new_leads"}


SPENDERS: Policy = {**EVERYBODY, **dict.fromkeys(("own", "teammate", "outsider", "viewer"), "403")}
"""Who answers for money."""

ROWS: dict[str, Row] = {
    # --- Metrics
    "metrics": reads(EVERYBODY),
    "source_list": reads(EVERYBODY),
    "source_figures": reads(EVERYBODY),
    "source_spend": form(SPENDERS, of(pk="source")),
    "kpi_detail": reads(EVERYBODY, _new_leads, names=READERS),
    "kpi_figures": reads(EVERYBODY, _new_leads),
    "kpi_rows": reads(EVERYBODY, _new_leads, names=READERS),
}
