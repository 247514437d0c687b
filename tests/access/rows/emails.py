"""E-mail: letters, their templates, who gets none, what a provider reports, and the door out."""

from __future__ import annotations

from typing import Any

from tests.access.policies import (
    CLAIMERS,
    EVERYBODY,
    IDENTITIES,
    OWNERS,
    READERS,
    RESTORERS,
    WRITERS,
    Policy,
    Row,
    form,
    reads,
    writes,
)
from tests.access.rows.arguments import of
from tests.access.world import World

NOWHERE = dict.fromkeys(IDENTITIES, "404")
LEADERS: Policy = {**dict.fromkeys(IDENTITIES, "403"), "anonymous": "login", "deactivated": "login"} | dict.fromkeys(
    ("manager", "other_manager", "admin"), "ok"
)
"""Managers and admins: the list is the organisation's."""

EMAIL, TEMPLATE = of(pk="email"), of(pk="email_template")


def _wrong_secret(_world: World) -> dict[str, Any]:
    return {"secret": "x" * 43}


def _about_lead(world: World) -> dict[str, Any]:
    return {"subject_kind": "lead", "subject_pk": world.lead.pk}


ROWS: dict[str, Row] = {
    "email_create": form(OWNERS, _about_lead),
    "email_detail": reads(READERS, EMAIL, names=READERS),
    "email_cancel": writes({**OWNERS, "viewer": "403", "teammate": "403"}, EMAIL),
    "email_file": reads(READERS, of(pk="email_attachment")),
    "email_template_list": reads(EVERYBODY, names=READERS),
    "email_template_create": form(WRITERS),
    "email_template_edit": form(OWNERS, TEMPLATE),
    "email_template_preview": writes(WRITERS),
    "email_template_duplicate": writes(CLAIMERS, TEMPLATE),
    "email_template_delete": writes(OWNERS, TEMPLATE),
    "email_template_restore": writes(RESTORERS, of(pk="deleted_email_template")),
    "suppression_list": reads(LEADERS),
    "suppression_create": form(LEADERS),
    "suppression_import": form(LEADERS),
    "suppression_export": reads(LEADERS),
    "suppression_allow": writes(LEADERS, of(pk="suppression")),
    "mail_events": Row(get=dict.fromkeys(IDENTITIES, "405"), post=NOWHERE),
    "unsubscribe": Row(get=NOWHERE, post=NOWHERE, args=_wrong_secret),
}
