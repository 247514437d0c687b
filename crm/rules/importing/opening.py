"""Reading an uploaded file for the first time: what it is, whose columns it has, how it writes dates and numbers."""

from __future__ import annotations

import secrets
from pathlib import Path

from django.utils.translation import gettext as _

from crm.models import ImportFile, ImportRun
from crm.rules.audit import acting
from crm.rules.importing.answers import first_answers
from crm.rules.importing.profiles import printable, profile
from crm.rules.importing.uploading import copied, replace_pieces
from crm.rules.records import vcards, workbooks
from crm.rules.records.decoding import Encoding
from crm.rules.records.errors import Unreadable
from crm.rules.records.reading import Table, read_table
from crm.rules.records.recognising import known_headings, recognise
from crm.rules.records.registry import KINDS


def open_upload(run: ImportRun) -> None:
    """Read an uploaded file and note what was found; raises Unreadable."""
    file = run.file
    with copied(file) as path:
        table_path = _as_table(path)
        table = read_table(table_path, known_columns=known_headings())
        profiles, rows, sample = profile(table)
        if not rows:
            raise Unreadable(_why_empty(table.header, run.kind))
        with acting(run.by):
            if table_path != path:
                replace_pieces(file, table_path)
            recognised = recognise(table.header, run.kind or None)
            answers = first_answers(table.header, run.kind)
            file.layout = layout_of(table) | {"holds": str(recognised.holds)}
            file.rows, file.sample, file.program = rows, sample, recognised.program
            file.profile = [column.plain() for column in profiles]
            file.answers = answers.plain()
            file.owner_default = run.by
            file.attempts = 0
            file.save()
            run.kind, run.state = answers.kind, ImportRun.State.ASKING
            run.save(update_fields=["kind", "state"])


def _why_empty(header: tuple[str, ...], kind: str) -> str:
    """What a header without rows was recognised as: whoever tries one out sees what a whole file would bring."""
    recognised = recognise(header, kind or None)
    if not recognised.program or recognised.holds:
        return _("The file has a header and no rows below it.")
    known = sum(map(bool, recognised.targets))
    return _(
        "This is the header of an export from %(program)s (%(kind)s): %(known)d of its %(all)d columns are known here. "
        "There are no rows below it."
    ) % {
        "program": recognised.program,
        "kind": str(KINDS[recognised.kind].label).lower(),
        "known": known,
        "all": len(header),
    }


def _as_table(path: Path) -> Path:
    """The file itself, or the CSV file that a workbook or address book was turned into."""
    target = path.with_name(secrets.token_hex(16))
    if workbooks.is_workbook(path):
        try:
            workbooks.write_as_csv(path, target)
        except workbooks.BadWorkbook as bad:
            if str(bad) == workbooks.TOO_LARGE:
                raise Unreadable(_("This workbook is too large to unpack. Save its sheet as CSV.")) from bad
            raise Unreadable(
                _("This is no workbook that can be read (.xlsx, .xls or .ods). Save its sheet as CSV.")
            ) from bad
        return target
    if vcards.is_vcard(path):
        vcards.write_as_csv(path, target)
        return target
    return path


def layout_of(table: Table) -> dict[str, object]:
    """How a table is written, as JSON."""
    return {
        "encoding": table.encoding.name,
        "errors": table.encoding.errors,
        "separator": table.separator,
        "header": [printable(name) for name in table.header],
        "header_line": table.header_line,
        "written_width": table.written_width,
    }


def table_of(file: ImportFile, path: Path) -> Table:
    """The table that a copy of an uploaded file holds, as it was found to be written."""
    layout = file.layout
    return Table(
        path,
        Encoding(layout["encoding"], layout["errors"]),
        layout["separator"],
        tuple(layout["header"]),
        layout["header_line"],
        layout["written_width"],
    )
