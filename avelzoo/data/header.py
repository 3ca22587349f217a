"""Opening HDF5 files: where an array lies, and what is wrong with a file that cannot be read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from avelzoo.errors import DataError

KEYS = ("avadataset", "dataset")
"""Names of the array in AVE's public files: VGG-19 and VGGish features and labels, and CNN14 features."""

DOCTOR = "run `avelzoo data doctor {}` for everything that is wrong with this folder"


@dataclass(frozen=True)
class ArrayInfo:
    """Where an array's bytes are.

    Attributes:
        key: its name in the file.
        shape: its sizes, rows first.
        dtype: of the stored numbers, byte order included.
        offset: position of the first byte; None where the array is chunked, compressed, virtual or was never written.
        chunk_bytes: size of a chunk, 0 where there are none.
    """

    key: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: int | None
    chunk_bytes: int = 0

    @property
    def storage(self) -> str:
        """How it is stored, in a word."""
        if self.offset is not None:
            return "contiguous"
        return "chunked" if self.chunk_bytes else "indirect"

    @property
    def row_bytes(self) -> int:
        """Bytes of one row as stored."""
        return int(np.prod(self.shape[1:], dtype=np.int64)) * self.dtype.itemsize


def read_info(path: Path, keys: Sequence[str] = KEYS) -> ArrayInfo:
    """What a file holds under the first of these names, or under its only one. Reads the header alone.

    Raises:
        DataError: the file is missing, cut off, not HDF5, or holds no such array of numbers.
    """
    with open_file(path) as file:
        arrays = _arrays(path, file)
        key = next((k for k in keys if k in arrays), next(iter(arrays)) if len(arrays) == 1 else None)
        if key is None:
            raise DataError(
                "an HDF5 file does not hold the array",
                where=str(path),
                found=f"the keys {', '.join(file)}" if len(file) else "no key",
                expected=" or ".join(f"'{k}'" for k in keys),
                fix=DOCTOR.format(path.parent),
            )
        array = arrays[key]
        if array.dtype.kind not in "fiub" or not array.shape:
            raise DataError(
                "an HDF5 array does not hold numbers in rows",
                where=f"{path}, key '{key}'",
                found=f"{array.dtype} {array.shape}",
                expected="floating-point or whole numbers",
            )
        direct = array.external is None and not array.is_virtual and array.chunks is None
        chunk = int(np.prod(array.chunks)) * array.dtype.itemsize if array.chunks else 0
        info = ArrayInfo(key, array.shape, array.dtype, array.id.get_offset() if direct else None, chunk)
    if info.offset is not None:
        check_size(path, info)
    return info


def open_file(path: Path, *, cache: int | None = None) -> h5py.File:
    """The file, for reading.

    Args:
        path: where it is.
        cache: bytes of chunks that h5py may keep.

    Raises:
        DataError: it is missing, cut off or not HDF5.
    """
    try:
        return h5py.File(path, "r", locking="best-effort", rdcc_nbytes=cache)
    except FileNotFoundError:
        raise DataError(
            "a file is missing",
            where=str(path),
            expected="an HDF5 file",
            fix=f"`avelzoo data status {path.parent}` lists what belongs into the folder",
        ) from None
    except OSError as error:
        raise _unreadable(path, error) from error


def _arrays(path: Path, file: h5py.File) -> dict[str, h5py.Dataset]:
    try:
        return {name: item for name, item in file.items() if isinstance(item, h5py.Dataset)}
    except (OSError, KeyError, RuntimeError, TypeError) as error:  # what h5py makes of damaged headers
        raise _damaged(str(path), error) from error


def _unreadable(path: Path, error: OSError) -> DataError:
    """What h5py's message means."""
    text = str(error)
    cut = re.search(r"eof = (\d+).*?stored_eof = (\d+)", text)
    if cut:
        return _cut_off(path, int(cut[1]), int(cut[2]))
    if path.is_dir():
        return DataError("a folder is where a file should be", where=str(path), expected="an HDF5 file")
    if error.errno:
        return DataError(f"a file cannot be read: {(error.strerror or text).lower()}", where=str(path))
    with path.open("rb") as file:
        head = file.read(64)
    if head.startswith(b"version https://git-lfs"):
        found, fix = "a pointer of Git LFS in place of the file", "fetch the file itself (`git lfs pull`)"
    else:
        found, fix = f"{path.stat().st_size:,} bytes that begin with {head[:16]!r}", "fetch or copy the file again"
    return DataError("a file is not HDF5", where=str(path), found=found, expected="an HDF5 file", fix=fix)


def check_size(path: Path, info: ArrayInfo) -> None:
    """Refuse a file that ends before its contiguous array does."""
    assert info.offset is not None
    needed = info.offset + int(np.prod(info.shape, dtype=np.int64)) * info.dtype.itemsize
    try:
        size = path.stat().st_size
    except OSError as error:
        raise DataError(f"a file has gone: {(error.strerror or '').lower()}", where=str(path)) from error
    if size < needed:
        raise _cut_off(path, size, needed)


def _cut_off(path: Path, size: int, needed: int) -> DataError:
    return DataError(
        "a file is cut off",
        where=str(path),
        found=f"{size:,} bytes",
        expected=f"{needed:,} bytes",
        fix="fetch or copy the file again",
    )


def read_stored(path: Path, array: h5py.Dataset, rows: int | slice) -> np.ndarray:
    """These rows as stored; damage of the file is a DataError."""
    try:
        return np.asarray(array[rows])
    except OSError as error:
        place = f"row {rows}" if isinstance(rows, int) else f"rows {rows.start} to {rows.stop - 1}"
        raise _damaged(f"{path}, {place}", error) from error


def _damaged(where: str, error: Exception) -> DataError:
    found = (str(error).splitlines() or [type(error).__name__])[0]
    return DataError("an HDF5 file is damaged", where=where, found=found, fix="fetch or copy the file again")
