"""Workbooks as tables: dates, numbers, formulas never run, and two cells that ask for gigabytes."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from crm.rules.records import workbooks


def written(path: Path, cells: dict[str, Any]) -> Path:
    book = openpyxl.Workbook()
    for place, value in cells.items():
        book.active[place] = value
    book.save(path)
    return path


def test_cells_are_written_as_a_person_reads_them(tmp_path: Path) -> None:
    cells = {"A1": "name", "B1": "on", "C1": "sum", "A3": "Anna\nBerg", "B3": dt.date(2024, 4, 3), "C3": 12.0}
    workbooks.write_as_csv(written(tmp_path / "a.xlsx", cells), tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text().split() == ["name,on,sum", "Anna", "Berg,2024-04-03,12"]
    assert len((tmp_path / "a.csv").read_text().splitlines()) == 3  # the row of a cell is its line


def test_a_formula_is_never_run(tmp_path: Path) -> None:
    path = written(tmp_path / "a.xlsx", {"A1": "name", "A2": "=1+1", "A3": '=HYPERLINK("http://x.test","x")'})
    workbooks.write_as_csv(path, tmp_path / "a.csv")
    assert "http" not in (tmp_path / "a.csv").read_text()


def test_two_cells_at_the_corners_of_a_sheet_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.xlsx", {"A1": "name", "XFD1048576": "far away"})
    with pytest.raises(workbooks.BadWorkbook):
        workbooks.write_as_csv(path, tmp_path / "a.csv")


def test_what_is_no_workbook_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"PK\x03\x04 and nothing")
    with pytest.raises(workbooks.BadWorkbook):
        workbooks.write_as_csv(tmp_path / "a.xlsx", tmp_path / "a.csv")
