"""Files that are in use, need a filter, hold something else, or were only partly written."""

from __future__ import annotations

import importlib
import subprocess
import sys
import warnings

import h5py
import numpy as np
import pytest

from avelzoo.data.reading import filters
from avelzoo.data.reading.h5 import H5Array
from avelzoo.errors import DataError, DataWarning
from tests.data.test_elsewhere import VALUES, in_parts, reads_right, write

WRITER = """
import sys, h5py
path, locking, swmr = sys.argv[1], eval(sys.argv[2]), eval(sys.argv[3])
file = h5py.File(path, "r+", locking=locking, libver="latest" if swmr is not None else None)
if swmr:
    file.swmr_mode = True
print("open", flush=True)
sys.stdin.read(1)
if "crash" in sys.argv:
    import os
    os._exit(0)
file.close()
"""


@pytest.fixture
def writer():
    """Starts other programs that have a file open for writing."""
    started = []

    def start(path, *, locking=True, swmr=None, crash=False):
        argv = [sys.executable, "-c", WRITER, str(path), repr(locking), repr(swmr), *(["crash"] if crash else [])]
        started.append(subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        assert started[-1].stdout.readline() == "open\n"
        return started[-1]

    yield start
    for process in started:
        process.communicate()


# -- in use ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("locking", [False, True, "best-effort"])
@pytest.mark.parametrize("how", [{}, {"chunks": (5, 4, 3)}])
@pytest.mark.parametrize("mode", [{}, {"swmr": True}])
def test_a_file_that_this_program_reads_with_any_locking(tmp_path, locking, how, mode):
    path = write(tmp_path / "x.h5", **how)
    with h5py.File(path, "r", locking=locking, **mode) as held:
        reads_right(path)
        assert held["avadataset"][0, 0, 0] == VALUES[0, 0, 0]


def test_sources_that_this_program_reads_with_other_locking(tmp_path):
    """HDF5 before 2.0 gives zeros for such a source."""
    path = in_parts(tmp_path, chunks=True)  # contiguous ones are mapped
    part = tmp_path / "parts" / "p1.h5"
    with h5py.File(part, "r"):
        array = reads_right(path)
    with h5py.File(part, "r", locking=False):
        array.fetch([0, 8])
        with pytest.raises(DataError, match="open with a different locking mode") as caught:
            array.fetch([5])
        assert str(part) in caught.value.where
    reads_right(path)


@pytest.mark.parametrize("locking", [False, "best-effort"])
def test_a_file_that_this_program_writes(tmp_path, locking):
    """What it has written may not be in the file yet, where mapping would look."""
    path = write(tmp_path / "x.h5", chunks=(5, 4, 3))
    array = H5Array(path)
    with h5py.File(path, "r+", locking=locking):
        for read in (lambda: H5Array(path), lambda: array.fetch([0])):
            with pytest.raises(DataError, match="this program has the file open for writing"):
                read()
    reads_right(path)


@pytest.mark.parametrize("swmr", [None, False, True])
def test_a_file_that_another_program_writes(tmp_path, writer, swmr):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w", libver="latest" if swmr is not None else None) as file:
        file["avadataset"] = VALUES
    process = writer(path, swmr=swmr)
    with pytest.raises(DataError, match="another program is writing this file") as caught:
        H5Array(path)
    assert "wait" in caught.value.fix
    assert "errno" not in str(caught.value)
    process.communicate("x")
    reads_right(path)


def test_a_file_whose_writer_crashed(tmp_path, writer):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file["avadataset"] = VALUES
    writer(path, swmr=False, crash=True).communicate("x")
    with pytest.raises(DataError, match="or was stopped while writing") as caught:
        H5Array(path)
    assert "h5clear" in caught.value.fix


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_source_that_another_program_writes(tmp_path, writer, when):
    """Older HDF5 gives zeros for a source that it cannot lock."""
    path = in_parts(tmp_path, chunks=True)
    array = H5Array(path)
    process = writer(tmp_path / "parts" / "p1.h5")
    with pytest.raises(DataError, match="another program is writing") as caught:
        H5Array(path) if when == "before" else array.fetch([5])
    assert "p1.h5" in caught.value.where
    if when == "after":
        array.fetch([0, 11])
    process.communicate("x")
    reads_right(path)


# -- filters ---------------------------------------------------------------------------------------------------------


def filtered(path, code, name=None):
    """Chunks that say they went through filter that is not installed."""
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((1, 4, 3))
    plist.set_filter(code, h5py.h5z.FLAG_OPTIONAL, (1,))
    with h5py.File(path, "w") as file:
        space = h5py.h5s.create_simple(VALUES.shape)
        array = h5py.h5d.create(file.id, b"avadataset", h5py.h5t.NATIVE_DOUBLE, space, plist)
        for i, row in enumerate(VALUES):
            array.write_direct_chunk((i, 0, 0), row.tobytes())
    return path


@pytest.mark.parametrize(
    ("code", "name", "fix"),
    [
        (32001, "Blosc (filter 32001)", "pip install hdf5plugin"),
        (32004, "LZ4 (filter 32004)", "pip install hdf5plugin"),
        (32008, "Bitshuffle (filter 32008)", "pip install hdf5plugin"),
        (32015, "Zstandard (filter 32015)", "pip install hdf5plugin"),
        (305, "LZO (filter 305)", "install the plugin for HDF5"),
        (399, "filter 399", "install the plugin for HDF5"),
    ],
)
def test_a_filter_that_is_not_installed(tmp_path, monkeypatch, code, name, fix):
    monkeypatch.setitem(sys.modules, "hdf5plugin", None)  # as if it were not installed
    monkeypatch.setattr(filters, "_can_decode", lambda number: number != code)
    with pytest.raises(DataError, match="filter that is not installed") as caught:
        H5Array(filtered(tmp_path / "x.h5", code))
    assert caught.value.found == name
    assert fix in caught.value.fix
    assert "h5repack" in caught.value.fix


def test_hdf5plugin_is_imported_where_it_helps(tmp_path, monkeypatch):
    """Its filters are known to HDF5 once it is imported."""
    (tmp_path / "hdf5plugin.py").write_text("loaded = True\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "hdf5plugin", raising=False)
    importlib.invalidate_caches()
    known = filters._can_decode
    monkeypatch.setattr(filters, "_can_decode", lambda code: known(code) or "hdf5plugin" in sys.modules)
    info = H5Array(filtered(tmp_path / "x.h5", 32001)).info
    assert (info.storage, dict(info.filters)) == ("chunked", {32001: "Blosc"})
    assert sys.modules["hdf5plugin"].loaded
    monkeypatch.delitem(sys.modules, "hdf5plugin")


@pytest.mark.parametrize("how", [{"compression": "lzf"}, {"compression": "gzip", "shuffle": True, "fletcher32": True}])
def test_filters_of_h5py_itself(tmp_path, how):
    reads_right(write(tmp_path / "x.h5", chunks=(5, 4, 3), **how))


def test_a_source_with_such_a_filter(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "hdf5plugin", None)
    layout = h5py.VirtualLayout(VALUES.shape, "f8")
    layout[:] = h5py.VirtualSource("p.h5", "avadataset", shape=VALUES.shape)
    filtered(tmp_path / "p.h5", 32001)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_virtual_dataset("avadataset", layout)
    with pytest.raises(DataError, match="not installed") as caught:
        H5Array(tmp_path / "x.h5")
    assert "p.h5" in caught.value.where


# -- other contents --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\n <!DOCTYPE html><html></html>", "a web page"),
        (b"PK\x03\x04rest", "a zip archive"),
        (b"\x1f\x8brest", "a gzip archive"),
        (b"\x93NUMPY\x01\x00", "a NumPy file"),
        (bytes(4096), "an unfinished download"),
    ],
)
def test_what_is_there_in_place_of_hdf5(tmp_path, content, kind):
    (tmp_path / "x.h5").write_bytes(content)
    with pytest.raises(DataError, match="not HDF5") as caught:
        H5Array(tmp_path / "x.h5")
    assert kind in caught.value.found


@pytest.mark.parametrize("userblock", [0, 2048])
def test_a_damaged_file_is_not_said_to_be_something_else(tmp_path, userblock):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w", userblock_size=userblock) as file:
        file["avadataset"] = VALUES
    data = bytearray(path.read_bytes())
    data[userblock + 8 : userblock + 16] = b"\xff" * 8  # versions in the superblock
    path.write_bytes(data)
    with pytest.raises(DataError, match="an HDF5 file is damaged"):
        H5Array(path)


def test_one_data_set_per_video(tmp_path):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        for i in range(300):
            file[f"vid{i:05d}"] = VALUES[0]
        file["z" * 500] = VALUES[0]
    with pytest.raises(DataError, match="array not found") as caught:
        H5Array(path)
    assert caught.value.found.endswith("vid00000, vid00001, vid00002, vid00003, vid00004, vid00005 and 295 more")
    assert "stack the arrays" in caught.value.fix
    assert len(str(caught.value)) < 500
    with h5py.File(path, "w") as file:
        for i in range(300):
            file[f"{i}-" + "z" * 500 + "/feature"] = VALUES[0]
    with pytest.raises(DataError, match="array not found") as caught:
        H5Array(path)
    assert len(str(caught.value)) < 700


def test_the_only_array_among_groups_and_dead_links(tmp_path):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file["features"] = VALUES
        file.create_group("about")
        file["dead"] = h5py.SoftLink("/nothing")
    reads_right(path)


# -- types that h5py converts ----------------------------------------------------------------------------------------


def test_types_that_are_stored_otherwise_than_they_are_read(tmp_path):
    """bfloat16 is read as float32 and 12 bits as int16: mapped, their bytes would be other numbers."""
    half = h5py.h5t.IEEE_F32LE.copy()
    half.set_fields(15, 7, 8, 0, 7)
    half.set_precision(16)
    half.set_size(2)
    half.set_ebias(127)
    short = h5py.h5t.STD_I16LE.copy()
    short.set_precision(12)
    whole = np.arange(12, dtype="f8").reshape(4, 3)
    for name, kind in (("half", half), ("short", short)):
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            space = h5py.h5s.create_simple(whole.shape)
            array = h5py.h5d.create(file.id, b"avadataset", kind, space)
            array.write(h5py.h5s.ALL, h5py.h5s.ALL, whole)
        found = H5Array(tmp_path / f"{name}.h5")
        assert found.info.offset is None
        assert np.array_equal(found.all(), whole.astype(np.float32))
        assert np.array_equal(found.raw(1, 3), whole[1:3])


# -- what was never written ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [{}, {"chunks": (5, 4, 3)}])
def test_an_array_that_was_never_written(tmp_path, how):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("avadataset", (12, 4, 3), "f4", **how)
    with pytest.raises(DataError, match="never written"):
        H5Array(tmp_path / "x.h5")


@pytest.mark.parametrize("fill", [0, -1])
@pytest.mark.parametrize("how", [{}, {"chunks": (5, 4, 3)}, {"chunks": (1, 4, 3), "compression": "gzip"}])
def test_rows_that_were_never_written_are_said_once(tmp_path, fill, how):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("avadataset", (12, 4, 3), "f4", fillvalue=fill, **how)[:5] = VALUES[:5]
    array = H5Array(path, watch=True)
    assert (
        array.info.unwritten == {(): "", (5, 4, 3): "2 of 3 chunks", (1, 4, 3): "7 of 12 chunks"}[how.get("chunks", ())]
    )
    array.fetch([0, 4])
    with pytest.warns(DataWarning, match=rf"2 of 3 rows of a batch hold only {fill}, .*: 8, 11;"):
        array.fetch([11, 0, 8])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        array.fetch([11, 0, 8])
        H5Array(path).fetch([11])


def test_features_with_many_zeros_are_not_blank(tmp_path):
    values = np.zeros((3, 40, 40))
    values[0, 39, 39], values[1, 0, 0], values[2, 7, 3] = 1, 1, 1
    H5Array(write(tmp_path / "x.h5", values), watch=True).fetch([0, 1, 2])
