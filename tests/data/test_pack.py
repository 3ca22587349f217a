"""A packed folder is the folder, a quarter as large."""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc

import h5py
import numpy as np
import pytest
import torch

from avelzoo import AveConfig
from avelzoo.data.checking.doctor import examine
from avelzoo.data.checking.status import status
from avelzoo.data.making import shards as packing
from avelzoo.data.making.pack import MANIFEST, pack, read_manifest
from avelzoo.errors import DataError, UsageError
from tests.data.conftest import write

FEATURES = ("visual_feature.h5", "audio_feature.h5", "visual_feature_noisy.h5", "audio_feature_noisy.h5")


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("block", [1, 10**9])
def test_features_are_the_nearest_numbers_and_the_rest_is_the_same(folder, tmp_path, dtype, block, monkeypatch):
    monkeypatch.setattr(packing, "BLOCK", block)
    out = tmp_path / "packed"
    read = []
    manifest = pack(folder.root, out, dtype=dtype, begin=lambda total: read.append(-total) or read.append)
    assert sum(read) == 0, "progress adds up"
    for name, values in folder.arrays.items():
        with h5py.File(out / name) as file:
            (key,) = file
            if name in FEATURES:
                assert file[key].dtype == np.dtype(dtype)
                assert file[key].chunks is None, "contiguous, to be mapped"
                assert np.array_equal(file[key][:], values.astype(dtype))
            else:
                assert (out / name).read_bytes() == (folder.root / name).read_bytes()
    assert (out / "Annotations.txt").read_bytes() == (folder.root / "Annotations.txt").read_bytes()
    assert manifest == read_manifest(out)
    assert set(manifest["files"]) == {*folder.arrays, "Annotations.txt"}
    assert examine(out).ok
    assert status(out).packed == dtype
    assert status(folder.root).packed == ""
    with pytest.raises(UsageError, match="not empty"):
        pack(folder.root, out)


@pytest.mark.parametrize("supervision", ["full", "weak"])
def test_a_data_set_reads_it_as_any_folder(folder, tmp_path, supervision):
    pack(folder.root, tmp_path / "packed")
    plain, packed = (AveConfig(root=str(root)).open(supervision) for root in (folder.root, tmp_path / "packed"))
    assert plain.spec == packed.spec
    for name in ("train", "val", "test"):
        one, other = plain.split(name), packed.split(name)
        assert np.array_equal(one.labels(), other.labels())
        (batch, targets), (got, known) = (split.fetch(np.arange(len(split))) for split in (one, other))
        assert (batch.audio.dtype, got.audio.dtype) == (torch.float32, torch.float16), "features come as stored"
        assert np.allclose(got.visual, batch.visual, rtol=2**-11)
        assert np.allclose(got.audio, batch.audio, rtol=2**-11)
        assert (targets.event == known.event).all()
        assert (targets.presence == known.presence).all()


@pytest.mark.parametrize(
    ("value", "told", "fix"),
    [(1e5, "too large for float16", "--dtype float32"), (np.nan, "not finite", "extract"), (-np.inf, "not finite", "")],
)
def test_numbers_that_do_not_fit_are_refused_and_nothing_is_left(folder, tmp_path, value, told, fix):
    values = folder.arrays["visual_feature.h5"].copy()
    values[7, 2, 1, 1, 3] = value
    write(folder.root / "visual_feature.h5", values)
    with pytest.raises(DataError, match=told) as caught:
        pack(folder.root, tmp_path / "packed")
    assert "visual_feature.h5, row 7" in caught.value.where
    assert fix in caught.value.fix
    assert [path.name for path in tmp_path.iterdir()] == [folder.root.name]
    if value == 1e5:
        pack(folder.root, tmp_path / "packed", dtype="float32")


def test_a_folder_is_not_packed_into_itself_and_a_simulation_is_not_overwritten(folder, tmp_path):
    with pytest.raises(UsageError, match="into itself"):
        pack(folder.root, folder.root)
    other = tmp_path / "other"
    other.mkdir()
    (other / "simulated.json").write_text(json.dumps({"simulated": True, "files": {}}))
    with pytest.raises(UsageError, match="not empty"):
        pack(folder.root, other)


def test_the_doctor_sees_what_changed(folder, tmp_path):
    out = tmp_path / "packed"
    pack(folder.root, out)
    data = bytearray((out / "audio_feature.h5").read_bytes())
    data[-1] ^= 1
    (out / "audio_feature.h5").write_bytes(data)
    (out / "train_order.h5").unlink()
    problems = {(f.file, f.problem) for f in examine(out).findings if f.level == "error"}
    assert ("audio_feature.h5", "a packed file has changed since it was written") in problems
    assert ("train_order.h5", "a packed file is missing") in problems
    (out / MANIFEST).write_text("{")
    assert any("manifest" in f.problem for f in examine(out, quick=True).findings)


@pytest.mark.parametrize(
    ("text", "told"), [('{"files": 3}', "damaged"), ('{"files": {}, "format": 9}', "unsupported format")]
)
def test_a_manifest_that_cannot_be_read(tmp_path, text, told):
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(DataError, match=told):
        read_manifest(tmp_path)


KILLED = """
import os, signal, sys
from pathlib import Path
from avelzoo.data.making.pack import pack
pack(Path(sys.argv[1]), Path(sys.argv[2]), begin=lambda total: lambda count: os.kill(os.getpid(), signal.SIGKILL))
"""


def test_a_kill_leaves_nothing_that_looks_like_a_folder(folder, tmp_path):
    ran = subprocess.run([sys.executable, "-c", KILLED, folder.root, tmp_path / "packed"], check=False)
    assert ran.returncode == -9
    assert not (tmp_path / "packed").exists()
    pack(folder.root, tmp_path / "packed")
    assert examine(tmp_path / "packed").ok


def test_memory_does_not_grow_with_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(packing, "BLOCK", 1 << 20)
    (tmp_path / "big").mkdir()
    with h5py.File(tmp_path / "big" / "visual_feature.h5", "w") as file:
        array = file.create_dataset("avadataset", (64, 10, 7, 7, 512), dtype="f8")
        array[:] = 1
    tracemalloc.start()
    pack(tmp_path / "big", tmp_path / "packed")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    row = 10 * 7 * 7 * 512 * 8
    assert row < peak < 8 * row < (tmp_path / "big" / "visual_feature.h5").stat().st_size / 4


def command(*words):
    return subprocess.run(
        [sys.executable, "-m", "avelzoo", *map(str, words)], capture_output=True, text=True, check=False
    )


def test_from_the_shell_to_a_run(folder, tmp_path):
    out = tmp_path / "packed"
    done = command("data", "pack", folder.root, out, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["dtype"] == "float16"
    assert "packed, as float16" in " ".join(command("data", "status", out).stdout.split())
    refused = command("data", "pack", folder.root, out, "--dtype", "float8")
    assert refused.returncode == 2
    assert "float16 or float32" in refused.stderr
    run = ["run", "single-branch", "--encoder", "mean-pool", "--data", out, "--epochs", 1, "--batch-size", 2]
    done = command(*run, "--out", tmp_path / "run", "--json")
    assert done.returncode == 0, done.stderr
    assert 0 <= json.loads(done.stdout)["scores"]["test"]["segment_accuracy"] <= 1
