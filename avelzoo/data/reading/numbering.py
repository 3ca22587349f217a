"""Comparison of a label file's category ids with the annotations': equal, a permutation, or a contradiction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from avelzoo.errors import some

TOLERATED = 0.1
"""Largest share of rows in which a label file may differ from the annotations without contradicting them."""
_SHOWN = 40


@dataclass(frozen=True)
class Columns:
    """Columns of a label file.

    Attributes:
        events: column of each event category, by its id in the annotations.
        background: column of background.
    """

    events: tuple[int, ...]
    background: int

    @property
    def same(self) -> bool:
        """Whether the columns equal the annotations' ids."""
        return self.permutes and self.events == tuple(range(len(self.events)))

    @property
    def permutes(self) -> bool:
        """Whether the event categories fill the first columns, in any order, and background the last."""
        return self.background == len(self.events) and sorted(self.events) == list(range(len(self.events)))

    def names(self, categories: Sequence[str]) -> tuple[str, ...]:
        """Category names in the order of the columns; the columns must be a permutation."""
        by_column = dict(zip(self.events, categories, strict=True))
        return tuple(by_column[column] for column in range(len(categories)))

    def events_of(self, events: np.ndarray) -> np.ndarray:
        """Convert the annotations' category ids to columns."""
        columns: np.ndarray = np.array(self.events, dtype=np.int64)[events]
        return columns

    def segments_of(self, segments: np.ndarray) -> np.ndarray:
        """Convert the annotations' segment ids to columns."""
        columns: np.ndarray = np.array([*self.events, self.background], dtype=np.int64)[segments]
        return columns


def identity(n: int) -> Columns:
    """Columns of the documented layout: categories by id, then background."""
    return Columns(tuple(range(n)), n)


def match(shares: np.ndarray, events: np.ndarray, background: np.ndarray | None) -> Columns:
    """Find the columns that agree best with the annotations; `identity` if no two categories can be distinguished.

    Args:
        shares: (rows n+1), share of each video per column of the label file.
        events: (rows) category ids of the annotations.
        background: (rows) annotated share of background segments; None for files that do not store it.
    """
    n = shares.shape[1] - 1
    last = n
    if background is not None and background.any():
        distances = np.abs(shares - background[:, None]).mean(axis=0)
        last = n if distances[n] == distances.min() else int(distances.argmin())
    votes = np.zeros((n, n + 1))
    np.add.at(votes, events, shares)
    if background is not None:
        votes[:, last] = -1.0
    present = np.bincount(events, minlength=n) > 0
    best = {int(c): int(votes[c].argmax()) for c in np.flatnonzero(present)}
    if len(set(best.values())) < len(best):
        return identity(n)
    free = [c for c in range(n + 1) if c not in best.values() and c != last]
    absent = sorted(np.flatnonzero(~present).tolist(), key=lambda category: category not in free)
    for category in absent:  # no evidence in any row: these keep their ids if still free
        best[category] = category if category in free else free[0]
        free.remove(best[category])
    return Columns(tuple(best[c] for c in range(n)), last)


def describe(columns: Columns, categories: Sequence[str]) -> str:
    """List the categories whose ids differ: ``2 is 'Bark' (0 in the annotations)``."""
    moved = [
        f"{column} is '{name}' ({own} in the annotations)"
        for column, own, name in sorted(
            (column, own, name)
            for own, (column, name) in enumerate(zip(columns.events, categories, strict=True))
            if column != own
        )
    ]
    return some(moved, _SHOWN)
