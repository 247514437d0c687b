"""Leads."""

from __future__ import annotations

from tests.access.policies import CLAIMERS, EVERYBODY, OWNERS, READERS, RESTORERS, WRITERS, Row, form, reads, writes
from tests.access.rows.arguments import LEAD, Args, of

ROWS: dict[str, Row] = {
    # --- Leads
    "lead_list": reads(EVERYBODY, names=READERS),
    "lead_export": reads(EVERYBODY, names=READERS),
    "lead_create": form(WRITERS),
    "lead_detail": reads(READERS, LEAD),
    "lead_edit": form(OWNERS, LEAD),
    "lead_assign": form(OWNERS, LEAD),
    "lead_claim": writes(CLAIMERS, LEAD),
    "lead_answer": writes(OWNERS, of(pk="lead", question_pk="qualifying_question")),
    "lead_qualify": writes(OWNERS, LEAD),
    "lead_reopen": writes(OWNERS, LEAD),
    "lead_disqualify": form(OWNERS, LEAD),
    "lead_nurture": form(OWNERS, LEAD),
    "lead_convert": form(OWNERS, LEAD),
    "lead_reopen_converted": writes(OWNERS, LEAD),
    "lead_delete": writes(OWNERS, LEAD),
    "lead_restore": writes(RESTORERS, of(pk="deleted_lead")),
}

MISMATCHED: dict[str, tuple[str, Args]] = {
    "lead_answer": ("post", of(pk="lead", question_pk="other_question")),
}
