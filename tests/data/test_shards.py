"""A folder packed in shards is the folder packed in one piece."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys

import h5py
import numpy as np
import pytest

from avelzoo import AveConfig
from avelzoo.data.checking.doctor import examine
from avelzoo.data.checking.status import status
from avelzoo.data.making import shards as writing
from avelzoo.data.making.pack import pack, read_manifest
from avelzoo.data.making.shards import starts_of
from avelzoo.data.reading import mapped
from avelzoo.data.reading.h5 import H5Array
from avelzoo.errors import DataError, UsageError
from tests.data.conftest import write

FEATURES = ("visual_feature.h5", "audio_feature.h5", "visual_feature_noisy.h5", "audio_feature_noisy.h5")


def content(root):
    """Bytes of every file, by name."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.fixture
def sharded(folder, tmp_path):
    pack(folder.root, tmp_path / "shards", shard_videos=3)
    return tmp_path / "shards"


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_every_program_reads_the_numbers_of_one_file(folder, tmp_path, dtype):
    pack(folder.root, tmp_path / "one", dtype=dtype)
    manifest = pack(folder.root, tmp_path / "shards", dtype=dtype, shards=4)
    assert manifest == read_manifest(tmp_path / "shards")
    rows = {name: [e["rows"] for e in manifest["files"].values() if e.get("file") == name] for name in FEATURES}
    assert rows["visual_feature.h5"] == rows["audio_feature.h5"] == [[0, 1], [2, 4], [5, 6], [7, 9]]
    assert rows["visual_feature_noisy.h5"] == [[0, 1]], "few negatives need one file"
    for name in FEATURES:
        with h5py.File(tmp_path / "one" / name) as one, h5py.File(tmp_path / "shards" / name) as other:
            (key,) = one
            assert other[key].is_virtual
            assert one[key].dtype == other[key].dtype == np.dtype(dtype)
            assert np.array_equal(one[key][:], other[key][:])
    assert examine(tmp_path / "shards").ok
    assert status(tmp_path / "shards").packed == dtype
    assert not list(tmp_path.glob(".*")), "nothing else is left"


@pytest.mark.parametrize("supervision", ["full", "weak"])
def test_a_data_set_reads_shards_as_one_file(folder, tmp_path, sharded, supervision):
    pack(folder.root, tmp_path / "one")
    (tmp_path / "elsewhere").mkdir()
    moved = sharded.rename(tmp_path / "elsewhere" / "moved")
    one, other = (AveConfig(root=str(root)).open(supervision) for root in (tmp_path / "one", moved))
    assert one.spec == other.spec
    for name in ("train", "val", "test"):
        for split in (other.split(name), pickle.loads(pickle.dumps(other.split(name)))):  # noqa: S301, as workers do
            order = np.random.default_rng(0).permutation(len(split))
            (batch, targets), (got, known) = one.split(name).fetch(order), split.fetch(order)
            assert (batch.visual == got.visual).all()
            assert (batch.audio == got.audio).all()
            assert (targets.event == known.event).all()
    assert one.fingerprint().keys() == other.fingerprint().keys()
    assert "with 4 other files" in other.fingerprint()["visual_feature.h5"]


def test_rows_are_read_in_the_files_order(sharded, monkeypatch):
    array = H5Array(sharded / "visual_feature.h5")
    assert (array.info.storage, [s.first for s in array.info.shards]) == ("shards", [0, 3, 6, 9])
    monkeypatch.setattr(mapped, "_OPEN", 2)
    seen = []
    real = mapped.MappedRows._announce
    monkeypatch.setattr(
        mapped.MappedRows,
        "_announce",
        lambda self, number, rows: (seen.append((number, rows.tolist())), real(self, number, rows)),
    )
    rows = np.array([9, 4, 0, 5, 4, 8])
    found = array.fetch(rows)
    assert seen == [(0, [0]), (1, [1, 1, 2]), (2, [2]), (3, [0])]
    assert np.array_equal(found, array.all()[rows])
    assert np.array_equal(array.raw(2, 8), array.all()[2:8].astype(np.float16))
    with pytest.raises(IndexError, match="rows 0 to 9"):
        array.fetch([10])


def test_processes_write_the_same_bytes(folder, tmp_path, sharded):
    read = []
    pack(
        folder.root,
        tmp_path / "many",
        shard_videos=3,
        workers=2,
        begin=lambda total: read.append(-total) or read.append,
    )
    assert sum(read) == 0, "progress adds up"
    assert content(tmp_path / "many") == content(sharded)


def test_a_missing_or_damaged_shard_is_named(folder, sharded):
    shard = sharded / "shards" / "visual_feature-00001-of-00004.h5"
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-5] + bytes([whole[-5] ^ 1]) + whole[-4:])
    (fault,) = [f for f in examine(sharded).findings if f.level == "error"]
    assert (fault.file, fault.problem) == (f"shards/{shard.name}", "a packed file has changed since it was written")
    shard.write_bytes(whole[:-50])
    with pytest.raises(DataError, match="truncated") as caught:
        AveConfig(root=str(sharded)).open("full")
    assert shard.name in str(caught.value)
    shard.unlink()
    with pytest.raises(DataError) as caught:
        AveConfig(root=str(sharded)).open("full")
    assert f"shards/{shard.name}" in caught.value.found
    faults = [f for f in examine(sharded).findings if f.level == "error"]
    assert [shard.name in f.found for f in faults] == [True], "one error"


def test_a_shard_that_shrinks_or_holds_nan_is_named(folder, sharded):
    split = AveConfig(root=str(sharded)).open("full").split("test")
    shard = sharded / "shards" / "audio_feature-00002-of-00004.h5"
    with h5py.File(shard, "r+") as file:
        file["avadataset"][2, 0, 0] = np.nan
    with pytest.raises(DataError) as caught:
        split.fetch([0])
    assert caught.value.where.endswith(f"audio_feature.h5, row 8, in {shard.name}")
    shard.write_bytes(shard.read_bytes()[:-50])
    with pytest.raises(DataError) as caught:
        split.fetch([0])
    assert shard.name in caught.value.where


KILLED = """
import os, signal, sys
from pathlib import Path
from avelzoo.data.making.pack import pack
count = 0
def tick(read):
    global count
    count += 1
    if count == 3:
        os.kill(os.getpid(), signal.SIGKILL)
pack(Path(sys.argv[1]), Path(sys.argv[2]), shard_videos=3, begin=lambda total: tick)
"""


def test_a_killed_command_continues(folder, tmp_path, sharded, monkeypatch):
    out = tmp_path / "packed"
    ran = subprocess.run([sys.executable, "-c", KILLED, folder.root, out], check=False)
    assert ran.returncode == -signal.SIGKILL
    assert not out.exists()
    (draft,) = tmp_path.glob(".packed.*")
    kept = {path.name: path.stat().st_mtime_ns for path in (draft / "shards").glob("*.h5")}
    assert len(kept) == 2
    with pytest.raises(UsageError, match="with other options") as caught:
        pack(folder.root, out, shard_videos=4)
    assert str(draft) in caught.value.where
    read = []
    pack(folder.root, out, shard_videos=3, begin=lambda total: read.append(-total) or read.append)
    assert sum(read) == 0
    assert {path.name: path.stat().st_mtime_ns for path in (out / "shards").iterdir() if path.name in kept} == kept
    assert content(out) == content(sharded)
    assert not draft.exists()


def test_two_processes_do_not_pack_into_one_folder(folder, tmp_path, monkeypatch):
    real, caught = writing.write_rows, []

    def second(*given):
        monkeypatch.setattr(writing, "write_rows", real)
        with pytest.raises(UsageError, match="another process") as error:
            pack(folder.root, tmp_path / "packed", shards=2)
        caught.append(error)
        real(*given)

    monkeypatch.setattr(writing, "write_rows", second)
    pack(folder.root, tmp_path / "packed", shards=2)
    assert caught


def test_bad_numbers_leave_no_folder(folder, tmp_path):
    values = folder.arrays["visual_feature.h5"].copy()
    values[7, 2, 1, 1, 3] = 1e5
    write(folder.root / "visual_feature.h5", values)
    for workers in (1, 2):
        with pytest.raises(DataError, match="too large for float16") as caught:
            pack(folder.root, tmp_path / "packed", shard_videos=3, workers=workers)
        assert "visual_feature.h5, row 7" in caught.value.where
        assert not list(tmp_path.glob("*packed*"))
    pack(folder.root, tmp_path / "packed", shard_videos=3, dtype="float32")


@pytest.mark.parametrize(
    ("rows", "most", "shards", "videos", "found"),
    [
        (10, 10, 3, None, [0, 3, 6, 10]),
        (2, 10, 3, None, [0, 2]),
        (2, 2, 5, None, [0, 1, 2]),
        (10, 10, None, 4, [0, 4, 8, 10]),
        (3, 10, None, 4, [0, 3]),
    ],
)
def test_rows_of_shards(rows, most, shards, videos, found):
    assert starts_of(rows, most, shards, videos) == found


def test_the_command(folder, tmp_path):
    def command(*words):
        argv = [sys.executable, "-m", "avelzoo", "data", "pack", folder.root, tmp_path / "packed", *words]
        return subprocess.run(argv, capture_output=True, text=True, check=False, env=os.environ)

    refused = command("--shards", "2", "--shard-videos", "5")
    assert (refused.returncode, "mutually exclusive" in refused.stderr) == (2, True)
    done = command("--shards", "2", "--json")
    assert done.returncode == 0, done.stderr
    assert sum("rows" in entry for entry in json.loads(done.stdout)["files"].values()) == 6
