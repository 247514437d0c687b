"""A person's data on their request: for those who lead the record's owner, and admins."""

from __future__ import annotations

from typing import Any

from tests.access.policies import OWNERS, Policy, Row, form, reads

LEADERS: Policy = {**OWNERS, "own": "403"}
"""Who may change the record and leads people."""


def _contact(world: Any) -> dict[str, Any]:
    return {"subject_kind": "contact", "pk": world.records["contact"].pk}


ROWS: dict[str, Row] = {
    "person_copy": reads(LEADERS, _contact),
    "person_erase": form(LEADERS, _contact),
}
