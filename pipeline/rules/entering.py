"""What happens when a deal enters a stage: the follow-ups an admin has set for it."""

from __future__ import annotations

import datetime as dt

from pipeline.models import Deal, StageVisit


def on_entering(deal: Deal, *, visit: StageVisit, now: dt.datetime) -> None:
    """Give the deal the follow-ups of the stage it entered, each once per stay (by its key)."""
