"""Files brought in, as a person would bring them."""

from __future__ import annotations

import csv
import datetime as dt
import io
import tempfile
from pathlib import Path
from typing import Any

from django.utils import timezone

from crm.models import User
from crm.rules.records.context import Options
from crm.rules.records.course import Outcome
from crm.rules.records.engine import import_records
from crm.rules.records.mapping import parse_mapping
from metrics.rules.records import KINDS


def bring_in(
    kind: str,
    content: str | Path,
    *,
    mapping: dict[str, Any] | None = None,
    by: User | None = None,
    now: dt.datetime | None = None,
    report: Path | None = None,
    **options: Any,
) -> Outcome:
    """Import a file, or a text as one; `options` are those of `Options`."""
    with tempfile.TemporaryDirectory() as folder:
        path = content if isinstance(content, Path) else Path(folder) / f"{kind}.csv"
        if isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        return import_records(
            path=path,
            kind=KINDS[kind],
            mapping=parse_mapping(mapping or {}),
            by=by,
            now=now or timezone.now(),
            options=Options(**options),
            report=report,
        )


def counts(outcome: Outcome) -> tuple[int, int, int, int]:
    """Created, updated, unchanged, failed."""
    return outcome.created, outcome.updated, outcome.unchanged, outcome.failed


def reasons(outcome: Outcome) -> list[tuple[int, str]]:
    """Line and column of the first problems."""
    return [(line, problem.column) for line, problem in outcome.examples]


def as_csv(rows: list[dict[str, Any]]) -> str:
    """Rows as a CSV text, the columns being those of the first."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()
