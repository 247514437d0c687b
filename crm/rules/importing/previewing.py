"""The first rows of a file as the records they would become."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crm.models import ImportFile, User
from crm.rules.importing.answers import Answers, context_of, options_of
from crm.rules.records.course import read_entry
from crm.rules.records.entries import Problem
from crm.rules.records.reading import Row

SHOWN = 8


@dataclass(frozen=True)
class PreviewRow:
    """One row: where it stands, what its record would hold, and what is wrong with it."""

    line: int
    values: list[Any]
    problems: list[Problem]


@dataclass(frozen=True)
class Preview:
    """The columns that records would have, by label, and the first rows."""

    labels: list[str]
    rows: list[PreviewRow]


def preview(file: ImportFile, answers: Answers, by: User) -> Preview:
    """Show the first rows by these answers; raises MappingRefused or Question where they do not suffice."""
    file.answers = answers.plain()
    context = context_of(file, options_of(file, by, is_dry_run=True))
    labels: Mapping[str, Any] = context.kind.labels
    columns = [column.name for column in context.kind.columns if context.has(column.name)]
    words = {ask.column: dict(ask.choices(by)) for ask in context.kind.asks if context.has(ask.column)}
    rows = []
    for kept in file.sample[:SHOWN]:
        entry = read_entry(context, Row(kept["line"], tuple(kept["cells"]), kept["damage"]))
        rows.append(PreviewRow(entry.line, [_said(entry[name], words.get(name)) for name in columns], entry.problems))
    return Preview([str(labels.get(name, name)) for name in columns], rows)


def _said(value: Any, words: Mapping[str, str] | None) -> Any:
    """A value as a person reads it: of those that can be chosen, its label."""
    return words.get(value, value) if words and isinstance(value, str) else value
