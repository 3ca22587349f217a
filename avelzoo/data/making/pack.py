"""Packing of a folder in the public layout: the same files, with features in float16 or float32.

A packed folder is read like any other: same names and keys, contiguous arrays, mapped in place. HDF5 has a type for
half-precision numbers, so every tool that reads the public files reads the packed ones.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np

from avelzoo.data.checking.findings import Finding
from avelzoo.data.checking.recorded import check_files
from avelzoo.data.making.folder import new_folder
from avelzoo.data.reading.checksum import fingerprint, sha256
from avelzoo.data.reading.h5 import H5Array
from avelzoo.data.reading.header import read_info
from avelzoo.data.reading.layout import BY_NAME, FILES, MARKER, File, need_file, need_folder, read_marker
from avelzoo.errors import DataError, UsageError
from avelzoo.version import __version__

PackedType = Literal["float16", "float32"]

MANIFEST = "packed.json"
"""Manifest of a packed folder."""
FORMAT = 1
BLOCK = 32 << 20

Tick = Callable[[int], None]


def pack(
    source: Path,
    target: Path,
    *,
    dtype: PackedType = "float16",
    begin: Callable[[int], Tick | None] | None = None,
) -> dict[str, Any]:
    """Write a packed copy of a folder; returns its manifest.

    Every feature is rounded to the nearest number of ``dtype``: float16 keeps 11 significant bits, a relative error of
    at most 2^-11 for numbers from 6e-5 to 65504. Labels, orders and annotations are copied byte by byte. The copy is
    written to a temporary folder beside ``target``, which is renamed at the end.

    Args:
        source: a folder in the public layout.
        target: the folder to create; new or empty.
        dtype: number format of the features.
        begin: called with the bytes of features to read; returns a callback for the bytes read.

    Raises:
        DataError: a file is damaged, or a number is not finite or too large for ``dtype``.
        UsageError: ``target`` is not empty, or is ``source``.
        StorageError: no space or no permission.
    """
    source = need_folder(source.expanduser()).resolve()
    _require_free(source, target)
    present = [file for file in FILES if (source / file.name).is_file()]
    if not any(_is_feature(file) for file in present):
        need_file(source, "visual_feature.h5", purpose="packing")
    arrays = {file.name: H5Array(source / file.name, keys=file.keys) for file in present if _is_feature(file)}
    others = [source / file.name for file in present if not _is_feature(file)]
    linked = {file.name: read_info(p := source / file.name, file.keys).others(p) for file in present if file.axes}
    needed = sum(_packed_bytes(array, dtype) for array in arrays.values()) + sum(p.stat().st_size for p in others)
    with new_folder(target, needed, advice="choose another disk") as draft:
        tick = begin(sum(array.info.row_bytes * len(array) for array in arrays.values())) if begin else None
        for name, array in arrays.items():
            _write(draft / name, array, np.dtype(dtype).newbyteorder("<"), tick)
        for path in others:
            if linked.get(path.name):  # a relative link may not resolve from the copy's folder
                _write_out(path, draft / path.name)
            else:
                shutil.copyfile(path, draft / path.name)
        marker = read_marker(source)
        if marker is not None:  # simulated features stay marked as simulated
            kept = {key: value for key, value in marker.items() if key != "files"}
            (draft / MARKER).write_text(json.dumps(kept, indent=2) + "\n", "utf-8")
        manifest = {
            "packed": True,
            "format": FORMAT,
            "avelzoo": __version__,
            "dtype": dtype,
            "source": {file.name: fingerprint(source / file.name, linked.get(file.name, ())) for file in present},
            "files": {
                path.name: {"bytes": path.stat().st_size, "sha256": sha256(path)}
                for path in sorted(draft.iterdir())
                if path.name != MARKER
            },
        }
        (draft / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")
    return manifest


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
    if manifest is not None:
        yield from check_files(root, manifest["files"], sums, what="a packed file", fix="pack the folder again")


def _is_feature(file: File) -> bool:
    return bool(file.axes) and file.axes[-1] in ("a", "v")


def _packed_bytes(array: H5Array, dtype: PackedType) -> int:
    return int(np.prod(array.shape, dtype=np.int64)) * np.dtype(dtype).itemsize


def _require_free(source: Path, target: Path) -> None:
    target = target.expanduser().resolve()
    if target.is_dir() and any(target.iterdir()):
        raise UsageError(
            "the target folder is not empty" if target != source else "a folder cannot be packed into itself",
            where=str(target),
            expected="a new or empty folder",
            fix="choose another folder",
        )


def _write(path: Path, array: H5Array, dtype: np.dtype[Any], tick: Tick | None) -> None:
    """Write one array, a block of rows at a time."""
    rows, step = len(array), max(1, BLOCK // max(1, array.info.row_bytes))
    with h5py.File(path, "w") as file:
        packed = file.create_dataset(array.info.key, array.shape, dtype=dtype)
        for start in range(0, rows, step):
            block = array.raw(start, min(start + step, rows))
            _require_fits(array, block, start, dtype)
            packed[start : start + len(block)] = block.astype(dtype)
            if tick is not None:
                tick(block.nbytes)


def _write_out(path: Path, target: Path) -> None:
    """Write an array that is stored in other files into one file."""
    array = H5Array(path, keys=BY_NAME[path.name].keys)
    with h5py.File(target, "w") as file:
        file.create_dataset(array.info.key, data=array.raw(0, len(array)))


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
