"""The matrix: every named address of the site and who gets what from it. An address without a row fails the tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.access.policies import (
    ADDRESSEE,
    CLAIMERS,
    EVERYBODY,
    NOBODY_PUBLIC,
    OWNERS,
    PUBLIC,
    READERS,
    RESTORERS,
    WRITERS,
    Row,
    form,
    reads,
    writes,
)
from tests.access.world import World

Args = Callable[[World], dict[str, Any]]


def _of(**names: str) -> Args:
    """Return what gives each argument the key of the record named: `_of(pk="deal", item_pk="line_item")`."""
    return lambda world: {argument: world.records[name].pk for argument, name in names.items()}


def _about(kind: str) -> Args:
    return lambda world: {"subject_kind": kind, "subject_pk": world.records[kind].pk}


def _on_board(**names: str) -> Args:
    return lambda world: {"slug": "sales", **_of(**names)(world)}


def _new_leads(_world: World) -> dict[str, Any]:
    return {"key": "new_leads"}


ACTIVITY, FOLLOW_UP, LEAD, DEAL = _of(pk="activity"), _of(pk="follow_up"), _of(pk="lead"), _of(pk="deal")
COMPANY, CONTACT, CONTRACT = _of(pk="company"), _of(pk="contact"), _of(pk="contract")
FIND = "?q=kestr"

ROWS: dict[str, Row] = {
    # --- The site
    "healthz": Row(get=PUBLIC, post=NOBODY_PUBLIC),
    "readyz": Row(get=PUBLIC, post=NOBODY_PUBLIC),
    "set_language": Row(get=PUBLIC, post=PUBLIC),
    # --- One's own
    "my_day": reads(EVERYBODY, query="?of=team", names={**READERS, "teammate": "sees their own"}),
    "search": reads(EVERYBODY, query=FIND, names=READERS),
    "bin_list": reads(WRITERS, names=RESTORERS),
    "theme_choose": writes(EVERYBODY, fields={"theme": "dark"}),
    "language_choose": writes(EVERYBODY, fields={"language": "ru"}),
    "user_settings": form(EVERYBODY),
    "notification_list": reads(EVERYBODY),
    "notification_bell": Row(get=PUBLIC, post=NOBODY_PUBLIC),  # silent for strangers
    "notification_read_all": writes(EVERYBODY),
    "notification_open": writes(ADDRESSEE, _of(pk="notice")),
    # --- Activities
    "activity_create": form(OWNERS, _about("deal")),
    "activity_edit": form(OWNERS, ACTIVITY),
    "activity_delete": writes(OWNERS, ACTIVITY),
    "activity_restore": writes(RESTORERS, _of(pk="deleted_activity")),
    # --- Choosers
    "choose_companies": reads(EVERYBODY, query=FIND, names=READERS),
    "choose_contacts": reads(EVERYBODY, query=FIND, names=READERS),
    # --- Follow-ups
    "follow_up_new": form(WRITERS, names=OWNERS),
    "follow_up_subjects": reads(WRITERS, query=FIND, names=OWNERS),
    "follow_up_add": form(OWNERS, _about("deal")),
    "next_step": reads(READERS, _about("deal")),
    "follow_up_done": writes(OWNERS, FOLLOW_UP),
    "follow_up_next": form(OWNERS, FOLLOW_UP),
    "follow_up_reopen": writes(OWNERS, FOLLOW_UP),
    "follow_up_snooze": writes(OWNERS, FOLLOW_UP),
    "follow_up_reschedule": form(OWNERS, FOLLOW_UP),
    "follow_up_edit": form(OWNERS, FOLLOW_UP),
    "follow_up_delete": writes(OWNERS, FOLLOW_UP),
    # --- Companies and contacts
    "company_list": reads(EVERYBODY, names=READERS),
    "company_detail": reads(READERS, COMPANY),
    "company_create": form(WRITERS),
    "company_edit": form(OWNERS, COMPANY),
    "company_delete": writes(OWNERS, COMPANY),
    "company_restore": writes(RESTORERS, _of(pk="deleted_company")),
    "contact_list": reads(EVERYBODY, names=READERS),
    "contact_detail": reads(READERS, CONTACT),
    "contact_create": form(WRITERS),
    "contact_edit": form(OWNERS, CONTACT),
    "contact_delete": writes(OWNERS, CONTACT),
    "contact_restore": writes(RESTORERS, _of(pk="deleted_contact")),
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
    "lead_delete": writes(OWNERS, LEAD),
    "lead_restore": writes(RESTORERS, _of(pk="deleted_lead")),
    # --- Board
    "board": reads(EVERYBODY),
    "deal_board": reads(EVERYBODY, _on_board(), names=READERS),
    "board_changes": reads(EVERYBODY, _on_board(), query="?since=0", names=READERS),
    "board_column": reads(EVERYBODY, _on_board(stage_pk="stage"), query="?after=0~0", names=READERS),
    "deal_card": reads(READERS, _on_board(pk="deal")),
    "deal_quick_add": form(WRITERS, _on_board(stage_pk="stage")),
    "deal_move": form(OWNERS, DEAL),
    "deal_win": form(OWNERS, DEAL),
    "deal_lose": form(OWNERS, DEAL),
    "deal_undo": writes(OWNERS, DEAL),
    # --- Deals
    "deal_list": reads(EVERYBODY, names=READERS),
    "deal_export": reads(EVERYBODY, names=READERS),
    "deal_create": form(WRITERS),
    "deal_detail": reads(READERS, DEAL),
    "deal_edit": form(OWNERS, DEAL),
    "deal_delete": writes(OWNERS, DEAL),
    "deal_restore": writes(RESTORERS, _of(pk="deleted_deal")),
    "deal_tick": writes(OWNERS, _of(pk="deal", item_pk="item")),
    "deal_fill": writes(OWNERS, DEAL),
    "line_item_add": writes(OWNERS, DEAL),
    "line_item_edit": writes(OWNERS, _of(pk="deal", item_pk="line_item")),
    "line_item_delete": writes(OWNERS, _of(pk="deal", item_pk="line_item")),
    "deal_take_sum": writes(OWNERS, DEAL),
    # --- Contracts
    "deal_contract": form(OWNERS, DEAL),
    "company_contract": form(OWNERS, COMPANY),
    "contract_edit": form(OWNERS, CONTRACT),
    "contract_renew": form(OWNERS, CONTRACT),
    "contract_cancel": form(OWNERS, CONTRACT),
    "contract_resume": writes(OWNERS, CONTRACT),
    "contract_delete": writes(OWNERS, CONTRACT),
    "contract_restore": writes(RESTORERS, _of(pk="deleted_contract")),
    # --- Metrics
    "metrics": reads(EVERYBODY),
    "kpi_detail": reads(EVERYBODY, _new_leads, names=READERS),
    "kpi_figures": reads(EVERYBODY, _new_leads),
    "kpi_rows": reads(EVERYBODY, _new_leads, names=READERS),
}

MISMATCHED: dict[str, tuple[str, Args]] = {
    # Two ids that each exist, and do not belong together: 404 to everybody.
    "deal_tick": ("post", _of(pk="deal", item_pk="other_item")),
    "line_item_edit": ("post", _of(pk="deal", item_pk="other_line_item")),
    "line_item_delete": ("post", _of(pk="deal", item_pk="other_line_item")),
    "board_column": ("get", _on_board(stage_pk="other_stage")),
    "deal_quick_add": ("get", _on_board(stage_pk="other_stage")),
    "deal_card": ("get", _on_board(pk="other_deal")),
}
