"""The board and deals."""

from __future__ import annotations

from tests.access.policies import EVERYBODY, OWNERS, READERS, RESTORERS, WRITERS, Row, form, reads, writes
from tests.access.rows.arguments import DEAL, Args, of, on_board

ROWS: dict[str, Row] = {
    # --- Board
    "board": reads(EVERYBODY),
    "deal_board": reads(EVERYBODY, on_board(), names=READERS),
    "board_changes": reads(EVERYBODY, on_board(), query="?since=0", names=READERS),
    "board_column": reads(EVERYBODY, on_board(key="stage"), query="?after=0~0", names=READERS),
    "deal_card": reads(READERS, on_board(pk="deal")),
    "deal_quick_add": form(WRITERS, on_board(key="stage")),
    "deal_move": form(OWNERS, DEAL),
    "deal_win": form(OWNERS, DEAL),
    "deal_lose": form(OWNERS, DEAL),
    "deal_move_together": writes(WRITERS),
    "deal_hand_over_together": writes(WRITERS),
    "deal_redate_together": writes(WRITERS),
    "deal_undo": writes(OWNERS, DEAL),
    "deal_hand_over": form(OWNERS, DEAL),
    "deal_redate": form(OWNERS, DEAL),
    "deal_take_back": writes(OWNERS, DEAL),
    # --- Deals
    "deal_list": reads(EVERYBODY, names=READERS),
    "deal_export": reads(EVERYBODY, names=READERS),
    "deal_create": form(WRITERS),
    "deal_detail": reads(READERS, DEAL),
    "deal_edit": form(OWNERS, DEAL),
    "deal_delete": writes(OWNERS, DEAL),
    "deal_restore": writes(RESTORERS, of(pk="deleted_deal")),
    "deal_tick": writes(OWNERS, of(pk="deal", item_pk="item")),
    "deal_fill": writes(OWNERS, DEAL),
    "line_item_add": writes(OWNERS, DEAL),
    "line_item_edit": writes(OWNERS, of(pk="deal", item_pk="line_item")),
    "line_item_delete": writes(OWNERS, of(pk="deal", item_pk="line_item")),
    "deal_take_sum": writes(OWNERS, DEAL),
}

# Two ids that each exist, and do not belong together: 404 to everybody.
MISMATCHED: dict[str, tuple[str, Args]] = {
    "deal_tick": ("post", of(pk="deal", item_pk="other_item")),
    "line_item_edit": ("post", of(pk="deal", item_pk="other_line_item")),
    "line_item_delete": ("post", of(pk="deal", item_pk="other_line_item")),
    "board_column": ("get", on_board(key="other_stage")),
    "deal_quick_add": ("get", on_board(key="other_stage")),
    "deal_card": ("get", on_board(pk="other_deal")),
}
