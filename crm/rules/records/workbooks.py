"""A workbook (.xlsx, .xls, .ods) as a CSV file: formulas as the values they last had, never computed.

A workbook is an archive from a stranger. What it unpacks to is counted before it is opened, and it is opened in a
process of its own with little memory and time: two cells at opposite corners of a sheet ask for gigabytes.
"""

from __future__ import annotations

import copy
import csv
import datetime as dt
import resource
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

MOST_UNPACKED = 300 << 20
MOST_PARTS = 5_000
MOST_MEMORY = 2 << 30
MOST_SECONDS = 40
BEGINNINGS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
TOO_LARGE, UNREADABLE = "too large", "unreadable"


class BadWorkbook(Exception):
    """It cannot be read; the text is TOO_LARGE or UNREADABLE."""


def is_workbook(path: Path) -> bool:
    """Whether a file begins like a workbook."""
    with path.open("rb") as stream:
        return stream.read(4).startswith(BEGINNINGS)


def write_as_csv(workbook: Path, target: Path) -> None:
    """Write the first sheet with anything in it to `target`, a line for each row; raises BadWorkbook."""
    refuse_bomb(workbook)
    command = [sys.executable, "-I", str(Path(__file__).resolve()), str(workbook), str(target)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=MOST_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise BadWorkbook(TOO_LARGE) from None
    if done.returncode:
        raise BadWorkbook(UNREADABLE if done.returncode == 1 else TOO_LARGE)


def refuse_bomb(workbook: Path) -> None:
    """Raise BadWorkbook for an archive that unpacks to more than it may, by what it says and by what it does."""
    if not zipfile.is_zipfile(workbook):
        return
    try:
        with zipfile.ZipFile(workbook) as archive:
            parts = archive.infolist()
            if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
                raise BadWorkbook(TOO_LARGE)
            left = MOST_UNPACKED
            for part in parts:
                left = _unpack(archive, part, left)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise BadWorkbook(UNREADABLE) from error


def _unpack(archive: zipfile.ZipFile, part: zipfile.ZipInfo, left: int) -> int:
    """Unpack a part into nothing, to its real end whatever size it claims; how many bytes are left for others."""
    honest: Any = copy.copy(part)
    honest.file_size, honest.CRC = MOST_UNPACKED + 1, None
    with archive.open(honest) as stream:
        while piece := stream.read(1 << 16):
            left -= len(piece)
            if left < 0:
                raise BadWorkbook(TOO_LARGE)
    return left


def _main(workbook: str, target: str) -> None:
    """What runs in the process of its own."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_path(workbook)
    with Path(target).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        for name in book.sheet_names:
            sheet = book.get_sheet_by_name(name)
            if sheet.height and sheet.width:
                above = sheet.start[0] if sheet.start else 0
                stream.write("\r\n" * above)  # so that lines are the numbers that the spreadsheet shows
                for row in sheet.iter_rows():
                    cells = [_text(cell) for cell in row]
                    # A row of one empty cell would be written as quotes, which are no blank line.
                    writer.writerow(cells if any(cells) else [])
                return


def _text(cell: object) -> str:
    """A cell as a CSV has it: in one line, days as ISO, whole numbers without a point."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(sep=" ")
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    return " ".join(str(cell).split("\n")).replace("\r", "")


if __name__ == "__main__":
    try:
        _main(*sys.argv[1:])
    except MemoryError:
        sys.exit(2)
    except Exception:  # noqa: BLE001 - whatever it is, the caller says that the workbook cannot be read
        sys.exit(1)
