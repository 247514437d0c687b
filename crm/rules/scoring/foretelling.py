"""Foretelling each fold of a table from the others, several folds at once where the table is large.

Processes, not threads: a process that computes in one thread is as quick beside others as alone, while threads that
compute together wait for the slowest at every step.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import StratifiedKFold

from crm.rules.scoring.boosting import SEED, Trees
from crm.rules.scoring.coded import Columns, Floats, Places, rows_of
from crm.rules.scoring.learning import MANY_ROWS, Additive, one_thread

FEWEST_FOR_TREES = 200
TREES_SHARE = 2 / 3
MOST_PROCESSES = 5
"""Each holds its folds' tables."""

Fold = tuple[Places, Places]


@dataclass(frozen=True)
class Known:
    """Rows and their answers."""

    columns: Columns
    targets: Floats


def foretell(columns: Columns, targets: Floats, *, folds: int) -> Floats:
    """Return a probability for each row from what the other folds taught: the sum of its facts and trees, averaged."""
    found = np.zeros(len(targets))
    known, parts = Known(columns, targets), list(folds_of(folds).split(found, targets))
    foretold = _at_once(known, parts) if len(targets) >= MANY_ROWS else (_foretell(known, part) for part in parts)
    for (_seen, unseen), probabilities in zip(parts, foretold, strict=True):
        found[unseen] = probabilities
    return found


def folds_of(count: int) -> StratifiedKFold:
    """Return a division into folds, the same each time."""
    return StratifiedKFold(count, shuffle=True, random_state=SEED)


def _foretell(known: Known, fold: Fold) -> Floats:
    seen, unseen = fold
    targets = known.targets[seen]
    with one_thread():
        taught, asked = rows_of(known.columns, seen), rows_of(known.columns, unseen)
        summed = _probabilities(Additive.learn(taught, targets).log_odds(asked))
        if len(seen) < FEWEST_FOR_TREES:
            return summed
        grown = Trees.learn(taught, targets).probabilities(asked)
    both: Floats = TREES_SHARE * grown + (1 - TREES_SHARE) * summed
    return both


def _probabilities(log_odds: Floats) -> Floats:
    found: Floats = 1 / (1 + np.exp(-np.clip(log_odds, -500, 500)))
    return found


# --- Several at once ------------------------------------------------------------------------------------------------

_known: list[Known] = []
"""What a forked process was born with; its parent's is empty."""


def _at_once(known: Known, folds: Iterable[Fold]) -> Iterator[Floats]:
    """Foretell folds in forked processes: they share the table as it is, use no connection, and end with the pool."""
    processes = min(len(os.sched_getaffinity(0)), MOST_PROCESSES)
    forking = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(processes, mp_context=forking, initializer=_known.append, initargs=(known,)) as pool:
        yield from pool.map(_foretell_known, folds)


def _foretell_known(fold: Fold) -> Floats:
    return _foretell(_known[0], fold)
