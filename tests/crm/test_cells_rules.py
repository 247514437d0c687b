"""Cells of tables: no spreadsheet computes them, and reading takes off what writing put on."""

from __future__ import annotations

import pytest

from crm.rules.cells import guarded, unguarded

WRITTEN = {
    "=1+1": "'=1+1",
    "+79001234567": "'+79001234567",
    "@SUM(A1)": "'@SUM(A1)",
    " =1": "' =1",
    "\t=1": "'\t=1",
    "-cmd": "'-cmd",
    "-5": "-5",
    "-1.5": "-1.5",
    "-1,5": "-1,5",
    "-1.5,5.2": "'-1.5,5.2",
    "O'Brien": "O'Brien",
    "'quoted": "'quoted",
    "": "",
}


@pytest.mark.parametrize(("cell", "written"), WRITTEN.items())
def test_what_a_spreadsheet_would_compute_is_text(cell: str, written: str) -> None:
    assert guarded(cell) == written
    assert unguarded(written) == cell
