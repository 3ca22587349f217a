"""Location and description of an HDF5 array: storage, links, sources, filters."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np

from avelzoo.data.reading.filters import filters_of, require_filters
from avelzoo.data.reading.info import ArrayInfo, Shard, Source
from avelzoo.data.reading.links import find_linked, follow, listed_names
from avelzoo.data.reading.opening import damaged, open_file
from avelzoo.data.reading.virtual import Piece, pieces, raw_files
from avelzoo.errors import DataError

_DEPTH = 16  # of virtual data sets within virtual data sets
BROKEN = (OSError, KeyError, RuntimeError, TypeError)
"""Exceptions that h5py raises for damaged headers."""


def find_array(path: Path, key: str, depth: int = 0) -> ArrayInfo:
    """Find the array of a name, following links.

    Raises:
        DataError: no such array, or it or a file it refers to cannot be read.
    """
    holder, inner_key = follow(path, key)
    with open_file(holder) as file:
        try:
            return describe(file[inner_key], holder, key, depth)
        except BROKEN as error:
            raise damaged(str(holder), error) from error


def describe(array: h5py.Dataset | h5py.Group, path: Path, key: str, depth: int = 0) -> ArrayInfo:
    """Describe an open array.

    Args:
        array: the open array.
        path: the file that holds it.
        key: the name that was asked for.
        depth: number of virtual data sets passed on the way.

    Raises:
        DataError: it does not hold rows of numbers, or they cannot be read.
    """
    name = array.name.lstrip("/")
    where = f"{path}, key '{name}'"
    if isinstance(array, h5py.Group) or array.dtype.kind not in "fiub" or not array.shape:
        group = f"a group: {listed_names(array)}" if isinstance(array, h5py.Group) else ""
        raise DataError(
            "an HDF5 array does not hold rows of numbers",
            where=where,
            found=group or f"{array.dtype} {array.shape}",
            expected="floating-point or whole numbers",
        )
    filters = filters_of(array)
    require_filters(filters, where)
    fill = float(array.fillvalue) if array.fillvalue is not None else 0.0
    info = ArrayInfo(key, array.shape, array.dtype, path, name, None, filters=filters, fill=fill)
    if array.is_virtual:
        return _gathered(info, array, where, depth)
    if array.external is not None:
        raw, prefix = raw_files(array, path)
        return replace(info, raw=tuple(raw), raw_prefix=prefix)
    if array.size and array.id.get_storage_size() == 0:
        raise DataError(
            "an array was never written",
            where=where,
            found=f"a header of shape {array.shape} without numbers",
            fix="write the file again",
        )
    if array.chunks is not None:
        whole = int(np.prod([-(-n // c) for n, c in zip(array.shape, array.chunks, strict=True)]))
        less = whole - array.id.get_num_chunks()
        size = int(np.prod(array.chunks)) * array.dtype.itemsize
        return replace(info, chunk_bytes=size, unwritten=f"{less:,} of {whole:,} chunks" if less else "")
    if h5py.h5t.py_create(array.dtype) == array.id.get_type():  # others are converted: bfloat16, 12 of 16 bits
        info = replace(info, offset=array.id.get_offset())
        info.check_sizes()
    return info


def _gathered(info: ArrayInfo, array: h5py.Dataset, where: str, depth: int) -> ArrayInfo:
    """Describe a virtual data set: its source files and their unwritten parts.

    HDF5 returns the fill value for a missing source, so each source is opened here.
    """
    if depth == _DEPTH:
        raise DataError("circular reference between virtual data sets", where=where, fix="write the array itself")
    parts = list(pieces(array))
    files = _locate({part.file for part in parts}, info.path, where)
    known: dict[tuple[Path, str], ArrayInfo] = {}
    sources: dict[Source, None] = {}
    for part in parts:
        path = files[part.file]
        if (path, part.key) not in known:
            known[path, part.key] = _source(path, part.key, where, depth)
        inner = known[path, part.key]
        _require_reach(inner, part, where)
        held = (path, inner.path, *(source.path for source in inner.sources))
        sources |= {Source(file, *part.rows): None for file in held if file != info.path}
    raw = {file: None for inner in known.values() for file in inner.raw}
    lacks = [f"{inner.unwritten} of {inner.path.name}" for inner in known.values() if inner.unwritten]
    sizes = [part.size for part in parts]
    if None not in sizes and (less := array.size - sum(map(int, filter(None, sizes)))) > 0:
        lacks.insert(0, f"{less:,} of {array.size:,} numbers, which no source fills,")
    shards = _shards(info, [(part, known[files[part.file], part.key]) for part in parts])
    return replace(info, sources=tuple(sources), shards=shards, raw=tuple(raw), unwritten=" and ".join(lacks[:3]))


def _shards(info: ArrayInfo, parts: list[tuple[Piece, ArrayInfo]]) -> tuple[Shard, ...]:
    """The parts as shards, ordered by row; empty unless they are whole contiguous arrays that follow each other."""
    shards, row = [], 0
    for part, inner in sorted(parts, key=lambda pair: pair[0].rows):
        size = int(np.prod(inner.shape, dtype=np.int64))
        whole = inner.offset is not None and inner.dtype == info.dtype and inner.shape[1:] == info.shape[1:]
        if not whole or part.size != size or part.rows != (row, row + inner.shape[0] - 1):
            return ()
        shards.append(Shard(row, inner))
        row += inner.shape[0]
    return tuple(shards) if row == info.shape[0] else ()


def _locate(names: set[str], holder: Path, where: str) -> dict[str, Path]:
    """Locate the source files of a virtual data set."""
    found = {name: holder if name == "." else find_linked(name, holder, "HDF5_VDS_PREFIX") for name in sorted(names)}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        raise DataError(
            "a virtual data set refers to missing files",
            where=where,
            found=f"{len(missing):,} of {len(found):,} files missing: {listed_names(missing)}",
            expected="all of its source files",
            fix="restore these files under the paths the data set names, or write the array into one file",
        )
    moved: dict[Path, str] = {}  # absolute paths that are gone, found by their last part
    for name, path in found.items():
        if path is not None and Path(name).is_absolute() and path != Path(name):
            if path in moved:
                raise DataError(
                    "a virtual data set refers to two moved files with the same name",
                    where=where,
                    found=f"{moved[path]} and {name} are missing; both resolve to {path}",
                    fix="restore these files, or write the array into one file",
                )
            moved[path] = name
    return {name: path for name, path in found.items() if path is not None}


def _source(path: Path, key: str, where: str, depth: int) -> ArrayInfo:
    try:
        return find_array(path, key, depth + 1)
    except DataError as error:
        raise DataError(
            error.problem,
            where=f"{error.where}, a source of {where}",
            found=error.found,
            expected=error.expected,
            fix=error.fix,
        ) from error


def _require_reach(inner: ArrayInfo, part: Piece, where: str) -> None:
    """Refuse a source whose sizes differ from those that the virtual data set expects."""
    if part.ends is None:
        fits = part.size is None or part.size == int(np.prod(inner.shape, dtype=np.int64))
        expected = f"{part.size} numbers"
    else:
        fits = len(part.ends) == len(inner.shape) and all(e <= n for e, n in zip(part.ends, inner.shape, strict=True))
        expected = f"at least {part.ends}"
    if not fits:
        raise DataError(
            "a source of a virtual data set has the wrong sizes",
            where=f"{inner.path}, key '{inner.place}', a source of {where}",
            found=f"shape {inner.shape}",
            expected=expected,
            fix="use files of the same data set, or write the virtual data set again",
        )
