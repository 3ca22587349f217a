"""Arrays in HDF5 files: opened in milliseconds, read row by row, in place where their bytes lie in one piece."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from avelzoo.data.header import DOCTOR, KEYS, check_size, open_file, read_info, read_stored
from avelzoo.errors import DataError

_CACHE = 64 << 20  # bytes of chunks that h5py may keep while it reads one batch
_HELD = 8 << 20  # bytes of a mapped file that one fetch holds at a time
_SHOWN = 3


class H5Array:
    """Rows of one array, as float32, read when asked for.

    Contiguous arrays are mapped into memory; a fetch gives its pages back to the system as it goes, so that a run's
    memory does not grow with the file. Others are read through h5py, which opens the file for each fetch. No handle
    stays open, so that an array can be pickled and used in forked processes.

    Args:
        path: the file.
        keys: names to look for.
        ndim: the number of axes it must have.
        rows: the number of rows it must have, that of the annotations.

    Attributes:
        path: the file.
        info: where and what its numbers are.

    Raises:
        DataError: as for ``read_info``; or the sizes are not the expected ones.
    """

    def __init__(
        self, path: Path, *, keys: Sequence[str] = KEYS, ndim: int | None = None, rows: int | None = None
    ) -> None:
        self.path = path
        self.info = read_info(path, keys)
        self._bytes: mmap.mmap | None = None
        if ndim is not None and len(self.shape) != ndim:
            raise self._wrong_shape(f"{ndim} axes")
        if rows is not None and self.shape[0] != rows:
            raise self._wrong_shape(f"{rows} rows, as many as there are annotations")
        if 0 in self.shape:
            raise self._wrong_shape("no axis of length 0")

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes, rows first."""
        return self.info.shape

    def __len__(self) -> int:
        return self.shape[0]

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_bytes": None}

    def fetch(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """The rows of these numbers, in their order.

        Returns:
            (len(rows), ...) float32.

        Raises:
            DataError: a row holds a NaN or an infinite number, or the file has been cut off since it was opened.
            IndexError: there is no such row.
        """
        index = np.asarray(rows, dtype=np.int64).reshape(-1)
        out = np.empty((len(index), *self.shape[1:]), dtype=np.float32)
        self.fill(out, np.arange(len(index)), index)
        return out

    def fill(self, out: np.ndarray, places: np.ndarray, rows: np.ndarray) -> None:
        """Put row ``rows[i]`` into ``out[places[i]]``, as numbers of its type; otherwise as ``fetch``."""
        if rows.size and (rows.min() < 0 or rows.max() >= len(self)):
            raise IndexError(f"{self.path} has rows 0 to {len(self) - 1}")
        with np.errstate(over="ignore", invalid="ignore"):  # judged below
            if self.info.offset is None:
                self._read(out, places, rows)
            else:
                self._copy(out, places, rows)
            for place, row in zip(places, rows, strict=True):
                values = out[place]
                if not _all_finite(values):
                    raise self._not_finite(int(row), values)

    def raw(self, start: int, stop: int) -> np.ndarray:
        """Rows ``start`` to ``stop - 1`` as stored, unjudged; a copy."""
        if self.info.offset is None:
            with open_file(self.path) as file:
                return read_stored(self.path, file[self.info.key], slice(start, stop))
        values = self._map()[start:stop].copy()
        self._release()
        return values

    def all(self) -> np.ndarray:
        """Every row as float32, for small arrays."""
        return self.fetch(np.arange(len(self)))

    def _copy(self, out: np.ndarray, places: np.ndarray, rows: np.ndarray) -> None:
        source, step = self._map(), max(1, _HELD // max(1, self.info.row_bytes))
        self._announce(rows)
        for i, (place, row) in enumerate(zip(places, rows, strict=True), 1):
            out[place] = source[row]
            if i % step == 0:
                self._release()
        self._release()

    def _read(self, out: np.ndarray, places: np.ndarray, rows: np.ndarray) -> None:
        """In the file's order, so that a chunk with several of the rows is unpacked once."""
        with open_file(self.path, cache=min(max(4 * self.info.chunk_bytes, 1 << 20), _CACHE)) as file:
            array = file[self.info.key]
            for i in np.argsort(rows, kind="stable"):
                out[places[i]] = read_stored(self.path, array, int(rows[i]))

    def _map(self) -> np.ndarray:
        offset = self.info.offset
        assert offset is not None
        check_size(self.path, self.info)  # reading mapped bytes that are gone would end the process
        if self._bytes is None:
            with self.path.open("rb") as file:
                self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        count = int(np.prod(self.shape, dtype=np.int64))
        return np.frombuffer(self._bytes, self.info.dtype, count, offset).reshape(self.shape)

    def _announce(self, rows: np.ndarray) -> None:
        """Tell the system which bytes come next, so that it reads whole rows at once."""
        if self._bytes is None or self.info.offset is None or not hasattr(mmap, "MADV_WILLNEED"):
            return
        for row in rows:
            start = self.info.offset + int(row) * self.info.row_bytes
            page = start // mmap.PAGESIZE * mmap.PAGESIZE
            self._bytes.madvise(mmap.MADV_WILLNEED, page, start + self.info.row_bytes - page)

    def _release(self) -> None:
        """Give the mapped pages back; they stay in the system's file cache."""
        if self._bytes is not None and hasattr(mmap, "MADV_DONTNEED"):
            self._bytes.madvise(mmap.MADV_DONTNEED)

    def _wrong_shape(self, expected: str) -> DataError:
        return DataError(
            "an array does not have the expected sizes",
            where=f"{self.path}, key '{self.info.key}'",
            found=f"shape {self.shape}",
            expected=expected,
            fix=DOCTOR.format(self.path.parent),
        )

    def _not_finite(self, row: int, values: np.ndarray) -> DataError:
        places = np.argwhere(~np.isfinite(values))
        shown = ", ".join(f"{values[tuple(p)]} at {tuple(map(int, p))}" for p in places[:_SHOWN])
        return DataError(
            "a row holds numbers that are not finite",
            where=f"{self.path}, row {row}",
            found=f"{len(places)} of {values.size}: {shown}",
            expected="finite numbers within the range of float32",
            fix=DOCTOR.format(self.path.parent),
        )


def _all_finite(values: np.ndarray) -> bool:
    if values.dtype == np.float16:  # a full exponent, looked for as integers: numpy's half-precision sums are slow
        return not bool(((values.view(np.uint16) & 0x7C00) == 0x7C00).any())
    return bool(np.isfinite(values.sum())) or bool(np.isfinite(values).all())  # the sum is the quick answer
