"""Statistics of an array's numbers, computed block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from avelzoo.data.reading.h5 import H5Array

BLOCK = 32 << 20
SAMPLE = 64
_LIMIT = float(np.finfo(np.float32).max)


@dataclass
class Values:
    """Statistics of the finite numbers, and rows with other numbers.

    Attributes:
        rows: number of rows read.
        min: smallest number; like `max` and `mean`, NaN without finite numbers.
        max: largest number.
        mean: mean.
        zeros: share of exact zeros.
        nan: number of NaNs.
        infinite: count of numbers that are infinite, or become infinite in float32.
        bad_rows: rows with NaN or infinite numbers.
        empty_rows: rows of zeros only.
        fill_rows: rows of a non-zero fill value only: they were never written.
    """

    rows: int = 0
    min: float = float("nan")
    max: float = float("nan")
    mean: float = float("nan")
    zeros: float = 0.0
    nan: int = 0
    infinite: int = 0
    bad_rows: list[int] = field(default_factory=list)
    empty_rows: list[int] = field(default_factory=list)
    fill_rows: list[int] = field(default_factory=list)


def survey(array: H5Array, *, quick: bool = False, tick: Callable[[int], None] | None = None) -> Values:
    """Read an array in blocks and describe its numbers; ``quick`` reads 64 evenly spaced rows.

    Raises:
        DataError: the file is damaged.
    """
    found = Values()
    total, count, nonzero = 0.0, 0, 0
    for start, block in _blocks(array, quick):
        low, high = float(block.min()), float(block.max())
        rows = block.reshape(len(block), -1)
        nonzero += int(np.count_nonzero(rows))
        found.rows += len(rows)
        found.empty_rows += (start + np.flatnonzero(~rows.any(axis=1))).tolist()
        if array.info.fill:
            found.fill_rows += (start + np.flatnonzero((rows == array.info.fill).all(axis=1))).tolist()
        if not (low >= -_LIMIT and high <= _LIMIT):
            rows = _set_aside(found, start, rows)
            low, high = (float(rows.min()), float(rows.max())) if rows.size else (float("nan"), float("nan"))
        found.min, found.max = float(np.fmin(found.min, low)), float(np.fmax(found.max, high))
        total += float(rows.sum(dtype=np.float64))
        count += rows.size
        if tick is not None:
            tick(block.nbytes)
    size = found.rows * int(np.prod(array.shape[1:]))
    found.zeros = 1.0 - nonzero / size
    found.mean = total / count if count else float("nan")
    return found


def _blocks(array: H5Array, quick: bool) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (first row, rows as stored)."""
    if quick and len(array) > SAMPLE:
        for row in np.linspace(0, len(array) - 1, SAMPLE).astype(int).tolist():
            yield row, array.raw(row, row + 1)
        return
    step = max(1, BLOCK // array.info.row_bytes)
    for start in range(0, len(array), step):
        yield start, array.raw(start, min(start + step, len(array)))


def _set_aside(found: Values, start: int, rows: np.ndarray) -> np.ndarray:
    """Count non-finite numbers; return the finite ones."""
    nan = np.isnan(rows)
    with np.errstate(over="ignore", invalid="ignore"):
        infinite = np.isinf(rows.astype(np.float32))
    found.nan += int(nan.sum())
    found.infinite += int(infinite.sum())
    bad = nan | infinite
    found.bad_rows += (start + np.flatnonzero(bad.any(axis=1))).tolist()
    finite: np.ndarray = rows[~bad]
    return finite
