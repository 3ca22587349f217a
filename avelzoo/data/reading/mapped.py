"""Contiguous arrays mapped into memory: one file, or the shards of a virtual data set."""

from __future__ import annotations

import mmap
from collections import OrderedDict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from avelzoo.data.reading.info import ArrayInfo, Shard

_HELD = 8 << 20  # bytes of mapped files that one fetch holds at a time
_OPEN = 128  # shards that stay mapped


class MappedRows:
    """Rows of contiguous arrays, read in place; every read releases its pages, so memory does not grow with the files.

    No handle stays open when the object is pickled.

    Args:
        info: a contiguous array, or a virtual data set of shards.
        row: sizes of a row.
    """

    def __init__(self, info: ArrayInfo, row: tuple[int, ...]) -> None:
        self._shards = info.shards or (Shard(0, info),)
        self._firsts = np.array([shard.first for shard in self._shards], dtype=np.int64)
        self._row = row
        self._step = max(1, _HELD // max(1, info.row_bytes))
        self._maps: OrderedDict[int, mmap.mmap] = OrderedDict()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_maps": OrderedDict()}

    def copy(self, out: np.ndarray, positions: np.ndarray, rows: np.ndarray) -> None:
        """Copy row ``rows[i]`` into ``out[positions[i]]``, in the files' order, in the format of ``out``."""
        order = np.argsort(rows, kind="stable")
        groups = list(self._groups(rows[order]))
        for number, own in groups:
            self._announce(number, rows[order[own]] - self._firsts[number])
        for number, own in groups:
            array, first = self._array(number), self._firsts[number]
            for i, at in enumerate(order[own], 1):
                out[positions[at]] = array[rows[at] - first]
                if i % self._step == 0:
                    self._release(number)
            self._release(number)

    def raw(self, start: int, stop: int) -> np.ndarray:
        """Copy rows ``start`` to ``stop - 1`` as stored."""
        parts = []
        for number, own in self._groups(np.arange(start, stop)):
            first = start + own.start - self._firsts[number]
            parts.append(self._array(number)[first : first + own.stop - own.start].copy())
            self._release(number)
        return np.concatenate(parts) if len(parts) != 1 else parts[0]

    def file_of(self, row: int) -> ArrayInfo:
        """The array that holds a row."""
        return self._shards[int(np.searchsorted(self._firsts, row, side="right")) - 1].info

    def _groups(self, rows: np.ndarray) -> Iterator[tuple[int, slice]]:
        """Yield (shard, positions of its rows) for ascending rows."""
        numbers = np.searchsorted(self._firsts, rows, side="right") - 1
        edges = [0, *(np.flatnonzero(numbers[1:] != numbers[:-1]) + 1).tolist(), len(rows)]
        for start, stop in pairwise(edges):
            if start < stop:
                yield int(numbers[start]), slice(start, stop)

    def _array(self, number: int) -> np.ndarray:
        info = self._shards[number].info
        assert info.offset is not None
        count = int(np.prod(info.shape, dtype=np.int64))
        return np.frombuffer(self._map(number), info.dtype, count, info.offset).reshape(info.shape[0], *self._row)

    def _map(self, number: int) -> mmap.mmap:
        info = self._shards[number].info
        info.check_sizes()  # reading mapped bytes of a truncated file would kill the process
        if number not in self._maps:
            with info.path.open("rb") as file:
                self._maps[number] = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            if len(self._maps) > _OPEN:
                self._maps.popitem(last=False)
        return self._maps[number]

    def _announce(self, number: int, rows: np.ndarray) -> None:
        """Announce the next bytes to the system, so that it reads whole rows at once."""
        if not hasattr(mmap, "MADV_WILLNEED"):
            return
        info, mapped = self._shards[number].info, self._map(number)
        assert info.offset is not None
        size = info.row_bytes
        for row in rows.tolist():
            start = info.offset + row * size
            page = start // mmap.PAGESIZE * mmap.PAGESIZE
            mapped.madvise(mmap.MADV_WILLNEED, page, start + size - page)

    def _release(self, number: int) -> None:
        """Release the mapped pages; they stay in the system's file cache."""
        mapped = self._maps.get(number)
        if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
            mapped.madvise(mmap.MADV_DONTNEED)
