"""Labels of a folder without features: the same as the opened data set's."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from avelzoo import AveConfig, WorldsConfig
from avelzoo.data.making.simulate import Simulation, simulate
from avelzoo.errors import DataError
from avelzoo.metrics import ReadsLabels, SplitLabels, Truth

ORDERS = ("train_order.h5", "val_order.h5", "test_order.h5")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("labels") / "simulated"
    simulate(Simulation(videos=40, grid=(1, 1), visual_dim=4), out)
    return out


@pytest.fixture
def bare(folder: Path, tmp_path: Path) -> Path:
    """A folder with Annotations.txt and the order files alone."""
    for name in ("Annotations.txt", *ORDERS):
        shutil.copy(folder / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("options", [{}, {"exclude_leaks": True}, {"labels": "right_labels"}])
def test_same_as_the_opened_data_set(folder: Path, options: dict[str, object]) -> None:
    config = AveConfig(root=folder, **options)  # type: ignore[arg-type]
    dataset, found = config.open("full"), config.read_labels()
    assert list(found) == ["train", "val", "test"]
    for name, labels in found.items():
        split = dataset.split(name)
        assert labels.video_ids == tuple(split.video_ids)
        assert np.array_equal(labels.truth.segments, split.labels())
        assert np.array_equal(labels.truth.events, split.events())
        assert labels.truth.categories == dataset.spec.categories


def test_annotations_and_order_files_are_enough(folder: Path, bare: Path) -> None:
    whole, found = AveConfig(root=folder).read_labels(), AveConfig(root=bare).read_labels()
    for name in whole:
        assert np.array_equal(found[name].truth.segments, whole[name].truth.segments)
        assert np.array_equal(found[name].rows, whole[name].rows)


def test_a_feature_file_tells_the_number_of_segments(folder: Path, bare: Path) -> None:
    path = bare / "Annotations.txt"
    lines = [line.split("&") for line in path.read_text("utf-8").splitlines()]
    path.write_text("\n".join("&".join((*line[:3], "0", "4")) for line in lines), "utf-8")
    assert AveConfig(root=bare).read_labels()["test"].truth.segments.shape[1] == 4
    shutil.copy(folder / "audio_feature.h5", bare / "audio_feature.h5")
    assert AveConfig(root=bare).read_labels()["test"].truth.segments.shape[1] == 10
    (bare / "audio_feature.h5").write_bytes(b"version https://git-lfs")
    assert AveConfig(root=bare).read_labels()["test"].truth.segments.shape[1] == 4


def test_missing_files_are_named(bare: Path) -> None:
    with pytest.raises(DataError, match=r"labels\.h5"):
        AveConfig(root=bare, labels="labels").read_labels()
    (bare / "test_order.h5").unlink()
    with pytest.raises(DataError, match="test_order"):
        AveConfig(root=bare).read_labels()
    with pytest.raises(DataError, match="needs a folder"):
        AveConfig().read_labels()


def test_parts_of_different_sizes_are_refused() -> None:
    truth = Truth(segments=np.zeros((2, 3), dtype=np.int64), events=np.zeros(2, dtype=np.int64), categories=("Bark",))
    SplitLabels(video_ids=("a", "b"), truth=truth, rows=np.array([4, 2]))
    for ids, rows in ((("a",), np.array([4, 2])), (("a", "b"), np.array([4]))):
        with pytest.raises(DataError, match="do not belong together"):
            SplitLabels(video_ids=ids, truth=truth, rows=rows)
    assert isinstance(AveConfig(), ReadsLabels)
    assert not isinstance(WorldsConfig(), ReadsLabels)
