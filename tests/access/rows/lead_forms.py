"""Lead forms, open to everybody, and what they kept out."""

from __future__ import annotations

from typing import Any

from tests.access.policies import EVERYBODY, NOBODY_PUBLIC, PUBLIC, READERS, Policy, Row, reads, writes
from tests.access.rows.arguments import of
from tests.access.world import World


def _contact(_world: World) -> dict[str, Any]:
    return {"slug": "contact"}


_REPS = ("own", "teammate", "outsider")
LOOKERS: Policy = {**EVERYBODY, **dict.fromkeys(_REPS, "403")}
"""Who looks through what was kept out: managers, viewers and admins."""
THEY_SEE: Policy = {**READERS, **dict.fromkeys(_REPS, "404")}
"""Of those, who sees what the form of the owner's team kept out."""
DECIDERS: Policy = {**THEY_SEE, "viewer": "403"}
_BAD_JSON: Policy = dict.fromkeys(PUBLIC, "415")

ROWS: dict[str, Row] = {
    # --- Open to everybody
    "lead_form": Row(get=PUBLIC, post=PUBLIC, args=_contact),
    "lead_form_embed": Row(get=PUBLIC, post=PUBLIC, args=_contact),
    "lead_form_thanks": Row(get=PUBLIC, post=NOBODY_PUBLIC, args=_contact),
    "lead_form_api": Row(get=PUBLIC, post=_BAD_JSON, args=_contact),
    "lead_form_script": Row(get=PUBLIC, post=NOBODY_PUBLIC),
    # --- What was kept out
    "submission_list": reads(LOOKERS, names=THEY_SEE),
    "submission_release": writes(DECIDERS, of(pk="submission")),
    "submission_throw_out": writes(DECIDERS, of(pk="submission")),
    "submission_keep": writes(DECIDERS, of(pk="thrown_out")),
}
