"""Headers of HDF5 files: where an array's numbers lie and what they are."""

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
"""Names of the array in AVE's public files: VGG-19 and VGGish features and labels, and CNN14 features."""

DOCTOR = "run `avelzoo data doctor {}` for everything that is wrong with this folder"


def read_info(path: Path, keys: Sequence[str] = KEYS) -> ArrayInfo:
    """What a file holds under the first of these names, or under its only one. Reads headers alone.

    Links are followed. The sources of a virtual data set, the files of external storage and the filters of a compressed
    array have to be there: HDF5 itself would give zeros for some of them.

    Raises:
        DataError: the file or another one that it refers to is missing, cut off, not HDF5 or in use, or holds no such
            array of numbers.
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
    """The array, for reading these rows; the files that they come from are held open, as HDF5 skips those it cannot.

    Raises:
        DataError: one of the files is gone, cut off or in use.
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
    """These rows as stored; damage of the file is a DataError."""
    try:
        return np.asarray(array[rows])
    except (OSError, RuntimeError) as error:
        place = f"row {rows}" if isinstance(rows, int) else f"rows {rows.start} to {rows.stop - 1}"
        raise damaged(f"{path}, {place}", error) from error


def _choose(path: Path, file: h5py.File, keys: Sequence[str]) -> str:
    """The first of the keys that is there, the only name, or the name of the only array."""
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
        "an HDF5 file does not hold the array",
        where=str(path),
        found=f"{len(names):,} names: {listed_names(names)}" if names else "no key",
        expected=" or ".join(f"'{k}'" for k in keys) + ", or one array alone",
        fix="stack the arrays into one, a row for every line of Annotations.txt, in its order"
        if many
        else DOCTOR.format(path.parent),
    )


def _is_array(path: Path, file: h5py.File, name: str) -> bool:
    if isinstance(file.get(name, getlink=True), h5py.HardLink):
        return file.get(name, getclass=True) is h5py.Dataset
    try:
        find_array(path, name)
    except DataError:  # a link that leads nowhere
        return False
    return True
