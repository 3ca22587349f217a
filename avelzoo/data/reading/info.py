"""What is known of an array in an HDF5 file: where its numbers lie and what they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from avelzoo.data.reading.opening import check_bytes


@dataclass(frozen=True)
class RawFile:
    """A file of plain bytes that an array lies in.

    Attributes:
        path: where it is.
        bytes: how many it must hold.
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
class ArrayInfo:
    """Where an array's bytes are.

    Attributes:
        key: its name in the file that was asked for.
        shape: its sizes, rows first.
        dtype: of the numbers as h5py gives them, byte order included.
        path: the file that holds it: another one behind an external link.
        place: its name in that file.
        offset: position of the first byte in ``path``; None where the bytes are not in one piece there, as ``dtype``.
        chunk_bytes: size of a chunk, 0 where there are none.
        sources: files that a virtual data set is gathered from.
        raw: files of plain bytes outside HDF5.
        raw_prefix: what HDF5 has to put before their names.
        filters: name by number of the filters that reading takes.
        fill: what HDF5 gives for numbers that were never written.
        unwritten: which part of it was never written; empty where that cannot be told.
    """

    key: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    path: Path
    place: str
    offset: int | None
    chunk_bytes: int = 0
    sources: tuple[Source, ...] = ()
    raw: tuple[RawFile, ...] = ()
    raw_prefix: bytes = b""
    filters: Mapping[int, str] = field(default_factory=dict)
    fill: float = 0.0
    unwritten: str = ""

    @property
    def storage(self) -> str:
        """How it is stored, in a word."""
        if self.offset is not None:
            return "contiguous"
        return "chunked" if self.chunk_bytes else "indirect"

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return int(np.prod(self.shape[1:], dtype=np.int64)) * self.dtype.itemsize

    def others(self, path: Path) -> list[Path]:
        """Every file besides ``path``, the one that was asked for, that holds numbers of this array."""
        held = (self.path, *(source.path for source in self.sources), *(raw.path for raw in self.raw))
        return [other for other in dict.fromkeys(held) if other != path]

    def check_sizes(self) -> None:
        """Refuse a file that ends before the numbers that are read from it by position.

        Raises:
            DataError: one is cut off or gone.
        """
        if self.offset is not None:
            check_bytes(self.path, self.offset + int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize)
        for raw in self.raw:
            check_bytes(raw.path, raw.bytes)
