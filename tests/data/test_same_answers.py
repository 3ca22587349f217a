"""Data set, doctor, status and pack agree on features that lie elsewhere, are pooled, or look wrong."""

from __future__ import annotations

import shutil
import warnings

import h5py
import numpy as np
import pytest
import torch

from avelzoo.builtin.datasets.configs import AveConfig
from avelzoo.cli import main
from avelzoo.data.checking.doctor import examine
from avelzoo.data.checking.status import status
from avelzoo.data.making.pack import pack
from avelzoo.data.reading.shapes import channels_first
from avelzoo.errors import DataError, DataWarning

VISUAL, POOLED, AUDIO = "visual_feature.h5", "visual_feature_vec.h5", "audio_feature.h5"


def opened(folder, supervision="full", **options):
    return AveConfig(root=folder.root, **options).open(supervision)


def findings(folder, level):
    return {(finding.file, finding.problem) for finding in examine(folder.root).findings if finding.level == level}


def allows(folder, use="full"):
    look = status(folder.root)
    return next(not ability.missing["vggish"] for ability in look.abilities if ability.name == use)


def linked(folder, name):
    """The file elsewhere, an external link in its place."""
    store = folder.root / "store"
    store.mkdir(exist_ok=True)
    with h5py.File(folder.root / name) as file:
        (key,) = file
    (folder.root / name).rename(store / name)
    with h5py.File(folder.root / name, "w") as file:
        file["the/array"] = h5py.ExternalLink(f"store/{name}", key)
        file[key] = h5py.SoftLink("/the/array")


# -- elsewhere -------------------------------------------------------------------------------------------------------


def test_links_everywhere(folder, tmp_path):
    expected, _ = opened(folder, "weak").split("train").fetch([6, 0, 3])
    plain = opened(folder, "weak").fingerprint()
    for name in folder.arrays:
        linked(folder, name)
    dataset = opened(folder, "weak")
    batch, _ = dataset.split("train").fetch([6, 0, 3])
    assert torch.equal(batch.visual, expected.visual)
    assert torch.equal(batch.audio, expected.audio)
    assert all(dataset.fingerprint()[name] != plain[name] for name in folder.arrays)
    assert examine(folder.root).ok
    assert (VISUAL, "the array is read from other files") in findings(folder, "note")
    assert allows(folder)
    pack(folder.root, tmp_path / "packed", dtype="float32")
    shutil.rmtree(folder.root)
    packed, _ = AveConfig(root=tmp_path / "packed").open("weak").split("train").fetch([6, 0, 3])
    assert torch.equal(packed.visual, expected.visual)
    assert examine(tmp_path / "packed").ok


@pytest.mark.parametrize("name", [VISUAL, AUDIO, "val_order.h5"])
def test_a_dead_link_is_an_error_for_all(folder, name):
    linked(folder, name)
    (folder.root / "store" / name).unlink()
    assert allows(folder) is False
    hits = [f for f in examine(folder.root).findings if f.level == "error"]
    assert {f.problem for f in hits} == {"broken link in an HDF5 file"}
    with pytest.raises(DataError, match="broken") as caught:
        opened(folder)
    assert f"store/{name}" in caught.value.found
    assert f"store/{name}" in hits[0].found


@pytest.mark.parametrize("name", ["Annotations.txt", VISUAL, AUDIO, "val_order.h5", "labels_noisy.h5"])
def test_a_dangling_symbolic_link_is_an_error_for_all(folder, name):
    (folder.root / name).unlink()
    (folder.root / name).symlink_to("/old/disk/file")
    hits = [f for f in examine(folder.root).findings if f.level == "error" and f.file == name]
    assert [f.problem for f in hits] == ["broken symbolic link"]
    assert "/old/disk/file" in hits[0].found
    assert "/old/disk/file" in next(file.problem for file in status(folder.root).files if file.name == name)
    with pytest.raises(DataError, match="broken symbolic link") as caught:
        opened(folder, "weak")
    assert "/old/disk/file" in caught.value.found


def test_a_folder_behind_a_dangling_link(folder, tmp_path):
    (tmp_path / "link").symlink_to("/old/disk")
    with pytest.raises(DataError, match="data folder missing") as caught:
        AveConfig(root=tmp_path / "link").open("full")
    assert caught.value.found == "a link to /old/disk, which is missing"


def test_the_fingerprint_of_a_moved_folder_is_the_same(folder, tmp_path):
    linked(folder, VISUAL)
    before = opened(folder).fingerprint()
    folder.root.rename(tmp_path / "moved")
    assert AveConfig(root=tmp_path / "moved").open("full").fingerprint() == before


# -- pooled ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("axes", [3, 5])
def test_pooled_features_are_a_grid_of_one_cell(folder, tmp_path, axes):
    values = folder.arrays[VISUAL].mean(axis=(2, 3))
    stored = values if axes == 3 else values[:, :, None, None]
    (folder.root / VISUAL).unlink()
    folder.put(POOLED, stored)
    dataset = opened(folder)
    assert (dataset.spec.grid, dataset.spec.visual_dim) == ((1, 1), 4)
    batch, _ = dataset.split("test").fetch([2, 0])
    assert np.array_equal(batch.visual[:, :, 0, 0], values[[7, 8]].astype(np.float32))
    assert batch.visual.shape == (2, 5, 1, 1, 4)
    assert POOLED in dataset.fingerprint()
    assert not [f for f in examine(folder.root).findings if f.level == "error" and f.file in (VISUAL, POOLED)]
    assert allows(folder)
    folder.put(POOLED, stored, chunks=True)
    again, _ = opened(folder).split("test").fetch([2, 0])
    assert torch.equal(again.visual, batch.visual)
    pack(folder.root, tmp_path / "packed", dtype="float32")
    packed, _ = AveConfig(root=tmp_path / "packed").open("full").split("test").fetch([2, 0])
    assert torch.equal(packed.visual, batch.visual)
    with h5py.File(tmp_path / "packed" / POOLED) as file:
        assert file["avadataset"].shape == stored.shape


def test_maps_come_before_pooled_features(folder):
    folder.put(POOLED, folder.arrays[VISUAL].mean(axis=(2, 3)))
    assert opened(folder).spec.grid == (2, 3)
    assert examine(folder.root).ok
    folder.cut(VISUAL)
    assert allows(folder) is False
    with pytest.raises(DataError, match="truncated"):
        opened(folder)


def test_pooled_features_and_negatives_with_a_grid(folder, capsys):
    folder.put(POOLED, folder.arrays[VISUAL].mean(axis=(2, 3)))
    (folder.root / VISUAL).unlink()
    with pytest.raises(DataError, match="differ in their sizes") as caught:
        opened(folder, "weak")
    assert "dataset.weak_protocol=onehot" in caught.value.fix
    assert opened(folder, "weak", weak_protocol="onehot").spec.grid == (1, 1)
    report = examine(folder.root)
    assert report.ok, "every use but one works"
    hit = next(finding for finding in report.findings if finding.file == "visual_feature_noisy.h5")
    assert (hit.level, hit.problem) == ("warning", f"negatives with a grid cannot be combined with {POOLED}")
    assert (allows(folder), allows(folder, "weak, onehot+neg")) == (True, False)
    folder.put("visual_feature_noisy.h5", folder.arrays["visual_feature_noisy.h5"].mean(axis=(2, 3), keepdims=True))
    assert opened(folder, "weak").split("train").fetch([6])[0].visual.shape == (1, 5, 1, 1, 4)
    assert allows(folder, "weak, onehot+neg")
    assert not {"error", "warning"} & {f.level for f in examine(folder.root).findings if "visual" in f.file}
    assert main(["data", "status", str(folder.root)]) == 0
    assert "optional, for features with a grid; if missing, visual_feature_vec.h5 is read" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("shape", "fix"), [((10, 5, 4), "(10, 5, 1, 1, 4)"), ((10, 5, 9, 4), "(10, 5, 3, 3, 4)"), ((10, 5, 6, 4), "")]
)
def test_features_without_a_grid_under_the_maps_name(folder, shape, fix):
    folder.put(VISUAL, np.ones(shape))
    with pytest.raises(DataError, match="wrong sizes") as caught:
        opened(folder)
    assert caught.value.expected == "5 axes: rows, segments t, grid rows h, grid columns w, channels v"
    assert fix in caught.value.fix
    assert allows(folder) is False
    hit = next(f for f in examine(folder.root).findings if f.level == "error" and f.file.startswith(VISUAL))
    assert hit.expected == caught.value.expected
    assert fix in hit.fix


# -- shapes that fit by accident -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "suspect"),
    [
        ((10, 5, 512, 7, 7), True),
        ((10, 5, 16, 2, 2), True),
        ((10, 5, 512, 7, 9), True),
        ((10, 5, 9, 7, 7), True),
        ((10, 5, 7, 7, 512), False),
        ((10, 5, 14, 14, 8), False),
        ((10, 5, 2, 3, 4), False),
        ((10, 5, 1, 1, 512), False),
        ((10, 5, 1, 1, 1), False),
        ((10, 5, 4, 6, 3), False),
        ((10, 5, 5, 4, 3), False),
    ],
)
def test_channels_first(shape, suspect):
    assert channels_first(shape) is suspect


def test_channels_first_is_said_by_run_and_doctor(folder):
    folder.put(VISUAL, np.random.default_rng(0).random((10, 5, 16, 2, 2)))
    with pytest.warns(DataWarning, match=r"look channels-first: shape \(10, 5, 16, 2, 2\).*moveaxis"):
        opened(folder)
    assert (VISUAL, "visual features look channels-first") in findings(folder, "warning")


def test_audio_with_swapped_axes(folder):
    folder.put(AUDIO, np.ones((10, 6, 5)))
    with pytest.raises(DataError, match="differ in their segments") as caught:
        opened(folder)
    assert "swapaxes" in caught.value.fix


@pytest.mark.parametrize("fill", [0, -7])
@pytest.mark.parametrize("how", [{}, {"chunks": (2, 5, 6)}])
def test_rows_never_written_are_said_by_run_and_doctor(folder, fill, how):
    with h5py.File(folder.root / AUDIO, "w") as file:
        file.create_dataset("avadataset", (10, 5, 6), "f4", fillvalue=fill, **how)[:6] = 1 + folder.arrays[AUDIO][:6]
    problem = "rows that were never written" if fill else "all-zero rows"
    assert (AUDIO, problem) in findings(folder, "warning")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        split = opened(folder).split("train")
        split.fetch([1, 2, 3])
        first = len(told)
        split.fetch([0, 1])
        split.fetch([0, 1])
    assert first == bool(how)
    assert len(told) == 1 + bool(how)
    assert f"1 of 2 rows of a batch hold only {fill}" in str(told[-1].message)
    if how:
        assert "part of the array was never written: 2 of 5 chunks" in str(told[0].message)
        assert (AUDIO, "part of the array was never written") in findings(folder, "warning")
