from __future__ import annotations

import os
import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest

from avelzoo.data.reading.h5 import H5Array
from avelzoo.errors import DataError

SMAPS = Path("/proc/self/smaps")
VALUES = np.random.default_rng(0).standard_normal((23, 4, 3))


def put(path, values=VALUES, key="avadataset", **how):
    userblock = how.pop("userblock_size", 0)
    with h5py.File(path, "w", userblock_size=userblock) as file:
        file.create_dataset(key, data=values, **how)
    return path


HOWS = {
    "contiguous": ({}, "contiguous"),
    "float32": ({"dtype": "<f4"}, "contiguous"),
    "float16": ({"dtype": "<f2"}, "contiguous"),
    "big-endian": ({"dtype": ">f8"}, "contiguous"),
    "userblock": ({"userblock_size": 1024}, "contiguous"),
    "cnn14-key": ({"key": "dataset"}, "contiguous"),
    "any-single-key": ({"key": "features"}, "contiguous"),
    "chunked": ({"chunks": (5, 4, 3)}, "chunked"),
    "compressed": ({"chunks": (7, 2, 3), "compression": "gzip"}, "chunked"),
}


@pytest.mark.parametrize("how", HOWS)
def test_rows_equal_h5py_s(tmp_path, how):
    options, storage = HOWS[how]
    path = put(tmp_path / "x.h5", **options)
    array = H5Array(path, axes=("rows", "t", "a"), rows=23)
    assert array.info.storage == storage
    with h5py.File(path) as file:
        stored = next(iter(file.values()))[()]
    rows = [22, 0, 7, 7, 3]
    got = array.fetch(rows)
    assert got.dtype == np.float32
    assert np.array_equal(got, stored[rows].astype(np.float32))
    assert np.array_equal(array.all(), stored.astype(np.float32))
    assert np.array_equal(array.raw(4, 9), stored[4:9])
    assert array.fetch([]).shape == (0, 4, 3)
    again = pickle.loads(pickle.dumps(array))  # noqa: S301
    assert np.array_equal(again.fetch(rows), got)


@pytest.mark.parametrize("values", [np.arange(12).reshape(3, 4), np.array([[True, False], [False, True]])])
def test_whole_numbers(tmp_path, values):
    array = H5Array(put(tmp_path / "x.h5", values))
    assert np.array_equal(array.all(), values.astype(np.float32))


def test_several_keys(tmp_path):
    path = put(tmp_path / "x.h5")
    with h5py.File(path, "a") as file:
        file["other"] = np.zeros(3)
    assert H5Array(path).info.key == "avadataset"
    with h5py.File(path, "a") as file:
        file.move("avadataset", "third")
    with pytest.raises(DataError, match="array not found") as caught:
        H5Array(path)
    assert "other, third" in caught.value.found
    assert "'avadataset' or 'dataset'" in caught.value.expected


def test_fill_places(tmp_path):
    array = H5Array(put(tmp_path / "x.h5"))
    out = np.full((4, 4, 3), -1, np.float32)
    array.fill(out, np.array([3, 0]), np.array([5, 9]))
    assert np.array_equal(out[[3, 0]], VALUES[[5, 9]].astype(np.float32))
    assert (out[[1, 2]] == -1).all()


def test_no_handle_stays_open(tmp_path):
    put(tmp_path / "x.h5")
    put(tmp_path / "y.h5", chunks=(5, 4, 3))
    arrays = [H5Array(tmp_path / name) for name in ("x.h5", "y.h5")]
    for array in arrays:
        array.fetch([1])
    for name in ("x.h5", "y.h5"):
        with h5py.File(tmp_path / name, "a") as file:  # h5py refuses this while it reads the file
            file.attrs["seen"] = 1


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_forked_processes_read_the_same(tmp_path):
    array = H5Array(put(tmp_path / "x.h5"))
    expected = array.fetch([5])
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(write, array.fetch([5]).tobytes())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        assert pipe.read() == expected.tobytes()


@pytest.mark.skipif(not SMAPS.exists(), reason="needs Linux's account of mapped pages")
def test_pages_are_given_back(tmp_path):
    array = H5Array(put(tmp_path / "x.h5", np.ones((64, 65536))))

    def mapped():
        text = SMAPS.read_text()
        part = text.partition(str(tmp_path / "x.h5"))[2]
        return int(part.partition("Rss:")[2].split()[0])

    array.fetch(range(64))
    assert mapped() < 1024  # of 32,768 kB


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
@pytest.mark.parametrize("how", [{}, {"chunks": (5, 4, 3)}])
def test_numbers_that_are_not_finite(tmp_path, bad, how):
    values = VALUES.copy()
    values[9, 2, 1] = bad
    array = H5Array(put(tmp_path / "x.h5", values, **how))
    assert np.array_equal(array.fetch([8, 10]), values[[8, 10]].astype(np.float32))
    with pytest.raises(DataError, match="non-finite") as caught:
        array.fetch([3, 9])
    assert caught.value.where == f"{tmp_path / 'x.h5'}, row 9"
    assert caught.value.found.startswith("1 of 12: ")
    assert "(2, 1)" in caught.value.found
    assert f"avelzoo data doctor {tmp_path}" in caught.value.fix


def test_opposite_infinities_do_not_hide(tmp_path):
    values = VALUES.copy()
    values[0, 0, :2] = np.inf, -np.inf
    with pytest.raises(DataError, match="non-finite"):
        H5Array(put(tmp_path / "x.h5", values)).fetch([0])


def test_a_huge_sum_of_finite_numbers_is_fine(tmp_path):
    values = np.full((2, 100), 3e38)
    assert np.isfinite(H5Array(put(tmp_path / "x.h5", values)).all()).all()


@pytest.mark.parametrize("how", [{}, {"chunks": (5, 4, 3)}])
def test_a_file_that_is_cut_off(tmp_path, how):
    path = put(tmp_path / "x.h5", **how)
    size = path.stat().st_size
    os.truncate(path, size - 100)
    with pytest.raises(DataError, match="truncated") as caught:
        H5Array(path)
    assert caught.value.found == f"{size - 100:,} bytes"
    assert caught.value.expected == f"{size:,} bytes"


@pytest.mark.parametrize("fetched", [False, True])
def test_a_file_that_is_cut_off_while_it_is_used(tmp_path, fetched):
    """Reading a mapped page that is gone would end the process."""
    path = put(tmp_path / "x.h5", np.ones((64, 65536)))
    array = H5Array(path)
    if fetched:
        array.fetch([0])
    os.truncate(path, 100_000)
    with pytest.raises(DataError, match="truncated"):
        array.fetch([63])
    path.unlink()
    with pytest.raises(DataError, match="is no longer readable"):
        array.fetch([63])


def test_a_damaged_chunk(tmp_path):
    path = put(tmp_path / "x.h5", chunks=(5, 4, 3), compression="gzip")
    data = bytearray(path.read_bytes())
    middle = data.index(b"\x78", 2048)
    data[middle : middle + 64] = bytes(64)
    path.write_bytes(data)
    with pytest.raises(DataError, match="damaged"):
        H5Array(path).all()


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "0 bytes"),
        (b"<html>not found</html>", "22 bytes that begin with b'<html>not found<'"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "Git LFS pointer"),
    ],
)
def test_not_hdf5(tmp_path, content, found):
    path = tmp_path / "x.h5"
    path.write_bytes(content)
    with pytest.raises(DataError, match="not HDF5") as caught:
        H5Array(path)
    assert found in caught.value.found


def test_no_file(tmp_path):
    with pytest.raises(DataError, match="is missing"):
        H5Array(tmp_path / "x.h5")
    with pytest.raises(DataError, match="a folder instead of a file"):
        H5Array(tmp_path)


def test_wrong_sizes(tmp_path):
    path = put(tmp_path / "x.h5")
    with pytest.raises(DataError, match="wrong sizes") as caught:
        H5Array(path, rows=24)
    assert caught.value.found == "shape (23, 4, 3)"
    assert caught.value.expected.startswith("24 rows")
    with pytest.raises(DataError, match="wrong sizes"):
        H5Array(path, axes=("rows", "t", "h", "w", "v"))
    with pytest.raises(DataError, match="wrong sizes"):
        H5Array(put(tmp_path / "y.h5", np.zeros((0, 3))))


@pytest.mark.parametrize("values", [np.array(3.0), np.array([b"text"]), np.array([1 + 2j])])
def test_not_numbers_in_rows(tmp_path, values):
    with pytest.raises(DataError, match="rows of numbers"):
        H5Array(put(tmp_path / "x.h5", values))


def test_rows_that_do_not_exist(tmp_path):
    array = H5Array(put(tmp_path / "x.h5"))
    for rows in ([23], [-1]):
        with pytest.raises(IndexError, match="rows 0 to 22"):
            array.fetch(rows)
