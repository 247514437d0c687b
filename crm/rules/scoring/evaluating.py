"""How well outcomes in a table can be foretold: folds that never see each other's answers, pooled predictions."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from django.utils.translation import gettext as _
from sklearn.metrics import brier_score_loss, roc_auc_score

from crm.rules.errors import RuleError
from crm.rules.records.reading import Table, normal_name, read_table
from crm.rules.scoring.coded import Column, Columns, Floats, rows_of
from crm.rules.scoring.columns import UNKNOWN, Reading, read_column
from crm.rules.scoring.foretelling import folds_of, foretell
from crm.rules.scoring.learning import Additive, one_thread

LEAKS_ABOVE = 0.90
"""A fair forecast of who buys is worse than that; a better one has been told."""
SUSPICIOUS_ABOVE = 0.70
MOST_SUSPECTS = 8
ROWS_FOR_SUSPECTS = 8_000
"""So many rows are enough to say which columns tell too much."""
YES = frozenset({"1", "1.0", "yes", "y", "true", "t", "won", "converted", "customer", "да", "истина"})


class NotEvaluable(RuleError):
    """The table cannot answer the question; the message says why."""

    code = "not_evaluable"


@dataclass(frozen=True)
class Question:
    """What is to be foretold: which column, which of its values means yes, and what may not be looked at."""

    target: str
    positive: str | None = None
    drop: tuple[str, ...] = ()
    folds: int = 5


@dataclass(frozen=True)
class Evaluation:
    """The figures, and what a person should know about them."""

    rows: int
    folds: int
    auc: float
    brier: float
    features: int
    seconds: float
    remarks: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, float]:
        """Return the figures alone."""
        return {name: value for name, value in asdict(self).items() if name != "remarks"}


def evaluate_file(path: Path, question: Question) -> Evaluation:
    """Foretell a column of a CSV file from the others, fold by fold; raises Unreadable or NotEvaluable."""
    started = time.monotonic()
    if question.folds < 2:
        raise NotEvaluable(_("At least two folds are needed: one to learn from, one to measure on."))
    table = read_table(path, known_columns=(question.target, *question.drop))
    target, dropped = _column(table, question.target), {_column(table, name) for name in question.drop}
    remarks: list[str] = []
    rows = _whole_rows(table, target, remarks)
    targets = _targets([row[target] for row in rows], question, table.header[target], remarks)
    wanted = [place for place in range(len(table.header)) if place != target and place not in dropped]
    read = _read_columns(table, rows, wanted)
    used = [name for name, reading in read.items() if reading.features]
    remarks += [f"{name}: left out, {reading.left_out}." for name, reading in read.items() if not reading.features]
    features = [feature for reading in read.values() for feature in reading.features]
    if not features:
        raise NotEvaluable(_("No column is left to learn from."))
    columns = {feature.key: Column.code(feature.kind, feature.values) for feature in features}
    del rows, features, read
    found = foretell(columns, targets, folds=question.folds)
    auc, brier = float(roc_auc_score(targets, found)), float(brier_score_loss(targets, found))
    if auc > LEAKS_ABOVE:
        remarks.append(_leak(auc, columns, targets, question.folds))
    seconds = round(time.monotonic() - started, 2)
    return Evaluation(len(targets), question.folds, round(auc, 4), round(brier, 4), len(used), seconds, remarks)


# --- The file -------------------------------------------------------------------------------------------------------


def _column(table: Table, name: str) -> int:
    """The place of a column by its name, spelled as in the file or nearly so."""
    for spelled in (str, normal_name):
        places = [place for place, column in enumerate(table.header) if spelled(column) == spelled(name)]
        if places:
            return places[0]
    columns = ", ".join(f"“{column}”" for column in table.header[:40])
    raise NotEvaluable(
        _("The file has no column “%(name)s”. Its columns: %(columns)s.") % {"name": name, "columns": columns}
    )


def _whole_rows(table: Table, target: int, remarks: list[str]) -> list[tuple[str, ...]]:
    """The rows that can be read and whose answer is known; equal cells share one text."""
    texts: dict[str, str] = {}
    rows, damaged, unanswered = [], 0, 0
    for row in table.rows():
        if row.damage:
            damaged += 1
        elif row.cells[target].casefold() in UNKNOWN:
            unanswered += 1
        else:
            rows.append(tuple(texts.setdefault(cell, cell) for cell in row.cells))
    if damaged:
        remarks.append(f"{damaged} rows could not be read and are left out.")
    if unanswered:
        remarks.append(f"{unanswered} rows have no answer in the target and are left out.")
    return rows


def _read_columns(table: Table, rows: Sequence[tuple[str, ...]], wanted: Iterable[int]) -> dict[str, Reading]:
    read: dict[str, Reading] = {}
    for place in wanted:
        name = table.header[place] or f"column {place + 1}"
        if name in read:
            name = f"{name} ({place + 1})"
        read[name] = read_column(name, [row[place] for row in rows])
    return read


def _targets(answers: Sequence[str], question: Question, name: str, remarks: list[str]) -> Floats:
    """The answers as 1 and 0; raises NotEvaluable where they are no yes and no, or too few."""
    counts = Counter(answer.casefold() for answer in answers)
    positive = _positive(counts, question.positive, name)
    if question.positive is None:
        remarks.append(f"“{positive}” in “{name}” is taken for yes.")
    targets = np.array([answer.casefold() == positive for answer in answers], dtype=float)
    fewest = int(min(targets.sum(), len(targets) - targets.sum()))
    if fewest < question.folds:
        raise NotEvaluable(
            _("%(folds)d folds need at least %(folds)d rows with and without “%(value)s”; one side has %(count)d.")
            % {"folds": question.folds, "value": positive, "count": fewest}
        )
    return targets


def _positive(counts: Counter[str], asked: str | None, name: str) -> str:
    """The answer that means yes."""
    if not counts:
        raise NotEvaluable(_("“%(column)s” has no answers: no row can be used.") % {"column": name})
    if asked is not None:
        same = [answer for answer in counts if answer == asked.strip().casefold() or _is_equal(answer, asked)]
        if not same:
            raise NotEvaluable(
                _("“%(value)s” never stands in “%(column)s”.") % {"value": asked, "column": name} + _values(counts)
            )
        if len(counts) > 1:
            return same[0]
    if len(counts) == 1:
        raise NotEvaluable(
            _("“%(column)s” is “%(value)s” in every row: there is nothing to foretell.")
            % {"column": name, "value": next(iter(counts))}
        )
    if len(counts) > 2:
        raise NotEvaluable(
            _("“%(column)s” has %(count)d values: say with --positive which one means yes.")
            % {"column": name, "count": len(counts)}
            + _values(counts)
        )
    return next((answer for answer in sorted(counts) if answer in YES), max(counts))


def _is_equal(one: str, other: str) -> bool:
    try:
        return float(one) == float(other)
    except ValueError:
        return False


def _values(counts: Counter[str]) -> str:
    return " " + _("Its values: %(values)s.") % {
        "values": ", ".join(f"“{value}” ({count})" for value, count in counts.most_common(10))
    }


# --- Leaks ----------------------------------------------------------------------------------------------------------


def _leak(auc: float, columns: Columns, targets: Floats, folds: int) -> str:
    """Name the columns that alone tell too much."""
    some = np.arange(0, len(targets), 1 + len(targets) // ROWS_FOR_SUSPECTS)
    if min(targets[some].sum(), (1 - targets[some]).sum()) < folds:
        some = np.arange(len(targets))
    with one_thread():
        alone = {key: _auc_alone(column.rows(some), targets[some], folds) for key, column in columns.items()}
    suspects = sorted(alone, key=lambda key: -alone[key])
    named = [f"{key} ({alone[key]:.2f})" for key in suspects if alone[key] > SUSPICIOUS_ABOVE][:MOST_SUSPECTS]
    told = "; ".join(named) or "none by itself"
    return f"AUC {auc:.3f} is above {LEAKS_ABOVE:.2f}: something tells the outcome. Most telling alone: {told}."


def _auc_alone(column: Column, targets: Floats, folds: int) -> float:
    found, own = np.zeros(len(targets)), {"": column}
    for seen, unseen in folds_of(folds).split(found, targets):
        found[unseen] = Additive.learn(rows_of(own, seen), targets[seen]).log_odds(rows_of(own, unseen))
    return float(roc_auc_score(targets, found))
