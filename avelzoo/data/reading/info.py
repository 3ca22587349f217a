"""Description of an array in an HDF5 file: location and number format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from avelzoo.data.reading.opening import check_bytes


@dataclass(frozen=True)
class RawFile:
    """A file of raw bytes that holds part of an array.

    Attributes:
        path: the file.
        bytes: required file size.
    """

    path: Path
    bytes: int


@dataclass(frozen=True)
class Source:
    """A file that a virtual data set reads from.

    Attributes:
        path: the file.
        first: first row that needs it.
        last: last row that needs it.
    """

    path: Path
    first: int
    last: int


@dataclass(frozen=True)
class Shard:
    """Consecutive rows of a virtual data set that are a whole contiguous array of another file.

    Attributes:
        first: first row.
        info: the array.
    """

    first: int
    info: ArrayInfo


@dataclass(frozen=True)
class ArrayInfo:
    """Location and number format of an array.

    Attributes:
        key: its name in the requested file.
        shape: its sizes, rows first.
        dtype: number format as h5py returns it, including byte order.
        path: the file that holds it; differs from the requested file behind an external link.
        place: its name in that file.
        offset: position of the first byte in ``path``; None unless the array is contiguous there, in ``dtype``.
        chunk_bytes: size of a chunk; 0 without chunks.
        sources: source files of a virtual data set.
        shards: all rows of a virtual data set, if each of its sources is a shard; otherwise empty.
        raw: files of raw bytes outside HDF5.
        raw_prefix: prefix that HDF5 needs before their names.
        filters: filters needed for reading: number to name.
        fill: value that HDF5 returns for unwritten numbers.
        unwritten: the part that was never written; empty if none or unknown.
    """

    key: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    path: Path
    place: str
    offset: int | None
    chunk_bytes: int = 0
    sources: tuple[Source, ...] = ()
    shards: tuple[Shard, ...] = ()
    raw: tuple[RawFile, ...] = ()
    raw_prefix: bytes = b""
    filters: Mapping[int, str] = field(default_factory=dict)
    fill: float = 0.0
    unwritten: str = ""

    @property
    def storage(self) -> str:
        """Kind of storage: contiguous, shards, chunked or indirect."""
        if self.offset is not None:
            return "contiguous"
        if self.shards:
            return "shards"
        return "chunked" if self.chunk_bytes else "indirect"

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return int(np.prod(self.shape[1:], dtype=np.int64)) * self.dtype.itemsize

    def others(self, path: Path) -> list[Path]:
        """Files other than ``path``, the requested one, that hold numbers of this array."""
        held = (self.path, *(source.path for source in self.sources), *(raw.path for raw in self.raw))
        return [other for other in dict.fromkeys(held) if other != path]

    def check_sizes(self) -> None:
        """Check that no file ends before the numbers that are read from it by position.

        Raises:
            DataError: a file is truncated or missing.
        """
        if self.offset is not None:
            check_bytes(self.path, self.offset + int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize)
        for raw in self.raw:
            check_bytes(raw.path, raw.bytes)
