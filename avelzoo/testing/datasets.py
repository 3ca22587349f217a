"""Checks for data sets."""

from __future__ import annotations

import numpy as np
import torch

from avelzoo.components import DatasetConfig
from avelzoo.config import options

SPLITS = ("train", "val", "test")


def check_features_have_the_promised_sizes(config: DatasetConfig) -> None:
    """Batches are floating-point, finite, and have the channels and grid of the spec."""
    dataset = config.open("full")
    spec = dataset.spec
    for name in SPLITS:
        split = dataset.split(name)
        assert len(split) == len(split.video_ids) > 0, f"split '{name}' has {len(split)} videos"
        batch, _ = split.fetch([0, len(split) - 1])
        assert batch.audio.is_floating_point() and batch.visual.is_floating_point(), "features are not floating"
        assert batch.audio.shape[2] == spec.audio_dim, f"audio has {batch.audio.shape[2]} channels"
        assert tuple(batch.visual.shape[2:]) == (*spec.grid, spec.visual_dim), f"visual is {tuple(batch.visual.shape)}"
        assert torch.isfinite(batch.audio).all(), "audio is not finite"
        assert torch.isfinite(batch.visual).all(), "visual is not finite"


def check_reads_folder(config: DatasetConfig) -> None:
    """``reads_folder`` is true exactly if the config has an option ``root``, which ``--data`` sets."""
    has_root = "root" in {option.name for option in options(type(config))}
    assert config.reads_folder == has_root, f"reads_folder is {config.reads_folder}, but root is an option: {has_root}"


def check_order_is_respected(config: DatasetConfig) -> None:
    """Fetched positions are returned in their order; fetching them again has the same result."""
    split = config.open("full").split("train")
    last = len(split) - 1
    forth, _ = split.fetch([0, last])
    back, _ = split.fetch(np.array([last, 0]))
    assert torch.equal(forth.audio, back.audio.flip(0)), "the order of positions is not kept"
    assert torch.equal(forth.rows, back.rows.flip(0)), "rows do not follow the positions"


def check_labels_agree(config: DatasetConfig) -> None:
    """Targets, ``labels`` and ``events`` agree."""
    dataset = config.open("full")
    n = dataset.spec.n
    for name in SPLITS:
        split = dataset.split(name)
        labels, events = split.labels(), split.events()
        assert labels.shape[0] == events.shape[0] == len(split), "labels do not cover the split"
        assert labels.min() >= 0, "ids below 0"
        assert labels.max() <= n, "ids above n"
        _, targets = split.fetch(list(range(min(4, len(split)))))
        assert targets.segments is not None, f"'{name}' has no segment labels under full supervision"
        assert np.array_equal(targets.segments.numpy(), labels[: len(targets.event)]), "segments differ from labels()"
        assert np.array_equal(targets.event.numpy(), events[: len(targets.event)]), "event differs from events()"
        assert targets.background == n, f"background is {targets.background}, not {n}"


def check_padding_is_marked(config: DatasetConfig) -> None:
    """``mask`` agrees with ``lengths``; padding comes last, with zero features and background labels."""
    dataset = config.open("full")
    for name in SPLITS:
        split = dataset.split(name)
        lengths, labels = split.lengths(), split.labels()
        t = labels.shape[1]
        assert lengths.shape == (len(split),), f"lengths are {lengths.shape}, not ({len(split)},)"
        assert 1 <= lengths.min() <= lengths.max() <= t, f"lengths leave 1..{t}"
        assert (labels[np.arange(t) >= lengths[:, None]] == dataset.spec.n).all(), "padding is labelled as an event"
        places = np.unique([lengths.argmin(), lengths.argmax(), len(split) - 1])
        batch, _ = split.fetch(places)
        assert batch.audio.shape[1] == batch.visual.shape[1] == t, f"a batch has {batch.audio.shape[1]} segments"
        if batch.mask is None:
            assert (lengths == t).all(), f"videos of '{name}' differ in length, and batches have no mask"
            continue
        expected = np.arange(t) < lengths[places][:, None]
        assert np.array_equal(batch.mask.numpy(), expected), "the mask differs from lengths()"
        assert not batch.audio[~batch.mask].any(), "audio of padding is not zero"
        assert not batch.visual[~batch.mask].any(), "visual features of padding are not zero"


def check_weak_training_hides_segments(config: DatasetConfig) -> None:
    """Under weak supervision, training targets have no segment labels; those of val and test do."""
    dataset = config.open("weak")
    for name in SPLITS:
        _, targets = dataset.split(name).fetch([0])
        assert (targets.segments is None) is (name == "train"), f"segment labels of '{name}' under weak supervision"


def check_splits_do_not_overlap(config: DatasetConfig) -> None:
    """No row belongs to two splits."""
    dataset = config.open("full")
    rows = []
    for name in SPLITS:
        split = dataset.split(name)
        step = 64
        for start in range(0, len(split), step):
            batch, _ = split.fetch(list(range(start, min(start + step, len(split)))))
            rows += batch.rows.tolist()
    assert len(rows) == len(set(rows)), "a row number occurs twice"
