"""Arrays that are not in the file they are named in: links, virtual data sets, external storage."""

from __future__ import annotations

import os
import pickle

import h5py
import numpy as np
import pytest

from avelzoo.data.reading.checksum import fingerprint
from avelzoo.data.reading.h5 import H5Array
from avelzoo.data.reading.header import read_info
from avelzoo.errors import DataError

VALUES = np.random.default_rng(0).standard_normal((12, 4, 3))
ROWS = [11, 0, 5, 5, 7]


def write(path, values=VALUES, key="avadataset", **how):
    path.parent.mkdir(exist_ok=True)
    with h5py.File(path, "w") as file:
        file.create_dataset(key, data=values, **how)
    return path


def link(path, target, key="avadataset"):
    with h5py.File(path, "w") as file:
        file[key] = target
    return path


def reads_right(path):
    array = H5Array(path)
    expected = VALUES.astype(np.float32)
    assert np.array_equal(array.fetch(ROWS), expected[ROWS])
    assert np.array_equal(array.all(), expected)
    assert np.array_equal(array.raw(2, 11), VALUES[2:11])
    again = pickle.loads(pickle.dumps(array))  # noqa: S301
    assert np.array_equal(again.fetch(ROWS), expected[ROWS])
    return array


# -- links -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [{}, {"chunks": (5, 4, 3)}])
def test_an_external_link_is_read_from_the_file_that_holds_the_array(tmp_path, how):
    """The pointer file is larger than the target's offset: bytes of its own must not be taken for the array's."""
    write(tmp_path / "store.h5", **how)
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file["avadataset"] = h5py.ExternalLink("store.h5", "avadataset")
        file["other"] = np.zeros((50, 4, 3))
    info = reads_right(path).info
    assert info.path == tmp_path / "store.h5"
    assert (info.offset is None) == bool(how)
    assert info.others(path) == [tmp_path / "store.h5"]


LINKS = {
    "soft": lambda f: f.__setitem__("avadataset", h5py.SoftLink("/deep/er/array")),
    "soft, relative": lambda f: f.__setitem__("avadataset", h5py.SoftLink("deep/er/array")),
    "soft to soft": lambda f: (
        f.__setitem__("dataset", h5py.SoftLink("/second")),
        f.__setitem__("second", h5py.SoftLink("/deep/er/array")),
    ),
    "through a group": lambda f: (
        f.__setitem__("alias", h5py.SoftLink("/deep/er")),
        f.__setitem__("avadataset", h5py.SoftLink("/alias/array")),
    ),
    "in a group": lambda f: (
        f.__setitem__("deep/er/name", h5py.SoftLink("array")),
        f.__setitem__("avadataset", h5py.SoftLink("/deep/er/name")),
    ),
    "external to external": lambda f: f.__setitem__("avadataset", h5py.ExternalLink("second.h5", "/entry")),
    "external into a group": lambda f: f.__setitem__("avadataset", h5py.ExternalLink("third.h5", "/a/array")),
}


@pytest.mark.parametrize("name", LINKS)
def test_links_are_followed(tmp_path, name):
    write(tmp_path / "third.h5", key="a/array")
    link(tmp_path / "second.h5", h5py.ExternalLink("third.h5", "a/array"), "entry")
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file["deep/er/array"] = VALUES
        file["decoy"] = np.zeros((12, 4, 3))
        LINKS[name](file)
    reads_right(path)


def test_a_folder_that_moved_with_its_links(tmp_path, monkeypatch):
    """HDF5 looks beside the file for an absolute path that is gone; the working directory is looked at last."""
    store = write(tmp_path / "old" / "store.h5")
    link(tmp_path / "old" / "x.h5", h5py.ExternalLink(str(store), "avadataset"))
    (tmp_path / "old").rename(tmp_path / "new")
    write(tmp_path / "store.h5", -VALUES)
    monkeypatch.chdir(tmp_path)
    reads_right(tmp_path / "new" / "x.h5")


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (
            h5py.ExternalLink("/old/place/store.h5", "avadataset"),
            "'avadataset' in /old/place/store.h5, which is missing",
        ),
        (h5py.ExternalLink("here.h5", "gone"), "an external link to 'gone' in here.h5; that file holds avadataset"),
        (h5py.SoftLink("/gone"), "a soft link to '/gone'"),
        (h5py.SoftLink("/gone/deeper"), "a soft link to '/gone/deeper'"),
        (h5py.ExternalLink("/old/place/x.h5", "avadataset"), "in /old/place/x.h5, which is missing"),
    ],
)
def test_a_link_that_leads_nowhere_is_named(tmp_path, target, said):
    write(tmp_path / "here.h5")
    path = link(tmp_path / "x.h5", target)
    with pytest.raises(DataError, match="broken link in an HDF5 file") as caught:
        H5Array(path)
    assert said in caught.value.found
    assert caught.value.where == f"{path}, key 'avadataset'"


@pytest.mark.parametrize("target", [h5py.SoftLink("/avadataset"), h5py.ExternalLink("x.h5", "avadataset")])
def test_links_in_a_circle(tmp_path, target):
    with pytest.raises(DataError, match="circular"):
        H5Array(link(tmp_path / "x.h5", target))


def test_a_link_to_what_is_no_array(tmp_path):
    write(tmp_path / "store.h5", key="group/array")
    path = link(tmp_path / "x.h5", h5py.ExternalLink("store.h5", "group"))
    with pytest.raises(DataError, match="rows of numbers") as caught:
        H5Array(path)
    assert caught.value.found == "a group: array"
    (tmp_path / "store.h5").write_bytes(b"<html>quota exceeded</html>")
    with pytest.raises(DataError, match="not HDF5") as caught:
        H5Array(path)
    assert str(path) in caught.value.where
    assert str(tmp_path / "store.h5") in caught.value.where
    assert "a web page" in caught.value.found


def test_a_target_that_is_cut_off_or_goes(tmp_path):
    store = write(tmp_path / "store.h5")
    path = link(tmp_path / "x.h5", h5py.ExternalLink("store.h5", "avadataset"))
    array = H5Array(path)
    array.fetch([0])
    os.truncate(store, store.stat().st_size - 64)
    for read in (lambda: array.fetch([11]), lambda: H5Array(path)):
        with pytest.raises(DataError, match="truncated") as caught:
            read()
        assert str(store) in caught.value.where
    store.unlink()
    with pytest.raises(DataError, match="is no longer readable"):
        array.fetch([11])


def test_a_symbolic_link_that_leads_nowhere(tmp_path):
    path = tmp_path / "x.h5"
    path.symlink_to(tmp_path / "disk" / "x.h5")
    with pytest.raises(DataError, match="broken symbolic link") as caught:
        H5Array(path)
    assert caught.value.found == f"a link to {tmp_path / 'disk' / 'x.h5'}, which is missing"
    write(tmp_path / "disk" / "x.h5")
    reads_right(path)


# -- virtual data sets -----------------------------------------------------------------------------------------------


def virtual(path, layout, fill=None):
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("avadataset", layout, fillvalue=fill)
    return path


def in_parts(folder, parts=3, **how):
    """Rows in order, in `parts` files beside the pointer."""
    layout, step = h5py.VirtualLayout(VALUES.shape, "f8"), 12 // parts
    for i in range(parts):
        rows = slice(i * step, (i + 1) * step)
        write(folder / "parts" / f"p{i}.h5", VALUES[rows], "x", **how)
        layout[rows] = h5py.VirtualSource(f"parts/p{i}.h5", "x", shape=VALUES[rows].shape)
    return virtual(folder / "x.h5", layout)


def interleaved(folder):
    layout = h5py.VirtualLayout(VALUES.shape, "f8")
    for i in range(2):
        write(folder / f"p{i}.h5", VALUES[i::2])
        layout[i::2] = h5py.VirtualSource(f"p{i}.h5", "avadataset", shape=VALUES[i::2].shape)
    return virtual(folder / "x.h5", layout)


def by_channel(folder):
    layout = h5py.VirtualLayout(VALUES.shape, "f8")
    for i in range(3):
        write(folder / f"p{i}.h5", VALUES[:, :, i])
        layout[:, :, i] = h5py.VirtualSource(f"p{i}.h5", "avadataset", shape=VALUES.shape[:2])
    return virtual(folder / "x.h5", layout)


def per_video(folder):
    layout = h5py.VirtualLayout(VALUES.shape, "f8")
    for i, row in enumerate(VALUES):
        write(folder / f"v{i}.h5", row)
        layout[i] = h5py.VirtualSource(f"v{i}.h5", "avadataset", shape=row.shape)
    return virtual(folder / "x.h5", layout)


def part_of_a_source(folder):
    write(folder / "p.h5", np.concatenate([VALUES[::-1] * 0, VALUES]))
    layout = h5py.VirtualLayout(VALUES.shape, "f8")
    layout[:] = h5py.VirtualSource("p.h5", "avadataset", shape=(24, 4, 3))[12:]
    return virtual(folder / "x.h5", layout)


def nested(folder):
    in_parts(folder).rename(folder / "inner.h5")
    layout = h5py.VirtualLayout(VALUES.shape, "f8")
    layout[:] = h5py.VirtualSource("inner.h5", "avadataset", shape=VALUES.shape)
    return virtual(folder / "x.h5", layout)


def own_file(folder):
    path = folder / "x.h5"
    with h5py.File(path, "w") as file:
        file["a"], file["b"] = VALUES[:6], VALUES[6:]
        layout = h5py.VirtualLayout(VALUES.shape, "f8")
        layout[:6] = h5py.VirtualSource(".", "a", shape=VALUES[:6].shape)
        layout[6:] = h5py.VirtualSource(".", "b", shape=VALUES[6:].shape)
        file.create_virtual_dataset("avadataset", layout)
    return path


def through_a_link(folder):
    write(folder / "store.h5")
    link(folder / "p.h5", h5py.ExternalLink("store.h5", "avadataset"), "x")
    layout = h5py.VirtualLayout(VALUES.shape, "f8")
    layout[:] = h5py.VirtualSource("p.h5", "x", shape=VALUES.shape)
    return virtual(folder / "x.h5", layout)


def printf(folder, parts=3):
    """As many files as there are: h5py makes such a data set through its low level alone."""
    step, inner = 12 // parts, VALUES.shape[1:]
    for i in range(parts):
        write(folder / f"50%-{i}.h5", VALUES[i * step : (i + 1) * step], "x")
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    wide = (h5py.h5s.UNLIMITED, *inner)
    space = h5py.h5s.create_simple((step, *inner), wide)
    space.select_hyperslab((0, 0, 0), (h5py.h5s.UNLIMITED, 1, 1), (step, 1, 1), (step, *inner))
    plist.set_virtual(space, b"50%%-%b.h5", b"x", h5py.h5s.create_simple((step, *inner)))
    path = folder / "x.h5"
    with h5py.File(path, "w") as file:
        whole = h5py.h5s.create_simple((step, *inner), wide)
        h5py.h5d.create(file.id, b"avadataset", h5py.h5t.NATIVE_DOUBLE, whole, plist)
    return path


VIRTUAL = {
    make.__name__: make
    for make in (
        in_parts,
        interleaved,
        by_channel,
        per_video,
        part_of_a_source,
        nested,
        own_file,
        through_a_link,
        printf,
    )
}


@pytest.mark.parametrize("name", VIRTUAL)
def test_virtual_data_sets_read_right(tmp_path, name):
    path = VIRTUAL[name](tmp_path)
    info = reads_right(path).info
    mapped = ("in_parts", "own_file", "through_a_link", "printf")  # of whole contiguous arrays
    assert info.storage == ("shards" if name in mapped else "indirect")
    assert info.unwritten == ""
    holders = {file for file in tmp_path.rglob("*.h5") if file != path}
    assert set(info.others(path)) == holders


@pytest.mark.parametrize("name", sorted(set(VIRTUAL) - {"own_file", "printf"}))
@pytest.mark.parametrize("when", ["before", "after"])
def test_no_source_may_be_missing(tmp_path, name, when):
    """HDF5 itself would give zeros."""
    path = VIRTUAL[name](tmp_path)
    array = H5Array(path)
    gone = array.info.others(path)[-1]
    gone.unlink()
    with pytest.raises(DataError) as caught:
        H5Array(path) if when == "before" else array.all()
    assert gone.name in str(caught.value)
    with pytest.raises(DataError):
        array.raw(0, 12)


def test_missing_sources_are_counted_and_named(tmp_path):
    path = per_video(tmp_path)
    for i in range(8):
        (tmp_path / f"v{i}.h5").unlink()
    with pytest.raises(DataError, match="virtual data set refers to missing files") as caught:
        H5Array(path)
    assert caught.value.found == "8 of 12 files missing: v0.h5, v1.h5, v2.h5, v3.h5, v4.h5, v5.h5 and 2 more"
    assert caught.value.where == f"{path}, key 'avadataset'"


def test_a_gap_in_numbered_sources_shows_in_the_rows(tmp_path):
    path = printf(tmp_path)
    (tmp_path / "50%-1.h5").unlink()
    with pytest.raises(DataError, match="wrong sizes") as caught:
        H5Array(path, rows=12)
    assert caught.value.found == "shape (4, 4, 3), gathered from 1 other file"


SOURCES = {
    "no array": (lambda p: write(p, VALUES[4:8], "y"), "array not found"),
    "text": (lambda p: write(p, np.full((4, 4, 3), b"text"), "x"), "rows of numbers"),
    "shorter": (lambda p: write(p, VALUES[4:7], "x"), "wrong sizes"),
    "narrower": (lambda p: write(p, VALUES[4:8, :3], "x"), "wrong sizes"),
    "not HDF5": (lambda p: p.write_bytes(b"\0" * 4096), "not HDF5"),
    "never written": (lambda p: h5py.File(p, "w").create_dataset("x", (4, 4, 3), "f8").file.close(), "never written"),
    "a folder": (lambda p: (p.unlink(), p.mkdir()), "missing"),
}


@pytest.mark.parametrize("name", SOURCES)
def test_sources_that_do_not_give_the_numbers(tmp_path, name):
    change, problem = SOURCES[name]
    path = in_parts(tmp_path)
    change(tmp_path / "parts" / "p1.h5")
    with pytest.raises(DataError, match=problem) as caught:
        H5Array(path)
    assert "p1.h5" in f"{caught.value.where} {caught.value.found}"
    assert str(path) in caught.value.where


def test_virtual_data_sets_in_a_circle(tmp_path):
    for one, other in (("x", "y"), ("y", "x")):
        layout = h5py.VirtualLayout(VALUES.shape, "f8")
        layout[:] = h5py.VirtualSource(f"{other}.h5", "avadataset", shape=VALUES.shape)
        virtual(tmp_path / f"{one}.h5", layout)
    with pytest.raises(DataError, match="circular"):
        H5Array(tmp_path / "x.h5")


def test_two_moved_sources_of_one_name(tmp_path):
    """HDF5 would read both parts from the one file that is left of that name."""
    layout = h5py.VirtualLayout(VALUES.shape, "f8")
    for i, folder in enumerate(("a", "b")):
        layout[6 * i : 6 * i + 6] = h5py.VirtualSource(f"/old/{folder}/p.h5", "x", shape=(6, 4, 3))
    path = virtual(tmp_path / "x.h5", layout)
    write(tmp_path / "p.h5", VALUES[:6], "x")
    with pytest.raises(DataError, match="two moved files with the same name") as caught:
        H5Array(path)
    assert "/old/a/p.h5 and /old/b/p.h5" in caught.value.found


def test_folders_that_the_environment_names(tmp_path, monkeypatch):
    """As HDF5 has it, they come before the folder of the file."""
    path = in_parts(tmp_path)
    link(tmp_path / "y.h5", h5py.ExternalLink("store.h5", "avadataset"))
    write(tmp_path / "store.h5", -VALUES)
    (tmp_path / "away" / "parts").mkdir(parents=True)
    write(tmp_path / "away" / "store.h5")
    for part in (tmp_path / "parts").iterdir():
        part.rename(tmp_path / "away" / "parts" / part.name)
    monkeypatch.setenv("HDF5_EXT_PREFIX", str(tmp_path / "away"))
    reads_right(tmp_path / "y.h5")
    with pytest.raises(DataError, match="missing"):
        H5Array(path)
    monkeypatch.setenv("HDF5_VDS_PREFIX", str(tmp_path / "away"))
    assert set(reads_right(path).info.others(path)) == set((tmp_path / "away" / "parts").iterdir())


def test_rows_without_a_source_are_known(tmp_path):
    layout = h5py.VirtualLayout(VALUES.shape, "f8")
    write(tmp_path / "p.h5", VALUES[:9])
    layout[:9] = h5py.VirtualSource("p.h5", "avadataset", shape=(9, 4, 3))
    info = read_info(virtual(tmp_path / "x.h5", layout))
    assert info.unwritten.startswith("36 of 144 numbers")


# -- external storage ------------------------------------------------------------------------------------------------


def external(folder, monkeypatch, *, values=VALUES):
    """Two files of plain bytes that are named relative to the folder in which the array was written."""
    monkeypatch.chdir(folder)
    path = folder / "x.h5"
    with h5py.File(path, "w") as file:
        where = [("one.raw", 16, 480), ("two.raw", 0, h5py.h5f.UNLIMITED)]
        file.create_dataset("avadataset", data=values, external=where)
    return path


def test_external_storage_reads_right_from_anywhere(tmp_path, monkeypatch):
    folder = tmp_path / "data"
    folder.mkdir()
    path = external(folder, monkeypatch)
    info = reads_right(path).info
    assert info.offset is None, "its bytes are not in the HDF5 file"
    assert info.others(path) == [folder / "one.raw", folder / "two.raw"]
    monkeypatch.chdir(tmp_path)
    reads_right(path)


@pytest.mark.parametrize("when", ["before", "after"])
def test_external_storage_that_is_cut_off_or_gone(tmp_path, monkeypatch, when):
    """HDF5 reads zeros after the end of such a file."""
    path = external(tmp_path, monkeypatch)
    array = H5Array(path)
    os.truncate(tmp_path / "two.raw", 100)
    with pytest.raises(DataError, match="truncated") as caught:
        H5Array(path) if when == "before" else array.all()
    assert caught.value.where == str(tmp_path / "two.raw")
    (tmp_path / "two.raw").unlink()
    with pytest.raises(DataError, match="missing" if when == "before" else "is no longer readable") as caught:
        H5Array(path) if when == "before" else array.all()
    assert "two.raw" in str(caught.value)


def test_external_storage_in_two_places(tmp_path, monkeypatch):
    folder = tmp_path / "data"
    folder.mkdir()
    path = external(folder, monkeypatch)
    for name in ("one.raw", "two.raw"):
        (tmp_path / name).write_bytes(bytes(2000))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="in two folders"):
        H5Array(path)


# -- identity --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["in_parts", "nested", "through_a_link"])
def test_fingerprints_cover_the_files_that_hold_the_numbers(tmp_path, name):
    path = VIRTUAL[name](tmp_path)

    def identity():
        return fingerprint(path, read_info(path).others(path))

    before = identity()
    assert before.startswith(fingerprint(path))
    assert identity() == before
    holder = read_info(path).others(path)[-1]
    with h5py.File(holder, "a") as file:
        array = next(iter(file.values()))
        array[0, 0, 0] = 77
    assert identity() != before
