"""Figures."""

from __future__ import annotations

from typing import Any

from tests.access.policies import EVERYBODY, READERS, Row, reads
from tests.access.world import World


def _new_leads(_world: World) -> dict[str, Any]:
    return {"key": "new_leads"}


ROWS: dict[str, Row] = {
    # --- Metrics
    "metrics": reads(EVERYBODY),
    "kpi_detail": reads(EVERYBODY, _new_leads, names=READERS),
    "kpi_figures": reads(EVERYBODY, _new_leads),
    "kpi_rows": reads(EVERYBODY, _new_leads, names=READERS),
}
