"""Arrays in HDF5 files: opened in milliseconds, read row by row; contiguous arrays are read in place."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from avelzoo.data.reading.header import DOCTOR, KEYS, open_array, read_info, read_stored
from avelzoo.data.reading.mapped import MappedRows
from avelzoo.data.reading.shapes import named, reshaped
from avelzoo.errors import DataError, DataWarning, printable

_CACHE = 64 << 20  # bytes of chunks that h5py may keep while it reads one batch
_GATHERED = 8  # rows of a virtual data set for which the source files are open at a time
_SHOWN = 3
_PROBES = 64


class H5Array:
    """Rows of one array, as float32, read on demand.

    Contiguous arrays, and virtual data sets of whole contiguous arrays (shards), are mapped into memory; each fetch
    releases its pages, so a run's memory does not grow with the files. Other arrays are read through h5py, which opens
    the file for each fetch. An array can be pickled and used in forked processes.

    Args:
        path: the file.
        keys: names to search for, in this order.
        axes: names of the required axes.
        rows: required number of rows: that of the annotations.
        pooled: whether an array without the two grid axes is read as a 1 x 1 grid.
        watch: whether `fill` warns, once, about rows that were never written.

    Attributes:
        path: the file.
        info: location and number format of the array.

    Raises:
        DataError: as for ``read_info``; or the array has the wrong sizes.
    """

    def __init__(
        self,
        path: Path,
        *,
        keys: Sequence[str] = KEYS,
        axes: Sequence[str] | None = None,
        rows: int | None = None,
        pooled: bool = False,
        watch: bool = False,
    ) -> None:
        self.path = path
        self.info = read_info(path, keys)
        self._watch = watch
        if pooled and len(self.shape) == 3:
            self.info = replace(self.info, shape=(*self.shape[:2], 1, 1, *self.shape[2:]))
        if axes is not None and len(self.shape) != len(axes):
            raise self._wrong_shape(named(axes), reshaped(self.shape, axes))
        if rows is not None and self.shape[0] != rows:
            raise self._wrong_shape(f"{rows} rows, one per annotation")
        if 0 in self.shape:
            raise self._wrong_shape("no axis of length 0")
        placed = self.info.offset is not None or self.info.shards
        self._mapped = MappedRows(self.info, self.shape[1:]) if placed else None

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes, rows first."""
        return self.info.shape

    def __len__(self) -> int:
        return self.shape[0]

    def fetch(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """Read rows by number, in the given order.

        Returns:
            (len(rows), ...) float32.

        Raises:
            DataError: a row holds a NaN or an infinite number, or the file was truncated after it was opened.
            IndexError: a row number is out of range.
        """
        index = np.asarray(rows, dtype=np.int64).reshape(-1)
        out = np.empty((len(index), *self.shape[1:]), dtype=np.float32)
        self.fill(out, np.arange(len(index)), index)
        return out

    def fill(self, out: np.ndarray, positions: np.ndarray, rows: np.ndarray) -> None:
        """Copy row ``rows[i]`` into ``out[positions[i]]`` in the format of ``out``; otherwise like ``fetch``."""
        if rows.size and (rows.min() < 0 or rows.max() >= len(self)):
            raise IndexError(f"{self.path} has rows 0 to {len(self) - 1}")
        with np.errstate(over="ignore", invalid="ignore"):  # checked below
            if self._mapped is None:
                self._read(out, positions, rows)
            else:
                self._mapped.copy(out, positions, rows)
            for position, row in zip(positions, rows, strict=True):
                values = out[position]
                if not _all_finite(values):
                    raise self._not_finite(int(row), values)
        if self._watch:
            self._warn_of_blanks(out, positions, rows)

    def raw(self, start: int, stop: int) -> np.ndarray:
        """Copy rows ``start`` to ``stop - 1`` as stored, unchecked."""
        if self._mapped is not None:
            return self._mapped.raw(start, stop)
        parts = []
        for rows in self._gathered(np.arange(start, stop)):
            with open_array(self.info, rows) as array:
                parts.append(read_stored(self.path, array, slice(int(rows[0]), int(rows[-1]) + 1)))
        whole = np.concatenate(parts) if len(parts) > 1 else parts[0]
        return whole.reshape(-1, *self.shape[1:])

    def all(self) -> np.ndarray:
        """Read every row as float32, for small arrays."""
        return self.fetch(np.arange(len(self)))

    def _read(self, out: np.ndarray, positions: np.ndarray, rows: np.ndarray) -> None:
        """Read in the file's order, so that a chunk with several of the rows is decompressed once."""
        cache = min(max(4 * self.info.chunk_bytes, 1 << 20), _CACHE)
        for part in self._gathered(np.argsort(rows, kind="stable")):
            with open_array(self.info, rows[part], cache=cache) as array:
                for i in part:
                    out[positions[i]] = read_stored(self.path, array, int(rows[i])).reshape(self.shape[1:])

    def _gathered(self, rows: np.ndarray) -> Iterator[np.ndarray]:
        """Yield all rows at once; for a virtual data set a few at a time, as each row may be in a separate file."""
        step = _GATHERED if self.info.sources else max(1, len(rows))
        for start in range(0, len(rows), step):
            yield rows[start : start + step]

    def _warn_of_blanks(self, out: np.ndarray, positions: np.ndarray, rows: np.ndarray) -> None:
        blank = [int(row) for at, row in zip(positions, rows, strict=True) if _is_blank(out[at], self.info.fill)]
        if not blank:
            return
        self._watch = False
        shown = ", ".join(map(str, sorted(blank)[:_SHOWN])) + (", ..." if len(blank) > _SHOWN else "")
        warnings.warn(
            printable(
                f"{self.path}: {len(blank)} of {len(rows)} rows of a batch hold only {self.info.fill:g}, like rows "
                f"that were never written: {shown}; `avelzoo data doctor {self.path.parent}` lists all of them"
            ),
            DataWarning,
            stacklevel=2,
        )

    def _wrong_shape(self, expected: str, reshape: str = "") -> DataError:
        others = self.info.others(self.path)
        gathered = f", gathered from {len(others)} other file{'s' * (len(others) != 1)}" if self.info.sources else ""
        return DataError(
            "an array has the wrong sizes",
            where=f"{self.path}, key '{self.info.key}'",
            found=f"shape {self.shape}{gathered}",
            expected=expected,
            fix=f"store it as {reshape}" if reshape else DOCTOR.format(self.path.parent),
        )

    def _not_finite(self, row: int, values: np.ndarray) -> DataError:
        positions = np.argwhere(~np.isfinite(values))
        shown = ", ".join(f"{values[tuple(p)]} at {tuple(map(int, p))}" for p in positions[:_SHOWN])
        return DataError(
            "a row holds non-finite numbers",
            where=f"{self.path}, row {row}" + self._shard_of(row),
            found=f"{len(positions)} of {values.size}: {shown}",
            expected="finite numbers within the range of float32",
            fix=DOCTOR.format(self.path.parent),
        )

    def _shard_of(self, row: int) -> str:
        return f", in {self._mapped.file_of(row).path.name}" if self._mapped is not None and self.info.shards else ""


def _all_finite(values: np.ndarray) -> bool:
    if values.dtype == np.float16:  # exponent bits all set, compared as integers: numpy's half-precision sums are slow
        return not bool(((values.view(np.uint16) & 0x7C00) == 0x7C00).any())
    return bool(np.isfinite(values.sum())) or bool(np.isfinite(values).all())  # the sum is a quick test


def _is_blank(values: np.ndarray, fill: float) -> bool:
    """Whether a row holds only the fill value, like rows never written; a few positions are tested first."""
    flat = values.reshape(-1)
    few = flat[:: max(1, flat.size // _PROBES)]
    return bool((few == fill).all()) and bool((flat == fill).all())
