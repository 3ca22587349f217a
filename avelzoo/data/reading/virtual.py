"""Arrays stored in other files: virtual data sets and external raw storage."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from avelzoo.data.reading.info import RawFile
from avelzoo.data.reading.opening import check_bytes
from avelzoo.errors import DataError

_UNLIMITED = h5py.h5s.UNLIMITED
ORIGIN = b"${ORIGIN}"
"""HDF5's placeholder for the folder of the referring file."""


@dataclass(frozen=True)
class Piece:
    """A part of a virtual data set and its source.

    Attributes:
        file: source file as the virtual data set names it; "." is the virtual data set's file.
        key: name of the data set in the source file.
        rows: first and last row of the virtual data set that the part fills.
        size: count of numbers that the part fills; None if it grows with the source.
        ends: required extent of the source on each axis; None for the whole source.
    """

    file: str
    key: str
    rows: tuple[int, int]
    size: int | None
    ends: tuple[int, ...] | None


def pieces(array: h5py.Dataset) -> Iterator[Piece]:
    """Parts of a virtual data set; printf-style names are expanded."""
    for source in array.virtual_sources():
        start, stride, count, block = _selection(source.vspace, array.shape)
        growing = [axis for axis, number in enumerate(count) if number == _UNLIMITED]
        names = (source.file_name, source.dset_name)
        if growing and any("%b" in name.replace("%%", "") for name in names):
            axis = growing[0]
            for i in range(-(-(array.shape[axis] - start[axis]) // stride[axis])):
                first = [*start]
                first[axis] += i * stride[axis]
                last = [f + b - 1 for f, b in zip(first, block, strict=True)]
                file, key = (_spelled(name, i) for name in names)
                yield Piece(file, key, (first[0], last[0]), int(np.prod(block)), _ends(source.src_space))
            continue
        size: int | None = None
        last_row = array.shape[0] - 1
        if not growing and _UNLIMITED not in block:
            size = int(source.vspace.get_select_npoints())
            last_row = int(source.vspace.get_select_bounds()[1][0])
        ends = None if size is None else _ends(source.src_space)
        file, key = (_spelled(name, 0) for name in names)
        yield Piece(file, key, (start[0], last_row), size, ends)


def raw_files(array: h5py.Dataset, path: Path) -> tuple[list[RawFile], bytes]:
    """Find the files of an array in external storage, and the prefix with which HDF5 finds them.

    HDF5 searches the working directory, and reads zeros if a file is too short. Here, the HDF5 file's folder is also
    searched.

    Raises:
        DataError: a file is missing or truncated, or two files have its name.
    """
    where = f"{path}, key '{array.name.lstrip('/')}'"
    left = int(np.prod(array.shape, dtype=np.int64)) * array.id.get_type().get_size()
    found, beside = [], set()
    for name, offset, size in array.external:
        target, origin = _raw_path(name, path, where)
        needed = min(size, left)
        left -= needed
        found.append(RawFile(target, offset + needed))
        check_bytes(target, offset + needed)
        if not Path(name).is_absolute():
            beside.add(origin)
    if len(beside) > 1:
        raise _two_places(where, "some in the working directory and some in the HDF5 file's folder")
    return found, ORIGIN if beside == {True} else b""


def _selection(space: h5py.h5s.SpaceID, shape: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """(start, stride, count, block); an irregular selection is given by its bounds."""
    ones = (1,) * len(shape)
    kind = space.get_select_type()
    if kind == h5py.h5s.SEL_HYPERSLABS and space.is_regular_hyperslab():
        return tuple(tuple(map(int, part)) for part in space.get_regular_hyperslab())
    if kind == h5py.h5s.SEL_ALL:
        return (0,) * len(shape), ones, ones, shape
    low, high = space.get_select_bounds()
    return tuple(map(int, low)), ones, ones, tuple(int(h - lo + 1) for lo, h in zip(low, high, strict=True))


def _ends(space: h5py.h5s.SpaceID) -> tuple[int, ...] | None:
    if space.get_select_type() == h5py.h5s.SEL_ALL:
        return None
    return tuple(int(high) + 1 for high in space.get_select_bounds()[1])


def _spelled(name: str, number: int) -> str:
    return re.sub("%%|%b", lambda found: "%" if found[0] == "%%" else str(number), name)


def _raw_path(name: str, holder: Path, where: str) -> tuple[Path, bool]:
    """Locate a file of raw bytes; return its path and whether it was found relative to the HDF5 file's folder."""
    folder = holder.parent.absolute()
    if Path(name).is_absolute():
        candidates = {Path(name): False}
    elif given := os.environ.get("HDF5_EXTFILE_PREFIX"):
        candidates = {Path(given.replace(ORIGIN.decode(), str(folder))) / name: False}
    else:
        candidates = {Path.cwd() / name: False, folder / name: True}
    there = [candidate for candidate in candidates if candidate.is_file()]
    if not there:
        raise DataError(
            "the file with an array's bytes is missing",
            where=where,
            found=f"external storage in {name}",
            expected=" or ".join(map(str, candidates)),
            fix="restore that file, or write the array into the HDF5 file itself",
        )
    if len(there) > 1 and not there[0].samefile(there[1]):
        raise _two_places(where, " and ".join(map(str, there)))
    return there[-1], candidates[there[-1]]


def _two_places(where: str, found: str) -> DataError:
    return DataError(
        "the files with an array's bytes are in two folders",
        where=where,
        found=found,
        expected="one folder",
        fix="keep only the correct files, in the HDF5 file's folder",
    )
