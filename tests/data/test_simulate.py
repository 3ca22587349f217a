from __future__ import annotations

import errno
import hashlib
import json
import shutil
import tracemalloc
from collections import namedtuple

import h5py
import numpy as np
import pytest

from avelzoo.builtin.datasets.configs import AveConfig
from avelzoo.data import facts
from avelzoo.data.checking.doctor import examine
from avelzoo.data.making.generator import Generator, Sizes
from avelzoo.data.making.plan import apportion, make_plan
from avelzoo.data.making.simulate import Simulation, simulate
from avelzoo.data.reading.annotations import read_annotations
from avelzoo.data.reading.h5 import H5Array
from avelzoo.data.reading.orders import read_orders
from avelzoo.errors import OptionError, StorageError, UsageError

TINY = {"grid": (2, 2), "visual_dim": 8}


def digest(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


# -- what is chosen --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("least", [0, 1])
def test_apportion(least):
    rng = np.random.default_rng(0)
    for _ in range(200):
        weights = rng.integers(0, 30, 7)
        total = int(rng.integers(0, weights.sum() + 1))
        counts = apportion(total, weights, rng, least)
        assert counts.sum() == total
        assert (counts <= weights).all()
        if least == 0:
            assert (np.abs(counts - total * weights / max(1, weights.sum())) < 1).all()
        elif total >= (weights > 0).sum():
            assert (counts[weights > 0] >= 1).all()


@pytest.mark.parametrize("videos", [3, 28, 200, None, 5000])
def test_made_up_annotations(videos):
    plan = make_plan(videos=videos)
    count = videos or 4143
    assert len(plan.annotations) == count
    assert len(set(plan.annotations.video_ids)) == count
    assert sorted(np.concatenate(list(plan.orders.values())).tolist()) == list(range(count))
    assert all(len(order) for order in plan.orders.values())
    lengths = plan.annotations.ends - plan.annotations.starts
    assert set(lengths.tolist()) <= set(facts.RUN_LENGTHS)
    assert plan.annotations.ends.max() <= 10
    if videos is None:
        assert {name: len(order) for name, order in plan.orders.items()} == facts.SPLITS
        assert (
            dict(zip(plan.annotations.categories, np.bincount(plan.annotations.events), strict=True))
            == facts.CATEGORIES
        )
        assert plan.negatives == 178
        assert (lengths == 10).mean() == pytest.approx(2750 / 4142, abs=0.03)


def test_a_part_of_ave(shared):
    plan = make_plan(annotations=shared / "ave" / "Annotations.txt", videos=600)
    full = read_annotations(shared / "ave" / "Annotations.txt")
    orders = read_orders(shared / "ave", full)
    assert [row.video_id for row in plan.annotations.rows] == [full.rows[row].video_id for row in plan.rows]
    assert plan.annotations.categories == full.categories
    for name, order in plan.orders.items():
        kept = plan.rows[order]
        assert [row for row in orders[name].tolist() if row in set(kept.tolist())] == kept.tolist()
        shares = np.bincount(full.events[orders[name]]) * len(order) / len(orders[name])
        assert (np.abs(np.bincount(full.events[kept], minlength=28) - shares) < 1).all()
    assert {name: len(order) for name, order in plan.orders.items()} == {"train": 484, "val": 58, "test": 58}
    assert plan.negatives == 178
    assert (plan.real_annotations, plan.real_splits) == (True, True)


def test_annotations_alone(shared, tmp_path):
    shutil.copy(shared / "ave" / "Annotations.txt", tmp_path)
    plan = make_plan(annotations=tmp_path / "Annotations.txt", videos=None)
    assert {name: len(order) for name, order in plan.orders.items()} == facts.SPLITS
    assert (plan.real_annotations, plan.real_splits, plan.negative_audio) == (True, False, None)


@pytest.mark.parametrize(
    "wishes", [{"videos": 2}, {"videos": 0}, {"videos": -5}, {"videos": 11}, {"negatives": -1}, {"negatives": 3}]
)
def test_impossible_wishes(folder, wishes):
    rng = np.random.default_rng(0)
    folder.put("audio_feature_noisy.h5", rng.random((2, 10, 128)))
    with pytest.raises(OptionError, match="cannot be chosen"):
        make_plan(annotations=folder.root / "Annotations.txt", **{"videos": 10} | wishes)


# -- features --------------------------------------------------------------------------------------------------------


def test_generator_has_the_statistics_of_the_real_negatives(shared):
    real = H5Array(shared / "ave" / "audio_feature_noisy.h5").all()
    made = np.stack([Generator(0, 28, Sizes()).audio("negative", row) for row in range(178)])

    def statistics(x):
        unit = x / np.linalg.norm(x, axis=-1, keepdims=True)
        videos = unit[:, 0] @ unit[:, 0].T
        return {
            "zeros": (x == 0).mean(),
            "mean": x.mean(),
            "norm": np.linalg.norm(x, axis=-1).mean(),
            "neighbours": (unit[:, 1:] * unit[:, :-1]).sum(-1).mean(),
            "videos": (videos.sum() - len(videos)) / (videos.size - len(videos)),
        }

    assert made.min() == real.min() == 0
    assert statistics(made) == pytest.approx(statistics(real), rel=0.15)


def test_rows_do_not_depend_on_what_else_is_made():
    relevance = np.arange(10) < 4
    some, more = Generator(3, 28, Sizes(visual_dim=16)), Generator(3, 28, Sizes(visual_dim=16))
    more.visual("video", 5, 1, relevance)
    more.audio("negative", 7)
    assert np.array_equal(some.visual("video", 7, 2, relevance), more.visual("video", 7, 2, relevance))
    assert np.array_equal(some.audio("video", 7, 2, relevance), more.audio("video", 7, 2, relevance))
    assert not np.array_equal(some.audio("video", 7), some.audio("negative", 7))
    assert not np.array_equal(some.audio("video", 7), Generator(4, 28, Sizes()).audio("video", 7))


@pytest.mark.parametrize("modality", ["audio", "visual"])
def test_events_and_categories_show(modality):
    """A linear read-out of the category patterns beats chance by far, and is larger inside events than outside."""
    generator = Generator(0, 5, Sizes(grid=(3, 3), visual_dim=64))
    relevance = np.arange(10) < 5
    patterns = (generator._audio if modality == "audio" else generator._visual).patterns
    patterns = patterns - patterns.mean(axis=0)

    def read(row):
        x = getattr(generator, modality)("video", row, row % 5, relevance)
        return (x if modality == "audio" else x.mean(axis=(1, 2))) @ patterns.T

    scores = np.stack([read(row) for row in range(200)])
    scores -= scores.mean(axis=(0, 1))
    own = np.take_along_axis(scores, (np.arange(200) % 5)[:, None, None], axis=2)[..., 0]
    assert (scores[:, :5].mean(axis=1).argmax(axis=1) == np.arange(200) % 5).mean() > 0.6
    assert (own[:, :5].mean(axis=1) > own[:, 5:].mean(axis=1)).mean() > 0.9


# -- what is written -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("simulated") / "deep" / "out"
    return root, simulate(Simulation(videos=40, **TINY), root)


@pytest.mark.parametrize("supervision", ["full", "weak"])
def test_round_trip(made, supervision):
    root, marker = made
    plan = Simulation(videos=40, **TINY).plan()
    generator = Generator(0, plan.categories, Sizes(grid=(2, 2), visual_dim=8))
    split = AveConfig(root=root).open(supervision).split("train")
    batch, _ = split.fetch(range(len(split)))
    relevance = plan.annotations.segments(10) != len(plan.annotations.categories)
    for place, row in enumerate(batch.rows.tolist()):
        known = ("video", row, int(plan.category_ids[row]), relevance[row]) if row < 40 else ("negative", row - 40)
        assert np.array_equal(batch.visual[place].numpy(), generator.visual(*known))
        assert np.array_equal(batch.audio[place].numpy(), generator.audio(*known))
    assert len(split) == len(plan.orders["train"]) + (marker["negatives"] if supervision == "weak" else 0)


def test_the_doctor_finds_nothing(made):
    root, marker = made
    report = examine(root)
    assert report.ok
    assert [f.problem for f in report.findings if f.level == "warning"] == []
    assert report.simulated == marker == json.loads((root / "simulated.json").read_text())
    assert "say nothing about AVE" in marker["note"]
    assert marker["files"] == {p.name: p.stat().st_size for p in root.iterdir() if p.name != "simulated.json"}


def test_files_are_as_the_public_ones(made):
    root, _ = made
    with h5py.File(root / "visual_feature.h5") as file:
        array = file["avadataset"]
        assert (array.dtype, array.chunks, array.compression) == (np.dtype("<f8"), None, None)
        assert np.array_equal(array[()], array[()].astype(np.float32))
    assert b"\r" not in (root / "Annotations.txt").read_bytes()
    assert AveConfig(root=root).open("full").fingerprint()["simulated"] == "by avelzoo, seed 0"


def test_cnn14(tmp_path):
    simulate(Simulation(videos=5, audio="cnn14", **TINY), tmp_path / "out")
    assert AveConfig(root=tmp_path / "out").open("weak").spec.audio_dim == 2048
    assert H5Array(tmp_path / "out" / "audio_cnn14.h5").info.key == "dataset"
    assert not (tmp_path / "out" / "audio_feature.h5").exists()


def test_real_labels_splits_and_negatives(shared, tmp_path):
    ave = shared / "ave"
    marker = simulate(Simulation(annotations=ave / "Annotations.txt", videos=100, **TINY), tmp_path / "out")
    assert marker["real"] == {"annotations": True, "splits": True, "negatives_audio": True}
    assert np.array_equal(
        H5Array(tmp_path / "out" / "audio_feature_noisy.h5").raw(0, 178),
        H5Array(ave / "audio_feature_noisy.h5").raw(0, 178),
    )
    full = read_annotations(ave / "Annotations.txt")
    part = read_annotations(tmp_path / "out" / "Annotations.txt")
    lines = {str(row): number for number, row in enumerate(full.rows)}
    rows = np.array([lines[str(row)] for row in part.rows])
    assert (np.diff(rows) > 0).all()
    splits = {name: set(order.tolist()) for name, order in read_orders(ave, full).items()}
    for name, order in read_orders(tmp_path / "out", part).items():
        assert set(rows[order].tolist()) <= splits[name]
    closs = H5Array(tmp_path / "out" / "labels_closs.h5").all()
    assert np.array_equal(closs, H5Array(ave / "labels_closs.h5").fetch(rows))
    assert len(AveConfig(root=tmp_path / "out").open("weak").split("train")) == marker["splits"]["train"] + 178


def test_a_part_has_the_rows_of_the_full_set(tmp_path, folder):
    whole, part = tmp_path / "whole", tmp_path / "part"
    folder.put("audio_feature_noisy.h5", np.ones((2, 10, 128)))
    annotations = folder.root / "Annotations.txt"
    simulate(Simulation(annotations=annotations, videos=None, **TINY), whole)
    simulate(Simulation(annotations=annotations, videos=6, **TINY), part)
    chosen = Simulation(annotations=annotations, videos=6).plan().rows
    for name in ("visual_feature.h5", "audio_feature.h5", "labels_closs.h5"):
        assert np.array_equal(H5Array(part / name).all(), H5Array(whole / name).fetch(chosen))


def test_the_same_seed_gives_the_same_bytes(tmp_path, made):
    again, other = tmp_path / "again", tmp_path / "other"
    simulate(Simulation(videos=40, **TINY), again)
    simulate(Simulation(videos=40, seed=1, **TINY), other)
    assert digest(again) == digest(made[0])
    assert digest(other)["audio_feature.h5"] != digest(again)["audio_feature.h5"]


def test_memory_does_not_grow_with_the_number_of_videos(tmp_path, monkeypatch):
    monkeypatch.setattr("avelzoo.data.making.simulate.BLOCK", 1 << 18)

    def peak(videos):
        tracemalloc.start()
        simulate(Simulation(videos=videos, grid=(2, 2), visual_dim=512), tmp_path / "out")
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    peak(3)
    small, large = peak(10), peak(80)
    assert large - small < 0.1 * 70 * 10 * 4 * 512 * 8  # of the features that are more


# -- where it is written ---------------------------------------------------------------------------------------------


def test_an_earlier_simulation_is_replaced(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    simulate(Simulation(videos=8, **TINY), out)
    simulate(Simulation(videos=4, audio="cnn14", negatives=0, **TINY), out)
    assert json.loads((out / "simulated.json").read_text())["videos"] == 4
    assert not (out / "audio_feature.h5").exists()
    assert not (out / "labels_noisy.h5").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_other_files_are_never_deleted(tmp_path, folder):
    before = digest(folder.root)
    with pytest.raises(UsageError, match="holds other files"):
        simulate(Simulation(videos=4, **TINY), folder.root)
    assert digest(folder.root) == before
    simulate(Simulation(videos=4, **TINY), folder.root, force=True)
    assert digest(folder.root.with_name("ave.replaced-1")) == before
    assert (folder.root / "simulated.json").exists()
    (folder.root / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds other files"):
        simulate(Simulation(videos=4, **TINY), folder.root)
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is a file"):
        simulate(Simulation(videos=4, **TINY), tmp_path / "file")


def test_a_full_disk_is_noticed_before(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1 << 40, 0, 20 << 20))
    simulate(Simulation(videos=4, **TINY), tmp_path / "small")
    with pytest.raises(StorageError, match="not enough free space") as caught:
        simulate(Simulation(videos=4), tmp_path / "out")
    assert "20,971,520 bytes free" in caught.value.found
    assert not (tmp_path / "out").exists()
    with pytest.raises(StorageError, match="not enough free space"):  # said at once, not after making up annotations
        simulate(Simulation(videos=10**12), tmp_path / "out")


@pytest.mark.parametrize("old", [False, True])
def test_a_disk_that_fills_up_leaves_nothing(tmp_path, monkeypatch, old):
    out = tmp_path / "out"
    if old:
        simulate(Simulation(videos=4, **TINY), out)
    before = digest(out) if old else None

    def full(*_):
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(Generator, "audio", full)
    with pytest.raises(StorageError, match="no space left on device"):
        simulate(Simulation(videos=5, **TINY), out)
    assert [path.name for path in tmp_path.iterdir()] == (["out"] if old else [])
    assert not old or digest(out) == before


def test_a_file_size_limit_leaves_nothing(tmp_path, shell_limited):
    code, err = shell_limited(tmp_path / "out")
    assert code == 5, err
    assert "cannot write the folder: file too large" in err
    assert list(tmp_path.iterdir()) == []
