from __future__ import annotations

import pickle

import h5py
import numpy as np
import pytest
import torch

from avelzoo.builtin.datasets.configs import AveConfig
from avelzoo.errors import DataError, UsageError


def opened(folder, supervision="full", **options):
    return AveConfig(root=folder.root, **options).open(supervision)


def rows_of(folder, name, dtype=np.float32):
    return torch.from_numpy(folder.arrays[name].astype(dtype))


# What conftest.py's folder holds, said again where it is compared.
TRAIN, VAL, TEST = [9, 0, 4, 2, 5], [1, 6], [8, 3, 7]
EVENTS = torch.tensor([0, 0, 0, 0, 1, 1, 1, 2, 2, 2])


def segments():
    from_lines = [(0, 5), (1, 3), (0, 0), (2, 5), (0, 2), (3, 5), (0, 5), (4, 5), (0, 4), (1, 4)]
    return torch.tensor(
        [[int(EVENTS[r]) if a <= t < b else 3 for t in range(5)] for r, (a, b) in enumerate(from_lines)]
    )


@pytest.mark.parametrize("supervision", ["full", "weak"])
def test_sizes_and_names(folder, supervision):
    dataset = opened(folder, supervision)
    spec = dataset.spec
    assert (spec.segments, spec.audio_dim, spec.grid, spec.visual_dim) == (5, 6, (2, 3), 4)
    assert spec.categories == ("Bell, church", "Dog", "Flute")
    lengths = {name: len(dataset.split(name)) for name in ("train", "val", "test")}
    assert lengths == {"train": 5 if supervision == "full" else 7, "val": 2, "test": 3}
    with pytest.raises(UsageError, match="no split 'dev'"):
        dataset.split("dev")


@pytest.mark.parametrize(("name", "rows"), [("train", TRAIN), ("val", VAL), ("test", TEST)])
def test_full_supervision(folder, name, rows):
    split = opened(folder).split(name)
    places = list(range(len(rows)))[::-1]
    chosen = [rows[i] for i in places]
    batch, targets = split.fetch(places)
    assert torch.equal(batch.audio, rows_of(folder, "audio_feature.h5")[chosen])
    assert torch.equal(batch.visual, rows_of(folder, "visual_feature.h5")[chosen])
    assert batch.audio.dtype == batch.visual.dtype == torch.float32
    assert batch.rows.tolist() == chosen
    assert torch.equal(targets.event, EVENTS[chosen])
    assert torch.equal(targets.segments, segments()[chosen])
    assert targets.presence.tolist() == [1.0] * len(rows)
    assert targets.background == 3
    assert np.array_equal(split.labels(), segments()[rows].numpy())
    assert np.array_equal(split.events(), EVENTS[rows].numpy())
    assert list(split.video_ids) == [["v0", "v1", "v2", "v3", "v4", "v5", "v0", "v7", "v8", "v9"][r] for r in rows]


def test_targets_are_copies(folder):
    split = opened(folder).split("train")
    _, targets = split.fetch([0, 1])
    targets.segments.fill_(0)
    targets.event.fill_(1)
    assert np.array_equal(split.labels(), segments()[TRAIN].numpy())
    assert np.array_equal(split.events(), EVENTS[TRAIN].numpy())


def test_weak_with_negatives(folder):
    split = opened(folder, "weak").split("train")
    batch, targets = split.fetch([6, 0, 5, 3])
    visual = torch.cat([rows_of(folder, "visual_feature.h5"), rows_of(folder, "visual_feature_noisy.h5")])
    audio = torch.cat([rows_of(folder, "audio_feature.h5"), rows_of(folder, "audio_feature_noisy.h5")])
    assert batch.rows.tolist() == [11, 9, 10, 2]
    assert torch.equal(batch.visual, visual[[11, 9, 10, 2]])
    assert torch.equal(batch.audio, audio[[11, 9, 10, 2]])
    assert targets.segments is None
    assert targets.event.tolist() == [3, 2, 3, 0]
    assert targets.presence.tolist() == [0, 1, 0, 1]  # row 2 has a category and no event segment
    assert split.video_ids[5:] == ["negative-000", "negative-001"]
    assert split.events().tolist() == [2, 0, 1, 0, 1, 3, 3]
    assert split.labels()[5:].tolist() == [[3] * 5] * 2


@pytest.mark.parametrize("name", ["val", "test"])
def test_weak_training_is_scored_on_segments(folder, name):
    _, weak = opened(folder, "weak").split(name).fetch([0, 1])
    _, full = opened(folder, "full").split(name).fetch([0, 1])
    assert torch.equal(weak.segments, full.segments)
    assert torch.equal(weak.presence, full.presence)


def test_weak_without_negatives(folder):
    for path in folder.root.glob("*_noisy.h5"):
        path.unlink()
    split = opened(folder, "weak", weak_protocol="onehot").split("train")
    _, targets = split.fetch(range(5))
    assert len(split) == 5
    assert targets.segments is None
    assert targets.presence.tolist() == [1] * 5


@pytest.mark.parametrize("name", ["visual_feature_noisy.h5", "audio_feature_noisy.h5"])
@pytest.mark.parametrize("protocol", ["onehot+neg", "soft-duration"])
def test_missing_negatives(folder, name, protocol):
    (folder.root / name).unlink()
    with pytest.raises(DataError, match=name) as caught:
        opened(folder, "weak", weak_protocol=protocol)
    assert "--set dataset.weak_protocol=onehot" in caught.value.fix
    opened(folder, "full", weak_protocol=protocol)


@pytest.mark.parametrize("source", ["rebuilt", "file"])
def test_soft_duration(folder, source):
    shares = (segments() != 3).float().mean(dim=1)
    if source == "file":  # not the mean of the segments, but within half a segment of it
        shares = (shares + torch.linspace(-0.09, 0.09, 10)).clamp(0, 1)
        soft = np.zeros((10, 4), np.float32)
        soft[np.arange(10), EVENTS], soft[:, 3] = shares, 1 - shares
        folder.put("prob_label.h5", soft)
    _, targets = opened(folder, "weak", weak_protocol="soft-duration").split("train").fetch(range(7))
    assert torch.allclose(targets.presence, torch.cat([shares[TRAIN], torch.zeros(2)]), atol=1e-6)
    assert targets.event.tolist() == [2, 0, 1, 0, 1, 3, 3]
    assert targets.segments is None


def test_more_negatives_than_labels(folder):
    """As with the public CNN14 negatives: the first rows count."""
    folder.put("audio_feature_noisy.h5", np.random.default_rng(1).random((5, 5, 6)))
    assert len(opened(folder, "weak").split("train")) == 7
    (folder.root / "labels_noisy.h5").unlink()
    with pytest.raises(DataError, match="differ in their rows"):
        opened(folder, "weak")


def test_negatives_without_label_file(folder):
    (folder.root / "labels_noisy.h5").unlink()
    assert len(opened(folder, "weak").split("train")) == 7


def test_wrong_negatives(folder):
    folder.put("labels_noisy.h5", np.eye(4)[[3, 0]])
    with pytest.raises(DataError, match="not labelled as background") as caught:
        opened(folder, "weak")
    assert caught.value.where.endswith("row 1")
    folder.put("labels_noisy.h5", np.eye(4)[[3, 3, 3]])
    with pytest.raises(DataError, match="differ in their rows"):
        opened(folder, "weak")
    folder.put("audio_feature_noisy.h5", np.zeros((2, 5, 7)))
    with pytest.raises(DataError, match="differ in their sizes"):
        opened(folder, "weak")


# -- label variants --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", ["labels", "right_labels"])
def test_label_files_that_follow_the_rule(folder, variant):
    folder.put(f"{variant}.h5", folder.labels()[f"{variant}.h5"])
    _, rebuilt = opened(folder).split("train").fetch(range(5))
    _, read = opened(folder, labels=variant).split("train").fetch(range(5))
    assert torch.equal(read.segments, rebuilt.segments)
    assert torch.equal(read.event, rebuilt.event)


def test_missing_label_file(folder):
    with pytest.raises(DataError, match=r"missing: right_labels\.h5"):
        opened(folder, labels="right_labels")


def test_leaks_can_be_left_out(folder):
    assert opened(folder, exclude_leaks=True).split("val").video_ids == ["v1"]  # v0 is in train as row 0
    assert opened(folder).split("val").video_ids == ["v1", "v0"]


# -- audio features --------------------------------------------------------------------------------------------------


def test_cnn14(folder):
    rng = np.random.default_rng(2)
    folder.put("audio_cnn14.h5", rng.random((10, 5, 9), dtype=np.float32), "dataset")
    folder.put("audio_cnn14_noisy.h5", rng.random((4, 5, 9), dtype=np.float32), "dataset")
    assert opened(folder).spec.audio_dim == 6
    batch, _ = opened(folder, "weak", audio="cnn14").split("train").fetch([0, 6])
    expected = [folder.arrays["audio_cnn14.h5"][9], folder.arrays["audio_cnn14_noisy.h5"][1]]
    assert np.array_equal(batch.audio.numpy(), np.stack(expected))
    (folder.root / "audio_feature.h5").unlink()
    assert opened(folder).spec.audio_dim == 9
    with pytest.raises(DataError, match=r"missing: audio_feature\.h5"):
        opened(folder, audio="vggish")


# -- what is refused -------------------------------------------------------------------------------------------------


def test_no_folder(folder, tmp_path):
    with pytest.raises(DataError, match="needs a folder") as caught:
        AveConfig().open("full")
    assert "--data DIR" in caught.value.fix
    with pytest.raises(DataError, match="data folder missing"):
        AveConfig(root=tmp_path / "nowhere").open("full")
    with pytest.raises(DataError, match="is a file"):
        AveConfig(root=folder.root / "Annotations.txt").open("full")


@pytest.mark.parametrize(
    "name", ["Annotations.txt", "train_order.h5", "test_order.h5", "visual_feature.h5", "audio_feature.h5"]
)
def test_missing_files(folder, name):
    (folder.root / name).unlink()
    with pytest.raises(DataError, match=f"missing: {name}"):
        opened(folder)


@pytest.mark.parametrize("name", ["visual_feature.h5", "audio_feature.h5", "val_order.h5"])
def test_files_that_are_cut_off(folder, name):
    folder.cut(name, 16)
    with pytest.raises(DataError, match="truncated") as caught:
        opened(folder)
    assert caught.value.where == str(folder.root / name)


@pytest.mark.parametrize(
    ("name", "shape", "problem"),
    [
        ("visual_feature.h5", (9, 5, 2, 3, 4), "wrong sizes"),
        ("visual_feature.h5", (10, 5, 4), "wrong sizes"),
        ("audio_feature.h5", (11, 5, 6), "wrong sizes"),
        ("audio_feature.h5", (10, 6, 6), "differ in their segments"),
    ],
)
def test_sizes_that_do_not_fit(folder, name, shape, problem):
    folder.put(name, np.zeros(shape))
    with pytest.raises(DataError, match=problem):
        opened(folder)


def test_an_event_beyond_the_features(folder):
    folder.put("visual_feature.h5", np.zeros((10, 4, 2, 3, 4)))
    folder.put("audio_feature.h5", np.zeros((10, 4, 6)))
    with pytest.raises(DataError, match="after its video") as caught:
        opened(folder)
    assert caught.value.where.endswith("Annotations.txt, line 1")


@pytest.mark.parametrize(
    ("order", "problem", "found"),
    [
        ([9, 0, 10], "rows that do not exist", "10"),
        ([9, -1, 4], "rows that do not exist", "-1"),
        ([9, 0, 0, 9, 4], "more than once", "0, 9"),
        ([9, 0, 1, 6], "train and val splits share rows", "1, 6"),
        ([9.0, 0.5], "non-integer", "0.5"),
        ([9.0, np.nan], "non-integer", "nan"),
    ],
)
def test_order_files(folder, order, problem, found):
    folder.put("train_order.h5", order, "order")
    with pytest.raises(DataError, match=problem) as caught:
        opened(folder)
    assert caught.value.found == found


def test_whole_numbers_in_another_type_are_fine(folder):
    folder.put("train_order.h5", np.array(TRAIN, dtype=np.float32), "order")
    assert opened(folder).split("train").fetch(range(5))[0].rows.tolist() == TRAIN


def test_nan_is_named_when_it_is_met(folder):
    values = folder.arrays["visual_feature.h5"].copy()
    values[4, 2, 1, 1, 0] = np.nan
    folder.put("visual_feature.h5", values)
    split = opened(folder).split("train")
    split.fetch([0, 1, 3, 4])
    with pytest.raises(DataError, match="non-finite") as caught:
        split.fetch([2])
    assert caught.value.where.endswith("visual_feature.h5, row 4")


# -- storage and identity --------------------------------------------------------------------------------------------


def test_compressed_features_are_the_same(folder):
    plain, _ = opened(folder, "weak").split("train").fetch([6, 3, 0])
    for name in ("visual_feature.h5", "audio_feature.h5", "visual_feature_noisy.h5"):
        folder.put(name, folder.arrays[name], compression="gzip", chunks=True)
    packed, _ = opened(folder, "weak").split("train").fetch([6, 3, 0])
    assert torch.equal(plain.visual, packed.visual)
    assert torch.equal(plain.audio, packed.audio)


def test_splits_can_be_pickled(folder):
    split = opened(folder, "weak").split("train")
    split.fetch([0])
    batch, _ = pickle.loads(pickle.dumps(split)).fetch([5, 0])  # noqa: S301
    assert torch.equal(batch.visual, split.fetch([5, 0])[0].visual)


def test_fingerprint_names_what_is_used(folder):
    full, weak = opened(folder).fingerprint(), opened(folder, "weak").fingerprint()
    orders = {f"{name}_order.h5" for name in ("train", "val", "test")}
    assert set(full) == {"Annotations.txt", "visual_feature.h5", "audio_feature.h5"} | orders
    assert set(weak) - set(full) == {"visual_feature_noisy.h5", "audio_feature_noisy.h5", "labels_noisy.h5"}
    with h5py.File(folder.root / "audio_feature.h5", "a") as file:
        file["avadataset"][3, 2, 1] += 1
    changed = opened(folder).fingerprint()
    assert {name for name in full if full[name] != changed[name]} == {"audio_feature.h5"}


def test_fingerprint_samples_large_files(tmp_path):
    from avelzoo.data.reading.checksum import fingerprint

    path = tmp_path / "large"
    data = bytearray(np.random.default_rng(0).bytes(10 << 20))
    path.write_bytes(data)
    first = fingerprint(path)
    assert first.startswith("10485760 bytes, sampled sha256 ")
    data[-1] ^= 1
    path.write_bytes(data)
    assert fingerprint(path) != first
