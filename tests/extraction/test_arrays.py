"""Arrays written front to back: equal content gives equal bytes, and a full disk is an ordinary error."""

from __future__ import annotations

import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from avelzoo.data.reading.h5 import H5Array
from avelzoo.extraction.arrays import ArrayFile


def write(path: Path, values: np.ndarray, *, zeros: int = 0) -> None:
    with ArrayFile(path, "avadataset", (len(values) + zeros, *values.shape[1:])) as file:
        for row in values:
            file.append(row)
        file.skip(zeros * values[0].size)


def test_reads_back_contiguous(tmp_path: Path) -> None:
    values = np.random.default_rng(0).random((3, 4, 2, 3, 5))
    write(tmp_path / "a.h5", values, zeros=2)
    with h5py.File(tmp_path / "a.h5") as file:
        assert np.array_equal(file["avadataset"][:3], values.astype(np.float32)) and not file["avadataset"][3:].any()
    array = H5Array(tmp_path / "a.h5")
    assert array.info.storage == "contiguous" and array.shape == (5, 4, 2, 3, 5) and not array.info.unwritten


def test_equal_content_equal_bytes(tmp_path: Path) -> None:
    values = np.arange(30.0).reshape(5, 6)
    write(tmp_path / "a.h5", values)
    time.sleep(1.1)  # time stamps in the file would differ
    write(tmp_path / "b.h5", values)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_missing_numbers_are_a_bug(tmp_path: Path) -> None:
    with pytest.raises(AssertionError), ArrayFile(tmp_path / "a.h5", "x", (2, 2)) as file:
        file.append(np.zeros(3))
