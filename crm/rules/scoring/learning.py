"""Learns the weights of an additive score: a regularised logistic regression over bins, levels and words.

Numbers are cut at quantiles and coded as "at least that much", so that the penalty draws neighbouring bins together;
rare levels share one weight; a text counts by the words that enough texts hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from crm.rules.scoring.additive import VERSION, Kind
from crm.rules.scoring.coded import Column, Columns, Floats, Places

MOST_BINS, MOST_LEVELS, MOST_WORDS = 16, 400, 600
FEWEST_OF_A_LEVEL, FEWEST_OF_A_WORD = 5, 10
PENALTY = 0.3
"""Strength of the evidence against that of the penalty (scikit-learn's C)."""


MANY_ROWS = 15_000
"""From here on the third digit of a weight is worth no more rounds."""


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute in one thread: beside other processes, threads mostly wait for each other, and spin."""
    with threadpool_limits(limits=1):
        yield


@dataclass
class Coding:
    """How one feature becomes columns of ones; learned from the training rows alone."""

    key: str
    kind: Kind
    cuts: list[float] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)

    @classmethod
    def learn(cls, key: str, column: Column) -> Coding:
        """Choose cuts, levels or words."""
        coding = cls(key, column.kind)
        if column.kind == "number":
            known = column.held[~np.isnan(column.held)]
            if len(known):
                inner = np.quantile(known, np.linspace(0, 1, MOST_BINS + 1)[1:-1])
                coding.cuts = [float(cut) for cut in np.unique([*inner, np.nextafter(known.min(), np.inf)])]
            return coding
        if column.kind == "words":
            common = column.common(fewest=max(FEWEST_OF_A_WORD, len(column) // 1000), most=MOST_WORDS)
        else:
            common = column.common(fewest=FEWEST_OF_A_LEVEL, most=MOST_LEVELS)
        coding.names = {name: place for place, name in enumerate(common)}
        return coding

    @property
    def width(self) -> int:
        """How many columns: two besides, for the unknown and the rare."""
        return len(self.cuts) + len(self.names) + 2

    def ones(self, column: Column) -> tuple[Places, Places]:
        """Return where the ones of this column stand: their rows and places."""
        if self.kind == "number":
            return self._thresholds_passed(column.held)
        if self.kind == "words":
            return column.words(self.names)
        return np.arange(len(column)), column.levels(self.names, rare=self.width - 2, unknown=self.width - 1)

    def _thresholds_passed(self, numbers: Floats) -> tuple[Places, Places]:
        is_unknown = np.isnan(numbers)
        passed = np.where(is_unknown, 1, np.searchsorted(self.cuts, numbers, side="right"))
        rows = np.repeat(np.arange(len(numbers)), passed)
        firsts = np.repeat(np.cumsum(passed) - passed, passed)
        places = np.arange(len(rows)) - firsts
        return rows, np.where(is_unknown[rows], self.width - 1, places)


@dataclass
class Design:
    """All features as one sparse table of ones."""

    codings: list[Coding]

    @classmethod
    def learn(cls, columns: Columns) -> Design:
        """Choose the coding of every feature by the training rows."""
        return cls([Coding.learn(key, column) for key, column in columns.items()])

    def matrix(self, columns: Columns) -> csr_matrix:
        """Return the rows coded."""
        rows: list[Places] = []
        places: list[Places] = []
        begins = count = 0
        for coding in self.codings:
            count = len(columns[coding.key])
            of_rows, of_places = coding.ones(columns[coding.key])
            rows.append(of_rows)
            places.append(of_places + begins)
            begins += coding.width
        where = (np.concatenate(rows), np.concatenate(places))
        return csr_matrix((np.ones(len(where[0])), where), shape=(count, begins))


@dataclass
class Additive:
    """A fitted additive score: its design, the weight of each column, and where it starts."""

    design: Design
    weights: Floats
    intercept: float

    @classmethod
    def learn(
        cls, columns: Columns, targets: Floats, *, importance: Floats | None = None, penalty: float = PENALTY
    ) -> Additive:
        """Fit to rows whose answers are `targets` (0 or 1); `importance` weighs the rows."""
        design = Design.learn(columns)
        tolerance = 1e-3 if len(targets) >= MANY_ROWS else 1e-4
        regression = LogisticRegression(C=penalty, max_iter=400, tol=tolerance)
        regression.fit(design.matrix(columns), targets, sample_weight=importance)
        return cls(design, regression.coef_[0], float(regression.intercept_[0]))

    def log_odds(self, columns: Columns) -> Floats:
        """Return the log-odds of rows."""
        found: Floats = self.design.matrix(columns) @ self.weights + self.intercept
        return found

    def parameters(
        self, columns: Columns, importance: Floats, *, slope: float = 1.0, shift: float = 0.0
    ) -> dict[str, Any]:
        """Return the weights for `AdditiveModel`: the log-odds times `slope` plus `shift`, zero being the average row.

        Centred on `columns`, so that a weight says how much better than usual a fact is.
        """
        table = self.design.matrix(columns)
        usual = np.asarray(importance @ table).ravel() / importance.sum()
        features: list[dict[str, Any]] = []
        base, begins = self.intercept, 0
        for coding in self.design.codings:
            part = slice(begins, begins + coding.width)
            weights, share = self.weights[part], usual[part]
            mean = float(weights @ share)
            base += mean
            features.append(_written(coding, weights, mean, slope))
            begins += coding.width
        return {"version": VERSION, "base": slope * base + shift, "features": features}


def _written(coding: Coding, weights: Floats, mean: float, slope: float) -> dict[str, Any]:
    """One feature's weights as JSON; those of a number are summed up, so that each bin has one."""
    if coding.kind == "words":
        said = {word: slope * float(weights[place]) for word, place in coding.names.items()}
        return {"key": coding.key, "kind": "words", "mean": slope * mean, "weights": said}
    unknown = slope * (float(weights[-1]) - mean)
    if coding.kind == "number":
        steps = np.concatenate([[0.0], np.cumsum(weights[: len(coding.cuts)])])
        bins = [slope * (float(step) - mean) for step in steps]
        return {"key": coding.key, "kind": "number", "cuts": coding.cuts, "weights": bins, "unknown": unknown}
    levels = {name: slope * (float(weights[place]) - mean) for name, place in coding.names.items()}
    other = slope * (float(weights[-2]) - mean)
    return {"key": coding.key, "kind": "category", "weights": levels, "other": other, "unknown": unknown}
