"""Packing of a folder in the public layout: the same files, with features in float16 or float32.

A packed folder is read like any other: same names and keys, contiguous arrays, mapped in place. HDF5 has a type for
half-precision numbers, so every tool that reads the public files reads the packed ones.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np

from avelzoo.data.checking.findings import Finding
from avelzoo.data.checking.recorded import check_files
from avelzoo.data.making.folder import need_space, new_folder
from avelzoo.data.making.shards import (
    FOLDER,
    NOTES,
    Piece,
    Tick,
    shard_name,
    starts_of,
    unfinished,
    write_index,
    write_pieces,
    write_rows,
)
from avelzoo.data.reading.checksum import fingerprint, sha256
from avelzoo.data.reading.h5 import H5Array
from avelzoo.data.reading.header import read_info
from avelzoo.data.reading.layout import BY_NAME, FILES, MARKER, File, need_file, need_folder, read_marker
from avelzoo.errors import DataError, UsageError
from avelzoo.system.files import write_json
from avelzoo.version import __version__

PackedType = Literal["float16", "float32"]

MANIFEST = "packed.json"
"""Manifest of a packed folder."""
FORMAT = 1
ADVICE = "choose another disk"


def pack(
    source: Path,
    target: Path,
    *,
    dtype: PackedType = "float16",
    shards: int | None = None,
    shard_videos: int | None = None,
    workers: int = 1,
    begin: Callable[[int], Tick | None] | None = None,
) -> dict[str, Any]:
    """Write a packed copy of a folder; returns its manifest.

    Every feature is rounded to the nearest number of ``dtype``: float16 keeps 11 significant bits, a relative error of
    at most 2^-11 for numbers from 6e-5 to 65504. Labels, orders and annotations are copied byte by byte. The copy is
    written to a temporary folder beside ``target``, which is renamed at the end.

    With ``shards`` or ``shard_videos``, every feature file becomes a virtual data set of several files. If the process
    is killed, the same call keeps the finished ones.

    Args:
        source: a folder in the public layout.
        target: the folder to create; new or empty.
        dtype: number format of the features.
        shards: number of files for the features of one kind.
        shard_videos: videos of a file, instead.
        workers: processes that write shards.
        begin: called with the bytes of features to read; returns a callback for the bytes read.

    Raises:
        DataError: a file is damaged, or a number is not finite or too large for ``dtype``.
        UsageError: ``target`` is not empty, or is ``source``; or an unfinished copy has other options.
        StorageError: no space or no permission.
    """
    source, target = need_folder(source.expanduser()).resolve(), target.expanduser().resolve()
    _require_free(source, target)
    present = [file for file in FILES if (source / file.name).is_file()]
    if not any(_is_feature(file) for file in present):
        need_file(source, "visual_feature.h5", purpose="packing")
    arrays = {file.name: H5Array(source / file.name, keys=file.keys) for file in present if _is_feature(file)}
    others = [source / file.name for file in present if not _is_feature(file)]
    linked = {file.name: read_info(p := source / file.name, file.keys).others(p) for file in present if file.axes}
    prints = {file.name: fingerprint(source / file.name, linked.get(file.name, ())) for file in present}
    needed = sum(_packed_bytes(array, dtype) for array in arrays.values()) + sum(p.stat().st_size for p in others)
    total = sum(array.info.row_bytes * len(array) for array in arrays.values())
    manifest = {"packed": True, "format": FORMAT, "avelzoo": __version__, "dtype": dtype, "source": prints}

    def finish(draft: Path, notes: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
        _copy_others(source, draft, others, linked)
        known = {name: {key: value for key, value in note.items() if key != "read"} for name, note in notes.items()}
        files = {p.name: _entry(p) for p in sorted(draft.iterdir()) if p.is_file() and p.name not in (MARKER, MANIFEST)}
        whole = manifest | {"files": files | known}
        write_json(draft / MANIFEST, whole)
        return whole

    if shards is None and shard_videos is None:
        with new_folder(target, needed, advice=ADVICE) as draft:
            tick = begin(total) if begin else None
            for name, array in arrays.items():
                write_rows(draft / name, array, range(len(array)), dtype, tick)
            return finish(draft, {})
    most = max(map(len, arrays.values()))
    starts = {name: starts_of(len(array), most, shards, shard_videos) for name, array in arrays.items()}
    with unfinished(target, manifest | {"starts": starts}) as draft:
        pieces = {
            name: [
                Piece(source / name, range(first, end), draft / shard_name(name, i, len(own) - 1), dtype)
                for i, (first, end) in enumerate(pairwise(own))
            ]
            for name, own in starts.items()
        }
        written = sum(path.stat().st_size for path in (draft / FOLDER).glob("*.h5"))
        need_space(draft, max(0, needed - written), ADVICE)
        notes = write_pieces(list(chain(*pieces.values())), draft, workers, begin(total) if begin else None)
        for name, array in arrays.items():
            write_index(draft / name, array, pieces[name])
        found = finish(draft, notes)
        if target.exists():
            target.rmdir()  # empty, or another program wrote into it: then this is an error
        draft.rename(target)
        shutil.rmtree(target / NOTES, ignore_errors=True)
    return found


def _entry(path: Path) -> dict[str, Any]:
    return {"bytes": path.stat().st_size, "sha256": sha256(path)}


def _copy_others(source: Path, draft: Path, others: Sequence[Path], linked: Mapping[str, Sequence[Path]]) -> None:
    """Copy labels, orders and annotations; simulated features stay marked as simulated."""
    for path in others:
        if linked.get(path.name):  # a relative link may not resolve from the copy's folder
            _write_out(path, draft / path.name)
        else:
            shutil.copyfile(path, draft / path.name)
    marker = read_marker(source)
    if marker is not None:
        write_json(draft / MARKER, {key: value for key, value in marker.items() if key != "files"})


def read_manifest(root: Path) -> dict[str, Any] | None:
    """Read the manifest that `avelzoo data pack` wrote; None for other folders.

    Raises:
        DataError: the manifest is damaged, or of a later version.
    """
    path = root / MANIFEST
    if not path.is_file():
        return None
    fix = "pack the folder again"
    try:
        manifest = json.loads(path.read_text("utf-8"))
        files = manifest["files"]
        sound = isinstance(files, dict) and all({"bytes", "sha256"} <= set(entry) for entry in files.values())
    except (OSError, ValueError, KeyError, TypeError):
        sound = False
    if not sound:
        raise DataError("the manifest of a packed folder is damaged", where=str(path), fix=fix)
    if manifest.get("format") != FORMAT:
        raise DataError(
            "unsupported format of a packed folder",
            where=str(path),
            found=f"format {manifest.get('format')}",
            expected=f"format {FORMAT}",
            fix=f"{fix}, or install the version of avelzoo that wrote it: {manifest.get('avelzoo')}",
        )
    found: dict[str, Any] = manifest
    return found


def check_packed(root: Path, sums: Mapping[str, str | None]) -> Iterator[Finding]:
    """Compare a packed folder's files with its manifest.

    Args:
        root: the folder.
        sums: SHA-256 by file name; None if not computed: only sizes are compared.
    """
    try:
        manifest = read_manifest(root)
    except DataError as error:
        yield Finding.of(error, MANIFEST)
        return
    if manifest is None:
        return
    files = {n: e for n, e in manifest["files"].items() if "file" not in e or (root / n).is_file()}  # or it is reported
    yield from check_files(root, files, sums, what="a packed file", fix="pack the folder again")


def shard_files(root: Path) -> list[Path]:
    """Shards of a packed folder that are present; none if its manifest is damaged, which `check_packed` reports."""
    try:
        manifest = read_manifest(root)
    except DataError:
        return []
    shards = [root / name for name, entry in manifest["files"].items() if "file" in entry] if manifest else []
    return [path for path in shards if path.is_file()]


def _is_feature(file: File) -> bool:
    return bool(file.axes) and file.axes[-1] in ("a", "v")


def _packed_bytes(array: H5Array, dtype: PackedType) -> int:
    return int(np.prod(array.shape, dtype=np.int64)) * np.dtype(dtype).itemsize


def _require_free(source: Path, target: Path) -> None:
    if target.is_dir() and any(target.iterdir()):
        raise UsageError(
            "the target folder is not empty" if target != source else "a folder cannot be packed into itself",
            where=str(target),
            expected="a new or empty folder",
            fix="choose another folder",
        )


def _write_out(path: Path, target: Path) -> None:
    """Write an array that is stored in other files into one file."""
    array = H5Array(path, keys=BY_NAME[path.name].keys)
    with h5py.File(target, "w") as file:
        file.create_dataset(array.info.key, data=array.raw(0, len(array)))
