"""Boosted trees over the same features: they see what a sum cannot, how facts work together.

Nothing here knows the answers of the rows it is measured on: wide categories become the answers' mean by scikit-learn's
cross-fitted encoder, texts the log-odds of their words, fitted within the training rows, fold by fold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import TargetEncoder

from crm.rules.scoring.coded import Columns, Floats, rows_of
from crm.rules.scoring.learning import Additive

SEED = 20
WIDE = 60
"""Levels from which on a category is told by its mean answer instead."""
FEWEST_OF_A_LEVEL = 5
INNER_FOLDS, MEANS_FOLDS = 3, 5


@dataclass
class Trees:
    """Fitted trees and what their columns were made with."""

    levels: dict[str, dict[str, int]]
    means: TargetEncoder | None
    wording: Additive | None
    forest: HistGradientBoostingClassifier

    @classmethod
    def learn(cls, columns: Columns, targets: Floats) -> Trees:
        """Fit to rows whose answers are `targets`."""
        categories = {key: column for key, column in columns.items() if column.kind == "category"}
        common = {key: column.common(fewest=FEWEST_OF_A_LEVEL) for key, column in categories.items()}
        levels = {key: {name: place for place, name in enumerate(names)} for key, names in common.items()}
        numbers = _numbers(columns)
        narrow, wide = _coded(levels, columns)
        means = None
        if wide.shape[1]:
            means = TargetEncoder(target_type="binary", cv=_folds(MEANS_FOLDS))
            wide = means.fit_transform(wide, targets)
        wording, said = _learn_wording(columns, targets)
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
        return cls(levels, means, wording, forest)

    def probabilities(self, columns: Columns) -> Floats:
        """Return the probability for each row."""
        narrow, wide = _coded(self.levels, columns)
        if self.means is not None:
            wide = self.means.transform(wide)
        said = np.empty((len(narrow), 0))
        if self.wording is not None:
            said = self.wording.log_odds(columns)[:, None]
        found: Floats = self.forest.predict_proba(np.hstack([_numbers(columns), narrow, wide, said]))[:, 1]
        return found


def _numbers(columns: Columns) -> Floats:
    rows = len(next(iter(columns.values())))
    numbers = [column.held for column in columns.values() if column.kind == "number"]
    return np.column_stack(numbers) if numbers else np.empty((rows, 0))


def _coded(levels: Mapping[str, Mapping[str, int]], columns: Columns) -> tuple[Floats, Floats]:
    """Narrow and wide categories as numbers: rare levels share one, the unknown another."""
    rows = len(next(iter(columns.values())))
    parts: dict[bool, list[Floats]] = {False: [], True: []}
    for key, known in levels.items():
        codes = columns[key].levels(known, rare=len(known), unknown=len(known) + 1)
        parts[len(known) > WIDE].append(codes.astype(float))
    narrow, wide = (np.column_stack(part) if part else np.empty((rows, 0)) for part in parts.values())
    return narrow, wide


def _learn_wording(columns: Columns, targets: Floats) -> tuple[Additive | None, Floats]:
    """Learn what words say, and say it of each training row by what the others taught."""
    texts = {key: column for key, column in columns.items() if column.kind == "words"}
    if not texts:
        return None, np.empty((len(targets), 0))
    said = np.zeros(len(targets))
    for seen, unseen in _folds(INNER_FOLDS).split(said, targets):
        taught = Additive.learn(rows_of(texts, seen), targets[seen])
        said[unseen] = taught.log_odds(rows_of(texts, unseen))
    return Additive.learn(texts, targets), said[:, None]


def _folds(count: int) -> StratifiedKFold:
    return StratifiedKFold(count, shuffle=True, random_state=SEED)
