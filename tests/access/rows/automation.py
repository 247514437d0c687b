"""What stage rules did."""

from __future__ import annotations

from tests.access.policies import READERS, Row, reads
from tests.access.rows.arguments import DEAL

ROWS: dict[str, Row] = {"deal_firings": reads(READERS, DEAL)}
