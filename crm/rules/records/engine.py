"""The import of a file in one go, as the command does it: read twice, for its formats and then for its rows.

The wizard takes the same steps (`course`) a few at a time, from what a person answered.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Container
from dataclasses import asdict
from pathlib import Path

from django.utils.translation import gettext as _

from crm.models import ImportRun, User
from crm.rules.audit import acting, coming_through
from crm.rules.records.columns import Holds
from crm.rules.records.context import Context, Kind, Options
from crm.rules.records.course import Course, Outcome
from crm.rules.records.errors import MappingRefused
from crm.rules.records.formats import Evidence, Formats
from crm.rules.records.mapping import Mapping, Places, listed
from crm.rules.records.reading import Table, read_table
from crm.rules.records.report import written_report


def import_records(
    *,
    path: Path,
    kind: Kind,
    mapping: Mapping,
    by: User | None,
    now: dt.datetime,
    options: Options | None = None,
    report: Path | None = None,
) -> Outcome:
    """Bring the rows of a file in: each is created, updated, found unchanged, or refused with a reason.

    Raises Unreadable, Question or MappingRefused before anything is written.
    """
    options = options or Options()
    table = read_table(path, known_columns=[*kind.names, *mapping.names], encoding=mapping.encoding)
    positions = places_of(table.header, kind, mapping)
    formats, rows = survey(table, kind, mapping, positions)
    context = Context(kind, mapping, formats, table.header, positions, options, now)
    with coming_through("import"), written_report(report, table) as refused:
        if not options.is_dry_run:
            context.run = _begin_run(path, kind, mapping, by, now)
        return Course(context, table, refused, by, Outcome(run=context.run)).go(rows)


def places_of(header: tuple[str, ...], kind: Kind, mapping: Mapping) -> dict[str, Places]:
    """Where in the file our columns are; raises MappingRefused where a required one is missing."""
    positions = mapping.match(header, kind.names)
    if missing := [_(" or ").join(names) for names in missing_columns(kind, positions)]:
        raise MappingRefused(
            _(
                "The file has no column %(missing)s, which %(kind)s need. Its columns are: %(header)s. "
                "A mapping can name others."
            )
            % {"missing": listed(missing), "kind": kind.key, "header": listed(header)}
        )
    return positions


def missing_columns(kind: Kind, positions: Container[str]) -> list[tuple[str, ...]]:
    """The required columns that are not in a file; of each group one is enough."""
    required = (column.name for column in kind.columns if column.is_required)
    missing: list[tuple[str, ...]] = [(name,) for name in required if name not in positions]
    if kind.needs_one_of and not any(name in positions for name in kind.needs_one_of):
        missing.append(kind.needs_one_of)
    return missing


def survey(table: Table, kind: Kind, mapping: Mapping, positions: dict[str, Places]) -> tuple[Formats, int]:
    """Read the whole file once for how it writes dates and numbers; raises Question where that stays open."""
    evidence, rows = Evidence(), 0
    seers = {Holds.DATES: evidence.see_date, Holds.AMOUNTS: evidence.see_number}
    watched = [
        (position, seers[column.holds])
        for column in kind.columns
        if column.holds in seers
        for joined in positions.get(column.name, ())
        for position in joined
    ]
    for row in table.rows():
        rows += 1
        for position, see in watched:
            if row.cells[position]:
                see(row.line, row.cells[position])
    formats = evidence.settle(zone=mapping.zone, date_format=mapping.date_format, decimal_mark=mapping.decimal_mark)
    return formats, rows


def _begin_run(path: Path, kind: Kind, mapping: Mapping, by: User | None, now: dt.datetime) -> ImportRun:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    with acting(by):
        return ImportRun.objects.create(
            kind=kind.key, file_name=path.name[-255:], file_hash=digest, mapping=asdict(mapping), by=by, started_at=now
        )
