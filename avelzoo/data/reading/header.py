"""Headers of HDF5 files: location and number format of an array."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from avelzoo.data.reading.describe import BROKEN, describe, find_array
from avelzoo.data.reading.filters import require_filters
from avelzoo.data.reading.info import ArrayInfo
from avelzoo.data.reading.links import NAMES_SHOWN, listed_names
from avelzoo.data.reading.opening import damaged, open_file, open_files
from avelzoo.errors import DataError

KEYS = ("avadataset", "dataset")
"""Array names in AVE's public files: VGG-19 and VGGish features and labels, and CNN14 features."""

DOCTOR = "run `avelzoo data doctor {}` for all faults of this folder"


def read_info(path: Path, keys: Sequence[str] = KEYS) -> ArrayInfo:
    """Describe the array under the first of these names that exists, or the file's only array. Reads only headers.

    Links are followed. The sources of a virtual data set, the files of external storage and the filters of a compressed
    array must exist: HDF5 itself would return zeros for some of them.

    Raises:
        DataError: the file or a file it refers to is missing, truncated, not HDF5 or in use, or holds no such array of
            numbers.
    """
    with open_file(path) as file:
        try:
            key = _choose(path, file, keys)
            if isinstance(file.get(key, getlink=True), h5py.HardLink):
                return describe(file[key], path, key)
        except BROKEN as error:
            raise damaged(str(path), error) from error
    return find_array(path, key)


@contextmanager
def open_array(info: ArrayInfo, rows: np.ndarray, *, cache: int | None = None) -> Iterator[h5py.Dataset]:
    """Open the array and the source files of these rows; HDF5 silently skips sources that it cannot open.

    Raises:
        DataError: one of the files is missing, truncated or in use.
    """
    info.check_sizes()
    require_filters(info.filters, str(info.path))
    needed = (s.path for s in info.sources if ((rows >= s.first) & (rows <= s.last)).any())
    with open_files(info.path, *dict.fromkeys(needed), cache=cache) as (file, *_):
        access = h5py.h5p.create(h5py.h5p.DATASET_ACCESS)
        if info.raw_prefix:
            access.set_efile_prefix(info.raw_prefix)
        try:
            array = h5py.Dataset(h5py.h5d.open(file.id, info.place.encode(), access))
        except BROKEN as error:
            raise damaged(f"{info.path}, key '{info.place}'", error) from error
        yield array


def read_stored(path: Path, array: h5py.Dataset, rows: int | slice) -> np.ndarray:
    """Read rows as stored; a damaged file raises DataError."""
    try:
        return np.asarray(array[rows])
    except (OSError, RuntimeError) as error:
        selection = f"row {rows}" if isinstance(rows, int) else f"rows {rows.start} to {rows.stop - 1}"
        raise damaged(f"{path}, {selection}", error) from error


def _choose(path: Path, file: h5py.File, keys: Sequence[str]) -> str:
    """Choose the first existing key, else the only name, else the name of the only array."""
    names = list(file)
    key = next((key for key in keys if key in names), names[0] if len(names) == 1 else None)
    if key is not None:
        return str(key)
    arrays: list[str] = []
    for name in names:
        if _is_array(path, file, name):
            arrays.append(name)
            if len(arrays) == NAMES_SHOWN:
                break
    if len(arrays) == 1:
        return arrays[0]
    many = len(arrays) == NAMES_SHOWN
    raise DataError(
        "array not found in an HDF5 file",
        where=str(path),
        found=f"{len(names):,} names: {listed_names(names)}" if names else "no key",
        expected=" or ".join(f"'{k}'" for k in keys) + ", or a single array",
        fix="stack the arrays into one, with one row per line of Annotations.txt, in its order"
        if many
        else DOCTOR.format(path.parent),
    )


def _is_array(path: Path, file: h5py.File, name: str) -> bool:
    if isinstance(file.get(name, getlink=True), h5py.HardLink):
        return file.get(name, getclass=True) is h5py.Dataset
    try:
        find_array(path, name)
    except DataError:  # a broken link
        return False
    return True
