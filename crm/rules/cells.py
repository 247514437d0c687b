"""Cells of tables for a spreadsheet: none is taken for a formula, and what comes back is what went out."""

from __future__ import annotations

FORMULA_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r", "\n")
BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel takes UTF-8 for the machine's old encoding, and Cyrillic for noise."""


class Echo:
    """A file that hands back what is written into it."""

    def write(self, text: str) -> str:
        """Hand it back."""
        return text


def guarded(cell: str) -> str:
    """Return a cell that no spreadsheet computes: an apostrophe stands before all but a negative number."""
    return f"'{cell}" if _begins_as_formula(cell) and not _is_negative(cell) else cell


def unguarded(cell: str) -> str:
    """Return a cell as it was before it was guarded."""
    return cell[1:] if cell[:1] == "'" and _begins_as_formula(cell[1:]) else cell


def _begins_as_formula(cell: str) -> bool:
    return cell.lstrip(" ").startswith(FORMULA_BEGINNINGS)


def _is_negative(cell: str) -> bool:
    return cell[:1] == "-" and cell[1:].replace(".", "", 1).replace(",", "", 1).isdecimal()
