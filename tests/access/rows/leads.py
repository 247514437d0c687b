"""Leads."""

from __future__ import annotations

from tests.access.policies import CLAIMERS, EVERYBODY, OWNERS, READERS, RESTORERS, WRITERS, Row, form, reads, writes
from tests.access.rows.arguments import LEAD, of

ROWS: dict[str, Row] = {
    # --- Leads
    "lead_list": reads(EVERYBODY, names=READERS),
    "lead_export": reads(EVERYBODY, names=READERS),
    "lead_create": form(WRITERS),
    "lead_detail": reads(READERS, LEAD),
    "lead_edit": form(OWNERS, LEAD),
    "lead_assign": form(OWNERS, LEAD),
    "lead_claim": writes(CLAIMERS, LEAD),
    "lead_qualify": writes(OWNERS, LEAD),
    "lead_reopen": writes(OWNERS, LEAD),
    "lead_disqualify": form(OWNERS, LEAD),
    "lead_nurture": form(OWNERS, LEAD),
    "lead_convert": form(OWNERS, LEAD),
    "lead_reopen_converted": writes(OWNERS, LEAD),
    "lead_delete": writes(OWNERS, LEAD),
    "lead_restore": writes(RESTORERS, of(pk="deleted_lead")),
}
