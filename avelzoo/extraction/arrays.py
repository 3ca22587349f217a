"""One contiguous array in an HDF5 file, written front to back as plain bytes.

HDF5 makes the file and says where the numbers lie; Python writes them. So a full disk is an ordinary error at the write
that it stops: HDF5 keeps unwritten blocks, and when they fail as a file is closed, the process may crash.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self

import h5py
import numpy as np

_DTYPE = np.dtype("<f4")
_PIECE = 1 << 22


class ArrayFile:
    """A new HDF5 file with one float32 array, for writing.

    Args:
        path: the file; replaced if it exists.
        key: name of the array.
        shape: its sizes.

    Raises:
        OSError: the disk is full, or the file cannot be written.
    """

    def __init__(self, path: Path, key: str, shape: tuple[int, ...]) -> None:
        size = int(np.prod(shape, dtype=np.int64)) * _DTYPE.itemsize
        path.touch()
        os.truncate(path, size)  # fails here if files may not be so large
        with h5py.File(path, "w") as file:
            how = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            how.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
            how.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
            how.set_obj_track_times(False)  # equal content, equal bytes
            space = h5py.h5s.create_simple(shape)
            array = h5py.h5d.create(file.id, key.encode(), h5py.h5t.IEEE_F32LE, space, how)
            offset = array.get_offset()
        self._end = offset + size
        self._file = path.open("r+b")
        self._file.seek(offset)

    def append(self, values: np.ndarray) -> None:
        """Write the next numbers."""
        self._file.write(np.ascontiguousarray(values, _DTYPE).data)

    def skip(self, count: int) -> None:
        """Write zeros in place of the next numbers."""
        for start in range(0, count, _PIECE):
            self.append(np.zeros(min(_PIECE, count - start), _DTYPE))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._file as file:
            if kind is None:
                assert file.tell() == self._end, "numbers are missing"
                file.flush()
                os.fsync(file.fileno())
