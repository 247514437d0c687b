"""What a lead's outcome is, for who gathers outcomes (the app above) and who learns from them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """What became of a lead: a customer or not, and when it stopped being a lead in hand."""

    lead_id: int
    is_customer: bool
    created_at: dt.datetime
    ended_at: dt.datetime
