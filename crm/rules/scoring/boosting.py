"""Boosted trees over the same features: they see what a sum cannot, how facts work together.

Nothing here knows the answers of the rows it is measured on: wide categories become the answers' mean by scikit-learn's
cross-fitted encoder, texts the log-odds of their words, fitted within the training rows, fold by fold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import TargetEncoder

from crm.rules.scoring.additive import Kind, Value
from crm.rules.scoring.learning import Additive, Floats

SEED = 20
WIDE = 60
"""Levels from which on a category is told by its mean answer instead."""
FEWEST_OF_A_LEVEL = 5
INNER_FOLDS, MEANS_FOLDS = 3, 5

Columns = Mapping[str, Sequence[Value]]


@dataclass
class Trees:
    """Fitted trees and what their columns were made with."""

    kinds: Mapping[str, Kind]
    levels: dict[str, dict[str, int]]
    means: TargetEncoder | None
    wording: Additive | None
    forest: HistGradientBoostingClassifier

    @classmethod
    def learn(cls, kinds: Mapping[str, Kind], columns: Columns, targets: Floats) -> Trees:
        """Fit to rows whose answers are `targets`."""
        levels = {key: _levels(columns[key]) for key, kind in kinds.items() if kind == "category"}
        numbers = _numbers(kinds, columns)
        narrow, wide = _coded(levels, columns)
        means = None
        if wide.shape[1]:
            means = TargetEncoder(target_type="binary", cv=_folds(MEANS_FOLDS))
            wide = means.fit_transform(wide, targets)
        wording, said = _learn_wording(kinds, columns, targets)
        table = np.hstack([numbers, narrow, wide, said])
        is_level = [numbers.shape[1] <= place < numbers.shape[1] + narrow.shape[1] for place in range(table.shape[1])]
        forest = HistGradientBoostingClassifier(
            learning_rate=0.06,
            max_iter=150,
            max_leaf_nodes=12,
            min_samples_leaf=15,
            l2_regularization=2.0,
            categorical_features=is_level,
            early_stopping=False,
            random_state=SEED,
        )
        forest.fit(table, targets)
        return cls(kinds, levels, means, wording, forest)

    def probabilities(self, columns: Columns) -> Floats:
        """Return the probability for each row."""
        narrow, wide = _coded(self.levels, columns)
        if self.means is not None:
            wide = self.means.transform(wide)
        said = np.empty((len(narrow), 0))
        if self.wording is not None:
            said = self.wording.log_odds(columns)[:, None]
        found: Floats = self.forest.predict_proba(np.hstack([_numbers(self.kinds, columns), narrow, wide, said]))[:, 1]
        return found


def _levels(values: Sequence[Value]) -> dict[str, int]:
    counts = Counter(str(value) for value in values if value is not None)
    common = sorted(name for name, count in counts.items() if count >= FEWEST_OF_A_LEVEL)
    return {name: place for place, name in enumerate(common)}


def _numbers(kinds: Mapping[str, Kind], columns: Columns) -> Floats:
    rows = len(next(iter(columns.values())))
    numbers = [np.array(columns[key], dtype=float) for key, kind in kinds.items() if kind == "number"]
    return np.column_stack(numbers) if numbers else np.empty((rows, 0))


def _coded(levels: Mapping[str, Mapping[str, int]], columns: Columns) -> tuple[Floats, Floats]:
    """Narrow and wide categories as numbers: rare levels share one, the unknown another."""
    rows = len(next(iter(columns.values())))
    parts: dict[bool, list[Floats]] = {False: [], True: []}
    for key, known in levels.items():
        rare, unknown = len(known), len(known) + 1
        codes = [unknown if value is None else known.get(str(value), rare) for value in columns[key]]
        parts[len(known) > WIDE].append(np.array(codes, dtype=float))
    narrow, wide = (np.column_stack(part) if part else np.empty((rows, 0)) for part in parts.values())
    return narrow, wide


def _learn_wording(kinds: Mapping[str, Kind], columns: Columns, targets: Floats) -> tuple[Additive | None, Floats]:
    """Learn what words say, and say it of each training row by what the others taught."""
    texts: dict[str, Kind] = {key: kind for key, kind in kinds.items() if kind == "words"}
    if not texts:
        return None, np.empty((len(targets), 0))
    said = np.zeros(len(targets))
    for seen, unseen in _folds(INNER_FOLDS).split(said, targets):
        taught = Additive.learn(texts, rows_of(columns, seen), targets[seen])
        said[unseen] = taught.log_odds(rows_of(columns, unseen))
    return Additive.learn(texts, columns, targets), said[:, None]


def _folds(count: int) -> StratifiedKFold:
    return StratifiedKFold(count, shuffle=True, random_state=SEED)


def rows_of(columns: Columns, rows: np.ndarray) -> dict[str, list[Value]]:
    """Return some rows of every column."""
    places = rows.tolist()
    return {key: [values[place] for place in places] for key, values in columns.items()}
