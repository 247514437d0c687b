"""Features of many rows as arrays: coded once, so that choosing the rows of a fold is one step of numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from crm.rules.scoring.additive import Kind, Value

Floats = np.ndarray[Any, np.dtype[np.float64]]
Places = np.ndarray[Any, np.dtype[np.int64]]

UNKNOWN = -1


@dataclass(frozen=True)
class Column:
    """One feature of many rows: numbers, the place of each row's level, or ones for the words of its text.

    `names` are the levels or words of all rows there are, whichever rows were chosen. Nothing in it knows an answer.
    """

    kind: Kind
    names: tuple[str, ...]
    held: Any

    @classmethod
    def code(cls, kind: Kind, values: Sequence[Value]) -> Column:
        """Turn values into arrays."""
        if kind == "number":
            return cls(kind, (), np.array(values, dtype=float))
        if kind == "words":
            return cls._of_words([words if isinstance(words, tuple) else () for words in values])
        names = tuple(sorted({str(value) for value in values if value is not None}))
        places = {name: place for place, name in enumerate(names)}
        coded = [UNKNOWN if value is None else places[str(value)] for value in values]
        return cls(kind, names, np.array(coded, dtype=np.int64))

    @classmethod
    def _of_words(cls, texts: Sequence[tuple[str, ...]]) -> Column:
        names = tuple(sorted(set(chain.from_iterable(texts))))
        places = {name: place for place, name in enumerate(names)}
        ends = np.cumsum([0, *map(len, texts)])
        said = np.fromiter((places[word] for word in chain.from_iterable(texts)), dtype=np.int64, count=ends[-1])
        return cls("words", names, csr_matrix((np.ones(len(said), np.int8), said, ends), (len(texts), len(names))))

    def __len__(self) -> int:
        return int(self.held.shape[0])

    def rows(self, places: Places) -> Column:
        """Return some of the rows."""
        return Column(self.kind, self.names, self.held[places])

    def common(self, *, fewest: int, most: int | None = None) -> list[str]:
        """Return the names that at least `fewest` of the rows hold, in order: at most the `most` frequent."""
        held = self.held.indices if self.kind == "words" else self.held[self.held != UNKNOWN]
        counts = np.bincount(held, minlength=len(self.names))
        often = np.argsort(-counts, kind="stable")[:most]
        return [self.names[place] for place in np.sort(often[counts[often] >= fewest])]

    def levels(self, known: Mapping[str, int], *, rare: int, unknown: int) -> Places:
        """Return each row's place in `known`; the levels it lacks are `rare`."""
        table = [*(known.get(name, rare) for name in self.names), unknown]
        return np.array(table, dtype=np.int64)[self.held]

    def words(self, known: Mapping[str, int]) -> tuple[Places, Places]:
        """Return the rows and the places of the words in `known`."""
        table = np.array([known.get(name, UNKNOWN) for name in self.names], dtype=np.int64)
        places = table[self.held.indices]
        rows = np.repeat(np.arange(len(self)), np.diff(self.held.indptr))
        is_known = places != UNKNOWN
        return rows[is_known], places[is_known]


Columns = Mapping[str, Column]


def code(kinds: Mapping[str, Kind], columns: Mapping[str, Sequence[Value]]) -> dict[str, Column]:
    """Return every feature's column."""
    return {key: Column.code(kind, columns[key]) for key, kind in kinds.items()}


def rows_of(columns: Columns, rows: Places) -> dict[str, Column]:
    """Return some rows of every column."""
    return {key: column.rows(rows) for key, column in columns.items()}
