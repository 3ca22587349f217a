"""Packed features in several files: each is written atomically, in any order, by one process or several."""

from __future__ import annotations

import json
import multiprocessing
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from avelzoo.data.reading.checksum import sha256
from avelzoo.data.reading.h5 import H5Array
from avelzoo.data.reading.layout import BY_NAME
from avelzoo.errors import DataError, RunError, UsageError
from avelzoo.system.files import make_folder, write_json, write_whole
from avelzoo.system.locking import lock_file, unlock

FOLDER = "shards"
"""Folder of the shards within a packed folder."""
NOTES = ".packing"
"""Folder of the plan and of the finished shards' checksums; removed from the complete folder."""
BLOCK = 32 << 20

Tick = Callable[[int], None]


@dataclass(frozen=True)
class Piece:
    """Rows of one feature file that become one file.

    Attributes:
        source: the feature file.
        rows: the rows.
        target: the file to write.
        dtype: its number format.
    """

    source: Path
    rows: range
    target: Path
    dtype: str


def starts_of(rows: int, most: int, shards: int | None, shard_videos: int | None) -> list[int]:
    """First rows of a file's shards, and the number of rows.

    Args:
        rows: rows of the file.
        most: rows of the largest file; only it has all ``shards``.
        shards: number of shards of equal size.
        shard_videos: rows of a shard, instead.
    """
    if shard_videos is not None:
        return [*range(0, rows, shard_videos), rows]
    count = min(rows, -(-(shards or 1) * rows // most))
    return [rows * i // count for i in range(count + 1)]


def shard_name(file: str, number: int, of: int) -> str:
    """Name of a shard within the packed folder.

    >>> shard_name("audio_feature.h5", 7, 100)
    'shards/audio_feature-00007-of-00100.h5'
    """
    return f"{FOLDER}/{file.removesuffix('.h5')}-{number:05}-of-{of:05}.h5"


def write_rows(path: Path, array: H5Array, rows: range, dtype: str, tick: Tick | None = None) -> None:
    """Write rows of an array as one contiguous array, a block at a time.

    Raises:
        DataError: a number is not finite or too large for ``dtype``.
    """
    step, kind = max(1, BLOCK // max(1, array.info.row_bytes)), _little(dtype)
    with h5py.File(path, "w") as file:
        packed = file.create_dataset(array.info.key, (len(rows), *array.shape[1:]), dtype=kind)
        for start in range(rows.start, rows.stop, step):
            block = array.raw(start, min(start + step, rows.stop))
            _require_fits(array, block, start, kind)
            packed[start - rows.start : start - rows.start + len(block)] = block.astype(kind)
            if tick is not None:
                tick(block.nbytes)


def _little(dtype: str) -> np.dtype[Any]:
    return np.dtype(dtype).newbyteorder("<")


@contextmanager
def unfinished(target: Path, plan: dict[str, Any]) -> Iterator[Path]:
    """The folder beside ``target`` in which shards are collected.

    It stays if the process ends early, but not if the data are at fault.

    Raises:
        UsageError: it holds shards of another plan, or another process writes them.
    """
    draft = target.parent / f".{target.name}{NOTES}"
    notes = draft / NOTES
    make_folder(notes)
    lock = lock_file(notes / "lock")
    try:
        if lock is None:
            raise UsageError(
                "another process packs into this folder", where=str(target), fix="wait for it, or choose another folder"
            )
        known = notes / "plan.json"
        if known.is_file() and json.loads(known.read_text("utf-8")) != plan:
            raise UsageError(
                "an unfinished copy was packed from other files or with other options",
                where=str(draft),
                fix="repeat the earlier command to finish it, or delete this folder",
            )
        make_folder(draft / FOLDER)
        write_json(known, plan)
        yield draft
    except DataError:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    finally:
        unlock([lock])


def write_pieces(pieces: Sequence[Piece], draft: Path, workers: int, tick: Tick | None) -> dict[str, dict[str, Any]]:
    """Write the missing shards; returns size, checksum, file and rows of every shard, by name.

    Raises:
        DataError: as `write_rows`.
        RunError: a worker process was killed.
    """
    found = {piece.target.name: _note(draft, piece) for piece in pieces}
    missing = []
    for piece in pieces:
        if found[piece.target.name] is None:
            missing.append(piece)
        elif tick is not None:
            tick(len(piece.rows) * H5Array(piece.source, keys=BY_NAME[piece.source.name].keys).info.row_bytes)
    for piece, note in _written(missing, draft, min(workers, len(missing)), tick):
        found[piece.target.name] = note
    return {f"{FOLDER}/{name}": note for name, note in found.items() if note is not None}


def _written(
    pieces: Sequence[Piece], draft: Path, workers: int, tick: Tick | None
) -> Iterator[tuple[Piece, dict[str, Any]]]:
    if workers <= 1:
        for piece in pieces:
            yield piece, _write(piece, draft, tick)
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        jobs = {pool.submit(_write, piece, draft): piece for piece in pieces}
        try:
            for job in as_completed(jobs):
                note = job.result()
                if tick is not None:
                    tick(note["read"])
                yield jobs[job], note
        except BrokenProcessPool as error:
            raise RunError(
                "a process that packs shards was killed",
                where=str(draft),
                fix="repeat the command, it keeps the finished shards; use fewer --workers if memory is short",
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _write(piece: Piece, draft: Path, tick: Tick | None = None) -> dict[str, Any]:
    """Write one shard, then its note: a shard without a note is written again."""
    array = H5Array(piece.source, keys=BY_NAME[piece.source.name].keys)
    write_whole(piece.target, lambda scratch: write_rows(scratch, array, piece.rows, piece.dtype, tick))
    note = {
        "bytes": piece.target.stat().st_size,
        "sha256": sha256(piece.target),
        "file": piece.source.name,
        "rows": [piece.rows[0], piece.rows[-1]],
        "read": len(piece.rows) * array.info.row_bytes,
    }
    write_json(draft / NOTES / f"{piece.target.name}.json", note)
    return note


def _note(draft: Path, piece: Piece) -> dict[str, Any] | None:
    """The note of a finished shard; None if it is missing or the shard is not as noted."""
    path = draft / NOTES / f"{piece.target.name}.json"
    try:
        note: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return note if piece.target.stat().st_size == note["bytes"] else None
    except (OSError, ValueError, KeyError):
        return None


def write_index(path: Path, array: H5Array, pieces: Sequence[Piece]) -> None:
    """Write a virtual data set of the shards, so that every HDF5 program reads them as one array."""
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_obj_track_times(False)  # so that the same shards give the same bytes
    for piece in pieces:
        whole, own = h5py.h5s.create_simple(array.shape), (len(piece.rows), *array.shape[1:])
        whole.select_hyperslab((piece.rows.start, *(0 for _ in own[1:])), own)
        name = f"{FOLDER}/{piece.target.name}".encode()
        properties.set_virtual(whole, name, array.info.key.encode(), h5py.h5s.create_simple(own))
    with h5py.File(path, "w") as file:
        kind, space = h5py.h5t.py_create(_little(pieces[0].dtype)), h5py.h5s.create_simple(array.shape)
        h5py.h5d.create(file.id, array.info.key.encode(), kind, space, properties)


def _require_fits(array: H5Array, block: np.ndarray, start: int, dtype: np.dtype[Any]) -> None:
    limit = float(np.finfo(dtype).max)
    low, high = float(block.min()), float(block.max())
    if low >= -limit and high <= limit:  # false for NaN
        return
    rows = block.reshape(len(block), -1)
    row = int(np.flatnonzero(~(np.abs(rows) <= limit).all(axis=1))[0])
    value = rows[row][~(np.abs(rows[row]) <= limit)][0]
    finite = bool(np.isfinite(value))
    raise DataError(
        f"a number is too large for {dtype.name}" if finite else "a number is not finite",
        where=f"{array.path}, row {start + row}",
        found=f"{value:g}",
        expected=f"finite numbers up to {limit:g}",
        fix="pack with --dtype float32" if finite and dtype.itemsize < 4 else "extract this video again",
    )
